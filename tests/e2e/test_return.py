"""A peer comes back: what waits for it goes at once, however far away the next retry is."""

import os
import time

import pytest

from cut import no_server_links
from twodomains import smtp
from twodomains.waiting import until

WAITING = 1000
AT_ONCE = 3  # seconds, from the return to the first mail: well under one, where the machine has nothing else to do
PROBE = 60  # seconds between two probes at the most


class Waiting:
    """Mails for one mailbox that wait in a Packetboat whose own retries are minutes away."""

    def __init__(self, patient, person, record_property):
        self.daemon = patient()
        self.person = person
        self.record = record_property
        # It has to know its peer, or it would send by SMTP.
        until(lambda: "takes mail over XMPP" in self.daemon.run("check", person.site.domain).stdout,
              "the peer to be known")
        # And the peer it: those that have looked each other up tell each other when they are back.
        until(lambda: "takes mail over XMPP" in person.site.packetboat.run("check", "mail.spare.test").stdout,
              "the peer to know it")
        before = self.arrived()
        self._submit(["first"])
        until(lambda: self.arrived() == before + 1, "the first mail ever")

    def send(self, count=WAITING):
        self.count = count
        self.before = self.arrived()
        self._submit(range(count))
        # Some were tried; what a broken link has swallowed waits for its answer for two minutes.
        assert len(self.daemon.queue()) == count
        assert self.arrived() == self.before

    def _submit(self, numbers):
        with smtp.Session(self.daemon.host.address, 2424, greeting="LHLO") as session:
            for number in numbers:
                content = f"From: s@mail.spare.test\nSubject: waits\nMessage-ID: <{number}.{id(self)}@mail.spare.test>\n\nx\n"
                session.send("s@mail.spare.test", [self.person.address], content.encode())

    def deferred(self):
        rows = self.daemon.queue()
        return sum(row["state"] == "deferred" for row in rows)

    def arrived(self):
        return sum(len(list((self.person.mailbox.maildir / folder).glob("*"))) for folder in ("new", "cur"))

    def measure(self, what, returned, first_within):
        """`returned`: when the peer was there again."""
        until(lambda: self.arrived() > self.before, "the first mail", first_within + 30, interval=0.005)
        first = time.monotonic() - returned
        until(lambda: self.arrived() == self.before + self.count, "the last mail", 120, interval=0.05)
        last = time.monotonic() - returned
        self.record(what, f"first {first:.2f} s, all {self.count} {last:.2f} s")
        print(f"{what}: first {first:.2f} s, all {self.count} {last:.2f} s")
        until(lambda: not self.daemon.queue(), "an empty queue", 30)
        assert first < first_within
        assert self.arrived() == self.before + self.count


@pytest.fixture(params=["Prosody", "ejabberd"])
def peer(request, bob, dora):
    return bob if request.param == "Prosody" else dora


@pytest.fixture
def waiting(patient, peer, record_property):
    return Waiting(patient, peer, record_property)


def test_the_component_comes_back(waiting, peer, down):
    up = down(peer.site.packetboat)
    waiting.send()
    up()
    waiting.measure("component restarted", time.monotonic(), AT_ONCE)


def test_the_server_comes_back(waiting, peer, down):
    up = down(peer.site.xmpp)
    waiting.send()
    up()
    waiting.measure("server restarted", time.monotonic(), AT_ONCE)


def test_the_network_comes_back_and_nothing_was_restarted(waiting, peer):
    with no_server_links():
        waiting.send()
    waiting.measure("network cut healed", time.monotonic(), PROBE)


@pytest.mark.skipif("PACKETBOAT_SLOW" not in os.environ, reason="takes three minutes: set PACKETBOAT_SLOW")
def test_the_network_comes_back_after_packets_vanished_for_long(waiting, peer):
    with no_server_links("drop"):
        waiting.send()
        until(waiting.deferred, "the time-out of what was on its way", 180, interval=0.5)
    waiting.measure("silent cut healed", time.monotonic(), PROBE)
