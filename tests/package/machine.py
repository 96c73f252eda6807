"""A Debian 12 with systemd of its own, in a container of namespaces: for tests that install packages."""

import contextlib
import hashlib
import os
import pathlib
import re
import secrets
import shutil
import subprocess

from twodomains.waiting import until

def output(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def sources():
    """The lines of this machine's own apt sources that are Debian 12, whatever mirror they name."""
    targets = output("apt-get", "indextargets", "--format", "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)", "Created-By: Packages")
    lines = {tuple(line.split("|")[1:]) for line in targets.splitlines() if line.startswith("Debian|")}
    found = sorted(line for line in lines if line[1].startswith("bookworm") and line[2] == "main")
    if not found:
        raise RuntimeError("apt has no sources of Debian 12 on this machine")
    return found


def make_tree(tree, dependencies):
    """Debian with systemd, and what the package depends on."""
    lines = sources()
    mirror = next(uri for uri, release, _ in lines if release == "bookworm")
    output("debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus", "bookworm", str(tree), mirror)
    (tree / "etc/apt/sources.list").write_text("".join(f"deb {' '.join(line)}\n" for line in lines))
    # How this machine reaches its mirrors.
    acquire = [line for line in output("apt-config", "dump").splitlines() if line.startswith("Acquire::")]
    (tree / "etc/apt/apt.conf.d/99acquire").write_text("\n".join(acquire) + "\n")
    shutil.copy("/etc/resolv.conf", tree / "etc/resolv.conf")
    # Nothing is started while it is made: it would be a process of this machine.
    policy = tree / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *dependencies], ["clean"]):
        output("chroot", str(tree), "apt-get", "-qq", *command, env=environment)
    for file in (tree / "etc/resolv.conf", tree / "etc/machine-id", policy):
        file.unlink(missing_ok=True)


def tree_for(deb, cache, tree, more=()):
    """A fresh tree in which the package can be installed without network, and `more` packages are; the like of it stays in `cache`."""
    dependencies = sorted({*re.findall(r"(?:^|, )([a-z0-9][a-z0-9.+-]+)", output("dpkg-deb", "-f", str(deb), "Depends")), *more})
    kept = cache / f"tree-{hashlib.sha256(' '.join(dependencies).encode()).hexdigest()[:16]}"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        new = cache / f"new-{os.getpid()}"
        try:
            make_tree(new, dependencies)
            new.rename(kept)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    output("cp", "-a", str(kept), str(tree))
    # It has no network that could come up, and would wait two minutes for one.
    (tree / "etc/systemd/system/systemd-networkd-wait-online.service").symlink_to("/dev/null")
    return tree


class Machine:
    def __init__(self, tree, first_process):
        self.tree = tree
        self.first_process = first_process
        self._enter = ["nsenter", "--target", str(first_process), "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd"]

    def run(self, *command, **more):
        """Runs a command on it; the result has returncode, stdout and stderr as text."""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        return subprocess.run([*self._enter, *command], capture_output=True, text=True, env=environment, timeout=300, **more)

    def must(self, *command, **more):
        """The same, of a command that has to succeed; returns what it prints."""
        done = self.run(*command, **more)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def python(self, program, *arguments):
        """Runs Python of this machine, as that one has none, in that one's network."""
        return output(*in_network(self.first_process), "/usr/bin/python3", "-c", program, *arguments, timeout=300)

    def listens(self, *ports):
        """Whether somebody listens on each of these TCP ports, by the kernel's own list."""
        lines = [line.split() for kind in ("tcp", "tcp6")
                 for line in pathlib.Path(f"/proc/{self.first_process}/net/{kind}").read_text().splitlines()]
        listening = {int(line[1].rpartition(":")[2], 16) for line in lines[1:] if line[3] == "0A"}
        return listening.issuperset(ports)

    def path(self, path):
        """Where its file is on this machine."""
        return self.tree / path.removeprefix("/")


def in_network(process):
    """What stands before a command of this machine that is to see the network of that process."""
    return ["nsenter", "--target", str(process), "--net"]


def first_process_below(pid):
    """The process of a container, somewhere below systemd-nspawn, that is process 1 in it; or None."""
    with contextlib.suppress(FileNotFoundError):
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            ids = re.search(r"^NSpid:\s*(.*)", pathlib.Path(f"/proc/{child}/status").read_text(), re.MULTILINE)[1].split()
            if len(ids) > 1 and ids[-1] == "1" and pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return int(child)
            if below := first_process_below(child):
                return below
    return None


def control_groups(name):
    """New control groups, one in each hierarchy in which systemd keeps its own: two containers in one would take each other's."""
    found = []
    # No process id: each run of the tests may be process 1 of a namespace of its own.
    token = secrets.token_hex(4)
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ")
        point, (kind, _, options) = pathlib.Path(before.split()[4]), after.split()[:3]
        if kind == "cgroup2" or "name=systemd" in options.split(","):
            ours = r"^0::/(.*)" if kind == "cgroup2" else r"^\d+:name=systemd:/(.*)"
            mine = re.search(ours, pathlib.Path("/proc/self/cgroup").read_text(), re.MULTILINE)[1]
            found.append(point / mine / f"{name}-{token}")
            found[-1].mkdir(exist_ok=True)
    return found


def remove_groups(groups):
    for group in groups:
        for folder, _, _ in os.walk(group, topdown=False):
            # A process that has just been killed can still be in it.
            until(lambda: _removed(folder), f"{folder}: its last process to go")


def _removed(folder):
    with contextlib.suppress(OSError):
        os.rmdir(folder)
    return not os.path.exists(folder)


@contextlib.contextmanager
def booted(tree, log):
    """A Machine that has booted the tree, and has no network but its own."""
    groups = control_groups(tree.name)
    script = 'for group in $1; do echo $$ >$group/cgroup.procs; done; shift; exec "$@"'
    # A container outlives a systemd-nspawn that is killed. In a namespace of processes it doesn't, nor the end of this process.
    with open(log, "wb") as console:
        container = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "sh", "-c", script, "sh", " ".join(map(str, groups)),
             "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "systemd-nspawn", "--quiet", "--boot", "--register=no",
             "--keep-unit", "--private-network", "--directory", str(tree)], stdin=subprocess.DEVNULL, stdout=console, stderr=console)
    try:
        def first():
            assert container.poll() is None, pathlib.Path(log).read_text(errors="replace")
            return first_process_below(container.pid)

        machine = Machine(tree, until(first, "the container's first process"))
        until(lambda: machine.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"), "the boot", 120, 0.1)
        yield machine
        machine.run("systemctl", "poweroff")
        container.wait(60)
    finally:
        if container.poll() is None:
            container.kill()
            container.wait()
        remove_groups(groups)
