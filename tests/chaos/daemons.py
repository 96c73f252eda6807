"""A site's Packetboat in a chaos run: started again whenever it has ended, mostly by a crash."""

import collections
import json
import pathlib
import re
import signal
import struct
import threading
import time

from twodomains.packetboat import ACCOUNT, GROUP
from twodomains.waiting import until

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("base", "mail", "queue", "component", "smtp-bridge", "app")
DISK = "2g"  # the most that a state directory may take
# Run on the host, which alone sees that disk.
ASK = """import json, sqlite3, sys
print(json.dumps(sqlite3.connect(f"file:{sys.argv[1]}/queue.db?mode=ro", uri=True).execute(sys.argv[2]).fetchall()))"""


def crash_points():
    """The names of all places in the sources at which a crash can be asked for."""
    names = set()
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.[ch]pp"):
            names |= set(re.findall(r'crash_point\("([^"]+)"\)', file.read_text()))
    return sorted(names)


class Daemon:
    """Keeps one alive. `plan()` says at which crash points its next life is to end, if at any."""

    def __init__(self, site, plan):
        self.site = site
        self.packetboat = site.packetboat
        self.plan = plan
        self.kills = 0
        self.failure = None
        self.notes = self.packetboat.directory / "crash-points"
        # Before any life begins, as the plan for the first one reads the notes of all.
        self.notes.touch()
        self.notes.chmod(0o666)
        self.clock = self.packetboat.directory / "clock-offset"
        self.clock.touch()
        self.move_clock(0)
        self._lock = threading.Lock()
        self._stopping = False
        self._keeper = None

    def start(self):
        """A disk of its own, which can be filled; then the first life."""
        host = self.site.host
        self.packetboat.stop()
        host.command("mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tmpfs", self.packetboat.state, check=True)
        host.command("chown", f"{ACCOUNT}:{GROUP}", self.packetboat.state, check=True)
        self._live()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()
        # Postfix, which finds a table missing once, has no mail delivered for as long as that process of its lives.
        until(lambda: self._has_routes() or self.check(), f"{self.site.domain}: its table of routes", 120)

    def check(self):
        if self.failure:
            raise self.failure

    def _has_routes(self):
        return self.site.host.command("test", "-e", f"{self.packetboat.state}/routes.lmdb").returncode == 0

    def kill(self):
        with self._lock:
            if self.packetboat.is_running():
                self.packetboat.kill()

    def freeze(self, seconds):
        with self._lock:
            if not self.packetboat.is_running():
                return
            self.packetboat.freeze()
            try:
                time.sleep(seconds)
            finally:
                self.packetboat.thaw()

    def move_clock(self, seconds):
        """Its wall clock is off by so much from now on, in this life and the next ones; 0 corrects it."""
        with self.clock.open("r+b") as file:
            file.write(struct.pack("=q", int(seconds * 1000)))

    def retire(self):
        """Until resume() its mail goes by SMTP: what may have been sent is called back first."""
        self.packetboat.run("retire")  # if it has just been killed, it goes on as it was

    def resume(self):
        until(lambda: self.packetboat.run("resume").returncode == 0, f"{self.site.domain} to be in service again", 60)

    def fill_disk(self, seconds):
        """No octet is left for anybody: the disk shrinks to what is on it, so that the filling takes no memory."""
        until(lambda: self._resize(f"$(df --output=used -k {self.packetboat.state} | tail -1 | tr -d ' ')k"),
              f"{self.site.domain}: a full disk", 30)
        time.sleep(seconds)
        if not self._resize(DISK):
            raise RuntimeError(f"{self.site.domain}: the disk stays full")

    def settle_down(self):
        """From now on it lives without crashes."""
        with self._lock:
            self._stopping = True
        self._keeper.join()
        self.check()
        if self.packetboat.is_running():
            self.packetboat.kill()
        self._note_end()
        self.move_clock(0)
        self.packetboat.start()
        self.resume()

    def visited(self):
        """The crash points that any life came by."""
        return {line for line in self._lines() if " " not in line}

    def killed_at(self):
        """Crash point -> how many lives ended there, and not by a kill that came before."""
        return collections.Counter(line.split()[1] for line in self._lines() if line.startswith("killed "))

    def ask(self, query):
        """The rows that its store answers an SQL query with."""
        found = self.site.host.command("/usr/bin/python3", "-c", ASK, self.packetboat.state, query, check=True)
        return json.loads(found.stdout)

    def keep_state(self, directory):
        """Copies its store, for a look after a failure."""
        self.site.host.command("cp", "-r", self.packetboat.state, directory / self.site.domain, check=True)

    def _lines(self):
        return self.notes.read_text().splitlines()

    def _resize(self, size):
        # What was written since df looked may be more than that: then it is refused.
        return self.site.host.command("sh", "-c", f"mount -o remount,size={size} {self.packetboat.state}").returncode == 0

    def _live(self):
        points = self.plan()
        self.packetboat.start_without_waiting(
            PACKETBOAT_CRASH=",".join(f"{name}:{visit}" for name, visit in points), PACKETBOAT_CRASH_LOG=str(self.notes),
            PACKETBOAT_CLOCK_OFFSET=str(self.clock))

    def _keep(self):
        try:
            while True:
                with self._lock:
                    if self._stopping:
                        return
                    if not self.packetboat.is_running():
                        self._note_end()
                        self._live()
                time.sleep(0.02)
        except Exception as error:  # noqa: BLE001  (whatever it is, the run has to end with it)
            self.failure = error

    def _note_end(self):
        status = self.packetboat.wait()
        # nsenter and setpriv have become the daemon, by exec.
        if status != -signal.SIGKILL:
            raise RuntimeError(f"{self.site.domain}: the daemon ended by itself, with {status}; last words: "
                               + self.packetboat.log()[-2000:])
        self.kills += 1
