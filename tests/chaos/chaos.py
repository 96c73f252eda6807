"""Two real domains under load, while everything crashes; then every mail is accounted for.

`./run chaos [--minutes N] [--seed S] [--server prosody|ejabberd]`. Ends with a line of figures, and with exit
status 1 if a mail was lost or doubled, or if a crash point of the sources was never reached.
"""

import argparse
import pathlib
import random
import shutil
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "examples/two-domains"), str(ROOT / "tests/chaos")]
from daemons import Daemon, crash_points, wait_until_idle  # noqa: E402  (the path comes first)
from faults import Faults  # noqa: E402
from load import Load  # noqa: E402
from reconcile import read, reconcile  # noqa: E402
from twodomains.waiting import until  # noqa: E402
from twodomains.world import World  # noqa: E402

LOGS = ROOT / "build/chaos-logs"
QUICK = [("first-retry = 5m", "first-retry = 1s"), ("max-retry = 4000s", "max-retry = 3s")]
TWICE = ("SELECT m.message_id, r.address FROM message m JOIN recipient r ON r.message = m.id"
         " WHERE m.origin_kind = 2 AND m.sender <> '' GROUP BY m.message_id, r.address HAVING COUNT(*) > 1")
DRAIN_SECONDS = 420


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--server", choices=["prosody", "ejabberd"], default="prosody", help="that of b.test")
    parser.add_argument("--until-visited", action="store_true", help="end as soon as there was a kill at every point")
    return parser.parse_args()


def build(server):
    world = World()
    world.add_prosody_site("a.test", "127.0.1.1", ["alice@a.test", "anna@a.test"], changes=QUICK)
    add = world.add_prosody_site if server == "prosody" else world.add_ejabberd_site
    add("b.test", "127.0.2.1", ["bob@b.test", "berta@b.test"], changes=QUICK)
    world.start()
    for site in world.sites.values():
        site.host.write("/etc/postfix/choosy", "/^X-Unwanted:/ REJECT not today\n")
        site.host.command("postconf", "-e", "header_checks=regexp:/etc/postfix/choosy", check=True)
        site.host.command("postfix", "reload", check=True)
    for site, peer in (("a.test", "b.test"), ("b.test", "a.test")):
        until(lambda: world.sites[site].packetboat.run("check", peer).returncode == 0, f"{site} to know {peer}", 60)
    return world


class Plan:
    """Which crash point comes next: those first at which the fewest lives have ended."""

    def __init__(self, random, names):
        self.random = random
        self.names = names
        self.daemons = []

    def kills_at(self, name):
        return sum(daemon.ended_at.get(name, 0) for daemon in self.daemons)

    def __call__(self):
        # Every other life ends by chance.
        if self.random.random() < 0.3:
            return None
        fewest = min(self.kills_at(name) for name in self.names)
        name = self.random.choice([name for name in self.names if self.kills_at(name) == fewest])
        return name, self.random.choice([1, 1, 2, 3, 10, 40])

    def unseen(self):
        """Points at which no daemon was killed."""
        return [name for name in self.names if not self.kills_at(name)]


def play(options, sites, daemons, plan, faults, loads):
    began = time.monotonic()
    told = began
    while time.monotonic() - began < options.minutes * 60:
        time.sleep(faults.random.uniform(0.5, 4))
        faults.next()
        for load in loads:
            if load.failure:
                raise load.failure
        mails = sum(len(load.sent) for load in loads)
        if time.monotonic() - told > 60:
            told = time.monotonic()
            print(f"-- {int(told - began)} s: messages {mails}, kills {sum(d.kills for d in daemons)},"
                  f" cuts {faults.cuts}, faults {faults.others}; no kill yet at: {' '.join(plan.unseen()) or '-'}",
                  flush=True)
        if options.until_visited and not plan.unseen() and mails > 500:
            return


def mails_of(sites):
    for site in sites:
        for user in site.dovecot.users:
            for mail in site.mailbox(user).mails():
                arrived = read(user, mail.content)
                if arrived:
                    yield arrived


def accepted_twice(sites):
    places = []
    for site in sites:
        # The state is on a disk that only the host sees.
        script = f"import sqlite3; print(sqlite3.connect('{site.packetboat.state}/queue.db').execute(\"{TWICE}\").fetchall())"
        found = site.host.command("/usr/bin/python3", "-c", script, check=True, text=True)
        places += eval(found.stdout)  # noqa: S307  (our own script's list of pairs of texts)
    return places


def main():
    options = arguments()
    names = crash_points()
    chance = random.Random(options.seed)
    print(f"-- seed {options.seed}, {len(names)} crash points, b.test with {options.server}", flush=True)
    world = build(options.server)
    sites = list(world.sites.values())
    plan = Plan(chance, names)
    daemons = plan.daemons = [Daemon(site, plan) for site in sites]
    faults = Faults(chance, sites, daemons)
    a, b = sites
    loads = [Load(random.Random(chance.random()), a, "alice@a.test", ["bob@b.test", "berta@b.test"], "nobody@b.test"),
             Load(random.Random(chance.random()), a, "anna@a.test", ["bob@b.test", "berta@b.test"], "nobody@b.test"),
             Load(random.Random(chance.random()), b, "bob@b.test", ["alice@a.test", "anna@a.test"], "nobody@a.test"),
             Load(random.Random(chance.random()), b, "berta@b.test", ["alice@a.test", "anna@a.test"], "nobody@a.test")]
    good = False
    try:
        for daemon in daemons:
            daemon.start()
        for load in loads:
            load.start()
        play(options, sites, daemons, plan, faults, loads)
        for load in loads:
            load.stop()
        print("-- everything is well again; waiting until all queues are empty", flush=True)
        for daemon in daemons:
            daemon.settle_down()
        wait_until_idle(sites, DRAIN_SECONDS)
        for site in sites:
            verified = site.packetboat.run("queue", "verify")
            if verified.returncode:
                raise RuntimeError(f"{site.domain}: {verified.stdout}{verified.stderr}")
        good = account(sites, daemons, faults, loads, names)
    finally:
        if not good:
            world.keep_logs(LOGS)
            print(f"-- logs in {LOGS.relative_to(ROOT)}; replay with --seed {options.seed}", flush=True)
        else:
            shutil.rmtree(LOGS, ignore_errors=True)
    return 0 if good else 1


def account(sites, daemons, faults, loads, names):
    sent = [each for load in loads for each in load.sent]
    result = reconcile(sent, mails_of(sites), accepted_twice(sites))
    visited = set().union(*(daemon.visited() for daemon in daemons))
    never = [name for name in names if name not in visited]
    for what, places in (("lost", result.lost), ("doubled", result.doubled), ("from nobody", result.unexpected)):
        for id, recipient in places[:20]:
            print(f"-- {what}: {id} for {recipient}")
            for site in sites:
                print(site.packetboat.run("trace", id).stdout)
    for name in never:
        print(f"-- no run has reached the crash point {name}")
    acknowledged = sum(each.acknowledged for each in sent)
    print(f"-- recipients {len(sent)}, acknowledged {acknowledged}; twice in a mailbox by the same transfer, as the"
          f" last hop's reply was lost: {result.again_at_last_hop}")
    messages = len({each.id for each in sent})
    print(f"messages {messages}, kills {sum(daemon.kills for daemon in daemons)}, cuts {faults.cuts},"
          f" faults {faults.others}: lost {len(result.lost)}, doubled {len(result.doubled)}", flush=True)
    return not (result.lost or result.doubled or result.unexpected or never)


if __name__ == "__main__":
    sys.exit(main())
