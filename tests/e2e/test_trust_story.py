"""Two domains live through what trust is for: first contact, trust that grows, a promise, a forger, an infected account, and a
neighbour that turns bad."""

import contextlib
import json
import re
import sqlite3

import pytest

from people import Person, all_settled
from test_class import why
from test_complaints import ON as COMPLAINTS, against, complain, kept
from test_lanes import set_main
from test_peers import class_of, peers
from test_promise import STRANGERS
from test_promising import PROMISE, promises
from test_reload import Reloading
from twodomains import smtp
from twodomains.packetboat import ANY_CLASS
from twodomains.waiting import until

# One every ten seconds, and one at once; what else a class means is as usual.
POOR = "[class poor]\nmessages-per-hour = 360\nrecipients-per-hour = none\nburst = 10s\n\n[discovery]\n"


class Neighbour:
    """A site whose filters, lists and limits are on, until as_before()."""

    def __init__(self, site, abuse_address):
        self.site = site
        self.daemon = site.packetboat
        self._usual = self.daemon.configuration.read_text()
        text, count = re.subn(r"(?m)^\[complaints\]\n(.+\n)*", COMPLAINTS.format(abuse=abuse_address), self._usual)
        assert count == 1
        assert ANY_CLASS[1] in text and "closed-lane = log\n" in text
        text = text.replace(ANY_CLASS[1], POOR).replace("closed-lane = log\n", f"closed-lane = reject\n{STRANGERS}\n")
        self.daemon.configuration.write_text(text)
        self.daemon.restart()

    def a_day_passes(self, of):
        """The peer book and the promises of `of` are a day older when it starts again."""
        assert self.daemon.stop() == 0
        with contextlib.closing(sqlite3.connect(self.daemon.state / "queue.db")) as database, database:
            database.execute("UPDATE standing SET since = since - 1, last_day = last_day - 1 WHERE domain = ?", (of,))
            for step in (100_000, -100_001):
                database.execute("UPDATE standing_day SET day = day + ? WHERE domain = ?", (step, of))
            day = 25 * 3600 * 1000
            database.execute("UPDATE promise SET first_read = first_read - ?1, last_read = last_read - ?1 WHERE domain = ?2",
                             (day, of))
        self.daemon.start()

    def knows_of(self, domain):
        """What it has read of the domain's promise; None: nothing."""
        all_of_them = json.loads(self.daemon.run("promise", "--json").stdout)
        return next((each for each in all_of_them if each["domain"] == domain), None)

    def reads_the_form_of(self, domain):
        until(lambda: f"{domain}: takes mail over XMPP" in self.daemon.run("check", domain).stdout, f"{domain} to be asked", 30)
        return self.knows_of(domain)

    def said(self, *texts):
        return [line for line in self.daemon.log().splitlines() if all(text in line for text in texts)]

    def as_before(self):
        if not self.daemon.is_running():
            self.daemon.start()
        self.daemon.run("queue", "cancel", "--all")
        self.daemon.configuration.write_text(self._usual)
        self.daemon.restart()


@pytest.fixture
def neighbours(a, d):
    """a.test and d.test; the second has never heard of the first."""
    all_settled(a, d)

    def forget():
        d.packetboat.run("peers", "forget", "a.test")
        d.packetboat.run("promise", "forget", "a.test")
        d.packetboat.run("routes", "forget", "a.test")
    forget()
    with contextlib.ExitStack() as stack:
        ours, theirs = Neighbour(a, "juergen@a.test"), Neighbour(d, "dora@d.test")
        for neighbour in (ours, theirs):
            stack.callback(neighbour.as_before)
        stack.callback(forget)
        # Postfix waits for the answer.
        policy = d.host.command("postconf", "-h", "packetboat_policy", text=True, check=True).stdout.strip()
        assert "timeout=2s" in policy
        set_main(d, packetboat_policy=policy.replace("timeout=2s", "timeout=15s"))
        stack.callback(set_main, d, packetboat_policy=policy)
        ours.reads_the_form_of("d.test")
        promising = Reloading(a.packetboat)
        yield ours, theirs
        promising.reads(promising.good)
        until(lambda: not promises(a.packetboat), "all to have read that nothing is promised any more", 150)
    for site, other in ((a, "d.test"), (d, "a.test")):
        until(lambda: site.packetboat.run("check", other).returncode == 0, f"{site.domain} to find {other}", 60)


def test_trust_story(neighbours, a, d, alice, dora, carol, new_letter):
    ours, theirs = neighbours
    juergen = Person(a, "juergen@a.test")

    def comes(sender=alice):
        """A mail of theirs to Dora, as she has it."""
        letter = new_letter()
        sender.sends(letter, dora)
        mail = dora.receives(letter, 60)
        assert mail.transport() == "xmpp"
        return mail

    def is_forged():
        """Somebody else writes as Alice, by SMTP."""
        letter = new_letter()
        smtp.send(d.address, alice.address, [dora.address], letter.content)
        return letter

    # First contact: nothing had to be arranged, and nothing is presumed.
    assert class_of(comes()) == "new"
    comes()

    # a.test promises that its mail comes over XMPP only. For a day that is worth nothing.
    promising = Reloading(a.packetboat)
    promising.reads(promising.good + PROMISE.format("a.test"))
    assert theirs.reads_the_form_of("a.test")["state"] == "read"
    assert dora.receives(is_forged()).transport() == "smtp"

    # Trust grows by days.
    for _ in range(2):
        theirs.a_day_passes(of="a.test")
        comes()
        comes()
    assert peers(d, "show", "a.test")["class"] == "known"
    assert class_of(comes()) == "known"
    promise = theirs.reads_the_form_of("a.test")
    assert (promise["state"], promise["bound"]) == ("binds", ["d.test"])

    # A forger is refused in the session, nobody gets a bounce, and all true mail goes on.
    with pytest.raises(smtp.Refused, match=r"^550 5\.7\.1 .*a\.test has promised that its mail comes to us over XMPP only"):
        is_forged()
    assert theirs.said("event=promise-broken", "domain=a.test", "promise=confirmed", "closed-lane=reject")
    comes()
    by_smtp = new_letter()
    alice.sends(by_smtp, carol)
    carol.receives(by_smtp)

    # Alice's machine is infected. Dora says so once, and she is slowed at home: towards d.test, and nobody else is.
    spam = comes()
    assert complain(d, kept(spam, dora.address)).returncode == 0
    until(lambda: against(a).get((alice.address, "d.test")), "the complaint at its origin")
    assert ours.said("event=complaints-on-sender", f"from=<{alice.address}>", "domain=d.test")
    report = juergen.mailbox.wait_for("report-type=feedback-report").content.decode()
    assert "Feedback-Type: abuse" in report and f"Original-Mail-From: <{alice.address}>" in report
    comes()  # one goes, ...
    slowed, elsewhere = new_letter(), new_letter()
    alice.sends(slowed, dora)  # ... and the next one waits
    waiting = until(lambda: [row for row in a.packetboat.queue() if row["state"] == "deferred"], "the mail that waits")
    assert "d.test complains of mail of this sender" in waiting[0]["last_reply"]
    alice.sends(elsewhere, carol)
    carol.receives(elsewhere)
    comes(juergen)
    assert not dora.has(slowed)
    # The machine is clean again.
    assert complain(d, kept(spam, dora.address), "--not-spam").returncode == 0
    until(lambda: (alice.address, "d.test") not in against(a), "the complaint to be taken back")
    a.packetboat.run("queue", "flush")
    dora.receives(slowed)

    # The neighbour turns bad: somebody there tries addresses. Its mail is limited, and still none of it goes by SMTP.
    guessing = new_letter()
    juergen.sends(guessing, dora, *[f"nobody{i}@d.test" for i in range(12)])
    dora.receives(guessing)
    until(lambda: peers(d, "show", "a.test")["class"] == "poor", "a.test to be poor")
    letters = [new_letter() for _ in range(3)]
    for letter in letters:
        alice.sends(letter, dora)
    until(lambda: any("messages an hour are taken of it (class poor)" in text for text in why(a)), "what waits, and why")
    for letter in letters:
        mail = dora.receives(letter, 90)
        assert mail.transport() == "xmpp" and class_of(mail) == "poor"

    # a.test takes its promise back, and is free once d.test has read that.
    promising.reads(promising.good)
    until(lambda: theirs.knows_of("a.test") is None, "d.test to have read it", 60)
    assert dora.receives(is_forged()).transport() == "smtp"
