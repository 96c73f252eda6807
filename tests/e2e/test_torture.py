"""Mails that others wrote to break programs, and a set of our own: byte for byte, or refused by the rule's name."""

import pathlib
import random
import re

import pytest
from identical import difference, with_crlf
from twodomains import smtp
from twodomains.waiting import until

# Python's own email test data (libpython3.11-testsuite).
DATA = sorted(pathlib.Path("/usr/lib/python3.11/test/test_email/data").glob("*.txt"))


class Crossing:
    """Hands mails to a.test's Packetboat as they are, and looks at what b.test's mailbox gets."""

    def __init__(self, a, bob):
        self.address = a.address
        self.bob = bob.mailbox

    def sends(self, content, tag):
        """Bytes with CRLF line ends; raises the refusal."""
        with smtp.Session(self.address, 2424, greeting="LHLO") as session:
            session.command("MAIL FROM:<alice@a.test> BODY=8BITMIME")
            session.command(f"RCPT TO:<bob+{tag}@b.test>")
            session.command("DATA", expect="3")
            session.data(content)

    def arrived(self, tag):
        for mail in self.bob.find(f"bob+{tag}@b.test"):
            # Only the newest field counts: a mail may bring such fields itself.
            if any(f"bob+{tag}@b.test" in value for value in mail.fields("Received")[:1] + mail.fields("Delivered-To")[:1]):
                return mail
        return None

    def arrives(self, content, tag):
        mail = until(lambda: self.arrived(tag), f"bob+{tag}", 10)
        assert difference(content, mail.content) is None, tag


@pytest.fixture(scope="module")
def crossing(a, bob):
    return Crossing(a, bob)


def test_the_test_data_is_there():
    assert len(DATA) >= 45


@pytest.mark.parametrize("file", DATA, ids=lambda file: file.stem)
def test_every_mail_of_python_s_own_tests(crossing, file):
    content = smtp.wire_form(file.read_bytes())
    tag = f"py-{file.stem}"
    try:
        crossing.sends(content, tag)
    except smtp.Refused as refused:
        assert breaks(content, str(refused)), refused
        return
    broken = broken_line(content)
    if broken is None:
        crossing.arrives(content, tag)
        return
    # It goes by SMTP, and Postfix ends the header in front of the line.
    mail = until(lambda: crossing.arrived(tag), tag)
    assert mail.transport() == "smtp"
    assert with_crlf(mail.content).endswith(b"\r\n\r\n" + content[broken:])


def broken_line(content):
    """Where the first line of the header stands that is neither a field, nor its continuation; None without one."""
    header = re.split(rb"\r\n\r\n", content, maxsplit=1)[0]
    at = 0
    for line in header.split(b"\r\n"):
        if not re.match(rb"[!-9;-~]+[ \t]*:|[ \t]", line):
            return at
        at += len(line) + 2
    return None


RULES = {"Bare CR": rb"\r(?!\n)", "Bare LF": rb"(?<!\r)\n"}


def breaks(content, refusal):
    """Whether the mail breaks the rule that the refusal names."""
    return any(name in refusal and re.search(pattern, content) for name, pattern in RULES.items())


_random = random.Random(20261127)
HEADER = b"From: alice@a.test\r\nSubject: torture\r\n"


def nested(depth):
    if depth == 0:
        return b"Content-Type: text/plain\r\n\r\nleaf\r\n"
    mark = b"b%d" % depth
    return (b"Content-Type: multipart/mixed; boundary=" + mark + b"\r\n\r\n--" + mark + b"\r\n" + nested(depth - 1)
            + b"\r\n--" + mark + b"--\r\n")


GOOD = {
    "empty body": HEADER + b"\r\n",
    "no body": HEADER,
    "lines of 998": HEADER + b"\r\n" + b"x" * 998 + b"\r\n",
    "lines of 100000": HEADER + b"\r\n" + b"y" * 100_000 + b"\r\nend\r\n",
    "a thousand fields": HEADER + b"".join(b"X-%d: v\r\n" % n for n in range(1000)) + b"\r\nbody\r\n",
    "a field of 900 bytes": HEADER + b"X-Long: " + b"z" * 900 + b"\r\n\r\nbody\r\n",
    "a folded field of 50 kB": HEADER + b"X-Fold: a" + b"\r\n\tfold" * 7000 + b"\r\n\r\nbody\r\n",
    "nested MIME": HEADER + b"MIME-Version: 1.0\r\n" + nested(80),
    "dots": HEADER + b"\r\n.\r\n..\r\n...\r\n.x\r\n\r\n.\r\n",
    "only dots": HEADER + b"\r\n" + b".\r\n" * 1000,
    "all octets": HEADER + b"\r\n" + bytes(c for c in range(1, 256) if c not in (10, 13)) + b"\r\n",
    "latin-1": HEADER + "\r\nGr\xfc\xdfe\r\n".encode("latin-1"),
    "utf-8": HEADER + "\r\nGr\xfc\xdfe \u2709\r\n".encode(),
    "blank lines": HEADER + b"\r\n" + b"\r\n" * 500,
    "trailing blanks": HEADER + b"\r\nx   \t \r\n \r\n",
    "looks like XML": HEADER + b"\r\n]]></block><evil xmlns='x'>&amp;&#0;\r\n",
    "from lines": HEADER + b"\r\nFrom here on\r\n>From there\r\n",
    "random text": HEADER + b"\r\n" + b"".join(bytes(_random.choices(range(32, 256), k=_random.randrange(200))) + b"\r\n"
                                               for _ in range(500)),
    # Postfix, the last hop here, takes 50.
    "forty Received": b"Received: from x by y; now\r\n" * 40 + HEADER + b"\r\nbody\r\n",
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_strange_but_good_arrives_as_it_was(crossing, name):
    tag = "t-" + name.replace(" ", "-")
    crossing.sends(GOOD[name], tag)
    crossing.arrives(GOOD[name], tag)


BAD = {
    "a bare CR": (HEADER + b"\r\na\rb\r\n", "5.5.2 Bare CR"),
    "a bare LF": (HEADER + b"\r\na\nb\r\n", "5.5.2 Bare LF"),
    "a bare LF in the header": (b"From: a@a.test\nSubject: x\r\n\r\nx\r\n", "5.5.2 Bare LF"),
    "too many hops": (b"Received: from x by y; now\r\n" * 101 + HEADER + b"\r\nx\r\n", "5.4.6"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_breaks_a_rule_is_refused_by_its_name(crossing, name):
    content, words = BAD[name]
    with pytest.raises(smtp.Refused, match=re.escape(words)):
        crossing.sends(content, "bad")


def test_without_a_last_line_end_only_bdat_could_carry_it_and_it_is_refused(a):
    with smtp.Session(a.address, 2424, greeting="LHLO") as session:
        session.command("MAIL FROM:<alice@a.test>")
        session.command("RCPT TO:<bob@b.test>")
        session.write(b"BDAT %d LAST\r\n" % len(HEADER + b"\r\nno end") + HEADER + b"\r\nno end")
        assert session.reply().startswith("554 5.6.0 The last line of the message does not end with CR LF")
