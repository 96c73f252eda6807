"""`packetboat check DOMAIN` asks the peer how it sees us, and says what is wrong with that."""

import contextlib
import datetime
import re
import threading

import pytest
from component import INFO, TRANSFER, Component, capabilities

from twodomains.waiting import until

CLOCK = re.compile(r"ok   (\S+): round trip (\d+) ms; its clock is (\d+\.\d) s (ahead of|behind) ours")


def lines_on(daemon, domain, timeout=120):
    """The findings on that domain, and the exit status."""
    checked = daemon.run("check", domain, timeout=timeout)
    lines = checked.stdout.splitlines()
    return [line for line in lines if re.match(rf"(ok  |BAD ) {re.escape(domain)}[: ]", line)], checked.returncode


@pytest.mark.parametrize("peer", ["b.test", "d.test"], ids=["Prosody", "ejabberd"])
def test_a_peer_that_sees_us_as_we_are_has_nothing_wrong(a, peer):
    said, status = lines_on(a.packetboat, peer)
    assert status == 0, said
    for component, domain in (("mail.a.test", "a.test"), ("mail.a2.test", "a2.test"), ("mail.bücher.test", "bücher.test")):
        assert f"ok   {peer} sees our link as pkix ({component})" in said
        assert f"ok   {peer} takes {component} for the component of {domain}" in said
    assert f"ok   {peer} takes mails up to 200 MiB, stanzas up to 512 KiB from us" in said
    found = [CLOCK.fullmatch(line) for line in said]
    clock, = [each for each in found if each]
    # They have one clock.
    assert clock[1] == peer and float(clock[3]) <= 1 + int(clock[2]) / 1000


def test_each_domain_that_the_peer_does_not_believe_us_has_its_reason(spare):
    daemon = spare(("domains = spare.test", "domains = mail.spare.test a2.test unknown.test nowhere.test"))
    daemon.start()
    until(lambda: "takes mail over XMPP" in "".join(lines_on(daemon, "b.test", timeout=300)[0]), "the component's link")
    said, status = lines_on(daemon, "b.test", timeout=300)
    assert status == 1
    assert "ok   b.test takes mail.spare.test for the component of mail.spare.test" in said
    # It names another component; its server knows no such host; it is not in the DNS.
    for domain, reason in (("a2.test", "a2.test does not name or list it. Mend: a2.test has to name mail.spare.test"),
                           ("unknown.test", "it can't ask unknown.test over XMPP. Mend: "),
                           ("nowhere.test", "it finds no _xmpp-server._tcp.nowhere.test in the DNS. Mend: ")):
        line, = [each for each in said if f" for {domain}'s component" in each]
        assert line.startswith(f"BAD  b.test does not take mail.spare.test for {domain}'s component: {reason}")


def test_a_peer_that_does_not_believe_us_at_all_is_asked_for_the_others(spare):
    daemon = spare(("domains = spare.test", "domains = a2.test mail.spare.test"))
    daemon.start()
    until(lambda: "takes mail over XMPP" in "".join(lines_on(daemon, "b.test", timeout=300)[0]), "the component's link")
    said, status = lines_on(daemon, "b.test", timeout=300)
    assert status == 1
    refused, = [each for each in said if each.startswith("BAD")]
    assert refused.startswith("BAD  b.test does not take mail.spare.test for a2.test's component: it says forbidden "
                              "(domain-not-authorized): mail.spare.test does not speak for a2.test (unacknowledged). Mend: ")
    assert "ok   b.test takes mail.spare.test for the component of mail.spare.test" in said


class Peer(Component):
    """Takes mail for its own name, and answers a mirror as it is told to."""

    announces = True

    def __init__(self, site, name):
        super().__init__(site, name, domains=[name])
        self.asked = []
        self.mirrored = None  # makes the answer of the request; or it says nothing
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        with contextlib.suppress(ConnectionError, OSError):
            while True:
                self._answer(self.next_stanza())

    def _answer(self, stanza):
        mirror = stanza.find(f"{{{TRANSFER}}}mirror")
        if mirror is not None and stanza.get("type") == "get":
            self.asked.append(stanza.get("from"))
            if self.mirrored:
                self.sends(self.mirrored(stanza, [each.get("name") for each in mirror]))
        elif stanza.get("type") == "get" and stanza.find(f"{{{INFO}}}query") is not None:
            said = capabilities(self.domains)
            if self.announces:
                said = said.replace("<value>dsn</value>", "<value>dsn</value><value>mirror</value>")
            self.answers(stanza, f"<query xmlns='{INFO}'>{said}</query>")
        else:
            super()._answer(stanza)


@pytest.fixture
def peer(a, b):
    with Peer(b, "evil.test") as made:
        yield made
    a.packetboat.run("routes", "forget", "evil.test")


def view(names, seconds=0, assurance="pkix", state="verified"):
    time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    shown = time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03}Z"
    return (f"<mirrored xmlns='{TRANSFER}' assurance='{assurance}' max-size='1536' max-stanza='10240' time='{shown}' took='0'>"
            + "".join(f"<domain name='{name}' state='{state}'/>" for name in names) + "</mirrored>")


def result(stanza, payload):
    return f"<iq type='result' id='{stanza.get('id')}' from='{stanza.get('to')}' to='{stanza.get('from')}'>{payload}</iq>"


def test_a_clock_that_is_wrong_is_told_of(a, peer):
    peer.mirrored = lambda stanza, names: result(stanza, view(names, seconds=3600, assurance="dialback"))
    said, status = lines_on(a.packetboat, "evil.test")
    assert status == 1
    assert "ok   evil.test sees our link as dialback (mail.a.test)" in said
    assert "ok   evil.test takes mails up to 1.5 KiB, stanzas up to 10 KiB from us" in said
    wrong, = [line for line in said if line.startswith("BAD")]
    assert re.match(r"BAD  evil\.test: its clock shows 20\S+Z where ours shows 20\S+Z: it is (3599|3600|3601)\.\d s ahead of ours, ", wrong)


def test_an_older_peer_is_not_asked_and_has_nothing_wrong(a, peer):
    peer.announces = False
    said, status = lines_on(a.packetboat, "evil.test")
    assert status == 0 and not peer.asked
    assert "ok   evil.test does not answer how it sees us (an older version)" in said
    # One that announces what it does not know.
    peer.announces = True
    peer.mirrored = lambda stanza, names: (
        f"<iq type='error' id='{stanza.get('id')}' from='{stanza.get('to')}' to='{stanza.get('from')}'><error type='cancel'>"
        "<feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
    said, status = lines_on(a.packetboat, "evil.test")
    assert status == 0 and peer.asked
    assert said.count("ok   evil.test does not answer how it sees us (an older version)") == 1


def test_nonsense_in_the_mirror_is_told_of_and_harms_nobody(a, peer):
    peer.mirrored = lambda stanza, names: result(stanza, view(names, assurance="very"))
    said, status = lines_on(a.packetboat, "evil.test")
    assert status == 1
    assert ("BAD  evil.test does not say how it sees us: its answer makes no sense: the assurance is none of pkix, dialback and none"
            in said)
    peer.mirrored = lambda stanza, names: result(stanza, view([f"x{n}.test" for n in range(21)]))
    assert "its answer makes no sense: too many domains" in "".join(lines_on(a.packetboat, "evil.test")[0])
    # What nobody asked about is not believed, or shown.
    peer.mirrored = lambda stanza, names: result(stanza, view(["other.test"]))
    said, status = lines_on(a.packetboat, "evil.test")
    assert "ok   evil.test has not looked now whether mail.a.test is a.test's component: ask again in a minute" in said
    assert "other.test" not in "".join(said)


def test_a_stranger_hears_nothing_but_that_it_is_one(b):
    with Component(b, "stranger.b.test") as stranger:
        answer = stranger.asks("mail.b.test", f"<mirror xmlns='{TRANSFER}'><domain name='a.test'/></mirror>")
        assert answer.get("type") == "error"
        assert answer.find(f".//{{{TRANSFER}}}domain-not-authorized") is not None
        assert answer.find(f"{{{TRANSFER}}}mirrored") is None
