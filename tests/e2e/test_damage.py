"""A damaged page of the queue's database: the daemon starts, says what it has lost, and delivers the rest."""

import contextlib
import re
import shutil
import signal
import sqlite3

from people import all_settled
from test_backup import submit
from twodomains.waiting import until

PAGE = 4096
ENDED_FOR_REPAIR = 75  # EX_TEMPFAIL: the next start repairs


def damage_messages(state):
    """Overwrites a page of the message table which has neighbours; how many messages were on it."""
    database = state / "queue.db"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        leaves = connection.execute("SELECT pageno, ncell FROM dbstat WHERE name = 'message' AND pagetype = 'leaf'"
                                    " ORDER BY path").fetchall()
    assert len(leaves) > 2
    number, messages = leaves[1]
    with database.open("r+b") as file:
        file.seek((number - 1) * PAGE)
        file.write(bytes(PAGE))
    return messages


def arrived(person):
    """Those of this test."""
    return [mail.field("Message-ID") for mail in person.mailbox.find("<damaged.")]


def is_kept_running(daemon):
    """As a service manager does it: it may end for a repair, and that as soon as it has started."""
    if not daemon.is_running():
        assert daemon.wait() == ENDED_FOR_REPAIR
        daemon.start_without_waiting()
    return True


def test_a_daemon_whose_database_is_damaged_starts_and_delivers_what_is_left(patient, b, bob, down, tmp_path):
    daemon = patient()
    until(lambda: "takes mail over XMPP" in daemon.run("check", "b.test").stdout, "the peer to be known")
    up = down(b.packetboat)
    numbers = range(80)
    submit(daemon, bob, numbers, name="damaged")
    until(lambda: len(daemon.queue()) == len(numbers), "the mails in the queue")
    refused = daemon.run("queue", "verify", "--repair")
    assert refused.returncode == 1 and "another packetboat uses this queue" in refused.stderr
    assert daemon.stop() == 0
    lost = damage_messages(daemon.state)
    copy = tmp_path / "copy"
    shutil.copytree(daemon.state, copy)

    # By hand, on a copy.
    found = daemon.run("queue", "verify", "--state-directory", str(copy))
    assert found.returncode == 1 and "queue verify --repair" in found.stderr
    repaired = daemon.run("queue", "verify", "--repair", "--state-directory", str(copy))
    assert repaired.returncode == 1, repaired.stderr
    assert f"{lost} messages and 0 recipients lost" in repaired.stdout
    assert repaired.stdout.count("its content is in lost/") == lost
    assert len(list((copy / "lost").iterdir())) == lost
    sound = daemon.run("queue", "verify", "--repair", "--state-directory", str(copy))
    assert (sound.returncode, sound.stdout) == (0, "the queue is sound\n")

    # By the daemon: it may meet the page at its start, or when it reads a message of it, which it holds, or by anything
    # else, which ends it; its next start repairs.
    daemon.start_without_waiting()
    up()
    until(lambda: is_kept_running(daemon) and len(arrived(bob)) >= len(numbers) - lost, "what can be read in the mailbox", 60)
    # It may have been started anew the moment before, when it doesn't handle signals yet.
    assert daemon.stop() in (0, ENDED_FOR_REPAIR, -signal.SIGTERM)
    daemon.start()
    # What had arrived, but not been said to have: its transfer is asked about.
    until(lambda: not daemon.queue(), "an empty queue")
    assert "event=database-damaged" in daemon.log()
    named = re.findall(r"event=repair what=\"(\w{11}): its sender is lost", daemon.log())
    assert len(set(named)) == lost
    all_settled(b)
    assert len(arrived(bob)) == len(set(arrived(bob))) == len(numbers) - lost
