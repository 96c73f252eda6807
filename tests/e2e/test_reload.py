"""SIGHUP: what can be changed in a running daemon is, a file that is wrong changes nothing, and mail flows all through."""

import os
import signal
import socket
import ssl
import subprocess

import pytest

from hostile import GoodMail
from test_lanes import table
from twodomains import smtp
from twodomains.waiting import until
from twodomains.world import SECRET


class Reloading:
    """A daemon whose configuration changes while it runs."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.good = daemon.configuration.read_text()

    def lines(self, *texts):
        return [line for line in self.daemon.log().splitlines() if all(text in line for text in texts)]

    def signals(self, which=signal.SIGHUP):
        os.kill(self.daemon.process_id(), which)

    def reads(self, text, event="event=reloaded "):
        """What the log says when it has read this."""
        self.daemon.configuration.write_text(text)
        before = len(self.lines(event))
        self.signals()
        return until(lambda: self.lines(event)[before:], f"{event} in the log")[-1]

    def changed(self, *changes):
        text = self.good
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        return text


@pytest.fixture
def reloading(patient):
    return Reloading(patient())


def test_nothing_changes_and_mail_flows_while_it_reloads_again_and_again(a, alice, bob):
    its = Reloading(a.packetboat)
    before = len(its.lines("event=link-down"))
    with GoodMail(alice, bob, count=20) as mail:
        for _ in range(20):
            assert "changed=nothing" in its.reads(its.good)
        for which in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
            its.signals(which)
        broken = its.reads(its.good + "\n[nonsense\n", "event=reload-failed ")
        assert f"{a.packetboat.configuration}:{len(its.good.splitlines()) + 2}: " in broken
        assert "changed=nothing" in its.reads(its.good)
    assert max(mail.seconds()) < 30
    assert a.packetboat.is_running()
    assert len(its.lines("event=link-down")) == before


def test_the_log_s_level_changes(reloading):
    def accepted():
        """What is said, at the level of info, of the mails so far, after one more."""
        with smtp.Session(reloading.daemon.host.address, 2424, greeting="LHLO") as session:
            session.send("s@mail.spare.test", ["s@mail.spare.test"], b"Subject: x\n\nHi.\n")
        return len(reloading.lines("event=accepted "))
    assert accepted() == 1
    # The level is not that of the line that says that it has changed: another warning does.
    reloading.reads(reloading.changed(("log-level = info", "log-level = warning"), ("first-retry = 5m", "first-retry = 4m")),
                    "event=needs-a-restart ")
    assert accepted() == 1
    assert 'changed="[daemon] log-level"' in reloading.reads(reloading.good)
    assert accepted() == 2


def test_peers_policies_change_and_postfix_hears_of_it(reloading):
    daemon = reloading.daemon
    assert table(daemon, "c.test") == ""
    required = reloading.changed(("# [domain bank.example]", "[domain c.test]\npolicy = require\n#"))
    assert 'changed="[domain c.test] policy"' in reloading.reads(required)
    until(lambda: table(daemon, "c.test"), "c.test in the table")
    with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
        session.send("s@mail.spare.test", ["carol@c.test"], b"Subject: x\n\nHi.\n")
    until(lambda: "policy = require" in daemon.run("queue", "list").stdout, "the reason in the queue")
    assert 'changed="[domain c.test] policy"' in reloading.reads(reloading.good)
    until(lambda: not table(daemon, "c.test"), "c.test out of the table")
    daemon.run("queue", "flush")
    until(lambda: "relay" in daemon.run("queue", "list").stdout, "the mail to go by SMTP")


def test_the_networks_of_an_intake_change(reloading):
    daemon = reloading.daemon
    said = reloading.reads(reloading.changed(("networks = 127.0.0.0/8", "networks = 10.0.0.0/8")))
    assert 'changed="[intake postfix] networks"' in said
    with pytest.raises(smtp.Refused, match="not allowed here"):
        smtp.Session(daemon.host.address, 2424, greeting="LHLO")
    reloading.reads(reloading.good)
    with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
        session.send("s@mail.spare.test", ["s@mail.spare.test"], b"Subject: x\n\nHi.\n")


def test_the_secret_changes(spare):
    daemon = spare(secret="not the right one")
    daemon.start()
    reloading = Reloading(daemon)
    assert "not connected" in daemon.run("check").stdout
    right = reloading.changed(("not the right one", SECRET))
    said = reloading.reads(right)
    assert "secret" in said and SECRET not in daemon.log()
    until(lambda: "connected since" in daemon.run("check").stdout, "the link", 60)


def certificate_for(folder, name):
    """A key and a certificate, where the daemon reads them."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-days", "2",
                    "-keyout", folder / "new.key", "-out", folder / "new.pem"], check=True, capture_output=True)
    for kind in ("key", "pem"):
        os.chown(folder / f"new.{kind}", 0, 65534)
        (folder / f"new.{kind}").chmod(0o640)
        (folder / f"new.{kind}").rename(folder / f"mx.{kind}")


def name_of_the_server(address):
    with socket.create_connection((address, 2424), timeout=20) as plain:
        reader = plain.makefile("rb")
        reader.readline()
        plain.sendall(b"LHLO x\r\n")
        while not reader.readline().startswith(b"250 "):
            pass
        plain.sendall(b"STARTTLS\r\n")
        reader.readline()
        context = ssl._create_unverified_context()
        with context.wrap_socket(plain) as secure:
            octets = secure.getpeercert(binary_form=True)
    shown = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject"], input=octets, capture_output=True)
    return shown.stdout.decode().strip()


def test_an_intake_s_certificate_changes(spare):
    daemon = spare()
    certificate_for(daemon.directory, "first.test")
    text = daemon.configuration.read_text()
    daemon.configuration.write_text(text.replace(
        "protocol = lmtp", f"protocol = lmtp\ntls-certificate = {daemon.directory}/mx.pem\ntls-key = {daemon.directory}/mx.key"))
    daemon.start()
    reloading = Reloading(daemon)
    assert name_of_the_server(daemon.host.address).endswith("first.test")
    certificate_for(daemon.directory, "second.test")
    assert name_of_the_server(daemon.host.address).endswith("first.test")
    # The configuration is the same: the files are read again all the same.
    assert "changed=nothing" in reloading.reads(reloading.good)
    assert name_of_the_server(daemon.host.address).endswith("second.test")
    # One that is no certificate any more changes nothing.
    (daemon.directory / "mx.pem").write_text("torn")
    assert "mx.pem" in reloading.reads(reloading.good, "event=reload-failed ")
    assert name_of_the_server(daemon.host.address).endswith("second.test")


WRONG = {
    "a section that is none": ("[nonsense", "a section is written"),
    "a key that is none": ("[domain d.test]\npolcy = require", "unknown key"),
    "a line that is none": ("secret hunter2", "not of the form"),
    "a value that is none": ("[domain d.test]\npolicy = perhaps", "no good value"),
}


@pytest.mark.parametrize("more, says", WRONG.values(), ids=WRONG.keys())
def test_a_file_that_is_wrong_changes_nothing_and_is_named(reloading, more, says):
    daemon = reloading.daemon
    wrong = reloading.changed(("networks = 127.0.0.0/8", "networks = 10.0.0.0/8")) + "\n" + more + "\n"
    said = reloading.reads(wrong, "event=reload-failed ")
    assert f"{daemon.configuration}:{len(wrong.splitlines())}: " in said and says in said
    assert "hunter2" not in daemon.log()
    # What was in force still is.
    with smtp.Session(daemon.host.address, 2424, greeting="LHLO"):
        pass
    assert "changed=nothing" in reloading.reads(reloading.good)


@pytest.mark.parametrize("how", ["gone", "a folder", "a pipe", "not for us"])
def test_a_file_that_can_t_be_read_changes_nothing(reloading, how):
    file = reloading.daemon.configuration
    file.unlink()
    if how == "a folder":
        file.mkdir()
    if how == "a pipe":
        os.mkfifo(file)
    if how == "not for us":
        file.write_text(reloading.good)
        file.chmod(0o600)
    before = len(reloading.lines("event=reload-failed "))
    reloading.signals()
    until(lambda: reloading.lines("event=reload-failed ")[before:], "the reason in the log")
    assert "can't read this file" in reloading.lines("event=reload-failed ")[-1]
    file.rmdir() if how == "a folder" else file.unlink(missing_ok=True)
    file.write_text(reloading.good)
    os.chown(file, 0, 65534)
    file.chmod(0o640)
    assert "changed=nothing" in reloading.reads(reloading.good)


def test_what_needs_a_restart_is_named_until_there_was_one(reloading):
    text = reloading.changed(("first-retry = 5m", "first-retry = 4m"), ("log-level = info", "log-level = debug"))
    for changed in ('changed="[daemon] log-level"', "changed=nothing"):
        before = len(reloading.lines("event=needs-a-restart "))
        assert changed in reloading.reads(text)
        assert '"[queue] first-retry"' in until(lambda: reloading.lines("event=needs-a-restart ")[before:],
                                                "what needs a restart")[-1]
    reloading.daemon.restart()
    before = len(reloading.lines("event=needs-a-restart "))
    assert "changed=nothing" in reloading.reads(text)
    assert len(reloading.lines("event=needs-a-restart ")) == before


def test_a_secret_that_everybody_can_read_is_a_warning(reloading):
    daemon = reloading.daemon
    assert not reloading.lines("event=secret-is-exposed")
    checked = daemon.run("check").stdout
    assert f"ok   secret in {daemon.configuration}" in checked
    daemon.configuration.chmod(0o644)
    reloading.reads(reloading.good)
    until(lambda: reloading.lines("event=secret-is-exposed", str(daemon.configuration)), "the warning")
    checked = daemon.run("check")
    assert checked.returncode == 1
    assert f"BAD  secret in {daemon.configuration}: every account" in checked.stdout
