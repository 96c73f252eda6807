"""How other mail fares beside a very long queue: the part `backlog`.

A million mails wait for peers that are not there: all for one, then for a hundred thousand. Beside them, mail to a peer
that is there is sent one by one, in turns with an empty queue.
"""

import collections
import shutil
import sqlite3
import subprocess
import time

from ground import PROGRAMS, SIDES
from results import say
from twodomains.packetboat import ACCOUNT, GROUP

# Nobody listens there: reports wait, too, and cost no other program anything.
NOWHERE = "lmtp:127.0.5.1:2699"
DUE_IN = 30  # seconds until what is to expire is due: until the daemon runs, knows its peer, and is being looked at
EXPIRY_SECONDS = 300  # the longest look at what expires


class Backlog:
    """The sending side of a chain, whose queue is changed for another one."""

    def __init__(self, ground, chain):
        self.ground = ground
        self.chain = chain
        self.site = ground.sites[SIDES[chain][0]]
        self.peer = SIDES[chain][1]
        self.daemon = self.site.packetboat
        self.stores = self.daemon.state.parent / "stores"
        self.running = None

    def __enter__(self):
        self._text = self.daemon.configuration.read_text()
        # Mail for a domain that is no peer waits, and goes nowhere else.
        old, new = "\npolicy = prefer\n", "\npolicy = require\n"
        if old not in self._text or "deliver-to = " not in self._text:
            raise ValueError("packetboat.conf has another form now")
        text = self._text.replace(old, new)
        own = next(line for line in text.splitlines() if line.startswith("deliver-to = "))
        self.daemon.configuration.write_text(text.replace(own, f"deliver-to = {NOWHERE}"))
        self.daemon.stop()
        self.stores.mkdir()
        self.running = "before"
        return self

    def __exit__(self, *_):
        self.daemon.configuration.write_text(self._text)
        self.change_to("before")
        shutil.rmtree(self.stores)

    def make(self, name, messages, destinations, expires_in=5 * 24 * 3600, due_in=0):
        """`due_in`: seconds from the end of this on."""
        began = time.monotonic()
        folder = self.stores / name
        words = [PROGRAMS / "bench_fill", "--state", folder, "--domain", self.site.domain, "--component",
                 f"mail.{self.site.domain}", "--messages", messages, "--destinations", destinations, "--expires-in", expires_in,
                 "--due-in", due_in]
        subprocess.run([str(word) for word in words], check=True)
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, ACCOUNT, GROUP)
        say(f"backlog: {name} filled in {time.monotonic() - began:.0f} s")

    def change_to(self, name):
        """Seconds that the start took."""
        if self.daemon.is_running():
            self.daemon.stop()
        self.daemon.state.rename(self.stores / self.running)
        (self.stores / name).rename(self.daemon.state)
        self.running = name
        began = time.monotonic()
        self.daemon.start(600)
        seconds = time.monotonic() - began
        self.ground.wait_for_link(SIDES[self.chain][0], self.peer)
        return seconds

    def one_by_one(self, messages):
        """Mails for the peer that is there."""
        return self.ground.load(self.chain, messages, 4096, sessions=1, pause=10, patience=120)

    def waits(self):
        """Whether any mail for a dead peer is still to be tried."""
        with sqlite3.connect(f"file:{self.daemon.state}/queue.db?mode=ro", uri=True) as database:
            return database.execute("SELECT 1 FROM recipient r JOIN destination d ON d.id = r.destination"
                                    " WHERE r.state IN (1, 2, 3) AND d.lane = 1 AND d.domain LIKE 'dead%' LIMIT 1").fetchone()

    def expired(self):
        with sqlite3.connect(f"file:{self.daemon.state}/queue.db?mode=ro", uri=True) as database:
            return database.execute("SELECT COUNT(*) FROM recipient WHERE state = 8").fetchone()[0]

    def drop(self, name):
        shutil.rmtree(self.stores / name)


def row_name(key):
    return key.removesuffix("_ms").replace("_", "-")


def beside(run, backlog, rounds, messages):
    """p99 of intake and delivery with an empty queue and with each of the long ones, in turns."""
    found = collections.defaultdict(list)
    starts, peaks = collections.defaultdict(list), collections.defaultdict(list)
    for _ in range(rounds):
        for name in ("empty", "one", "many"):
            starts[name].append(backlog.change_to(name))
            backlog.daemon.forget_peak_memory()
            found[name].append(backlog.one_by_one(messages))
            peaks[name].append(backlog.daemon.peak_memory() / 2**20)
            say(f"backlog {name}: start {starts[name][-1]:.2f} s, peak {peaks[name][-1]:.0f} MiB, "
                + ", ".join(f"{key} {found[name][-1][key]:.1f}" for key in
                            ("intake_p50_ms", "intake_p99_ms", "latency_p50_ms", "latency_p99_ms", "latency_max_ms")))
    for name in ("one", "many"):
        for key in ("intake_p50_ms", "intake_p99_ms", "latency_p50_ms", "latency_p99_ms"):
            run.results.compare(f"backlog-{name}-{row_name(key)}", backlog.chain,
                                *([each[key] for each in found[which]] for which in (name, "empty")), "ms, to an empty queue")
        run.results.note(f"backlog-{name}-start", backlog.chain, max(starts[name]), "s")
        run.results.note(f"backlog-{name}-memory", backlog.chain, max(peaks[name]), "MiB")


def expiry(run, backlog, name, messages):
    """All of a queue's time is up at once: the longest that another mail is held up by that."""
    quiet = backlog.one_by_one(messages)
    worst = collections.Counter()
    began = time.monotonic()
    backlog.change_to(name)
    backlog.daemon.forget_peak_memory()
    # At first none is due. To find out of each of very many domains that it is not there takes its time.
    while backlog.waits() and time.monotonic() - began < EXPIRY_SECONDS:
        result = backlog.one_by_one(messages)
        for key in ("intake_max_ms", "latency_max_ms"):
            worst[key] = max(worst[key], result[key])
    expired = backlog.expired()
    took = time.monotonic() - began - DUE_IN
    for key in ("intake_max_ms", "latency_max_ms"):
        run.results.compare(f"{name}-{row_name(key)}", backlog.chain, [worst[key]], [quiet[key]],
                            f"ms, to an empty queue; {expired:,} expired in {took:.0f} s")
    run.results.note(f"{name}-memory", backlog.chain, backlog.daemon.peak_memory() / 2**20, "MiB")


def backlog(run):
    """Other mail beside a million that wait for dead peers: for one, and for a hundred thousand; and while all of them expire."""
    count, many = (100_000, 10_000) if run.quick else (1_000_000, 100_000)
    for chain in run.ground.ours()[:1]:
        with Backlog(run.ground, chain) as state:
            state.make("empty", 0, 1)
            state.make("one", count, 1)
            state.make("many", count, many)
            beside(run, state, run.rounds(), 300 if run.quick else 1000)
            state.change_to("empty")
            for name, destinations in (("expiry-one", 1), ("expiry-many", many)):
                state.drop("one" if destinations == 1 else "many")
                state.make(name, count, destinations, expires_in=1, due_in=DUE_IN)
                expiry(run, state, name, 300)
                state.change_to("empty")
                state.drop(name)
