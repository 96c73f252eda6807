"""A host's Packetboat: the program under test, run as an account without rights, as systemd would."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket

from twodomains.templates import fill
from twodomains.waiting import until

ACCOUNT, GROUP = "nobody", "nogroup"
# Where `./run build` leaves it.
BUILT = pathlib.Path(__file__).resolve().parents[3] / "build/packetboat"


def program():
    return pathlib.Path(os.environ.get("PACKETBOAT", BUILT))


# For Packetboat's `changes`: whatever is thought of a domain means nothing, so that tests may send as much, and as bad, as they
# like.
ANY_CLASS = ("[discovery]\n", "".join(
    f"[class {name}]\n" + "".join(f"{whose}{what}-per-hour = none\n" for whose in ("", "all-")
                                  for what in ("messages", "recipients", "bytes")) + "refuse = no\n\n"
    for name in ("new", "known", "good", "poor", "limited", "blocked")) + "[discovery]\n")


# As systemd does it for packetboat.socket: makes the socket, and the program inherits it as descriptor 3.
ACTIVATE = """
import os, pwd, socket, sys
path, *command = sys.argv[1:]
postfix = pwd.getpwnam("postfix").pw_uid
if not os.path.exists(os.path.dirname(path)):
    os.mkdir(os.path.dirname(path), 0o700)
    os.chown(os.path.dirname(path), postfix, -1)
if os.path.exists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
os.chown(path, postfix, -1)
os.chmod(path, 0o600)
listener.listen(128)
os.dup2(listener.detach(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execvp(command[0], command)
"""


class Packetboat:
    def __init__(self, host, domain, secret, changes=(), intake_socket=None):
        """`changes`: (old, new) texts in the example's configuration.

        `intake_socket`: a Unix socket that only Postfix may open, in place of the intake's port."""
        self.host = host
        self.domain = domain
        self.directory = host.directory / "packetboat"
        self.configuration = self.directory / "packetboat.conf"
        self.state = self.directory / "state"
        # A copy, since the account may not see where this repository lies.
        self.binary = self.directory / "packetboat"
        self.log_file = host.logs / "packetboat.log"
        self.changes = list(changes)
        self.intake_socket = intake_socket
        if intake_socket:
            inside = intake_socket.removeprefix("/var/spool/postfix/")
            self.changes += [(f"listen = {host.address}:2424", f"listen = unix:{intake_socket}"),
                             (f"answer = lmtp:inet:[{host.address}]:2424", f"answer = lmtp:unix:{inside}")]
        self._secret = secret
        self._process = None

    @property
    def intake(self):
        """Where it takes mail, for smtp.Session."""
        return (str(self.host.path(self.intake_socket)) if self.intake_socket else self.host.address, 2424)

    def configure(self):
        self.directory.mkdir()
        shutil.copy(program(), self.binary)
        text = fill("packetboat.conf", domain=self.domain, address=self.host.address, secret=self._secret,
                    state=str(self.state))
        for old, new in self.changes:
            if old not in text:
                raise ValueError(f"packetboat.conf has no {old!r} to change")
            text = text.replace(old, new)
        self.configuration.write_text(text)
        # It holds the secret.
        self.configuration.chmod(0o640)
        shutil.chown(self.configuration, "root", GROUP)
        self.state.mkdir(mode=0o700)
        shutil.chown(self.state, ACCOUNT, GROUP)
        control = self.host.path("/run/packetboat")
        control.mkdir(mode=0o755)
        shutil.chown(control, ACCOUNT, GROUP)

    def start(self, seconds=30):
        """Starts it, and waits for its own word (sd_notify) that it is ready."""
        with Notifications(self.directory / "notify") as notifications:
            self.start_without_waiting(NOTIFY_SOCKET=str(notifications.path))
            until(lambda: self._check_alive() or notifications.ready(), f"{self.host.name}: Packetboat", seconds)

    def start_without_waiting(self, **environment):
        activation = ["/usr/bin/python3", "-c", ACTIVATE, self.intake_socket] if self.intake_socket else []
        self._process = self.host.popen(
            [*activation, "setpriv", "--reuid", ACCOUNT, "--regid", GROUP, "--clear-groups", "--",
             self.binary, "serve", "--config", self.configuration],
            "packetboat.log", env={**os.environ, **environment})

    def stop(self):
        """Stops it in good order; returns its exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def kill(self):
        """As a crash would: no signal handler, no goodbye."""
        self._process.kill()
        self._process.wait()

    def freeze(self):
        """It does not get on, as on a machine that swaps, until thaw()."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def restart(self):
        self.stop()
        self.start()

    def wait(self, seconds=30):
        """For a daemon that is expected to end by itself; returns its exit status."""
        return self._process.wait(seconds)

    def process_id(self):
        return self._process.pid

    def memory(self):
        """Bytes of main memory that it holds now."""
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        return 1024 * int(re.search(r"VmRSS:\s*(\d+) kB", status).group(1))

    def forget_peak_memory(self):
        pathlib.Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")

    def peak_memory(self):
        """The most bytes of main memory that it has held since forget_peak_memory()."""
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", status).group(1))

    def spooled(self):
        """Bytes of messages that are arriving in pieces."""
        return sum(file.stat().st_size for file in (self.state / "spool").iterdir())

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def run(self, *words, timeout=60):
        """Runs a subcommand on this host, whose system trusts the world's authority; the result has returncode, stdout and
        stderr as text."""
        trust = {"SSL_CERT_FILE": str(self.host.directory.parent / "authority/ca.crt")}
        return self.host.command(self.binary, "--config", self.configuration, *words, timeout=timeout, text=True,
                                 env={**os.environ, **trust})

    def queue(self):
        """The messages in its queue, as `queue list --json` tells them."""
        result = self.run("queue", "list", "--json")
        if result.returncode:
            raise RuntimeError(f"{self.host.name}: queue list: {result.stderr}")
        return json.loads(result.stdout)

    def log(self):
        return self.log_file.read_text(errors="replace")

    def _check_alive(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.host.name}: Packetboat ended with {self._process.returncode}; "
                               f"last words: {self.log()[-2000:]}")


class Notifications:
    """The other end of sd_notify(3)."""

    def __init__(self, path):
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def __enter__(self):
        self.path.unlink(missing_ok=True)
        self._socket.bind(str(self.path))
        self.path.chmod(0o777)
        self._socket.setblocking(False)
        return self

    def __exit__(self, *_):
        self._socket.close()
        self.path.unlink()

    def ready(self):
        try:
            return b"READY=1" in self._socket.recv(65536)
        except BlockingIOError:
            return False
