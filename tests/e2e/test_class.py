"""What a site thinks of a domain has consequences: refused for good, slowed, or nothing that anybody notices."""

import re
import time

import pytest
from people import Person, Report, all_settled
from test_peers import is_counted, peers
from test_reload import Reloading
from twodomains.packetboat import ANY_CLASS
from twodomains.waiting import until

# A retry's wait is 2 s at most here, whatever the peer says.
REFUSED = "no mail of a.test is taken here"


class Classes:
    """b.test's [class NAME] sections."""

    def __init__(self, site):
        self._reloading = Reloading(site.packetboat)
        assert ANY_CLASS[1] in self._reloading.good
        self._usual = self._reloading.good.replace(ANY_CLASS[1], "[discovery]\n")

    def are(self, text):
        self._reloading.reads(self._usual + "\n" + text)

    def are_wrong(self, text):
        """What the log says; the file is as before then."""
        before = self._reloading.daemon.configuration.read_text()
        said = self._reloading.reads(self._usual + "\n" + text, "event=reload-failed ")
        self._reloading.daemon.configuration.write_text(before)
        return said

    def are_as_before(self):
        self._reloading.reads(self._reloading.good)


@pytest.fixture
def classes(a, b):
    """What classes mean at b.test, which has never heard of a.test and a2.test."""
    def forget():
        all_settled(a, b)
        for domain in ("a.test", "a2.test"):
            b.packetboat.run("peers", "forget", domain)
    forget()
    # What earlier tests have sent is not counted any more.
    b.packetboat.restart()
    its = Classes(b)
    # These are the defaults.
    its.are("")
    yield its
    its.are_as_before()
    forget()


@pytest.fixture
def hasty(a):
    """a.test sends by SMTP what has not gone over XMPP within a second."""
    its = Reloading(a.packetboat)
    its.reads(its.changed(("# fallback-after = 6h", "fallback-after = 1s")))
    yield
    its.reads(its.good)


@pytest.fixture
def other_alice(a):
    return Person(a, "alice@a2.test")


def says(site, verb, domain):
    said = site.packetboat.run("peers", verb, domain)
    assert said.returncode == 0, said.stderr


def lines(site, **values):
    wanted = [f"{key}={value}" for key, value in values.items()]
    return [line for line in site.packetboat.log().splitlines()
            if "event=class-limit " in line and all(each in line.split() for each in wanted)]


def why(site):
    """What the queue says of each mail that waits."""
    return [site.packetboat.run("queue", "show", mail["id"]).stdout for mail in site.packetboat.queue()]


def is_refused(a, alice, bob, letter, status, text):
    """The sender hears of it in the peer's words, and the mail went nowhere."""
    fields = alice.receives_report_on(letter, 60).recipients[bob.address]
    assert fields["Status"] == status
    # Folded at will.
    assert text in re.sub(r"\s+", " ", fields["Diagnostic-Code"])
    trace = a.packetboat.run("trace", letter.id).stdout
    assert "rerouted" not in trace and "relayed" not in trace, trace
    assert not bob.has(letter)


def test_mail_of_a_blocked_domain_goes_back_to_its_sender_and_by_no_other_way(a, b, alice, bob, new_letter, classes, hasty):
    says(b, "block", "a.test")
    small, large = new_letter(), new_letter(body="x" * 70 + "\n" + 30_000 * ("0123456789" * 7 + "\n"))
    for letter in (small, large):
        alice.sends(letter, bob)
        is_refused(a, alice, bob, letter, "5.7.0", REFUSED)
    assert lines(b, domain="a.test", limit="refuse", outcome="refused", **{"class": "blocked"})
    shown = peers(b, "show", "a.test")
    assert shown["means"]["refuse"] and shown["means"]["of_organisation"]["refused"] >= 2
    printed = b.packetboat.run("peers", "show", "a.test").stdout
    assert "class blocked: refused" in printed
    # The administrator thinks better of it.
    says(b, "unset", "a.test")
    after = new_letter()
    alice.sends(after, bob)
    assert bob.receives(after).transport() == "xmpp"
    assert not bob.has(small) and not bob.has(large)


def test_the_postmaster_is_reached_from_a_blocked_domain(b, alice, bob, letter, classes, hasty):
    says(b, "block", "a.test")
    alice.sends(letter, "postmaster@b.test", bob)

    def reported():
        """b.test has no postmaster's mailbox in this world, so there may be a later report, too."""
        return {address: fields["Status"] for mail in alice.mailbox.find(letter.id)
                for address, fields in Report(mail).recipients.items()}
    until(lambda: reported().get(bob.address) == "5.7.0", "the report on Bob")
    until(lambda: re.search(r"event=transfer-accepted peer=mail.a.test .*accepted=1 refused=1 class=blocked", b.packetboat.log()),
          "the postmaster's mail")
    assert reported().get("postmaster@b.test") != "5.7.0"
    assert not bob.has(letter)


def test_what_is_larger_than_is_taken_of_a_domain_does_not_go_by_smtp(a, b, alice, bob, new_letter, classes, hasty):
    classes.are("[class limited]\nmax-size = 10K\n")
    says(b, "limit", "a.test")
    large, small = new_letter(body=300 * ("0123456789" * 5 + "\n")), new_letter()
    alice.sends(large, bob)
    alice.sends(small, bob)
    is_refused(a, alice, bob, large, "5.2.3", "larger than the 10240 octets")
    assert bob.receives(small).transport() == "xmpp"


def test_mail_of_a_limited_domain_waits_and_comes_at_the_rate(a, b, alice, bob, new_letter, classes):
    # One in ten seconds, two at once.
    classes.are("[class limited]\nmessages-per-hour = 360\nrecipients-per-hour = none\nburst = 20s\n")
    says(b, "limit", "a.test")
    letters = [new_letter() for _ in range(3)]
    began = time.monotonic()
    for letter in letters:
        alice.sends(letter, bob)
    until(lambda: any("360 messages an hour are taken of it (class limited)" in text for text in why(a)), "what waits, and why")
    until(lambda: all(bob.has(letter) for letter in letters), "all of them", 150)
    # Whatever came first, the third had to wait for its ten seconds.
    assert time.monotonic() - began > 9
    for letter in letters:
        assert bob.receives(letter).transport() == "xmpp"
    all_settled(a, b)
    assert [bob.has(letter) for letter in letters] == [1] * 3
    assert lines(b, domain="a.test", limit="messages-per-hour", outcome="waits", **{"class": "limited"})
    assert peers(b, "show", "a.test")["means"]["of_organisation"]["put_off"] >= 1


def test_new_domains_share_what_comes_and_who_is_trusted_does_not(a, b, alice, other_alice, bob, new_letter, classes):
    classes.are("[class new]\nall-messages-per-hour = 60\nburst = 2m\n")
    first, second, third = new_letter(), new_letter(), new_letter()
    for letter in (first, second):
        alice.sends(letter, bob)
    for letter in (first, second):
        bob.receives(letter)
    other_alice.sends(third, bob)
    until(lambda: any("60 messages an hour are taken of all such domains together" in text for text in why(a)), "the third waits")
    assert not bob.has(third)
    usage = peers(b, "show", "a.test")["means"]["of_class"]["messages"]
    assert (usage["an_hour"], usage["at_once"]) == (60, 2)
    # Whether it has a line in the book or not.
    assert peers(b, "show", "a2.test")["means"]["of_organisation"]["put_off"] >= 1
    says(b, "trust", "a2.test")
    assert bob.receives(third).transport() == "xmpp"


def test_a_peer_that_turns_bad_is_limited(a, b, alice, bob, new_letter, classes):
    classes.are("[class poor]\nmessages-per-hour = 30\nburst = 2m\n")
    bad, first, second = new_letter(), new_letter(), new_letter()
    alice.sends(bad, bob, *[f"nobody{i}@b.test" for i in range(10)])
    bob.receives(bad)
    is_counted(b, "a.test", messages=1, recipients=11, unknown=10)
    alice.sends(first, bob)
    bob.receives(first)
    alice.sends(second, bob)
    until(lambda: any("(class poor)" in text for text in why(a)), "the second waits")
    assert not bob.has(second)
    # What it means is configuration, and counts at once.
    classes.are("[class poor]\nmessages-per-hour = none\n")
    assert bob.receives(second).transport() == "xmpp"
    all_settled(a, b)
    assert bob.has(first) == bob.has(second) == 1


def test_a_class_that_is_none_and_a_value_that_is_none_are_said_with_their_line(b, classes):
    count = len((classes._usual + "\n").splitlines())
    for text, what in (("[class bad]\n", 'is no class of a domain'), ("[class new]\nburst = 1w\n", "burst")):
        said = classes.are_wrong(text)
        number = count + len(text.splitlines())
        assert f"{b.packetboat.configuration}:{number}: " in said and what in said.replace('\\"', '"')
