"""What lies between the machines: a network of its own, with a switch, a name server, and a host from which people write.

Nothing of this machine's own network is touched, and all of it is gone when its processes are."""

import contextlib
import pathlib
import subprocess
import sys

from machine import in_network, output
from twodomains.dns import listens_udp
from twodomains.waiting import until

ADDRESS = "192.0.2.1"  # of the name server, and of the people
PROGRAM = pathlib.Path(__file__).with_name("outside.py")
EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples/two-domains"


class Internet:
    def __init__(self, process, folder):
        self._process = process
        self._folder = folder
        self._records = []

    def attach(self, machine, address):
        """Plugs a machine in. Both ends are made where they belong, and not on this machine first."""
        port = f"port{address.rpartition('.')[2]}"
        self._ip("link", "add", port, "type", "veth", "peer", "name", "host0", "netns", str(machine.first_process))
        self._ip("link", "set", port, "master", "switch", "up")
        inside = [*in_network(machine.first_process), "ip"]
        for words in (["link", "set", "lo", "up"], ["address", "add", f"{address}/24", "dev", "host0"], ["link", "set", "host0", "up"]):
            output(*inside, *words)
        machine.path("/etc/resolv.conf").write_text(f"nameserver {ADDRESS}\n")

    def add_domain(self, domain, address, component):
        """What the administrator of a domain has in the DNS, with the component's name."""
        self._records += [f"host-record={name},{address}" for name in (domain, f"xmpp.{domain}", f"mx.{domain}")]
        self._records += [f"mx-host={domain},mx.{domain},10", f"srv-host=_xmpp-client._tcp.{domain},xmpp.{domain},5222"]
        for name in (domain, component):
            record = f"srv-host=_xmpp-server._tcp.{name},"
            if not any(known.startswith(record) for known in self._records):
                self._records.append(f"{record}xmpp.{domain},5269")

    @contextlib.contextmanager
    def serving(self):
        """Answers questions about all that was added; nothing else exists."""
        configuration = self._folder / "dnsmasq.conf"
        settings = ["no-resolv", "no-hosts", "bind-interfaces", "user=root", "no-daemon", "local=/#/", f"listen-address={ADDRESS}"]
        configuration.write_text("\n".join(settings + self._records) + "\n")
        with open(self._folder / "dnsmasq.log", "wb") as log:
            server = subprocess.Popen([*self._inside(), "dnsmasq", f"--conf-file={configuration}", "--pid-file", "--log-facility=-"],
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            until(lambda: server.poll() is not None or listens_udp(ADDRESS, 53, self._process.pid), "the name server")
            assert server.poll() is None, (self._folder / "dnsmasq.log").read_text()
            yield
        finally:
            server.kill()
            server.wait()

    def person(self, *words, input=None):
        """Runs outside.py with these words; the result has returncode, stdout and stderr as text."""
        return subprocess.run([*self._inside(), sys.executable, str(PROGRAM), *words], capture_output=True, text=True, timeout=300,
                              input=input, env={"PYTHONPATH": str(EXAMPLES), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin"})

    def _inside(self):
        return ["setpriv", "--pdeathsig", "KILL", *in_network(self._process.pid)]

    def _ip(self, *words):
        output(*self._inside(), "ip", *words)


@contextlib.contextmanager
def internet(folder):
    """An Internet with nobody on it yet."""
    holder = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-c", "echo made; exec sleep infinity"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"made\n"
        made = Internet(holder, folder)
        for words in (["link", "set", "lo", "up"], ["link", "add", "switch", "type", "bridge"],
                      ["address", "add", f"{ADDRESS}/24", "dev", "switch"], ["link", "set", "switch", "up"]):
            made._ip(*words)
        yield made
    finally:
        holder.kill()
        holder.wait()
