"""What mail servers pass on and XMPP can't carry: addresses beyond the grammar, NULs, headers that are none.

Postfix takes each of these (3.7; the first test shows it), so none may be refused at our door: it goes by SMTP, as it
is. What may go nowhere is refused there, and by which RFC stands beside it.
"""

import contextlib
import email
import email.policy

import pytest

from next_hop import recording_server
from people import Letter, Person
from test_hostile_text import controls_in
from twodomains import smtp
from twodomains.host import Host
from twodomains.packetboat import Packetboat
from twodomains.waiting import until
from twodomains.world import SECRET

LONG = "l" * 70 + "@"
# A sender that Postfix takes, whether it is below one of our domains or not; as Postfix passes it on, if that differs.
SENDERS = {
    "underscore": ("root@web_01.{}", None),
    "numeric top-level domain": ("x@host.123", None),
    "long local part": (LONG + "{}", LONG + "{}"),
    "very long local part": ("v" * 900 + "@{}", None),
    "control in quotes": ('"a\x01b"@{}', None),
    "DEL in quotes": ('"a\x7fb"@{}', None),
    "C1": ("a\u0085b@{}", None),
    "line separator": ("a\u2028b@{}", None),
    "no name by IDNA": ("x@b\u00fc_cher.test", None),
    "address literal": ("x@[127.000.000.009]", None),
    "final dot": ("x@{}.", "x@{}"),
    "two dots": ("a..b@{}", '"a..b"@{}'),
    "source route": ("@x.test,@y.test:x@{}", "x@{}"),
    "tab in quotes": ('"a\tb"@{}', '"a b"@{}'),
}
# A body, or a whole content, with MARK in it; and whether Postfix passes it on as it is.
HEADER = b"From: s@a.test\r\nSubject: odd\r\n"
CONTENTS = {
    "NUL in the body": (HEADER + b"\r\nMARK a\0b\0\0\r\n", True),
    "NUL first in a line": (HEADER + b"\r\nMARK\r\n\0.\r\n.\0\r\nx\r\n", True),
    "NUL in the header": (HEADER + b"X: a\0b\r\n\r\nMARK\r\n", False),
    "a line that is no field": (HEADER + b"this is no field\r\nX: y\r\n\r\nMARK\r\n", False),
    "no header": (b"MARK is all there is\r\n", False),
    "a mailbox's From line": (b"From x@y.test Thu Jan  1 00:00:00 1970\r\n" + HEADER + b"\r\nMARK\r\n", False),
    "a field without a name": (HEADER + b": x\r\n\r\nMARK\r\n", False),
    "a field's name beyond ASCII": (HEADER + "S\u00fc: x\r\n\r\nMARK\r\n".encode(), False),
    "a header of more than a megabyte": (HEADER + b"X: " + b"x" * (1 << 20) + b"\r\n\r\nMARK\r\n", False),
}
# What is odd, too, and goes over XMPP as it is.
CARRIED = {
    "8 bits in the header": HEADER + b"X: Gr\xfc\xdfe\r\n\r\nMARK\r\n",
    "long lines": HEADER + b"X: " + b"x" * 5000 + b"\r\n\r\nMARK" + b"y" * 5000 + b"\r\n",
    "controls": HEADER + b"X: \x01\x1b\r\n\r\nMARK \x01\x1b\x7f\xff\r\n",
    "only a body": b"\r\nMARK\r\n",
}
# What may not be sent anywhere.
NEVER = {
    "UTF-8 without SMTPUTF8 (RFC 6531 3.2)": (b"MAIL FROM:<j\xc3\xb6rg@c.test>", "553 5.6.7"),
    "no UTF-8 (RFC 6531 3.3)": (b"MAIL FROM:<j\xf6rg@c.test> SMTPUTF8", "500 5.5.2"),
    "NUL in a path (RFC 5321 4.1.2)": (b'MAIL FROM:<"a\0b"@c.test>', "501 5.1.7"),
    "a space in a local part (RFC 5321 4.1.2)": (b"MAIL FROM:<a b@c.test>", "501 5.1.7"),
    "a control without quotes (RFC 5321 4.1.2)": (b"MAIL FROM:<a\x01b@c.test>", "501 5.1.7"),
    "an empty label (RFC 1035 2.3.1)": (b"MAIL FROM:<a@c..test>", "501 5.1.7"),
    "bare CR (RFC 5321 2.3.8)": (HEADER + b"\r\na\rb\r\n", "554 5.5.2"),
    "bare LF (RFC 5321 2.3.8)": (HEADER + b"\r\na\nb\r\n", "554 5.5.2"),
}


def by_name(table):
    return pytest.mark.parametrize("row", table.values(), ids=table.keys())


class Odd(Letter):
    """A mail that is found by a mark, as it may have no Message-ID."""

    def __init__(self, number, content):
        self.id = f"mark{number}of{id(self)}"
        self.content = content.replace(b"MARK", self.id.encode())


def begin(session, sender, recipient):
    option = "" if (sender + recipient).isascii() else " SMTPUTF8"
    session.command(f"MAIL FROM:<{sender}>{option}")
    return session.command(f"RCPT TO:<{recipient}>")


def gives(session, sender, recipient, content):
    """To an SMTP or LMTP server, octet for octet; returns its reply to the content."""
    begin(session, sender, recipient)
    session.command("DATA", expect="3")
    return session.data(content)


# ---- all the way, from one Postfix to the other


@pytest.mark.parametrize("domain", ["a.test", "c.test"])
@by_name(SENDERS)
def test_a_sender_that_postfix_takes_arrives_by_smtp(a, b, row, domain):
    # Whose mail Postfix gives to a program of Dovecot's, which takes more than Dovecot's LMTP does.
    joerg = Person(b, "joerg@b.test")

    def given_back():
        return b.postfix.log().count("Invalid -f parameter")
    before = given_back()
    sender, passed_on = (address and address.format(domain) for address in row)
    letter = Odd(1, HEADER + b"\r\nMARK\r\n")
    with smtp.Session(a.address) as session:
        gives(session, sender, joerg.address, letter.content)
    if "\x01" in sender:
        until(lambda: given_back() > before, "the mail at Dovecot's program, which does not take such a sender")
        return
    arrived = joerg.receives(letter)
    # Below a.test, what Postfix has made an address of goes over XMPP.
    carried = domain == "a.test" and passed_on is not None
    assert arrived.transport() == ("xmpp" if carried else "smtp")


@by_name(CONTENTS)
def test_content_that_postfix_takes_arrives_by_smtp(a, bob, row):
    content, as_it_is = row
    letter = Odd(2, content)
    with smtp.Session(a.address) as session:
        gives(session, "alice@a.test", bob.address, letter.content)
    if as_it_is:
        assert bob.receives(letter).transport() == "smtp"
    else:
        # The first Postfix has made a header of it, or the end of one.
        bob.mailbox.wait_for(letter.id)


@by_name(CARRIED)
def test_odd_content_that_xmpp_can_carry_goes_over_it_as_it_is(a, alice, bob, row):
    letter = Odd(3, row)
    with smtp.Session(a.address, 2424, greeting="LHLO") as session:
        gives(session, alice.address, bob.address, letter.content)
    assert bob.receives(letter).transport() == "xmpp"


def test_a_bare_postmaster_is_the_domains_own(a, recorder):
    daemon, hops = recorder
    with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
        gives(session, "x@c.test", "Postmaster", HEADER + b"\r\nhi\r\n")
    [(commands, _)] = until(lambda: hops["local"], "the mail")
    assert commands[1].startswith(b"RCPT TO:<postmaster@mail.spare.test>")


# ---- each lane, octet for octet


@pytest.fixture(scope="module")
def odd_daemon(world, a):
    """A Packetboat of mail.spare.test; required.test is a domain for which XMPP is required."""
    host = Host("odd", "127.0.9.200", world.scratch)
    host.start()
    daemon = Packetboat(host, "spare.test", SECRET, [
        (f"server = {host.address}:5347", f"server = {a.address}:5347"),
        ("domains = spare.test", "domains = mail.spare.test"),
        ("[discovery]", "[domain required.test]\npolicy = require\n[discovery]")])
    daemon.configure()
    with contextlib.ExitStack() as stack:
        hops = {lane: stack.enter_context(recording_server(host.address, port)) for lane, port in (("local", 2526), ("relay", 2527))}
        daemon.start()
        yield daemon, hops
        daemon.stop()


@pytest.fixture
def recorder(odd_daemon):
    """The daemon, and by lane what its mail servers get."""
    daemon, hops = odd_daemon
    until(lambda: not daemon.queue(), "an empty queue")
    for mails in hops.values():
        mails.clear()
    return daemon, hops


def said_to(daemon, *mail):
    """What the intake says, in the end; the mail may be refused."""
    with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
        try:
            return gives(session, *mail)
        except smtp.Refused as refused:
            return str(refused)


def behind_our_field(content):
    """Without the Received field that each mail gets from us on its way by SMTP (RFC 5321 4.4)."""
    field, end, rest = content.partition(b"\r\n\tid ")
    assert field.startswith(b"Received: from client.test ([127.0.0.1]) by mx.spare.test (Packetboat)"), content
    return rest.partition(b"\r\n")[2] if end else rest


# Those that keep no grammar, as they may be written.
ADDRESSES = {name: sender.format("mail.spare.test") for name, (sender, _) in SENDERS.items()
             if name not in ("source route", "long local part")}
GOOD = "s@mail.spare.test"


@by_name(ADDRESSES)
def test_an_odd_address_goes_by_smtp_as_it_was_written_and_never_where_xmpp_is_required(recorder, row):
    daemon, hops = recorder
    content = HEADER + b"\r\nhi\r\n"
    taken = said_to(daemon, row, "bob@b.test", content)
    assert taken.startswith("250")
    [(commands, got)] = until(lambda: hops["relay"], "the mail by SMTP")
    assert commands[0].startswith(f"MAIL FROM:<{row}>".encode())
    assert commands[1].startswith(b"RCPT TO:<bob@b.test>")
    assert behind_our_field(got) == content
    assert controls_in(daemon.run("trace", taken.split()[-1]).stdout + daemon.log()) == set()
    # Into our own domain, it is delivered as any mail.
    assert said_to(daemon, row, "r@mail.spare.test", content).startswith("250")
    [(commands, got)] = until(lambda: hops["local"], "the mail for our own domain")
    assert commands[0].startswith(f"MAIL FROM:<{row}>".encode())
    assert behind_our_field(got) == content
    assert said_to(daemon, row, "x@required.test", content).startswith("550 5.7.0")
    until(lambda: not daemon.queue(), "an empty queue")
    assert len(hops["relay"]) == 1


@by_name(ADDRESSES)
def test_an_odd_recipient_likewise(recorder, row):
    daemon, hops = recorder
    recipient = row.replace("mail.spare.test", "b.test")
    content = HEADER + b"\r\nhi\r\n"
    assert said_to(daemon, GOOD, recipient, content).startswith("250")
    [(commands, got)] = until(lambda: hops["relay"], "the mail by SMTP")
    assert commands[1].startswith(f"RCPT TO:<{recipient}>".encode())
    assert behind_our_field(got) == content
    if "@mail.spare.test" in row:
        refused = row.replace("mail.spare.test", "required.test")
        assert said_to(daemon, GOOD, refused, content).startswith("550 5.7.0")
    until(lambda: not daemon.queue(), "an empty queue")
    assert len(hops["relay"]) == 1


@by_name(CONTENTS)
def test_odd_content_goes_by_smtp_octet_for_octet_and_where_xmpp_is_required_its_sender_is_told(recorder, row):
    daemon, hops = recorder
    content = Odd(4, row[0]).content
    assert said_to(daemon, GOOD, "bob@b.test", content).startswith("250")
    [(_, got)] = until(lambda: hops["relay"], "the mail by SMTP")
    assert behind_our_field(got) == content
    assert said_to(daemon, GOOD, "x@required.test", content).startswith("250")
    [(commands, got)] = until(lambda: hops["local"], "the report")
    assert commands[0].startswith(b"MAIL FROM:<>") and commands[1].startswith(b"RCPT TO:<s@mail.spare.test>")
    report = email.message_from_bytes(got, policy=email.policy.SMTP)
    assert [part.defects for part in report.walk()] == [[]] * len(list(report.walk()))
    assert b"\0" not in got
    [fields] = [part for part in report.get_payload()[1].get_payload() if "Final-Recipient" in part]
    assert fields["Status"] == "5.7.0" and "policy = require" in fields["Diagnostic-Code"]
    assert "XMPP can't carry it" in fields["Diagnostic-Code"]
    until(lambda: not daemon.queue(), "an empty queue")
    assert len(hops["relay"]) == 1


@by_name(NEVER)
def test_what_may_go_nowhere_is_refused_at_the_door(recorder, row):
    daemon, hops = recorder
    octets, refusal = row
    if not octets.startswith(b"MAIL"):
        assert said_to(daemon, GOOD, "bob@b.test", octets).startswith(refusal)
    else:
        with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
            session.write(octets + b"\r\n")
            assert session.reply().startswith(refusal)
    assert daemon.queue() == [] and not hops["relay"]
