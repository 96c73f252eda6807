"""What the tests of hostile peers share: who attacks whom, the good mail beside it, and what the log says."""

import contextlib
import itertools
import statistics
import threading
import time

from component import Component
from people import Letter, Person
from twodomains import smtp
from twodomains.waiting import until

PAUSE_SECONDS = 0.05  # between good mails
NAMES = [f"x{number}.evil.test" for number in range(8)]  # what a wildcard gives to who has evil.test
_numbers = itertools.count(1)


class Front:
    """A Packetboat behind one kind of server, and components at the other kind that mean it ill."""

    def __init__(self, victim, person, attackers, foe, sibling):
        """`foe`: a mail domain of its own; `sibling`: below the other server's mail domain, and not its component."""
        self.victim = victim
        self.person = person
        self.component = f"mail.{victim.domain}"
        self.attackers = attackers
        self.foe_name = foe
        self.sibling_name = sibling

    def foe(self):
        return Component(self.attackers, self.foe_name, domains=[self.foe_name])

    def sibling(self):
        return Component(self.attackers, self.sibling_name, domains=[self.attackers.domain])

    def neighbour(self):
        """A component at the victim's own server."""
        return Component(self.victim, f"stranger.{self.victim.domain}")

    def log(self, *texts):
        """The lines of the victim's log that have all these texts."""
        return [line for line in self.victim.packetboat.log().splitlines() if all(text in line for text in texts)]

    def cuts(self):
        """How many times the victim has lost its link."""
        return len(self.log("event=link-down"))

    @contextlib.contextmanager
    def link_stays(self):
        before = self.cuts()
        yield
        assert self.cuts() == before, self.log("event=link-down")[before:]


FRONTS = {"b.test": ("d.test", "wicked.test", "stranger.d.test"), "d.test": ("b.test", "evil.test", "stranger.b.test")}
USERS = {"b.test": "bob@b.test", "d.test": "dora@d.test"}


def front(world, victim):
    attackers, foe, sibling = FRONTS[victim]
    return Front(world.sites[victim], Person(world.sites[victim], USERS[victim]), world.sites[attackers], foe, sibling)


class Peer:
    """A foe that takes mail, or seems to: `respond(request)` gives the answer to each, None for no answer (yet)."""

    def __init__(self, component, respond=lambda request: None):
        self.component = component
        self.requests = []
        self._unanswered = []
        self._respond = respond
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        with contextlib.suppress(OSError):  # its end
            while True:
                request = self.component.receives("set")
                with self._lock:
                    self.requests.append(request)
                    self._unanswered.append(request)
                    self._answer_what_waits()

    def from_now_on(self, respond):
        """Another way to respond, to what waits for an answer, too."""
        with self._lock:
            self._respond = respond
            self._answer_what_waits()

    def _answer_what_waits(self):
        for request in list(self._unanswered):
            answer = self._respond(request)
            if answer is not None:
                self._unanswered.remove(request)
                self.component.sends(answer)

    def request(self, number):
        """The one of this number, once it is there."""
        return until(lambda: self.requests[number:], f"request {number} at {self.component.name}")[0]


class GoodMail:
    """A steady trickle of mail from a.test to somebody, for as long as the block lasts and at least `count`."""

    def __init__(self, alice, person, count=8):
        self._alice = alice
        self._person = person
        self._count = count
        self._sent = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join(30)

    def _send(self):
        with smtp.Session(self._alice.site.address, 2424, greeting="LHLO") as session:
            while len(self._sent) < self._count or not self._end.wait(PAUSE_SECONDS):
                letter = Letter(f"<{next(_numbers)}.good@a.test>")
                at = time.time()
                session.send(self._alice.address, [self._person.address], letter.content)
                self._sent.append((letter, at))

    def seconds(self):
        """How long each was under way, once all have arrived."""
        assert self._sent, "no good mail was sent"
        wanted = {letter.id: at for letter, at in self._sent}
        found = until(lambda: self._arrivals(wanted), "all the good mail", 30)
        return [arrived - wanted[number] for number, arrived in found.items()]

    def _arrivals(self, wanted):
        found = {mail.field("Message-ID"): mail.arrived for mail in self._person.mailbox.mails()
                 if b".good@a.test>" in mail.content}
        return {number: found[number] for number in wanted} if wanted.keys() <= found.keys() else None


class Quiet:
    """How fast good mail is while nobody attacks; `unharmed` compares."""

    def __init__(self, alice, person, record):
        with GoodMail(alice, person) as mail:
            pass
        self._alice = alice
        self._person = person
        self._record = record
        self.median = statistics.median(mail.seconds())

    @contextlib.contextmanager
    def unharmed(self):
        """Good mail goes on all through the block: all of it within 5 s, most as fast as ever or in a second."""
        with GoodMail(self._alice, self._person) as mail:
            yield
        took = mail.seconds()
        self._record("good_mail", f"{len(took)} mails, median {statistics.median(took):.3f} s (quiet "
                                  f"{self.median:.3f} s), slowest {max(took):.3f} s")
        assert max(took) < 5
        assert statistics.median(took) < max(1, 5 * self.median)
