"""A name server for the world: dnsmasq on a loopback address, and a resolv.conf that points to it."""

import pathlib
import signal
import subprocess

from twodomains.names import in_a_labels
from twodomains.waiting import until

ADDRESS = "127.0.0.53"


class Dns:
    def __init__(self, directory, address=ADDRESS, records=()):
        self.directory = pathlib.Path(directory)
        self.address = address
        self._records = list(records)
        self._process = None

    def twin(self, directory, address):
        """Another server, which knows what this one knows."""
        return Dns(directory, address, self._records)

    def add_domain(self, domain, address, xmpp=True, mx=None):
        """A records for the domain and all below it, its MX, and SRV records if it has XMPP."""
        domain = in_a_labels(domain)
        self._records += [f"address=/{domain}/{address}", f"mx-host={domain},{mx or 'mx.' + domain},10"]
        if xmpp:
            self._records += [f"srv-host=_xmpp-server._tcp.{name},{domain},5269"
                              for name in (domain, "mail." + domain)]

    def add_text(self, name, text):
        strings = [text[at:at + 250] for at in range(0, len(text), 250)]
        self._records.append(f"txt-record={name}," + ",".join(f'"{string}"' for string in strings))

    def add_setting(self, line):
        """A line of dnsmasq's own."""
        self._records.append(line)

    def remove_setting(self, line):
        self._records.remove(line)

    def start(self):
        """Starts the server and makes it this namespace's resolver."""
        self.serve()
        # Two of a kind end in trouble: with a path of its own for the mount, /etc stays untouched.
        for name, text in (("resolv.conf", f"nameserver {self.address}\n"), ("hosts", "127.0.0.1 localhost\n")):
            (self.directory / name).write_text(text)
            _mount_over(self.directory / name, pathlib.Path("/etc") / name)

    def serve(self):
        """Starts the server, for who knows of it."""
        self.directory.mkdir(mode=0o755, exist_ok=True)
        configuration = self.directory / "dnsmasq.conf"
        # Nothing is asked of anyone else: an unknown name does not exist.
        settings = ["no-resolv", "no-hosts", "bind-interfaces", "user=root", "no-daemon", "local=/#/",
                    f"listen-address={self.address}"]
        configuration.write_text("\n".join(settings + self._records) + "\n")
        log = open(self.directory / "dnsmasq.log", "ab")
        self._process = subprocess.Popen(
            ["dnsmasq", f"--conf-file={configuration}", "--pid-file", "--log-facility=-"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        until(self._answers, "the name server", 10)

    def stop(self):
        """Nobody listens there any more."""
        self._process.kill()
        self._process.wait()

    def freeze(self):
        """Questions get no answer, until thaw()."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def _answers(self):
        if self._process.poll() is not None:
            raise RuntimeError("dnsmasq ended: " + (self.directory / "dnsmasq.log").read_text())
        return listens_udp(self.address, 53)


def listens_udp(address, port, process="self"):
    """Whether somebody listens there, in the network of the process."""
    # The kernel's own list: no query is needed, and none of the answer's parsing.
    wanted = "%02X%02X%02X%02X:%04X" % (*reversed([int(part) for part in address.split(".")]), port)
    return any(wanted in line for line in pathlib.Path(f"/proc/{process}/net/udp").read_text().splitlines())


def _mount_over(source, target):
    real = target.resolve()
    if not real.exists():
        # A link into a /run that this namespace doesn't show: the link's own target is made there.
        real.parent.mkdir(parents=True, exist_ok=True)
        real.touch()
    subprocess.run(["mount", "--bind", str(source), str(real)], check=True)
