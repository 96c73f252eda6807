"""A backup of a queue in use, and the queue that is made from it."""

import json
import shutil
import stat

from people import all_settled
from twodomains import smtp
from twodomains.packetboat import ACCOUNT, GROUP
from twodomains.waiting import until

LARGE = 400_000  # octets: such contents are files


def submit(daemon, recipient, numbers, size=10, name="saved"):
    with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
        for number in numbers:
            body = ("x" * 60 + "\n") * (size // 60)
            content = f"From: s@mail.spare.test\nSubject: saved\nMessage-ID: <{name}.{number}@mail.spare.test>\n\n{body}\n"
            session.send("s@mail.spare.test", [recipient.address], content.encode())


def test_a_backup_made_under_load_holds_every_mail_and_can_be_restored(patient, b, bob, down, tmp_path):
    daemon = patient()
    until(lambda: "takes mail over XMPP" in daemon.run("check", "b.test").stdout, "the peer to be known")
    up = down(b.packetboat)
    numbers = range(60)
    submit(daemon, bob, numbers[:50])
    submit(daemon, bob, numbers[50:55], LARGE)
    until(lambda: len(daemon.queue()) == 55, "55 mails in the queue")
    file = daemon.directory / "backups" / "queue.backup"
    file.parent.mkdir()
    shutil.chown(file.parent, ACCOUNT, GROUP)
    result = daemon.run("backup", str(file))
    assert result.returncode == 0, result.stderr
    assert "55 messages" in result.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # It is never written over, and mail goes on being taken.
    again = daemon.run("backup", str(file))
    assert again.returncode == 1 and "exists already" in again.stderr
    submit(daemon, bob, numbers[55:])
    assert daemon.run("queue", "verify").stdout == "the queue is sound\n"

    refused = daemon.run("restore", str(file))
    assert refused.returncode == 1 and "another packetboat uses this queue" in refused.stderr
    daemon.kill()
    refused = daemon.run("restore", str(file))
    assert refused.returncode == 1 and "not empty" in refused.stderr
    shutil.rmtree(daemon.state)
    daemon.state.mkdir(mode=0o700)
    shutil.chown(daemon.state, ACCOUNT, GROUP)
    result = daemon.run("restore", str(file))
    assert result.returncode == 0, result.stderr
    assert daemon.run("queue", "verify").stdout == "the queue is sound\n"
    daemon.start()
    assert len(daemon.queue()) == 55
    up()
    until(lambda: not daemon.queue(), "the mails to leave", 60)
    all_settled(b)
    until(lambda: len(bob.mailbox.find("<saved.")) >= 55, "all of them in the mailbox")
    arrived = [mail.field("Message-ID") for mail in bob.mailbox.find("<saved.")]
    assert sorted(arrived) == sorted(f"<saved.{number}@mail.spare.test>" for number in numbers[:55])


def test_where_the_daemon_may_not_write_the_backup_says_so(a):
    result = a.packetboat.run("backup", "/proc/queue.backup")
    assert result.returncode == 1
    assert "/proc" in result.stderr
    assert json.loads(a.packetboat.run("queue", "verify", "--json").stdout) == []
