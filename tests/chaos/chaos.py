"""Two real domains under load, while everything crashes; then every mail is accounted for.

`./run chaos [--minutes N] [--seed S] [--server prosody|ejabberd]`. Ends with a line of figures, and with exit
status 1 if a mail was lost or doubled, if anything else is not as it should be, or if a crash point of the sources
was never reached.
"""

import argparse
import pathlib
import random
import shutil
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "examples/two-domains"), str(ROOT / "tests/chaos")]
from daemons import Daemon, crash_points  # noqa: E402  (the path comes first)
from faults import Faults  # noqa: E402
from load import Load  # noqa: E402
from reconcile import Answer, read, reconcile  # noqa: E402
from twodomains.packetboat import ANY_CLASS  # noqa: E402
from twodomains.waiting import Late, until  # noqa: E402
from twodomains.world import World  # noqa: E402

LOGS = ROOT / "build/chaos-logs"
QUICK = [("first-retry = 5m", "first-retry = 1s"), ("max-retry = 4000s", "max-retry = 3s"), ANY_CLASS]
# What came over XMPP, by more than one transfer. Each mail of the load is given to a Packetboat once only.
TWICE = ("SELECT m.message_id, r.address FROM message m JOIN recipient r ON r.message = m.id"
         " WHERE m.origin_kind = 2 AND m.sender <> '' GROUP BY m.message_id, r.address HAVING COUNT(*) > 1")
ENOUGH = 500  # messages, for --until-killed
TOLD = 20  # places of each kind of trouble that are traced


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--server", choices=["prosody", "ejabberd"], default="prosody", help="that of b.test")
    parser.add_argument("--until-killed", action="store_true",
                        help="end as soon as a daemon was killed at every crash point; fail if that takes longer")
    parser.add_argument("--patience", type=float, default=420, metavar="SECONDS", help="with the queues, at the end")
    return parser.parse_args()


def build(server):
    world = World()
    world.add_prosody_site("a.test", "127.0.1.1", ["alice@a.test", "anna@a.test"], changes=QUICK)
    add = world.add_prosody_site if server == "prosody" else world.add_ejabberd_site
    add("b.test", "127.0.2.1", ["bob@b.test", "berta@b.test"], changes=QUICK)
    world.start()
    for site in world.sites.values():
        site.host.write("/etc/postfix/choosy", "/^X-Unwanted:/ REJECT not today\n")
        site.host.command("postconf", "-e", "own_header_checks=regexp:/etc/postfix/choosy", check=True)
        site.host.command("postfix", "reload", check=True)
    for site, peer in (("a.test", "b.test"), ("b.test", "a.test")):
        until(lambda: world.sites[site].packetboat.run("check", peer).returncode == 0, f"{site} to know {peer}", 60)
    return world


class Plan:
    """At which crash points a daemon's next life ends: at those at which the fewest lives have ended."""

    def __init__(self, names):
        self.names = names
        self.daemons = []

    def for_one(self, chance):
        """A daemon's own; its dice are nobody else's, so that a seed gives it the same throws again."""
        def choose():
            # Some lives end by chance alone.
            if chance.random() < 0.3:
                return []
            # Some are seldom passed: at whichever comes first of those that have ended none.
            unseen = self.unseen()
            if unseen:
                return [(name, 1) for name in unseen]
            kills = self._kills()
            fewest = min(kills.values())
            name = chance.choice([name for name in self.names if kills[name] == fewest])
            return [(name, chance.choice([1, 1, 2, 3, 10, 40]))]
        return choose

    def unseen(self):
        """Points at which no daemon was killed."""
        return [name for name, kills in self._kills().items() if not kills]

    def _kills(self):
        ends = [daemon.killed_at() for daemon in self.daemons]
        return {name: sum(end[name] for end in ends) for name in self.names}


def play(options, plan, faults, loads):
    began = told = time.monotonic()
    while time.monotonic() - began < options.minutes * 60:
        time.sleep(faults.random.uniform(0.5, 4))
        faults.next()
        for each in (*loads, *plan.daemons):
            each.check()
        messages = sum(load.messages for load in loads)
        if time.monotonic() - told > 60:
            told = time.monotonic()
            print(f"-- {int(told - began)} s: messages {messages}, kills {sum(d.kills for d in plan.daemons)},"
                  f" cuts {faults.cuts}, faults {faults.others}; no kill yet at: {' '.join(plan.unseen()) or '-'}",
                  flush=True)
        if options.until_killed and messages >= ENOUGH and not plan.unseen():
            return


def wait_until_idle(sites, patience):
    """Until nothing is left in any queue; false if that takes too long."""
    def is_idle():
        for site in sites:
            site.postfix.flush()
        return not any(site.packetboat.queue() or site.postfix.queue() for site in sites)
    try:
        return until(is_idle, "empty queues", patience, interval=1)
    except Late as late:
        print(f"-- {late}", flush=True)
        for site in sites:
            print(site.packetboat.run("queue", "list").stdout + site.postfix.queue(), flush=True)
        return False


def mails_of(sites):
    for site in sites:
        for user in site.dovecot.users:
            for mail in site.mailbox(user).mails():
                arrived = read(user, mail.content)
                if arrived:
                    yield arrived


def are_sound(sites):
    """Whether the stores keep their own invariants."""
    checked = [site.packetboat.run("queue", "verify") for site in sites]
    for site, each in zip(sites, checked):
        if each.returncode:
            print(f"-- {site.domain}: {each.stdout}{each.stderr}")
    return not any(each.returncode for each in checked)


def tell(sites, what, place):
    """What both sides know of a mail that did not fare as it should."""
    id, recipient = place
    print(f"-- {what}: {id} for {recipient}")
    for site in sites:
        print(site.packetboat.run("trace", id).stdout, flush=True)
        for user in site.dovecot.users:
            for mail in site.mailbox(user).find(id):
                print(f"   in {user}'s mailbox: {mail.path}", flush=True)


def account(options, sites, plan, faults, loads):
    sent = [each for load in loads for each in load.sent]
    twice = [tuple(place) for daemon in plan.daemons for place in daemon.ask(TWICE)]
    result = reconcile(sent, mails_of(sites), twice)
    visited = set().union(*(daemon.visited() for daemon in plan.daemons))
    missed = plan.unseen() if options.until_killed else [name for name in plan.names if name not in visited]
    troubles = [(result.lost, "lost"), (result.doubled, "doubled")]
    for what, place in [(what, place) for places, what in troubles for place in places[:TOLD]]:
        tell(sites, what, place)
    for place, what in result.wrong[:TOLD]:
        tell(sites, what, place)
    for name in missed:
        print(f"-- no daemon {'was killed at' if name in visited else 'came by'} the crash point {name}")
    answers = {answer: sum(each.answer is answer for each in sent) for answer in Answer}
    print(f"-- recipients {len(sent)}: " + ", ".join(f"{answer.value} {count}" for answer, count in answers.items())
          + f"; otherwise wrong: {len(result.wrong)}; twice in a mailbox by the same transfer, as the last hop's reply"
          f" was lost: {result.again_at_last_hop}")
    print(f"messages {sum(load.messages for load in loads)}, kills {sum(daemon.kills for daemon in plan.daemons)},"
          f" cuts {faults.cuts}, faults {faults.others}: lost {len(result.lost)}, doubled {len(result.doubled)}",
          flush=True)
    return result.is_good() and not missed


def keep(world, daemons):
    """What there is to look at after a failure."""
    shutil.rmtree(LOGS, ignore_errors=True)
    world.keep_logs(LOGS / "logs")
    (LOGS / "state").mkdir(parents=True, exist_ok=True)
    for daemon in daemons:
        daemon.keep_state(LOGS / "state")
        shutil.copytree(daemon.site.host.path("/var/mail"), LOGS / "mail" / daemon.site.domain)


def main():
    options = arguments()
    plan = Plan(crash_points())
    print(f"-- seed {options.seed}, {len(plan.names)} crash points, b.test with {options.server}", flush=True)
    world = build(options.server)
    sites = a, b = list(world.sites.values())
    # Dice for each that throws them, as nobody knows in which order they do.
    dice = random.Random(options.seed)
    plan.daemons = [Daemon(site, plan.for_one(random.Random(dice.random()))) for site in sites]
    faults = Faults(random.Random(dice.random()), sites, plan.daemons)
    loads = [Load(random.Random(dice.random()), site, sender, others.dovecot.users, f"nobody@{others.domain}")
             for site, others in ((a, b), (b, a)) for sender in site.dovecot.users]
    good = False
    try:
        for each in (*plan.daemons, *loads):
            each.start()
        play(options, plan, faults, loads)
        for load in loads:
            load.stop()
        print("-- everything is well again; waiting until all queues are empty", flush=True)
        for daemon in plan.daemons:
            daemon.settle_down()
        idle = wait_until_idle(sites, options.patience)
        sound = are_sound(sites)
        good = account(options, sites, plan, faults, loads) and idle and sound
    finally:
        if not good:
            keep(world, plan.daemons)
            print(f"-- kept in {LOGS.relative_to(ROOT)}; replay with --seed {options.seed}", file=sys.stderr, flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
