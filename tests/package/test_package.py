"""The package on a machine: installed, configured, upgraded with mail in its queue, removed, installed again, purged."""

import json
import os
import subprocess

import machine as machines
import pytest
from twodomains.waiting import until

STATE = "/var/lib/packetboat"
CONFIGURATION = "/etc/packetboat/packetboat.conf"

SEND = """
import smtplib, sys
with smtplib.LMTP("127.0.0.1", 2424) as lmtp:
    assert not lmtp.sendmail("alice@a.test", ["bob@b.test"], b"From: <alice@a.test>\\r\\nSubject: it waits\\r\\n\\r\\nHello.\\r\\n")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("machine")


@pytest.fixture(scope="module")
def machine(deb, folder, trees):
    if os.geteuid() != 0:
        pytest.skip("containers need root")
    with machines.booted(machines.tree_for(deb, trees, folder / "tree"), folder / "console") as booted:
        yield booted


@pytest.fixture(scope="module")
def package(deb, folder, machine):
    """Makes packages of the same files with other versions; returns where one is on the machine."""
    def repack(version):
        there = f"/root/packetboat_{version}.deb"
        if not machine.path(there).exists():
            tree = folder / version
            subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
            control = tree / "DEBIAN/control"
            old = subprocess.run(["dpkg-deb", "-f", deb, "Version"], check=True, capture_output=True, text=True).stdout.strip()
            text = control.read_text()
            assert f"\nVersion: {old}\n" in text
            control.write_text(text.replace(f"\nVersion: {old}\n", f"\nVersion: {version}\n"))
            subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, machine.path(there)], check=True, capture_output=True)
        return there
    return repack


def install(machine, file):
    # It has no network, from which what is recommended would come.
    return machine.must("apt-get", "install", "-y", "--no-install-recommends", file)


def configure(machine):
    """What an administrator has to change, and no more. No XMPP server is there."""
    file = machine.path(CONFIGURATION)
    text = file.read_text()
    assert "example.org" in text and "secret = change-me\n" in text
    # Written in place, as an editor might, so that owner and mode stay.
    file.write_text(text.replace("example.org", "a.test").replace("secret = change-me\n", "secret = Geheimnis\n"))


def owner(machine, path):
    return machine.must("stat", "-c", "%U:%G %a", path).strip()


def state_of(machine, what="packetboat"):
    return machine.run("systemctl", "is-active", what).stdout.strip()


def queue(machine):
    """The ids of the mail in its queue, once the daemon answers."""
    done = until(lambda: (it := machine.run("packetboat", "queue", "list", "--json")).returncode == 0 and it, "queue list")
    return [row["id"] for row in json.loads(done.stdout)]


def main_process(machine):
    return machine.must("systemctl", "show", "--property", "MainPID", "--value", "packetboat").strip()


def test_life_of_a_package(machine, package):
    # The first installation starts nothing, and says what is next.
    said = install(machine, package("1.0"))
    assert "packetboat does not run yet: packetboat setup attaches it to the servers of this machine\n" in said
    assert machine.run("systemctl", "is-enabled", "packetboat").stdout.strip() == "disabled"
    assert state_of(machine) == "inactive"
    assert owner(machine, CONFIGURATION) == "root:packetboat 640"
    assert owner(machine, STATE) == "packetboat:packetboat 700"
    account = machine.must("getent", "passwd", "packetboat").strip().split(":")
    assert 0 < int(account[2]) < 1000 and account[5:] == ["/nonexistent", "/usr/sbin/nologin"]

    # Two names and a secret, and it runs, in its sandbox, as this account.
    configure(machine)
    machine.must("systemctl", "enable", "--now", "packetboat")
    assert state_of(machine) == "active"
    assert owner(machine, f"/proc/{main_process(machine)}").startswith("packetboat:packetboat")
    assert owner(machine, STATE) == "packetboat:packetboat 700"
    machine.must("systemd-analyze", "security", "--threshold=15", "packetboat.service")

    # A mail that can go nowhere.
    machine.python(SEND)
    waits = queue(machine)
    assert len(waits) == 1

    # An upgrade restarts it, with its queue and the administrator's configuration.
    before, text = main_process(machine), machine.path(CONFIGURATION).read_text()
    install(machine, package("1.1"))
    assert state_of(machine) == "active"
    assert main_process(machine) != before
    assert queue(machine) == waits
    assert machine.path(CONFIGURATION).read_text() == text
    assert owner(machine, CONFIGURATION) == "root:packetboat 640"

    # What the administrator has stopped, or given to another, stays so.
    machine.must("systemctl", "stop", "packetboat")
    machine.must("dpkg-statoverride", "--update", "--add", "root", "adm", "640", CONFIGURATION)
    assert "packetboat is enabled, and does not run: systemctl start packetboat\n" in install(machine, package("1.2"))
    assert state_of(machine) == "inactive"
    assert owner(machine, CONFIGURATION) == "root:adm 640"
    machine.must("dpkg-statoverride", "--remove", CONFIGURATION)
    machine.must("chgrp", "packetboat", CONFIGURATION)
    machine.must("systemctl", "start", "packetboat")
    assert queue(machine) == waits

    # A removal stops it, and keeps mail and configuration.
    said = machine.must("apt-get", "remove", "-y", "packetboat")
    assert f"packetboat: One mail waits in {STATE}, which stays" in said
    assert state_of(machine) == "inactive"
    assert not machine.path("/usr/bin/packetboat").exists()
    assert machine.path(f"{STATE}/queue.db").exists()
    assert machine.path(CONFIGURATION).read_text() == text

    # It comes back with both.
    assert "packetboat is enabled, and does not run: systemctl start packetboat\n" in install(machine, package("1.2"))
    machine.must("systemctl", "start", "packetboat")
    assert queue(machine) == waits

    # A purge takes no mail with it.
    said = machine.must("apt-get", "purge", "-y", "packetboat")
    assert f"packetboat: mail may be waiting in {STATE}, so it stays. If nobody misses it: rm -r {STATE}\n" in said
    assert not machine.path("/etc/packetboat").exists()
    assert machine.path(f"{STATE}/queue.db").exists()
    assert machine.run("getent", "passwd", "packetboat").returncode == 0

    # It is as a first installation then, but for the mail.
    assert "packetboat does not run yet" in install(machine, package("1.2"))
    assert state_of(machine) == "inactive"
    configure(machine)
    machine.must("systemctl", "enable", "--now", "packetboat")
    assert queue(machine) == waits


def test_a_purge_removes_an_empty_queue(machine, package):
    install(machine, package("1.2"))
    machine.must("packetboat", "queue", "cancel", "--all")
    assert queue(machine) == []
    said = machine.must("apt-get", "remove", "-y", "packetboat")
    assert "waiting" not in said and "waits" not in said
    assert machine.path(f"{STATE}/queue.db").exists()
    # What has changed since then may be mail.
    machine.must("touch", f"{STATE}/queue.db")
    assert "mail may be waiting" in machine.must("dpkg", "--purge", "packetboat")
    assert machine.path(f"{STATE}/queue.db").exists()

    install(machine, package("1.2"))
    assert not machine.path(f"{STATE}/nothing-waits").exists()
    assert "waiting" not in machine.must("dpkg", "--purge", "packetboat")
    assert not machine.path(STATE).exists()


def test_a_queue_that_cannot_be_read_stays(machine, package):
    install(machine, package("1.2"))
    machine.path(f"{STATE}/queue.db").write_bytes(b"not a database")
    machine.must("chown", "packetboat:", f"{STATE}/queue.db")
    said = machine.must("apt-get", "purge", "-y", "packetboat")
    assert f"packetboat: Mail may be waiting in {STATE}, which stays" in said
    assert machine.path(f"{STATE}/queue.db").read_bytes() == b"not a database"
    machine.must("rm", "-r", STATE)


def test_a_queue_of_a_unit_with_dynamic_user_moves(machine, package):
    """Older units kept it below /var/lib/private."""
    install(machine, package("1.2"))
    machine.must("mkdir", "-m", "700", "-p", "/var/lib/private")
    machine.must("mv", STATE, "/var/lib/private/packetboat")
    machine.must("ln", "-s", "private/packetboat", STATE)
    machine.must("touch", "/var/lib/private/packetboat/here")
    install(machine, package("1.3"))
    configure(machine)
    machine.must("systemctl", "start", "packetboat")
    assert owner(machine, STATE) == "packetboat:packetboat 700"
    assert not machine.path(STATE).is_symlink() and machine.path(f"{STATE}/here").exists()
    machine.must("apt-get", "purge", "-y", "packetboat")


def test_sockets_stay_through_an_upgrade(machine, package):
    install(machine, package("1.3"))
    configure(machine)
    # As packetboat.socket wants it: one that only Postfix may open.
    machine.must("adduser", "--system", "--group", "--no-create-home", "--home", "/nonexistent", "postfix")
    file = machine.path(CONFIGURATION)
    changed = file.read_text().replace("listen = 127.0.0.1:2424", "listen = unix:/var/spool/postfix/private/packetboat")
    assert "unix:/var/spool" in changed
    file.write_text(changed)
    machine.must("systemctl", "enable", "--now", "packetboat.socket")
    machine.must("systemctl", "enable", "--now", "packetboat")
    assert owner(machine, "/var/spool/postfix/private/packetboat") == "postfix:postfix 600"
    since = machine.must("systemctl", "show", "--property", "ActiveEnterTimestampMonotonic", "packetboat.socket")
    before = main_process(machine)

    install(machine, package("1.4"))
    assert (state_of(machine), state_of(machine, "packetboat.socket")) == ("active", "active")
    assert main_process(machine) != before
    assert machine.must("systemctl", "show", "--property", "ActiveEnterTimestampMonotonic", "packetboat.socket") == since
    assert queue(machine) == []

    machine.must("apt-get", "purge", "-y", "packetboat")
    assert (state_of(machine), state_of(machine, "packetboat.socket")) == ("inactive", "inactive")
    assert not machine.path(STATE).exists()
