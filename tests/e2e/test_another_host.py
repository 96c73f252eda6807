"""A site whose machine is gone: its backup is restored on another host, with another address, as docs/another-host.md says."""

import json
import shutil

from people import all_settled
from test_backup import submit
from twodomains.packetboat import ACCOUNT, GROUP
from twodomains.waiting import until

HERE = ("domains = spare.test", "domains = mail.spare.test")


def backup_of(daemon):
    folder = daemon.directory / "backups"
    folder.mkdir()
    shutil.chown(folder, ACCOUNT, GROUP)
    made = daemon.run("backup", str(folder / "queue.backup"))
    assert made.returncode == 0, made.stderr
    return folder / "queue.backup"


def restore(backup, daemon):
    copied = daemon.directory / "queue.backup"
    shutil.copy(backup, copied)
    shutil.chown(copied, ACCOUNT, GROUP)
    restored = daemon.run("restore", str(copied))
    assert restored.returncode == 0, restored.stderr
    assert daemon.run("queue", "verify").stdout == "the queue is sound\n"


def ids_at(person, name):
    return sorted(mail.field("Message-ID") for mail in person.mailbox.find(f"<{name}."))


def test_the_backup_goes_on_at_another_host_with_queue_and_peer_book(patient, spare, b, bob, down):
    lost = patient()
    until(lambda: "takes mail over XMPP" in lost.run("check", "b.test").stdout, "the peer to be known")
    # What the administrator has said of a domain, and a mail that has arrived before.
    assert lost.run("peers", "block", "bad.example").returncode == 0
    submit(lost, bob, range(3), name="before")
    until(lambda: len(ids_at(bob, "before")) == 3, "the mails from before")
    up = down(b.packetboat)
    submit(lost, bob, range(5), name="moved")
    until(lambda: len(lost.queue()) == 5, "five mails in the queue")
    backup = backup_of(lost)
    lost.kill()

    new = spare(HERE)
    assert new.host.address != lost.host.address
    restore(backup, new)
    up()
    new.start()
    assert json.loads(new.run("peers", "show", "bad.example", "--json").stdout)["class"] == "blocked"
    # It knows its peers from the backup, and asks nobody anew.
    assert "b.test" in new.run("routes", "list").stdout
    until(lambda: not new.queue(), "the mails to leave", 60)
    submit(new, bob, range(2), name="after")
    until(lambda: len(ids_at(bob, "after")) == 2, "mail of the new host")
    all_settled(b)
    assert ids_at(bob, "moved") == [f"<moved.{number}@mail.spare.test>" for number in range(5)]
    assert ids_at(bob, "before") == [f"<before.{number}@mail.spare.test>" for number in range(3)]
