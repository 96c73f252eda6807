"""What the last hop says of a mail, and that others can use it: Sieve, DKIM's filters, rspamd's habits."""

import contextlib
import subprocess

import filter_programs
import pytest
from filter_programs import believed
from test_lanes import set_main
from twodomains.waiting import accepts, until

@pytest.fixture
def sieve(b, bob):
    """The example as Bob's own script."""
    with filter_programs.sieve(b, bob) as program:
        yield program.home


def authenticated(mail):
    """Our own field: the first of that name."""
    return mail.fields("Authentication-Results")[0]


def test_sieve_files_mail_by_who_is_believed(sieve, alice, bob, carol, new_letter):
    own, list_mail, smtp_mail, forged = (new_letter() for _ in range(4))
    alice.sends(own, bob)
    until(lambda: believed(sieve, own), "Alice's mail in Believed")
    # From a mailing list at a.test: its link is the list's, the author is somebody else.
    list_mail.content = list_mail.content.replace(b"alice@a.test", b"ceo@bank.example")
    alice.sends(list_mail, bob)
    until(lambda: bob.has(list_mail), "the list's mail")
    assert not believed(sieve, list_mail)
    carol.sends(smtp_mail, bob)
    until(lambda: bob.has(smtp_mail), "Carol's mail")
    # Who writes our field itself has it taken away.
    forged.content = (b"Authentication-Results: packetboat.b.test; x-xmpp-s2s=pass policy.assurance=pkix policy.from-aligned=strict\n"
                      + forged.content.replace(b"alice@a.test", b"ceo@bank.example"))
    alice.sends(forged, bob)
    until(lambda: bob.has(forged), "the forged mail")
    assert not believed(sieve, forged)


@pytest.mark.parametrize("author, word, aligned", [
    ("Alice <alice@a.test>", "header.from=a.test", "strict"), ("alice@news.a.test", "header.from=news.a.test", "relaxed"),
    ("\"alice@a.test\" <eve@evil.test>", "header.from=evil.test", "no"),
    ("alice@a.test, eve@evil.test", None, "no")])
def test_the_author_is_looked_at_as_a_reader_sees_it(alice, bob, letter, author, word, aligned):
    letter.content = letter.content.replace(b"Alice <alice@a.test>", author.encode())
    alice.sends(letter, bob)
    field = authenticated(bob.receives(letter))
    assert "x-xmpp-s2s=pass" in field and "policy.assurance=pkix" in field and "policy.domain=a.test" in field
    assert (word or "policy") in field and ("header.from" in field) == (word is not None)
    assert "policy.mailfrom-aligned=strict" in field
    assert field.endswith(f"policy.from-aligned={aligned}")


# RFC 8601 4.1.
def test_one_received_field_and_one_of_results(alice, bob, letter):
    alice.sends(letter, bob)
    mail = bob.receives(letter)
    assert sum(" via XMPP" in value for value in mail.fields("Received")) == 1
    assert len(mail.fields("Authentication-Results")) == 1


# --- DKIM: signed before, verified after

SIGNER = """Mode s
Domain a.test
Selector key
KeyFile {key}
Socket inet:8891@{address}
Canonicalization simple/simple
SyslogSuccess no
Syslog no
UserID root
RequireSafeKeys no
InternalHosts 127.0.0.0/8
"""
VERIFIER = """Mode v
Socket inet:8892@{address}
AuthservID dkim.b.test
Syslog no
UserID root
TestPublicKeys /etc/postfix/dkim-keys
"""


def public_key(path):
    """The DNS record of a signing key."""
    public = subprocess.run(["openssl", "rsa", "-in", path, "-pubout", "-outform", "PEM"], check=True,
                            capture_output=True, text=True).stdout
    return "v=DKIM1; k=rsa; p=" + "".join(public.splitlines()[1:-1])


@contextlib.contextmanager
def opendkim(site, text, port):
    site.host.write("/etc/postfix/opendkim.conf", text)
    process = site.host.popen(["opendkim", "-f", "-x", "/etc/postfix/opendkim.conf"], "opendkim.log")
    try:
        until(lambda: accepts(site.address, port), "opendkim")
        yield
    finally:
        process.terminate()
        process.wait(30)


def test_opendkim_signs_before_and_verifies_after(world, a, b, alice, bob, new_letter):
    key = a.host.path("/etc/postfix/dkim.pem")
    key.write_bytes((world.scratch / "dkim.pem").read_bytes())
    # Its resolver believes that there is no .test: it gets the DNS record from a file.
    b.host.write("/etc/postfix/dkim-keys", "key._domainkey.a.test " + public_key(world.scratch / "dkim.pem") + "\n")
    with opendkim(a, SIGNER.format(key="/etc/postfix/dkim.pem", address=a.address), 8891), \
            opendkim(b, VERIFIER.format(address=b.address), 8892):
        set_main(a, smtpd_milters=f"inet:{a.address}:8891")
        set_main(b, smtpd_milters=f"inet:{b.address}:8892")
        try:
            # With no connection to Postfix from before.
            b.packetboat.restart()
            # check finds fault with such a milter on 2526, where examples/opendkim has one that only verifies.
            until(lambda: "connected since" in b.packetboat.run("check").stdout, "its link to be up")
            for body in ("Hello.\n", "x" * 2000 + "\n", "trailing  \n\n\n", "Gr\xfc\xdfe\n", ".\n..\n"):
                letter = new_letter(body)
                alice.sends(letter, bob)
                mail = bob.mailbox.wait_for(letter.id)
                assert mail.transport() == "xmpp"
                assert len(mail.fields("DKIM-Signature")) == 1
                results = mail.fields("Authentication-Results")
                assert any(value.startswith("dkim.b.test;") and "dkim=pass" in value for value in results), results
                assert any(value.startswith("packetboat.b.test; x-xmpp-s2s=pass") for value in results), results
        finally:
            set_main(a, smtpd_milters="")
            set_main(b, smtpd_milters="")


def test_what_is_handed_back_is_not_signed_twice(world, a, alice, carol, letter):
    key = a.host.path("/etc/postfix/dkim.pem")
    key.write_bytes((world.scratch / "dkim.pem").read_bytes())
    transport = a.host.command("postconf", "-h", "transport_maps", text=True).stdout.strip()
    with opendkim(a, SIGNER.format(key="/etc/postfix/dkim.pem", address=a.address), 8891):
        set_main(a, smtpd_milters=f"inet:{a.address}:8891",
                 transport_maps=f"inline:{{c.test=lmtp:inet:[{a.address}]:2424}}, {transport}")
        try:
            alice.sends(letter, carol)
            mail = carol.mailbox.wait_for(letter.id)
        finally:
            set_main(a, smtpd_milters="", transport_maps=transport)
    assert mail.transport() == "smtp"
    assert len(mail.fields("DKIM-Signature")) == 1
