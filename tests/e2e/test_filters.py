"""What filters make of mail that Packetboat brings, with the examples: it comes from 127.0.0.1, and from strangers."""

import shutil

import filter_programs
import pytest
from filter_programs import filters
from test_forged_mark import ID, MARK
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


def from_author(letter, author):
    letter.content = letter.content.replace(b"Alice <alice@a.test>", author.encode())
    return letter


@pytest.fixture
def key(world, b):
    shutil.copy(world.scratch / "dkim.pem", b.host.path("/etc/postfix/dkim.pem"))
    b.host.path("/etc/postfix/dkim.pem").chmod(0o644)


@pytest.fixture(scope="module")
def rspamd(world, b):
    with filter_programs.rspamd(world, b) as program:
        yield program


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
