"""Where the benchmark takes place: sites with Packetboat behind Prosody and ejabberd, and pairs of Postfix alone."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/two-domains"))
from processes import cpu_times, difference  # noqa: E402  (the path comes first)
from twodomains.waiting import until  # noqa: E402
from twodomains.world import World  # noqa: E402

PROGRAMS = ROOT / "build/tests/bench"
SINK = "127.0.5.1:2600"
# The sites of a chain: where mail comes in, and the other side.
SIDES = {"postfix": ("ta", "tb"), "postfix stock": ("sa", "sb"), "prosody": ("pa", "pb"), "ejabberd": ("ea", "eb")}
ADDRESSES = {"pa": "127.0.1.1", "pb": "127.0.2.1", "ea": "127.0.3.1", "eb": "127.0.4.1",
             "sa": "127.0.6.1", "sb": "127.0.6.2", "ta": "127.0.7.1", "tb": "127.0.7.2"}

# The sites have never heard of each other: what is counted of new domains is counted, and never full.
NEVER_FULL = "[class new]\n" + "".join(
    f"{whose}{what}-per-hour = {most}\n" for whose in ("", "all-")
    for what, most in (("messages", "1000G"), ("recipients", "1000G"), ("bytes", "1000G"))) + "\n[discovery]\n"

# All of what is off otherwise, or has no limit.
TRUST = """
[complaints]
send = yes
take = yes

[senders]
messages-per-hour = 1000G
recipients-per-hour = 1000G
unknown-recipients-per-hour = 1000

[lists]
allow = {allow}
limit = {limit}
block = {block}

[dns-list lists.test]
meaning = block

[promise]
domains = {domain}
"""

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
# Postfix before and behind Packetboat, in the chain as deployed.
BEFORE = """
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions =
smtpd_relay_restrictions = permit_mynetworks, reject
transport_maps = inline:{{{peer}.test=lmtp:inet:[{address}]:2424}}
"""
BEHIND = """
transport_maps = inline:{{{name}.test=smtp:[127.0.5.1]:2600}}
mynetworks = 127.0.0.0/8
message_size_limit = 200000000
virtual_mailbox_domains =
virtual_mailbox_maps =
relay_domains = {name}.test
smtp_tls_security_level = none
"""


class Chain:
    """Where mail goes in, and how the sink is reached."""

    def __init__(self, entry, rcpt, sender, lmtp=False, sink_lmtp=False, port=25):
        self.entry = entry
        self.rcpt = rcpt
        self.sender = sender
        self.lmtp = lmtp
        self.sink_lmtp = sink_lmtp
        self.port = port  # of the link between the two sides


class Ground:
    def __init__(self, servers):
        """`servers`: of "prosody" and "ejabberd"."""
        self.world = World()
        self.sites = {}
        self.chains = {}
        self._servers = servers
        self._numbers = 1

    def start(self):
        for name in ("sa", "sb", "ta", "tb"):
            self.sites[name] = self.world.add_smtp_site(f"{name}.test", ADDRESSES[name], [f"x@{name}.test"])
        for server in self._servers:
            for name in SIDES[server]:
                self._add(server, name)
        self.world.start()
        for name in ("sa", "sb", "ta", "tb"):
            self._set_up_peer(name)
        for name in ("postfix", "postfix stock"):
            a, b = SIDES[name]
            self.chains[name] = Chain(f"{ADDRESSES[a]}:25", f"b@{b}.test", f"a@{a}.test")
        for server in self._servers:
            a, b = SIDES[server]
            self.set_postfix(a, BEFORE.format(peer=b, address=ADDRESSES[a]) + TUNED)
            self.set_postfix(b, BEHIND.format(name=b) + TUNED)
            for name in (a, b):
                self.sites[name].postfix.stop()
                self.sites[name].postfix.start()
            self.chains[server] = Chain(f"{ADDRESSES[a]}:2424", f"b@{b}.test", f"a@{a}.test", True, True, 5269)
            self._look_each_other_up(server)

    def ours(self):
        return [name for name in ("prosody", "ejabberd") if name in self.chains]

    def wait_for_link(self, one, other):
        until(lambda: "takes mail over XMPP" in self.sites[one].packetboat.run("check", f"{other}.test").stdout,
              f"{one} to know {other}", 60)

    @contextlib.contextmanager
    def trusting(self, server):
        """Both sides believe, count and limit all that they can, and promise; nobody is beyond a limit."""
        with contextlib.ExitStack() as stack:
            for name in SIDES[server]:
                daemon = self.sites[name].packetboat
                usual = daemon.configuration.read_text()
                lists = {word: daemon.configuration.with_name(word) for word in ("allow", "limit", "block")}
                for word, file in lists.items():
                    file.write_text("".join(f"{number}.{word}.test\n" for number in range(10_000)))
                text = re.sub(r"(?m)^\[(complaints|senders)\]\n([^\[\n].*\n|\n)*", "", usual)
                text = text.replace("closed-lane = log\n", "closed-lane = reject\n")
                daemon.configuration.write_text(text + TRUST.format(domain=f"{name}.test", **lists))
                daemon.restart()
                stack.callback(daemon.restart)
                stack.callback(daemon.configuration.write_text, usual)
            self._look_each_other_up(server)
            yield
        self._look_each_other_up(server)

    def _look_each_other_up(self, server):
        a, b = SIDES[server]
        self.wait_for_link(a, b)
        self.wait_for_link(b, a)

    def set_postfix(self, name, text):
        # Not appended: postlogd warns of each entry that stands there twice, to itself, and gets stuck with a few.
        settings = [line for line in text.splitlines() if "=" in line]
        self.sites[name].host.command("postconf", "-e", *settings, check=True)
        self.sites[name].host.command("postfix", "reload", check=True)

    def _add(self, server, name):
        a, b = SIDES[server]
        changes = [("max-size = 50M", "max-size = 200M"), ("protocol = lmtp", "protocol = lmtp\nmax-size = 200M"),
                   ("peer-messages = 100000", "peer-messages = 1000000"), ("[discovery]\n", NEVER_FULL), ("log-level = info", "log-level = debug")]
        if not os.environ.get("BENCH_DEBUG"):
            changes.pop()
        example = (ROOT / "examples/packetboat.conf").read_text()
        changes = [change for change in changes if change[0] in example]
        if name == b:
            changes.append((f"deliver-to = smtp:{ADDRESSES[b]}:2526", f"deliver-to = lmtp:{SINK}"))
        if server == "ejabberd":
            self.sites[name] = self.world.add_ejabberd_site(f"{name}.test", ADDRESSES[name], [f"x@{name}.test"], changes=changes)
        else:
            peer = b if name == a else a
            self.sites[name] = self.world.add_prosody_site(f"{name}.test", ADDRESSES[name], [f"x@{name}.test"], changes=changes,
                                                           unlimited=[f"mail.{peer}.test"])

    def _set_up_peer(self, name):
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
        self.set_postfix(name, more)
        site.postfix.stop()
        site.postfix.start()

    # --- one measurement

    def load(self, chain, messages, size, kind="text", sessions=20, pause=0, patience=60, during=None, sink=True):
        """Sends mails that nobody has sent before, and waits until all have arrived; figures of it, with the CPU time that all
        processes used. `during` is called while they are on their way; without a `sink` nobody waits for them."""
        chain = self.chains[chain]
        words = [PROGRAMS / "bench_load", "--to", chain.entry, "--sessions", sessions, "--messages", messages, "--size", size,
                 "--kind", kind, "--from", chain.sender, "--rcpt", chain.rcpt, "--first", self._numbers, "--pause-ms", pause,
                 "--seconds", patience]
        words += ["--lmtp"] * chain.lmtp + (["--sink", SINK] + ["--sink-lmtp"] * chain.sink_lmtp if sink else [])
        self._numbers += messages
        process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        before = cpu_times()
        process.stdin.write("\n")
        process.stdin.flush()
        if during:
            during()
        # Before it ends, so that its own time is in the table.
        result = json.loads(process.stdout.readline())
        result["cpu"] = difference(before, cpu_times())
        process.wait()
        if sink and (result["arrived"] != messages or result["doubled"]):
            raise RuntimeError(f"{chain.entry}: {result}")
        return result
