"""Who has one domain has any number of names below it, each a component that proves its name: they share what one may."""

import contextlib
import sqlite3
import time

import pytest

import hostile
from component import Component, error_of, iq
from people import all_settled
from transfers import Pieces, state_in

OPEN_OF_PEER = 16  # transfers that all peers of one domain may have open
BUSY = ("resource-constraint", "busy")
ROWS, KEPT = 100_000, 50_000  # of the table of peers
PATIENCE = 90  # seconds, systemd's for a start


@pytest.fixture
def names(b):
    """Components at b.test's server, each with a name of its own below evil.test."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Component(b, name, domains=[name])) for name in hostile.NAMES]


def begun_by(name, dora, letter):
    return [Pieces(name.name, f"eve@{name.name}", dora.address, letter, id=f"2{number:040}")
            for number in range(OPEN_OF_PEER)]


def opens(name, d, dora, letter):
    """The transfers that one name begins: what each is answered."""
    mails = begun_by(name, dora, letter)
    numbers = [name.new_number() for _ in mails]
    for number, mail in zip(numbers, mails):
        name.sends(iq("set", number, name.name, f"mail.{d.domain}", mail.open()))
    answers = name.answers_to(numbers)
    return [error_of(answer) if answer.get("type") == "error" else state_in(answer) for answer in answers]


def test_all_names_of_one_domain_share_its_open_transfers(names, d, alice, dora, new_letter):
    letter = new_letter()
    said = []
    for name in names:
        said += opens(name, d, dora, letter)
    assert set(said) == {"open", BUSY}
    assert said.count("open") <= OPEN_OF_PEER
    # Nobody else's door is shut: a mail that has to come in pieces arrives.
    large = new_letter("Attached.\n" * 200_000)
    alice.sends(large, dora)
    dora.receives(large, 60)
    # In the log they are one, too.
    lines = [line for line in d.packetboat.log().splitlines() if ".evil.test" in line and "transfers of evil.test" in line]
    assert len(lines) <= 5
    for name in names:
        for mail in begun_by(name, dora, letter):
            name.asks(f"mail.{d.domain}", mail.abort(), kind="set")
    assert d.packetboat.spooled() == 0
    all_settled(d)


def test_a_start_does_not_take_longer_for_all_the_names_that_were_ever_seen(spare):
    daemon = spare()
    daemon.start()
    assert daemon.stop() == 0
    now = int(time.time() * 1000)
    with contextlib.closing(sqlite3.connect(daemon.state / "queue.db")) as queue, queue:
        queue.executemany("INSERT INTO peer (domain, component, first_seen, last_seen) VALUES (?, ?, ?, ?)",
                          ((f"evil{number}.test", "mail.evil.test", now, now) for number in range(ROWS)))
    daemon.start(PATIENCE)
    assert daemon.run("queue", "list").returncode == 0
    assert daemon.stop() == 0
    with contextlib.closing(sqlite3.connect(daemon.state / "queue.db")) as queue:
        assert queue.execute("SELECT COUNT(*) FROM peer").fetchone() == (KEPT,)
