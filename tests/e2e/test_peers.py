"""The peer book: what a site knows of the domains that send to it, what its administrator says of them, and where that shows."""

import json
import re

import pytest
from people import all_settled
from test_trace_fields import authenticated
from twodomains.waiting import until


def peers(site, *words):
    """What `packetboat peers WORDS --json` prints."""
    asked = site.packetboat.run("peers", *words, "--json")
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)


def total(site, domain):
    figures = peers(site, "show", domain)["total"]
    return {key: value for key, value in figures.items() if value and key != "bad"}


def is_counted(site, domain, **figures):
    until(lambda: total(site, domain) == figures, f"{figures} of {domain}: {total(site, domain)}")


def class_of(mail):
    """As our own field has it."""
    return re.search(r"policy\.class=(\S+)", authenticated(mail)).group(1)


@pytest.fixture
def stranger(a, b):
    """b.test has never heard of a.test, and forgets it afterwards."""
    all_settled(a, b)
    b.packetboat.run("peers", "forget", "a.test")
    yield "a.test"
    all_settled(a, b)
    b.packetboat.run("peers", "forget", "a.test")


@pytest.fixture
def choosy(b):
    """b.test's Postfix refuses some mail for what is in it, at the end of the data."""
    b.host.write("/etc/postfix/choosy", "/^X-Spam:/ REJECT Spam message rejected\n/^X-Closed:/ REJECT We are closed\n")
    b.host.command("postconf", "-e", "own_header_checks=regexp:/etc/postfix/choosy", check=True)
    b.postfix.reload()
    yield
    b.host.command("postconf", "-e", "own_header_checks=", check=True)
    b.postfix.reload()


def test_a_domain_is_new_after_its_first_mail(b, alice, bob, letter, stranger):
    # Of what was put off on this day, that is known.
    shown = b.packetboat.run("peers", "show", stranger)
    assert shown.returncode == 1 or "nothing of it is in the peer book" in shown.stdout
    alice.sends(letter, bob)
    mail = bob.receives(letter)
    assert class_of(mail) == "new"
    peer = peers(b, "show", stranger)
    assert peer["class"] == "new" and not peer["by_hand"]
    assert peer["since"] == peer["last"] == peer["by_day"][0]["day"]
    assert total(b, stranger) == {"messages": 1, "recipients": 1}
    assert [each["domain"] for each in peers(b)].count(stranger) == 1
    transfer = mail.transfer_id()
    assert re.search(rf"event=transfer-accepted .*transfer={transfer} .*class=new", b.packetboat.log())
    assert ", class new" in b.packetboat.run("trace", transfer).stdout


def test_the_book_has_figures_and_no_addresses(b, alice, bob, new_letter, stranger):
    for letter in (first := new_letter(), second := new_letter()):
        alice.sends(letter, bob, "joerg@b.test")
    for letter in (first, second):
        bob.receives(letter)
    assert total(b, stranger) == {"messages": 2, "recipients": 4}
    shown = b.packetboat.run("peers", "show", stranger).stdout
    assert "2 messages, 4 recipients" in shown
    assert "alice" not in shown and "@" not in shown
    listed = b.packetboat.run("peers").stdout
    assert re.search(r"(?m)^a\.test +new +since ", listed), listed


def test_unknown_recipients_count(b, alice, bob, letter, stranger):
    alice.sends(letter, bob, "nobody@b.test", "no-one@b.test")
    bob.receives(letter)
    is_counted(b, stranger, messages=1, recipients=3, unknown=2)


def test_what_the_filter_refuses_at_the_hand_over_counts_and_what_others_refuse_does_not(
        b, alice, bob, new_letter, stranger, choosy):
    spam = new_letter(more_header="X-Spam: yes\n")
    closed = new_letter(more_header="X-Closed: yes\n")
    for letter in (closed, spam):
        alice.sends(letter, bob)
        alice.receives_report_on(letter)
    is_counted(b, stranger, messages=2, recipients=2, refused=1)
    assert not bob.has(spam)
    assert peers(b, "show", stranger)["weighed_bad"] == 8 * 2


def test_ten_bad_ones_make_a_poor_peer(b, alice, bob, letter, new_letter, stranger):
    alice.sends(letter, bob, *[f"nobody{i}@b.test" for i in range(10)])
    bob.receives(letter)
    is_counted(b, stranger, messages=1, recipients=11, unknown=10)
    assert peers(b, "show", stranger)["class"] == "poor"
    after = new_letter()
    alice.sends(after, bob)
    assert class_of(bob.receives(after)) == "poor"


def test_what_is_said_by_hand_counts_at_once_and_over_a_restart(a, b, alice, bob, new_letter, stranger):
    def comes_as():
        letter = new_letter()
        alice.sends(letter, bob)
        return class_of(bob.receives(letter))
    for verb, word in (("trust", "trusted"), ("limit", "limited")):
        said = b.packetboat.run("peers", verb, stranger)
        assert said.returncode == 0, said.stderr
        assert said.stdout == f"a.test: {word}\n"
        assert comes_as() == word
    assert re.search("event=peer-class-set domain=a.test class=limited", b.packetboat.log())
    all_settled(a, b)
    b.packetboat.restart()
    peer = peers(b, "show", stranger)
    assert (peer["class"], peer["by_hand"]) == ("limited", True)
    assert peer["total"]["messages"] == 2
    assert "limited (by hand)" in b.packetboat.run("peers", "list").stdout
    assert comes_as() == "limited"
    assert b.packetboat.run("peers", "unset", stranger).stdout == "a.test: as its figures say\n"
    assert comes_as() == "new"


def test_what_can_t_be_done_is_said(b, stranger):
    for verb in ("show", "forget", "unset"):
        refused = b.packetboat.run("peers", verb, "x.nowhere.test")
        assert refused.returncode == 1
        assert "x.nowhere.test: nothing is known of this domain" in refused.stderr
    assert b.packetboat.run("peers", "trust", "no domain").returncode == 2
    for words in (["praise", "a.test"], ["trust"], ["show"], ["list", "a.test"]):
        assert b.packetboat.run("peers", *words).returncode == 2
