"""Which domains are of one organisation is asked of the DNS (RFC 9989 4.10), whatever the Public Suffix List says; and what
becomes of the mail when the DNS does not answer."""

import re

import pytest
from twodomains.waiting import until

from test_trace_fields import authenticated

RECORDS = [
    # Nobody says that test is a public suffix, so that all below it are one organisation: the list knows better, ...
    ("test", "v=DMARC1; p=none"),
    # ... and does not know that these are none of a.test's.
    ("own.a.test", "v=DMARC1; p=none; psd=n"),
    ("hosting.a.test", "v=DMARC1; p=none; psd=y"),
    ("strict.a.test", "v=DMARC1; p=none; adkim=s"),
    # Several records are none; other texts don't matter.
    ("twice.a.test", "v=DMARC1; psd=n"), ("twice.a.test", "v=DMARC1; psd=y"),
    ("texts.a.test", "v=spf1 -all"), ("texts.a.test", "v=DMARC1; p=none; rua=mailto:" + "x" * 600 + "@a.test"),
]


@pytest.fixture(scope="module")
def dns(world, b):
    """A name server that only b.test's Packetboat asks."""
    dns = world.dns.twin(world.scratch / "dns-of-dmarc", "127.0.0.54")
    for domain, text in RECORDS:
        dns.add_text("_dmarc." + domain, text)
    dns.serve()
    configuration = b.packetboat.configuration
    before = configuration.read_text()
    assert "# resolver = 192.0.2.53" in before
    configuration.write_text(before.replace("# resolver = 192.0.2.53", "resolver = 127.0.0.54"))
    b.packetboat.restart()
    yield dns
    configuration.write_text(before)
    b.packetboat.restart()
    dns.stop()


@pytest.fixture
def results(alice, bob, new_letter):
    """What is said of a mail of Alice's with that author."""
    def send(author):
        letter = new_letter()
        letter.content = letter.content.replace(b"alice@a.test", author.encode())
        alice.sends(letter, bob)
        return re.sub(r"\s+", " ", authenticated(bob.receives(letter)))
    return send


@pytest.mark.parametrize("author, policy, aligned", [
    ("eve@evil.test", "test", "relaxed"),
    ("alice@news.a.test", "test", "relaxed"),
    ("alice@own.a.test", "own.a.test", "no"),
    ("alice@x.y.own.a.test", "own.a.test", "no"),
    ("alice@shop.hosting.a.test", "hosting.a.test", "no"),
    ("alice@strict.a.test", "strict.a.test", "no"),
    ("alice@twice.a.test", "test", "relaxed"),
    ("alice@texts.a.test", "texts.a.test", "relaxed"),
    ("alice@1.2.3.4.5.6.7.8.9.own.a.test", "own.a.test", "no")])
def test_the_dns_says_who_belongs_together(dns, results, author, policy, aligned):
    found = []

    def told():
        # Where the machine is so slow that the answer came too late, it is there for a later mail.
        found.append(results(author))
        return "policy.dmarc-domain" in found[-1]
    until(told, "the policy's domain", 100)
    assert f" policy.dmarc-domain={policy} policy.mailfrom-aligned=strict policy.from-aligned={aligned}" in found[-1] + " "
    assert found[-1].endswith(f"policy.from-aligned={aligned}")


def test_nobody_is_asked_where_the_domains_are_the_same(dns, results):
    dns.freeze()
    try:
        assert results("alice@a.test").endswith(
            " header.from=a.test policy.mailfrom-aligned=strict policy.from-aligned=strict")
    finally:
        dns.thaw()


def test_without_the_dns_mail_goes_on_and_the_list_decides(dns, b, results):
    dns.stop()
    try:
        assert results("alice@own.down.a.test").endswith(
            " header.from=own.down.a.test policy.mailfrom-aligned=strict policy.from-aligned=relaxed")
    finally:
        dns.serve()


# One mail waits for a silent server, two if both were on their way, and none of the next.
def test_a_silent_dns_delays_few_mails_and_those_for_seconds(dns, b, alice, bob, new_letter):
    def waits():
        return re.findall(r"event=owners-slow organisation=a\.test ms=(\d+)", b.packetboat.log())
    dns.freeze()
    before = len(waits())
    try:
        letters = [new_letter() for _ in range(20)]
        for number, letter in enumerate(letters):
            letter.content = letter.content.replace(b"alice@a.test", f"alice@own.silent{number}.a.test".encode())
            alice.sends(letter, bob)
        for letter in letters:
            field = re.sub(r"\s+", " ", authenticated(bob.receives(letter)))
            assert field.endswith(".a.test policy.mailfrom-aligned=strict policy.from-aligned=relaxed")
    finally:
        dns.thaw()
    took = [int(each) for each in waits()[before:]]
    assert 1 <= len(took) <= 2 and all(each < 20_000 for each in took), took
