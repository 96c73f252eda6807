"""What filters make of mail that Packetboat brings, with the examples: it comes from 127.0.0.1, and from strangers."""

import contextlib
import shutil

import pytest
from test_forged_mark import ID, MARK
from test_lanes import set_main
from test_trace_fields import believed, opendkim, sieve  # noqa: F401  (a fixture)
from twodomains import smtp
from twodomains.templates import fill
from twodomains.waiting import accepts, until

HAND_OVER = "2526/inet"
SIGNER = """Mode sv
Domain b.test
Selector key
KeyFile /etc/postfix/dkim.pem
Socket inet:8891@{address}
Syslog no
InternalHosts 127.0.0.0/8
UserID root
RequireSafeKeys no
"""
RSPAMD = {
    "options.inc": 'disable_hyperscan = true;\ncheck_local = true;\ndns { nameserver = ["127.0.0.53"]; }\n',
    "worker-proxy.inc": 'bind_socket = "127.0.0.1:11332";\nupstream "local" { default = yes; self_scan = yes; }\n',
    "dkim_signing.conf": 'domain { b.test { path = "/etc/postfix/dkim.pem"; selector = "key"; } }\n',
    # What this site does with mail that fails DMARC, and nothing else: no other rule is to have a say.
    "dmarc.conf": 'actions = { reject = "reject"; }\n',
    "actions.conf": "reject = 1000; add_header = 900; greylist = 800;\n",
    "milter_headers.conf": 'use = ["authentication-results"];\nskip_local = false;\n',
    **{name: "enabled = false;\n" for name in (
        "worker-normal.inc", "worker-controller.inc", "rbl.conf", "fuzzy_check.conf", "asn.conf", "neural.conf",
        "phishing.conf", "greylist.conf")},
}


def from_author(letter, author):
    letter.content = letter.content.replace(b"Alice <alice@a.test>", author.encode())
    return letter


def with_new_connections(b):
    """Packetboat's to Postfix, which has another configuration now."""
    b.packetboat.restart()
    until(lambda: b.packetboat.run("check").returncode == 0, "its link to be up", 60)


@contextlib.contextmanager
def filters(b, **settings):
    set_main(b, **settings)
    try:
        with_new_connections(b)
        yield
    finally:
        set_main(b, **{name: "" for name in settings})
        with_new_connections(b)


@pytest.fixture
def key(world, b):
    shutil.copy(world.scratch / "dkim.pem", b.host.path("/etc/postfix/dkim.pem"))
    b.host.path("/etc/postfix/dkim.pem").chmod(0o644)


@pytest.fixture
def rspamd(b, key):
    folder = b.host.path("/run/rspamd")
    for name in ("local.d", "override.d", "db", "log"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, text in {**RSPAMD, "settings.conf": fill("rspamd/settings.conf", regex="b[.]test")}.items():
        (folder / "local.d" / name).write_text(text)
    places = [word for name, place in (("LOCAL_CONFDIR", ""), ("DBDIR", "/db"), ("RUNDIR", ""), ("LOGDIR", "/log"))
              for word in ("--var", f"{name}=/run/rspamd{place}")]
    process = b.host.popen(["rspamd", "--insecure", "-f", "-u", "root", "-g", "root", *places], "rspamd.out")
    try:
        until(lambda: accepts("127.0.0.1", 11332), "rspamd", 60)
        with filters(b, smtpd_milters="inet:127.0.0.1:11332"):
            yield
    finally:
        process.terminate()
        process.wait(30)
        shutil.copytree(folder / "log", b.host.logs / "rspamd", dirs_exist_ok=True)


def test_opendkim_signs_what_users_write_and_nothing_that_packetboat_brings(b, key, alice, bob, carol, new_letter):
    b.host.write("/run/opendkim-packetboat.conf", fill("opendkim/packetboat.conf", domain="b.test"))
    verifier = b.host.popen(["opendkim", "-f", "-x", "/run/opendkim-packetboat.conf"], "opendkim-packetboat.log")
    override = f"{b.address}:{HAND_OVER}/smtpd_milters"
    try:
        until(lambda: accepts("127.0.0.1", 8892), "the second OpenDKIM")
        b.host.command("postconf", "-P", f"{override}=inet:127.0.0.1:8892", check=True)
        with opendkim(b, SIGNER.format(address=b.address), 8891), filters(b, smtpd_milters=f"inet:{b.address}:8891"):
            own, forged = from_author(new_letter(), "bob@b.test"), from_author(new_letter(), "ceo@b.test")
            bob.sends(own, carol)
            assert len(carol.mailbox.wait_for(own.id).fields("DKIM-Signature")) == 1
            alice.sends(forged, bob)
            arrived = bob.mailbox.wait_for(forged.id)
            assert arrived.transport() == "xmpp" and arrived.fields("DKIM-Signature") == []
            assert any(value.startswith(f"{ID}; x-xmpp-s2s=pass") for value in arrived.fields("Authentication-Results"))
    finally:
        b.host.command("postconf", "-PX", override, check=True)
        verifier.terminate()
        verifier.wait(30)


def test_rspamd_signs_what_users_write_and_nothing_that_packetboat_brings(rspamd, alice, bob, carol, new_letter):
    own, forged = from_author(new_letter(), "bob@b.test"), from_author(new_letter(), "ceo@b.test")
    bob.sends(own, carol)
    assert len(carol.mailbox.wait_for(own.id).fields("DKIM-Signature")) == 1
    # With another sender rspamd itself would refuse to sign.
    alice.sends(forged, bob, sender="")
    arrived = bob.mailbox.wait_for(forged.id)
    assert arrived.transport() == "xmpp" and arrived.fields("DKIM-Signature") == []
    # The mark has not made room for rspamd's own field.
    assert arrived.field("Authentication-Results").startswith(f"{ID}; x-xmpp-s2s=pass")


def test_a_peer_that_says_reject_and_signs_nothing_arrives(rspamd, b, d, alice, bob, dora, new_letter):
    """Its domain is authenticated. By SMTP, or by another domain, such mail is refused."""
    ours, by_smtp, others = new_letter(), new_letter(), new_letter()
    alice.sends(ours, bob)
    assert bob.mailbox.wait_for(ours.id).transport() == "xmpp"
    with pytest.raises(smtp.Refused, match="^5"):
        smtp.send(b.address, "alice@a.test", [bob.address], by_smtp.content)
    dora.sends(others, bob)
    report = dora.receives_report_on(others)
    assert report.recipients[bob.address]["Status"].startswith("5.")
    assert not bob.has(others)


def test_a_mark_in_a_quoted_local_part_is_not_believed(rspamd, sieve, b, bob, letter):
    """A filter writes the sender's address into its own field; here even under Packetboat's name."""
    service = f"{b.address}:587"
    b.host.command("postconf", "-M", f"{service}/inet={service} inet n - y - - smtpd -o myhostname={ID}", check=True)
    b.postfix.reload()
    until(lambda: accepts(b.address, 587), "the service")
    try:
        smtp.send(b.address, f'"x; {MARK}"@c.test', [bob.address], from_author(letter, "x@c.test").content, port=587)
        mail = until(lambda: bob.mailbox.find(letter.id) or believed(sieve, letter), "the mail")
        assert not believed(sieve, letter)
        field = mail[0].field("Authentication-Results")
        assert field.startswith(f"{ID};") and "x-xmpp-s2s=pass policy.assurance=pkix" in field
    finally:
        b.host.command("postconf", "-MX", f"{service}/inet", check=True)
        b.postfix.reload()
