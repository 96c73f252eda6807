"""examples/filters: mail by SMTP that shows an author whose domain has promised to send over XMPP only, and is not signed."""

import dkim
import filter_programs
import pytest
from test_filter_kit import ID, NAME, TRUE, arrived

SYMBOLS = {"PACKETBOAT_PROMISED": 1.0, "PACKETBOAT_UNPROVEN": 3.0, "PACKETBOAT_UNPROVEN_CLASS": 1.0}
# As nothing on the way would have it.
NETWORK = ("--cf=dns_server 127.0.0.53", "--cf=skip_rbl_checks 1", "--cf=dns_available yes")
LIST = ("*@nobody.invalid", f"*@{filter_programs.PROMISED}")


@pytest.fixture(params=["rspamd", "spamassassin"], scope="module")
def by_smtp(request, world, b, bob):
    """What the program says of bytes that came in on port 25."""
    made = {"rspamd": lambda: filter_programs.rspamd(world, b), "spamassassin": lambda: filter_programs.spamassassin(b, bob)}
    with made[request.param]() as program:
        def ask(content):
            seen = (program.by(content, "mx.b.test") if request.param == "rspamd"
                    else program.alone(content, LIST, network=NETWORK))
            return {name: score for name, score in seen.items() if name in SYMBOLS}
        ask.over_xmpp = lambda content: {
            name for name in (program.on(content) if request.param == "rspamd" else program.alone(content, LIST))
            if name in SYMBOLS}
        yield ask


def mail(author="Alice <alice@a.test>", more=""):
    return (f"{more}Received: from x.test (x.test [203.0.113.9]) by mx.b.test (Postfix) with ESMTP id 1;"
            " Mon, 30 Nov 2026 02:00:00 +0000\n"
            f"From: {author}\nTo: Bob <bob@b.test>\nSubject: a test\nDate: Mon, 30 Nov 2026 02:00:00 +0000\n"
            "Message-ID: <1.promise@a.test>\n\nHello.\n").encode()


def signed(content, key, domain=b"a.test"):
    """The field, folded as others do, and the mail."""
    content = content.replace(b"\n", b"\r\n")
    field = dkim.sign(content, b"key", domain, key, include_headers=[b"From", b"Subject"])
    return (field + content).replace(b"\r\n", b"\n")


def test_an_author_of_a_promised_domain_is_marked_unless_his_domain_has_signed(by_smtp, world):
    assert by_smtp(mail()) == {"PACKETBOAT_PROMISED": 1.0}
    for author in ("Alice <ALICE@A.TEST>", "alice@a.test", '"Bank, the" <alice@a.test>'):
        assert by_smtp(mail(author)) == {"PACKETBOAT_PROMISED": 1.0}, author
    for author in ("carol@c.test", "alice@sub.a.test", "alice@a.test.evil.test", '"alice@a.test" <eve@evil.test>'):
        assert by_smtp(mail(author)) == {}, author
    key = (world.scratch / "dkim.pem").read_bytes()
    good = signed(mail(), key)
    assert by_smtp(good) == {}
    assert by_smtp(good.replace(b"a test", b"another")) == {"PACKETBOAT_PROMISED": 1.0}


def test_what_pretends_to_have_come_over_xmpp_is_marked_all_the_same(by_smtp):
    """Not even if nobody removed it."""
    assert by_smtp(mail(more=f"X-Other: x\n {NAME}: {ID}; {TRUE}\n")) == {"PACKETBOAT_PROMISED": 1.0}
    below = mail().replace(b"From:", f"{NAME}: {ID}; {TRUE}\nFrom:".encode())
    assert by_smtp(below) == {"PACKETBOAT_PROMISED": 1.0}


def test_mail_over_xmpp_is_none_of_this(by_smtp, alice, bob, letter):
    letter.content = b"Packetboat-Unproven: domain=x.test; closed-lane=confirmed; class=poor\n" + letter.content
    alice.sends(letter, bob)
    assert by_smtp.over_xmpp(arrived(letter, bob)) == set()


@pytest.mark.parametrize("said, symbols", [
    ("domain=a.test; closed-lane=confirmed", {"PACKETBOAT_UNPROVEN"}),
    ("domain=a.test; closed-lane=unconfirmed; class=poor", {"PACKETBOAT_UNPROVEN", "PACKETBOAT_UNPROVEN_CLASS"}),
    ("domain=a.test; class=blocked", {"PACKETBOAT_UNPROVEN_CLASS"}),
    ("nonsense", set()),
])
def test_the_field_of_the_policy_service_counts(by_smtp, said, symbols):
    assert by_smtp(mail("carol@c.test", f"Packetboat-Unproven: {said}\n")) == {name: SYMBOLS[name] for name in symbols}
