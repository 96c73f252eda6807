"""One machine of the world: an address, and private copies of the directories that servers use.

Each host has a mount namespace of its own, so that every server runs with its distribution's
usual paths (/etc/postfix, /var/lib/prosody ...) although several hosts share one machine.
"""

import os
import pathlib
import shutil
import subprocess

# Where servers read their configuration: copies of this machine's, for our changes.
COPIED = ("/etc/postfix", "/etc/dovecot", "/etc/prosody", "/etc/ejabberd")
# Where they keep data: empty at first.
EMPTY = ("/var/spool/postfix", "/var/lib/postfix", "/var/lib/dovecot", "/var/lib/prosody",
         "/var/lib/ejabberd", "/var/log", "/var/mail", "/run")


class Host:
    def __init__(self, name, address, scratch):
        self.name = name
        self.address = address
        self.directory = pathlib.Path(scratch) / name
        self.logs = self.directory / "var/log"
        self.run_directory = self.directory / "run"
        self._holder = None

    def start(self):
        """Makes the directories and the mount namespace that shows them."""
        mounts = [path for path in COPIED + EMPTY if os.path.isdir(path)]
        for path in mounts:
            if path in COPIED:
                self._copy(path)
            else:
                self._create(path)
        (self.run_directory / "lock").mkdir()
        resolv = pathlib.Path("/etc/resolv.conf").resolve()
        if resolv.is_relative_to("/run"):
            # A link into /run, which is about to be hidden.
            self.write(resolv, resolv.read_text())
        script = "set -e\n" + "".join(
            f"mount --bind '{self.path(path)}' '{path}'\n" for path in mounts
        ) + "echo mounted\nexec sleep infinity\n"
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
            stdout=subprocess.PIPE, start_new_session=True)
        if self._holder.stdout.readline() != b"mounted\n":
            raise RuntimeError(f"{self.name}: the private mounts failed")
        enter = self.directory / "enter"
        enter.write_text(f'#!/bin/sh\nexec {" ".join(self._enter())} "$@"\n')
        enter.chmod(0o755)

    def path(self, inside):
        """Where a path of this host lies, seen from the world."""
        return self.directory / str(inside).lstrip("/")

    def write(self, inside, text, mode=0o644, owner=None):
        """Writes a file of this host."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        if owner:
            shutil.chown(path, owner, owner)

    def popen(self, command, log, user=None, **options):
        """Starts a server on this host, its output going to a log file; the caller keeps it."""
        with open(self.logs / log, "ab") as output:
            return subprocess.Popen(self._enter(user) + [str(word) for word in command],
                                    stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                    start_new_session=True, **options)

    def command(self, *words, user=None, **options):
        """Runs a command on this host to its end, and returns what it said."""
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 60, **options}
        return subprocess.run(self._enter(user) + [str(word) for word in words], **options)

    def _enter(self, user=None):
        words = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--"]
        if user:
            words += ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--"]
        return words

    def _copy(self, path):
        shutil.copytree(path, self.path(path), symlinks=True)
        for folder, folders, files in os.walk(path):
            for name in [".", *folders, *files]:
                self._like(os.path.join(folder, name))

    def _create(self, path):
        self.path(path).mkdir(parents=True)
        self._like(path)

    def _like(self, path):
        """Owner and mode as on this machine."""
        status = os.lstat(path)
        os.chown(self.path(path), status.st_uid, status.st_gid, follow_symlinks=False)
        if not os.path.islink(path):
            self.path(path).chmod(status.st_mode & 0o7777)
