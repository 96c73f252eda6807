"""The benchmark: Postfix to Postfix against Packetboat to Packetboat, in one run, on one machine.

Run by `./run bench`. Every chain ends in the same sink, each mail is another, and every transport in between has a mail
on the disk before it says so. The chains take turns (A B A B ...), so that a slow minute of the machine hits all.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/two-domains"))
from twodomains.waiting import until  # noqa: E402  (the path comes first)
from twodomains.world import World  # noqa: E402

LOAD = ROOT / "build/tests/bench/bench_load"
SINK = "127.0.5.1:2600"
TICKS = os.sysconf("SC_CLK_TCK")

# What the handbook of Postfix, and our own measurements, say makes it fastest.
TUNED = """
default_destination_concurrency_limit = 50
initial_destination_concurrency = 50
in_flow_delay = 0
smtp_tls_connection_reuse = yes
smtpd_peername_lookup = no
default_process_limit = 200
smtpd_client_connection_count_limit = 0
"""
PEER = """
smtp_tls_security_level = encrypt
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/mx.crt
smtpd_tls_key_file = /etc/postfix/mx.key
smtpd_recipient_restrictions =
smtpd_relay_restrictions = permit_mynetworks, reject
mynetworks = 127.0.0.0/8
message_size_limit = 200000000
transport_maps = {transport}
"""


class Chain:
    """Where mail goes in, and how the sink is reached."""

    def __init__(self, name, entry, rcpt, sender, lmtp=False, sink_lmtp=False, port=25):
        self.name = name
        self.entry = entry
        self.rcpt = rcpt
        self.sender = sender
        self.lmtp = lmtp
        self.sink_lmtp = sink_lmtp
        self.port = port  # of the link between the two sides


class Bench:
    def __init__(self, quick, only):
        self.quick = quick
        self.only = only
        self.world = World()
        self.rows = []
        self.numbers = 1
        self.chains = {}

    # --- the ground

    def start(self):
        world = self.world
        quick = [("first-retry = 5m", "first-retry = 1s"), ("max-retry = 4000s", "max-retry = 2s"),
                 ("max-size = 50M", "max-size = 200M"), ("protocol = lmtp", "protocol = lmtp\nmax-size = 200M"),
                 ("peer-messages = 100000", "peer-messages = 1000000")]
        if os.environ.get("BENCH_DEBUG"):
            quick.append(("log-level = info", "log-level = debug"))
        quick = [change for change in quick if change[0] in (ROOT / "examples/packetboat.conf").read_text()]
        to_sink = [("deliver-to = smtp:127.0.2.1:2526", f"deliver-to = lmtp:{SINK}")]
        sites = {}
        sites["pa"] = world.add_prosody_site("pa.test", "127.0.1.1", ["a@pa.test"], changes=quick, unlimited=["mail.pb.test"])
        sites["pb"] = world.add_prosody_site("pb.test", "127.0.2.1", ["b@pb.test"], changes=quick + to_sink, unlimited=["mail.pa.test"])
        if "ejabberd" in self.only:
            sites["ea"] = world.add_ejabberd_site("ea.test", "127.0.3.1", ["a@ea.test"], changes=quick)
            sites["eb"] = world.add_ejabberd_site("eb.test", "127.0.4.1", ["b@eb.test"],
                                                  changes=quick + [(f"deliver-to = smtp:127.0.4.1:2526", f"deliver-to = lmtp:{SINK}")])
        for name, address in (("sa", "127.0.6.1"), ("sb", "127.0.6.2"), ("ta", "127.0.7.1"), ("tb", "127.0.7.2")):
            sites[name] = world.add_smtp_site(f"{name}.test", address, [f"x@{name}.test"])
        self.sites = sites
        world.start()
        for name in ("sa", "sb", "ta", "tb"):
            self.configure_postfix(name)
        # What the chains as deployed end in: Postfix with the sink behind it.
        for name in ("pb", "eb"):
            if name in sites:
                self.main(name, f"transport_maps = inline:{{{name}.test=smtp:[127.0.5.1]:2600}}\nmynetworks = 127.0.0.0/8\n"
                                "message_size_limit = 200000000\nvirtual_mailbox_domains =\nvirtual_mailbox_maps =\n"
                                f"relay_domains = {name}.test\nsmtp_tls_security_level = none\n" + TUNED)
        for name in ("pa", "ea"):
            if name in sites:
                peer = {"pa": "pb", "ea": "eb"}[name]
                self.main(name, f"mynetworks = 127.0.0.0/8\nsmtpd_recipient_restrictions =\nsmtpd_relay_restrictions = permit_mynetworks, reject\n"
                                f"transport_maps = inline:{{{peer}.test=lmtp:inet:[{sites[name].address}]:2424}}\n" + TUNED)
        for name in ("pa", "pb", "ea", "eb"):
            if name in sites:
                sites[name].postfix.stop()
                sites[name].postfix.start()
        self.chains["postfix stock"] = Chain("postfix stock", "127.0.6.1:25", "b@sb.test", "a@sa.test")
        self.chains["postfix"] = Chain("postfix", "127.0.7.1:25", "b@tb.test", "a@ta.test")
        self.chains["prosody"] = Chain("prosody", "127.0.1.1:2424", "b@pb.test", "a@pa.test", True, True, 5269)
        if "ejabberd" in self.only:
            self.chains["ejabberd"] = Chain("ejabberd", "127.0.3.1:2424", "b@eb.test", "a@ea.test", True, True, 5269)
        for a, b in (("pa", "pb"), ("ea", "eb")):
            if a in sites:
                for one, other in ((a, b), (b, a)):
                    until(lambda: "takes mail over XMPP" in sites[one].packetboat.run("check", f"{other}.test").stdout,
                          f"{one} to know {other}", 60)

    def main(self, name, text):
        # Not appended: postlogd warns of each entry that stands there twice, to itself, and gets stuck with a few.
        settings = [line for line in text.splitlines() if "=" in line]
        self.sites[name].host.command("postconf", "-e", *settings, check=True)
        self.sites[name].host.command("postfix", "reload", check=True)

    def configure_postfix(self, name):
        site = self.sites[name]
        key, certificate = self.world.authority.issue(f"{name}.test")
        for file, target in ((key, "mx.key"), (certificate, "mx.crt")):
            site.host.path(f"/etc/postfix/{target}").write_bytes(pathlib.Path(file).read_bytes())
        master = site.host.path("/etc/postfix/master.cf")
        text = master.read_text().replace("#tlsproxy ", "tlsproxy ")
        # The last hop is without TLS, as it is one on the same host.
        text += "tosink unix - - n - 200 smtp\n    -o smtp_tls_security_level=none -o smtp_tls_connection_reuse=no\n"
        master.write_text(text)
        last = name.endswith("b")
        transport = f"inline:{{{name}.test=tosink:[127.0.5.1]:2600}}" if last else ""
        more = PEER.format(transport=transport) + (TUNED if name.startswith("t") else "")
        if last:
            more += f"virtual_mailbox_domains =\nvirtual_mailbox_maps =\nrelay_domains = {name}.test\n"
        self.main(name, more)
        site.postfix.stop()
        site.postfix.start()

    # --- one measurement

    def load(self, chain, messages, size, kind="text", sessions=20, pause=0, patience=60, during=None):
        first = self.numbers
        self.numbers += messages
        words = [LOAD, "--to", chain.entry, "--sink", SINK, "--sessions", sessions, "--messages", messages, "--size", size,
                 "--kind", kind, "--from", chain.sender, "--rcpt", chain.rcpt, "--first", first, "--pause-ms", pause,
                 "--seconds", patience]
        words += ["--lmtp"] * chain.lmtp + ["--sink-lmtp"] * chain.sink_lmtp
        process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        before = cpu_times()
        process.stdin.write("\n")
        process.stdin.flush()
        if during:
            during()
        # Before it ends, so that its own time is in the table.
        line = process.stdout.readline()
        result = json.loads(line)
        result["cpu"] = difference(before, cpu_times())
        process.wait()
        if result["arrived"] != messages or result["doubled"]:
            raise RuntimeError(f"{chain.name}: {result}")
        return result

    def rounds(self, full):
        return 1 if self.quick else full

    def throughput(self, what, chains, messages, size, kind="text", sessions=20, runs=3, unit="messages/s"):
        """Chains take turns; a row for each that is ours."""
        rates = collections.defaultdict(list)
        costs = collections.defaultdict(list)
        for _ in range(self.rounds(runs)):
            for name in chains:
                count = messages[name] if isinstance(messages, dict) else messages
                count = max(count // 4, sessions) if self.quick else count
                result = self.load(self.chains[name], count, size, kind, sessions)
                seconds = result["arrived_ms"] / 1000
                rates[name].append(count / seconds if unit == "messages/s" else count * size / 1e6 / seconds)
                costs[name].append({process: used / count * 1000 for process, used in result["cpu"].items()})
                top = ", ".join(f"{process} {cost:.2f}" for process, cost in mean_costs(costs[name][-1:]).items() if cost > 0.03)
                say(f"{what} {name}: {rates[name][-1]:.1f} {unit}; CPU ms a message: {sum(costs[name][-1].values()):.2f} ({top})")
        base = "postfix" if "postfix" in chains else next(name for name in chains if "postfix" in name)
        for name in chains:
            if name.startswith("postfix"):
                continue
            self.row(what, name, rates[name], rates[base], unit)
        if "postfix stock" in rates:
            self.row(what + "-postfix-stock", "", rates["postfix stock"], rates["postfix"], unit)
        return rates, costs

    def row(self, what, server, ours, postfix, unit=""):
        ratios = [a / b for a, b in zip(ours, postfix) if b]
        self.rows.append({"what": what, "server": server, "ours": round(statistics.median(ours), 3),
                          "postfix": round(statistics.median(postfix), 3),
                          "ratio": round(statistics.median(ours) / statistics.median(postfix), 3) if statistics.median(postfix) else None,
                          "spread": [round(min(ratios), 3), round(max(ratios), 3)] if ratios else None,
                          "unit": unit, "runs": len(ours)})

    def profile(self, folder):
        """Where our daemons' time goes at 4 KiB, by perf(1): `perf report -i FILE`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.ours():
            sites = {"prosody": ("pa", "pb"), "ejabberd": ("ea", "eb")}[name]
            recorders = []

            def record(sites=sites, name=name, recorders=recorders):
                for site in sites:
                    pid = self.sites[site].packetboat._process.pid
                    recorders.append(subprocess.Popen(["perf", "record", "-q", "-F", "1999", "-g", "-o", folder / f"{name}-{site}.data",
                                                       "-p", str(pid)]))
                    if name == "prosody":
                        server = self.sites[site].xmpp._process.pid
                        recorders.append(subprocess.Popen(["perf", "record", "-q", "-F", "1999", "-g", "-o", folder / f"server-{site}.data",
                                                           "-p", str(server)]))
            size = int(os.environ.get("BENCH_SIZE", 4096))
            self.load(self.chains[name], max(32_768_000, 10 * size) // size, size, during=record)
            for recorder in recorders:
                recorder.send_signal(signal.SIGINT)
                recorder.wait()

    # --- what is measured

    def ours(self):
        return [name for name in ("prosody", "ejabberd") if name in self.chains]

    def small(self):
        everyone = ["postfix", *self.ours(), "postfix stock"]
        _, costs = self.throughput("throughput-4k", everyone, {"postfix": 3000, "postfix stock": 2000, "prosody": 10000,
                                                                "ejabberd": 10000}, 4096)
        postfix = [sum(each.values()) for each in costs["postfix"]]
        self.costs = {name: mean_costs(each) for name, each in costs.items()}
        for name in self.ours():
            self.row("cpu-4k", name, [sum(each.values()) for each in costs[name]], postfix, "CPU s per 1000 messages")

    def medium(self):
        everyone = ["postfix", *self.ours()]
        for kind, what in (("text", "throughput-64k-text"), ("html", "throughput-64k-html"), ("base64", "throughput-64k-base64")):
            if not (self.quick and kind == "html"):
                self.throughput(what, everyone, 1500, 65536, kind)

    def large(self):
        self.throughput("throughput-10m", ["postfix", *self.ours()], 20, 10_000_000, "base64", sessions=4, unit="MB/s")

    def latency(self):
        everyone = ["postfix", *self.ours()]
        count = 50 if self.quick else 200
        found = {name: self.load(self.chains[name], count, 4096, sessions=1, pause=20) for name in everyone}
        plain = None
        self.main("ta", "smtp_tls_security_level = none\n")
        try:
            plain = self.load(self.chains["postfix"], count, 4096, sessions=1, pause=20)
        finally:
            self.main("ta", "smtp_tls_security_level = encrypt\n")
        for name in self.ours():
            for q in ("p50", "p99"):
                self.row(f"latency-{q}-tls", name, [found[name][f"latency_{q}_ms"]], [found["postfix"][f"latency_{q}_ms"]], "ms")
                self.row(f"latency-{q}-plain", name, [found[name][f"latency_{q}_ms"]], [plain[f"latency_{q}_ms"]], "ms")

    def wire(self):
        count = 200
        for size, kind in ((4096, "text"), (16384, "html")):
            used = {}
            for name in ("postfix", *self.ours()):
                chain = self.chains[name]
                with Counter(chain.port, self.sites[{"postfix": "tb", "prosody": "pb", "ejabberd": "eb"}[name]].address) as counter:
                    self.load(chain, count, size, kind)
                used[name] = counter.bytes() / count
            for name in self.ours():
                self.row("wire" if kind == "text" else "wire-html", name, [used[name]], [used["postfix"]], f"bytes a message of {size}")

    def drain(self, waiting, what):
        """`waiting` mails have come while the other side was away."""
        times = {}
        for name in ("postfix", *self.ours()):
            chain = self.chains[name]
            other = {"postfix": "tb", "prosody": "pb", "ejabberd": "eb"}[name]
            site = self.sites[other]
            server = site.postfix if name == "postfix" else site.packetboat
            server.stop()
            moment = {}

            def back(name=name, server=server):
                # Some may be on their way, without an answer.
                until(lambda: self.waiting(name) >= waiting * 0.98, f"{waiting} mails in {name}'s queue", 300, 0.2)
                moment["back"] = time.monotonic()
                server.start()
                if name == "postfix":
                    self.sites["ta"].postfix.flush()
            began = time.monotonic()
            result = self.load(chain, waiting, 4096, during=back, patience=600)
            times[name] = began + result["arrived_ms"] / 1000 - moment["back"]
            say(f"{what} {name}: {times[name]:.1f} s")
        for name in self.ours():
            self.row(what, name, [waiting / times[name]], [waiting / times["postfix"]], "messages/s")

    def waiting(self, name):
        if name == "postfix":
            spool = self.sites["ta"].host.path("/var/spool/postfix")
            return sum(len(files) for folder in ("deferred", "active", "incoming") for _, _, files in os.walk(spool / folder))
        site = self.sites[{"prosody": "pa", "ejabberd": "ea"}[name]]
        status = site.packetboat.run("check").stdout
        return int(re.search(r"queue: (\d+) recipients", status).group(1))

    def chain(self):
        """As deployed: Postfix, Packetboat, XMPP, Packetboat, Postfix."""
        for name in self.ours():
            a, b = {"prosody": ("pa", "pb"), "ejabberd": ("ea", "eb")}[name]
            site = self.sites[b]
            conf = site.packetboat.configuration
            text = conf.read_text()
            conf.write_text(text.replace(f"deliver-to = lmtp:{SINK}", f"deliver-to = smtp:{site.address}:2526"))
            site.packetboat.restart()
            until(lambda: "takes mail over XMPP" in site.packetboat.run("check", f"{a}.test").stdout, "its link", 30)
            self.chains[f"{name} chain"] = Chain(f"{name} chain", f"{self.sites[a].address}:25", f"b@{b}.test", f"a@{a}.test")
            self.throughput("chain-4k", ["postfix", f"{name} chain"], 2000, 4096)
            for row in self.rows:
                row["server"] = row["server"].removesuffix(" chain")
            conf.write_text(text)
            site.packetboat.restart()
            until(lambda: "takes mail over XMPP" in site.packetboat.run("check", f"{a}.test").stdout, "its link", 30)

    def memory(self, waiting):
        """A daemon with many messages in its queue: its memory, and how long it takes to start."""
        name = "prosody"
        self.sites["pb"].packetboat.stop()
        a = self.sites["pa"].packetboat
        chain = self.chains[name]
        words = [LOAD, "--to", chain.entry, "--sessions", 50, "--messages", waiting, "--size", 2048, "--from", chain.sender,
                 "--rcpt", chain.rcpt, "--first", self.numbers, "--lmtp"]
        self.numbers += waiting
        a.forget_peak_memory()
        ran = subprocess.run([str(word) for word in words], input="\n", capture_output=True, text=True, check=True)
        accepted = json.loads(ran.stdout.splitlines()[-1])["accepted_ms"] / 1000
        self.rows.append({"what": "intake-2k", "server": name, "ours": round(waiting / accepted), "postfix": None, "ratio": None,
                          "unit": "messages/s", "runs": 1})
        peak = a.peak_memory() / 2**20
        began = time.monotonic()
        a.stop()
        a.start(60)
        started = time.monotonic() - began
        time.sleep(2)
        for what, value, unit in ((f"memory-{waiting}", max(peak, a.memory() / 2**20), "MiB"), (f"start-{waiting}", started, "s")):
            self.rows.append({"what": what, "server": name, "ours": round(value, 2), "postfix": None, "ratio": None, "unit": unit,
                              "runs": 1})
        self.sites["pb"].packetboat.start()


class Counter:
    """Bytes of packets from and to a TCP port, by nftables."""

    def __init__(self, port, address):
        self.port = port
        self.address = address

    def __enter__(self):
        rules = f"""table inet bench {{
            counter wire {{ }}
            chain out {{ type filter hook output priority 0;
                ip daddr {self.address} tcp dport {self.port} counter name wire
                ip saddr {self.address} tcp sport {self.port} counter name wire
            }}
        }}"""
        subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
        return self

    def bytes(self):
        return self._bytes

    def __exit__(self, *_):
        listed = subprocess.run(["nft", "-j", "list", "counters"], capture_output=True, text=True, check=True).stdout
        self._bytes = next(item["counter"]["bytes"] for item in json.loads(listed)["nftables"] if "counter" in item)
        subprocess.run(["nft", "delete", "table", "inet", "bench"], check=True)


def cpu_times():
    """Seconds of each kind of process, with those of its children that have ended."""
    times = collections.Counter()
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text()
        except OSError:
            continue
        name = text[text.index("(") + 1:text.rindex(")")]
        fields = text[text.rindex(")") + 2:].split()
        times[name] += sum(map(int, fields[11:15])) / TICKS
    return times


def difference(before, after):
    # What an ended process had used passes to its parent: a kind may lose what another gains.
    return {name: after[name] - before[name] for name in after.keys() | before.keys() if after[name] != before[name]}


def mean_costs(runs):
    names = {name for run in runs for name in run}
    mean = {name: sum(run.get(name, 0) for run in runs) / len(runs) for name in names}
    return dict(sorted(mean.items(), key=lambda item: -item[1]))


def say(text):
    print(f"-- {text}", flush=True)


def table(rows):
    lines = [f"{'what':<24} {'server':<9} {'ours':>10} {'postfix':>10} {'ratio':>7}  {'spread':<15} unit"]
    for row in rows:
        spread = "{} - {}".format(*row["spread"]) if row.get("spread") else ""
        cells = [row[key] if row[key] is not None else "" for key in ("ours", "postfix", "ratio")]
        lines.append(f"{row['what']:<24} {row['server']:<9} {cells[0]:>10} {cells[1]:>10} {cells[2]:>7}  {spread:<15} {row['unit']}")
    return "\n".join(lines)


PARTS = ("small", "medium", "large", "latency", "wire", "drain", "chain", "memory")


def main():
    parser = argparse.ArgumentParser(prog="./run bench")
    parser.add_argument("--quick", action="store_true", help="fewer messages, and each once: a look, not a figure")
    parser.add_argument("--json", type=pathlib.Path, help="where the rows go")
    parser.add_argument("--only", default="", help="parts: " + " ".join(PARTS))
    parser.add_argument("--profile", type=pathlib.Path, help="in place of all others: where our daemons' time goes, into a folder")
    parser.add_argument("--servers", default="prosody ejabberd")
    parsed = parser.parse_args()
    parts = parsed.only.split() or PARTS
    bench = Bench(parsed.quick, parsed.servers.split())
    bench.start()
    if parsed.profile:
        bench.profile(parsed.profile)
        os._exit(0)
    try:
        for part in PARTS:
            if part not in parts:
                continue
            if part == "drain":
                bench.drain(5000, "drain-5k")
                if not parsed.quick:
                    bench.drain(50000, "drain-50k")
            elif part == "memory":
                bench.memory(10000 if parsed.quick else 100000)
            else:
                getattr(bench, part)()
    finally:
        bench.world.keep_logs(ROOT / "build/bench-logs")
    print(table(bench.rows))
    if hasattr(bench, "costs"):
        print("\nCPU ms a 4 KiB message, by process:")
        for name, costs in bench.costs.items():
            print(f"  {name}: " + ", ".join(f"{process} {cost:.3f}" for process, cost in costs.items() if cost > 0.005))
    if parsed.json:
        parsed.json.write_text(json.dumps({"date": str(datetime.date.today()), "rows": bench.rows,
                                           "cpu": getattr(bench, "costs", {})}, indent=1) + "\n")
    # Nothing needs a goodbye: the namespace takes all servers along.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
