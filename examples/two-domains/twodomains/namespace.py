"""A private corner of this machine: network, mounts and processes of its own, and a scratch directory.

Clean-up needs no list of what was started: when the first process of the namespace goes, the
kernel takes all others and all mounts with it, and the scratch directory is removed afterwards.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

from twodomains.waiting import until

GRACE_SECONDS = 15  # for a stop in good order, before the namespace is killed
SCRATCH = "PACKETBOAT_SCRATCH"  # environment variable that tells the inside where it may write


def run(command):
    """Runs a command inside a new namespace; returns its exit status once nothing is left of it."""
    if os.geteuid() != 0:
        print("this needs root: network and mount namespaces are made", file=sys.stderr)
        return 2
    # Several servers refuse to write to directories that belong to someone else, so all of it is ours.
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="packetboat-"))
    scratch.chmod(0o755)
    stop = Stop()
    try:
        return _run(command, scratch, stop)
    finally:
        shutil.rmtree(scratch)


def _run(command, scratch, stop):
    outer = subprocess.Popen(
        # pdeathsig: should this process be killed outright, the namespace still goes.
        ["setpriv", "--pdeathsig", "KILL",
         "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
         *command],
        env={**os.environ, SCRATCH: str(scratch)},
        start_new_session=True,  # Ctrl-C reaches this process only, which passes it on once
    )
    try:
        first = until(lambda: outer.poll() is not None or _children(outer.pid), "the namespace", 10)
        if first is True:
            return outer.returncode
        stop.aim(int(first[0]))
        _write_enter_script(scratch, int(first[0]))
        return stop.status(outer.wait())
    finally:
        stop.kill()
        outer.wait()


class Stop:
    """Turns the signals that end this process into one SIGINT for the inside, then into a SIGKILL."""

    def __init__(self):
        self._target = None
        self._signal = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._handle)

    def aim(self, pid):
        self._target = pid
        if self._signal:
            self._send(signal.SIGINT)

    def kill(self):
        self._send(signal.SIGKILL)

    def status(self, inner):
        return 128 + self._signal if self._signal and inner < 0 else abs(inner)

    def _handle(self, number, _frame):
        again, self._signal = self._signal is not None, number
        self._send(signal.SIGKILL if again else signal.SIGINT)
        if not again:
            late = threading.Timer(GRACE_SECONDS, self.kill)
            late.daemon = True
            late.start()

    def _send(self, number):
        if self._target is not None:
            try:
                os.kill(self._target, number)
            except ProcessLookupError:
                self._target = None


def _children(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []


def _write_enter_script(scratch, pid):
    """`enter HOST COMMAND...` runs a command on one of the hosts, from outside."""
    script = scratch / "enter"
    script.write_text(
        "#!/bin/sh\n"
        "# enter HOST COMMAND...: runs a command on a host of the demo.\n"
        "host=$1; shift\n"
        f'exec nsenter --target {pid} --net --mount --pid -- {scratch}/"$host"/enter "$@"\n')
    script.chmod(0o755)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
