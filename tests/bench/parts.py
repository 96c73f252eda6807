"""The parts of the benchmark. Each measures one thing of all chains, which take turns, so that a slow minute of the machine
hits all of them, and adds its rows to the results."""

import collections
import contextlib
import json
import os
import pathlib
import re
import subprocess
import time

from backlog import backlog
from ground import ADDRESSES, SIDES, Chain, PROGRAMS, SINK
from processes import WireCounter, mean_costs
from results import say
from twodomains.waiting import until


class Run:
    """What a part works with. `quick`: fewer messages, and each measurement once."""

    def __init__(self, ground, results, quick):
        self.ground = ground
        self.results = results
        self.quick = quick

    def rounds(self):
        return 1 if self.quick else 3

    def throughput(self, chains, messages, size, kind="text", sessions=20, what=""):
        """Messages a second, and CPU ms a message by process, of each chain in each round."""
        rates = collections.defaultdict(list)
        costs = collections.defaultdict(list)
        for _ in range(self.rounds()):
            for name in chains:
                count = messages[name] if isinstance(messages, dict) else messages
                count = max(count // 4, sessions) if self.quick else count
                result = self.ground.load(name, count, size, kind, sessions)
                rates[name].append(count * 1000 / result["arrived_ms"])
                costs[name].append({process: used / count * 1000 for process, used in result["cpu"].items()})
                top = ", ".join(f"{process} {cost:.2f}" for process, cost in mean_costs(costs[name][-1:]).items() if cost > 0.03)
                say(f"{what} {name}: {rates[name][-1]:.1f} messages/s; CPU ms a message:"
                    f" {sum(costs[name][-1].values()):.2f} ({top})")
        return rates, costs


def small(run):
    """4 KiB: messages a second, and CPU time."""
    ours = run.ground.ours()
    count = {"postfix": 3000, "postfix stock": 2000, "prosody": 10000, "ejabberd": 10000}
    rates, costs = run.throughput(["postfix", *ours, "postfix stock"], count, 4096, what="throughput-4k")
    run.results.costs = {name: mean_costs(each) for name, each in costs.items()}
    for name in ours:
        run.results.compare("throughput-4k", name, rates[name], rates["postfix"], "messages/s")
        run.results.compare("cpu-4k", name, *([sum(each.values()) for each in costs[chain]] for chain in (name, "postfix")),
                            "CPU s per 1000 messages")
    run.results.compare("postfix-stock-4k", "", rates["postfix stock"], rates["postfix"], "messages/s")


def medium(run):
    """64 KiB of three kinds."""
    for kind in ("text", "html", "base64"):
        what = f"throughput-64k-{kind}"
        rates, _ = run.throughput(["postfix", *run.ground.ours()], 1500, 65536, kind, what=what)
        for name in run.ground.ours():
            run.results.compare(what, name, rates[name], rates["postfix"], "messages/s")


def large(run):
    size = 10 << 20
    rates, _ = run.throughput(["postfix", *run.ground.ours()], 20, size, "base64", sessions=4, what="throughput-10m")
    for name in run.ground.ours():
        mb = {chain: [rate * size / 1e6 for rate in rates[chain]] for chain in (name, "postfix")}
        run.results.compare("throughput-10m", name, mb[name], mb["postfix"], "MB/s")


def latency(run):
    """One mail at a time, from its MAIL command to the sink."""
    ground = run.ground
    count = 50 if run.quick else 200
    found = collections.defaultdict(list)
    for _ in range(run.rounds()):
        for name in ("postfix", *ground.ours()):
            found[name].append(ground.load(name, count, 4096, sessions=1, pause=20))
        ground.set_postfix("ta", "smtp_tls_security_level = none")
        try:
            found["plain"].append(ground.load("postfix", count, 4096, sessions=1, pause=20))
        finally:
            ground.set_postfix("ta", "smtp_tls_security_level = encrypt")
    for name in ground.ours():
        for q in ("p50", "p99"):
            mine, tls, plain = ([each[f"latency_{q}_ms"] for each in found[chain]] for chain in (name, "postfix", "plain"))
            run.results.compare(f"latency-{q}-tls", name, mine, tls, "ms")
            run.results.compare(f"latency-{q}-plain", name, mine, plain, "ms")


def wire(run):
    ground = run.ground
    count = 200
    for what, size, kind in (("wire", 4096, "text"), ("wire-html", 16384, "html")):
        used = {}
        for name in ("postfix", *ground.ours()):
            with WireCounter(ground.chains[name].port, ADDRESSES[SIDES[name][1]]) as counter:
                ground.load(name, count, size, kind)
            used[name] = counter.bytes() / count
        for name in ground.ours():
            run.results.compare(what, name, [used[name]], [used["postfix"]], f"bytes a message of {size}")


def drain(run):
    """Mails that have come while the other side was away, from its start on."""
    for waiting, what, rounds in ((5000, "drain-5k", run.rounds()), (50000, "drain-50k", 0 if run.quick else 1)):
        rates = collections.defaultdict(list)
        for _ in range(rounds):
            for name in ("postfix", *run.ground.ours()):
                rates[name].append(waiting / drain_once(run.ground, name, waiting))
                say(f"{what} {name}: {rates[name][-1]:.0f} messages/s")
        for name in run.ground.ours() if rounds else ():
            run.results.compare(what, name, rates[name], rates["postfix"], "messages/s")


def drain_once(ground, name, waiting):
    """Seconds."""
    a, b = (ground.sites[side] for side in SIDES[name])
    server = b.postfix if name == "postfix" else b.packetboat
    server.stop()
    moment = {}

    def back():
        # Some may be on their way, without an answer.
        until(lambda: queued(a, name) >= waiting * 0.98, f"{waiting} mails in {name}'s queue", 300, 0.2)
        moment["back"] = time.monotonic()
        server.start()
        if name == "postfix":
            a.postfix.flush()
    began = time.monotonic()
    result = ground.load(name, waiting, 4096, during=back, patience=600)
    return began + result["arrived_ms"] / 1000 - moment["back"]


def queued(site, name):
    if name == "postfix":
        spool = site.host.path("/var/spool/postfix")
        return sum(len(files) for folder in ("deferred", "active", "incoming") for _, _, files in os.walk(spool / folder))
    return int(re.search(r"queue: (\d+) recipients", site.packetboat.run("check").stdout).group(1))


def chain(run):
    """As deployed: Postfix, Packetboat, XMPP, Packetboat, Postfix."""
    ground = run.ground
    for name in ground.ours():
        a, b = SIDES[name]
        site = ground.sites[b]
        conf = site.packetboat.configuration
        text = conf.read_text()
        conf.write_text(text.replace(f"deliver-to = lmtp:{SINK}", f"deliver-to = smtp:{site.address}:2526"))
        site.packetboat.restart()
        ground.wait_for_link(b, a)
        whole = f"{name} chain"
        ground.chains[whole] = Chain(f"{ADDRESSES[a]}:25", f"b@{b}.test", f"a@{a}.test")
        rates, _ = run.throughput(["postfix", "postfix stock", whole], 2000, 4096, what="chain-4k")
        run.results.compare("chain-4k", name, rates[whole], rates["postfix"], "messages/s")
        run.results.compare("chain-4k-stock", name, rates[whole], rates["postfix stock"], "messages/s")
        conf.write_text(text)
        site.packetboat.restart()
        ground.wait_for_link(b, a)


def lookups(run):
    """Postfix's route lookups by socketmap, alone and while mail flows."""
    name = run.ground.ours()[-1]
    a, b = SIDES[name]

    def ask(rate, *how):
        words = [*how, PROGRAMS / "bench_lookups", "--to", f"{ADDRESSES[a]}:2425", "--known", f"{b}.test", "--seconds", 2 if run.quick else 5,
                 "--rate", rate]
        found = json.loads(subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True).stdout)
        say(f"lookups: {found}")
        return found
    def ask_beside_mail(rate, *how):
        found = []
        run.ground.load(name, 800 if run.quick else 1700, 4096, pause=60, during=lambda: found.append(ask(rate, *how)))
        return found[0]
    note = run.results.note
    note("lookups", name, ask(0)["rate"], "answers/s, alone")
    note("lookups-p99", name, ask(20000)["p99_ms"], "ms, of 20,000/s, alone")
    note("lookups-busy", name, ask_beside_mail(0)["rate"], "answers/s, beside 300 mails/s")
    note("lookups-busy-p99", name, ask_beside_mail(20000)["p99_ms"], "ms, of 20,000/s, beside 300 mails/s")
    # A kernel without preemption lets who asks and who answers wait for up to a tick (4 ms) while both cores are at work. This is
    # what is left without that.
    process = run.ground.sites[a].packetboat.process_id()
    for thread in map(int, os.listdir(f"/proc/{process}/task")):
        if pathlib.Path(f"/proc/{process}/task/{thread}/comm").read_text() == "lookup\n":
            os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(1))
    note("lookups-busy-p99-own", name, ask_beside_mail(20000, "chrt", "--fifo", 1)["p99_ms"],
         "ms, the same, without waiting for a core")


def memory(run):
    """Intake alone; memory with a long queue and with large mails on their way; how long a start takes with that queue."""
    ground, results = run.ground, run.results
    name = ground.ours()[0]
    a, b = (ground.sites[side].packetboat for side in SIDES[name])
    for site in (a, b):
        site.forget_peak_memory()
    ground.load(name, 20, 10 << 20, "base64", sessions=20, patience=120)
    for side, site in (("sender", a), ("receiver", b)):
        results.note(f"memory-20-times-10m-{side}", name, site.peak_memory() / 2**20, "MiB")
    b.stop()
    a.forget_peak_memory()
    floor, queue = (micro(name, run.quick) for name in ("sqlite_rows", "store_intake"))
    results.compare("intake-2k-queue", "", [queue], [floor], "messages/s, to SQLite's group commit of the same rows")
    # Ten times as many behind the same number, so that the cost of each is seen to stay.
    for count in (1000, 9000) if run.quick else (10000, 90000):
        accepted = ground.load(name, count, 2048, sessions=50, sink=False)["accepted_ms"] / 1000
        results.compare(f"intake-2k-smtp-{count}", "", [count / accepted], [floor], "messages/s, the same")
    count = queued(ground.sites[SIDES[name][0]], name)
    results.note(f"memory-{count}-queued", name, max(a.peak_memory(), a.memory()) / 2**20, "MiB")
    began = time.monotonic()
    a.stop()
    stopped = time.monotonic()
    a.start(60)
    results.note(f"start-{count}-queued", name, time.monotonic() - stopped, f"s (and {stopped - began:.2f} s to stop)")
    b.start()


def micro(name, quick):
    """Items a second of a micro-benchmark."""
    words = [PROGRAMS / "micro_benchmark", f"--benchmark_filter=^{name}", "--benchmark_format=json",
             f"--benchmark_min_time={0.5 if quick else 2}"]
    found = json.loads(subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True).stdout)
    return found["benchmarks"][0]["items_per_second"]


def curves(run):
    """Throughput against size, and against how many mails are on their way at a time."""
    ground, results = run.ground, run.results
    chains = ["postfix", *ground.ours()]
    by_size, by_sessions = (results.curves.setdefault(what, {name: [] for name in chains}) for what in ("size", "sessions"))
    for size in (1024, 4096, 16384, 65536, 262144, 1 << 20, 4 << 20, 10 << 20):
        for name in chains:
            count = max(12, min(2000 if name == "postfix" else 6000, 60_000_000 // size) // (4 if run.quick else 1))
            result = ground.load(name, count, size, sessions=min(20, count))
            by_size[name].append((size, round(count * size / result["arrived_ms"] / 1000, 3)))
        say(f"size {size}: " + ", ".join(f"{name} {by_size[name][-1][1]} MB/s" for name in chains))
    for sessions in (1, 2, 5, 10, 20, 50, 100):
        for name in chains:
            count = min(300 * sessions, 1500 if name == "postfix" else 5000) // (4 if run.quick else 1)
            result = ground.load(name, max(count, sessions), 4096, sessions=sessions)
            by_sessions[name].append((sessions, round(max(count, sessions) * 1000 / result["arrived_ms"], 1)))
        say(f"{sessions} at a time: " + ", ".join(f"{name} {by_sessions[name][-1][1]}/s" for name in chains))


def trust(run):
    """4 KiB with all that trust is made of, against the same without: every limit, list and log of it, complaints, a promise."""
    ground = run.ground
    for name in ground.ours():
        rates = collections.defaultdict(list)
        for _ in range(run.rounds()):
            for everything in (False, True):
                with ground.trusting(name) if everything else contextlib.nullcontext():
                    count = 2500 if run.quick else 10000
                    rates[everything].append(count * 1000 / ground.load(name, count, 4096)["arrived_ms"])
                say(f"trust-4k {name}, {'with all of it' if everything else 'as usual'}: {rates[everything][-1]:.1f} messages/s")
        run.results.compare("trust-4k", name, rates[True], rates[False], "messages/s, to the same without")


# The last one leaves a long queue behind.
ALL = {part.__name__: part for part in (small, trust, medium, large, latency, wire, drain, chain, lookups, curves, backlog, memory)}
