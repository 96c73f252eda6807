"""What the machine says of a measurement: CPU time by kind of process, and bytes on a link."""

import collections
import json
import os
import pathlib
import subprocess

TICKS = os.sysconf("SC_CLK_TCK")


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
    """By process, the dearest first."""
    names = {name for run in runs for name in run}
    mean = {name: sum(run.get(name, 0) for run in runs) / len(runs) for name in names}
    return dict(sorted(mean.items(), key=lambda item: -item[1]))


class WireCounter:
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
