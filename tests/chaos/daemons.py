"""A site's Packetboat in a chaos run: started again whenever it has ended, mostly by a crash."""

import os
import pathlib
import re
import signal
import threading
import time

from twodomains.packetboat import ACCOUNT, GROUP
from twodomains.waiting import until

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("base", "mail", "queue", "component", "smtp-bridge", "app")


def crash_points():
    """The names of all places in the sources at which a crash can be asked for."""
    names = set()
    for folder in FOLDERS:
        for file in (ROOT / folder).glob("*.cpp"):
            names |= set(re.findall(r'crash_point\("([^"]+)"\)', file.read_text()))
    return sorted(names)


class Daemon:
    """Keeps one alive. `plan()` says at which crash point its next life is to end, if at one."""

    def __init__(self, site, plan):
        self.site = site
        self.packetboat = site.packetboat
        self.plan = plan
        self.kills = 0
        self.visited_file = self.packetboat.directory / "visited"
        self.ended_at = {}  # crash point -> how often a life ended there
        self._ends_at = None
        self._lock = threading.Lock()
        self._stopping = False
        self._keeper = None

    def start(self):
        """A disk of its own, small enough to be filled; then the first life."""
        host = self.site.host
        self.packetboat.stop()
        host.command("mount", "-t", "tmpfs", "-o", "size=3g,mode=0700", "tmpfs", self.packetboat.state, check=True)
        host.command("chown", f"{ACCOUNT}:{GROUP}", self.packetboat.state, check=True)
        self.visited_file.touch()
        self.visited_file.chmod(0o666)
        self._live()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def kill(self):
        with self._lock:
            if self.packetboat.is_running():
                self.packetboat.kill()

    def freeze(self, seconds):
        with self._lock:
            process = self.packetboat._process
            if not self.packetboat.is_running():
                return
            process.send_signal(signal.SIGSTOP)
            try:
                time.sleep(seconds)
            finally:
                process.send_signal(signal.SIGCONT)

    def fill_disk(self, seconds):
        """No octet is left for anybody."""
        filler = f"{self.packetboat.state}/filler"
        self.site.host.command("sh", "-c", f"cat /dev/zero > {filler}", check=False, timeout=120)
        time.sleep(seconds)
        self.site.host.command("rm", "-f", filler, check=True)

    def settle_down(self):
        """From now on it lives without crashes."""
        self.plan = lambda: None
        with self._lock:
            self._stopping = True
        self._keeper.join()
        if self.packetboat.is_running():
            self.packetboat.kill()
            self.kills += 1
        self.packetboat.start()

    def visited(self):
        return set(self.visited_file.read_text().split())

    def _live(self):
        point = self.plan()
        self._ends_at = point
        self.packetboat.start_without_waiting(
            PACKETBOAT_CRASH="{}:{}".format(*point) if point else "", PACKETBOAT_CRASH_LOG=str(self.visited_file))

    def _keep(self):
        while True:
            with self._lock:
                if self._stopping:
                    return
                if not self.packetboat.is_running():
                    self._note_end()
                    self._live()
            time.sleep(0.02)

    def _note_end(self):
        status = self.packetboat.wait()
        # setpriv has become the daemon by exec, nsenter waits for it and passes its end on.
        if status not in (-signal.SIGKILL, 128 + signal.SIGKILL):
            raise RuntimeError(f"{self.site.domain}: the daemon ended by itself, with {status}")
        self.kills += 1
        if self._ends_at:
            name = self._ends_at[0]
            self.ended_at[name] = self.ended_at.get(name, 0) + 1


def wait_until_idle(sites, seconds):
    """Until nothing is left in any queue."""
    def idle():
        return not any(site.packetboat.queue() or site.postfix.queue() for site in sites)

    def poke():
        for site in sites:
            site.postfix.flush()
        return idle()
    until(poke, "empty queues", seconds, interval=1)
