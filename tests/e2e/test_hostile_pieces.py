"""A component that abuses transfers in pieces: the protocol's error each time, bounded disk, and no harm to others."""

import pytest

from component import TRANSFER, error_of, iq
from people import all_settled
from transfers import Pieces, reply_in, state_in, text_of
from twodomains.waiting import until

UNKNOWN = ("item-not-found", "unknown-transfer")
BAD_OFFSET = ("unexpected-request", "bad-offset")
MALFORMED = ("bad-request", "malformed")
BUSY = ("resource-constraint", "busy")
OPEN_OF_PEER = 16  # transfers that one peer may have open
CALLBACKS_OF_PEER = 1000  # unknown transfers that one peer may call back


@pytest.fixture
def foe(front):
    with front.foe() as foe:
        yield foe


def pieces(front, letter, **wrong):
    return Pieces(front.foe_name, f"eve@{front.foe_name}", front.person.address, letter, **wrong)


def ask(front, component, payload, kind="set"):
    return component.asks(front.component, payload, kind=kind)


def offset_in(answer):
    return int(answer.find(f".//{{{TRANSFER}}}ack").get("offset"))


def test_a_mail_in_pieces_is_taken_once_whatever_is_said_twice(front, foe, letter):
    mail = pieces(front, letter)
    assert state_in(ask(front, foe, mail.open())) == "open"
    assert offset_in(ask(front, foe, mail.chunk(0, mail.content[:50]))) == 50
    assert offset_in(ask(front, foe, mail.chunk(0, b"something else"))) == 50
    assert state_in(ask(front, foe, mail.open())) == "open"
    assert state_in(ask(front, foe, mail.status(), "get")) == "open"
    # A restart forgets what is in memory, not what is on the disk.
    front.victim.packetboat.restart()
    until(lambda: front.victim.packetboat.run("check").returncode == 0, "its link to be up again")
    assert error_of(ask(front, foe, mail.chunk(50))) == UNKNOWN
    again = ask(front, foe, mail.open())
    assert again.find(f".//{{{TRANSFER}}}verdict").get("offset") == "50"
    assert offset_in(ask(front, foe, mail.chunk(50))) == len(mail.content)
    assert reply_in(ask(front, foe, mail.commit())) == ("250", "2.1.5")
    # Whose verdict is asked for, a key alone does not say.
    assert error_of(ask(front, foe, mail.commit())) == UNKNOWN
    for payload, kind in ((mail.open(), "set"), (mail.abort(), "set"), (mail.status(), "get")):
        assert state_in(ask(front, foe, payload, kind)) == "done"
    assert error_of(ask(front, foe, mail.chunk(0))) == UNKNOWN
    front.person.mailbox.wait_for(letter.id)
    all_settled(front.victim)
    assert front.person.has(letter) == 1


def test_what_does_not_fit_gets_its_error_and_spoils_nothing(front, foe, letter):
    mail = pieces(front, letter)
    size = len(mail.content)
    assert error_of(ask(front, foe, mail.chunk(0))) == UNKNOWN
    assert error_of(ask(front, foe, mail.commit())) == UNKNOWN
    assert state_in(ask(front, foe, mail.open())) == "open"
    assert error_of(ask(front, foe, mail.chunk(10, mail.content[10:20]))) == BAD_OFFSET
    assert error_of(ask(front, foe, mail.chunk(0, mail.content + b"more"))) == MALFORMED
    assert error_of(ask(front, foe, mail.chunk(size, b"more"))) == MALFORMED
    assert error_of(ask(front, foe, mail.chunk(1 << 40, b"x"))) == MALFORMED
    assert error_of(ask(front, foe, mail.chunk(0, b"x", size=2))) == MALFORMED
    assert error_of(ask(front, foe, mail.chunk(0, b"x", size=-1))) == MALFORMED
    assert error_of(ask(front, foe, mail.chunk(0, b"", size=0))) == MALFORMED
    assert error_of(ask(front, foe, mail.commit())) == BAD_OFFSET
    assert error_of(ask(front, foe, mail.status())) == MALFORMED  # not by an IQ of type set
    assert error_of(ask(front, foe, mail.commit(), "get")) == MALFORMED
    other = pieces(front, letter, size=size + 1)
    assert error_of(ask(front, foe, other.open())) == ("conflict", "id-reuse")
    assert offset_in(ask(front, foe, mail.chunk(0))) == size
    assert reply_in(ask(front, foe, mail.commit())) == ("250", "2.1.5")
    front.person.mailbox.wait_for(letter.id)


def test_a_content_with_another_hash_is_refused_for_good(front, foe, letter):
    mail = pieces(front, letter, hash=text_of(bytes(32)))
    assert state_in(ask(front, foe, mail.open())) == "open"
    ask(front, foe, mail.chunk(0))
    assert reply_in(ask(front, foe, mail.commit())) == ("554", "5.6.0")
    assert reply_in(ask(front, foe, mail.open())) == ("554", "5.6.0")
    assert front.victim.packetboat.spooled() == 0
    all_settled(front.victim)
    assert front.person.has(letter) == 0


def test_what_nobody_may_get_is_refused_before_a_byte_of_it_comes(front, foe, letter):
    mail = pieces(front, letter, size=1 << 40)
    assert reply_in(ask(front, foe, mail.open())) == ("552", "5.3.4")
    mail = Pieces(front.foe_name, "boss@a.test", front.person.address, letter, id="0" * 40)
    assert reply_in(ask(front, foe, mail.open())) == ("550", "5.7.1")
    mail = Pieces("a.test", "boss@a.test", front.person.address, letter, id="1" * 40)
    assert error_of(ask(front, foe, mail.open())) == ("forbidden", "domain-not-authorized")
    assert front.victim.packetboat.spooled() == 0


def test_nobody_meddles_with_another_ones_transfer(front, foe, letter):
    mail = pieces(front, letter)
    assert state_in(ask(front, foe, mail.open())) == "open"
    with front.neighbour() as neighbour, front.sibling() as sibling:
        for stranger in (neighbour, sibling):
            assert error_of(ask(front, stranger, mail.chunk(0))) == UNKNOWN
            assert error_of(ask(front, stranger, mail.commit())) == UNKNOWN
            assert state_in(ask(front, stranger, mail.status(), "get")) == "unknown"
            assert error_of(ask(front, stranger, mail.abort())) == ("conflict", "id-reuse")
    ask(front, foe, mail.chunk(0))
    assert reply_in(ask(front, foe, mail.commit())) == ("250", "2.1.5")
    front.person.mailbox.wait_for(letter.id)


def test_what_was_called_back_is_never_taken(front, foe, new_letter):
    opened, unheard_of = (pieces(front, new_letter()) for _ in range(2))
    ask(front, foe, opened.open())
    ask(front, foe, opened.chunk(0))
    for mail in (opened, unheard_of):
        for _ in range(2):
            assert state_in(ask(front, foe, mail.abort())) == "aborted"
        assert state_in(ask(front, foe, mail.open())) == "aborted"
        assert state_in(ask(front, foe, mail.commit())) == "aborted"
        assert error_of(ask(front, foe, mail.chunk(0))) == UNKNOWN
    late = pieces(front, new_letter(), expires="2020-01-01T00:00:00Z")
    assert error_of(ask(front, foe, late.abort())) == MALFORMED
    all_settled(front.victim)


def flood(front, foe, payloads, at_once=50):
    """Sends them all; the states and errors that they are answered with, each with how often."""
    counts = {}
    for start in range(0, len(payloads), at_once):
        numbers = [foe.new_number() for _ in payloads[start:start + at_once]]
        for number, payload in zip(numbers, payloads[start:]):
            foe.sends(iq("set", number, foe.name, front.component, payload))
        for answer in foe.answers_to(numbers):
            said = error_of(answer) if answer.get("type") == "error" else state_in(answer)
            counts[said] = counts.get(said, 0) + 1
    return counts


def test_thousands_of_opens_keep_a_bounded_part_of_the_disk(front, foe, quiet, letter):
    mails = [pieces(front, letter, id=f"0{number:040}") for number in range(2000)]
    with quiet.unharmed():
        counts = flood(front, foe, [mail.open() for mail in mails])
    assert counts.keys() == {"open", BUSY}
    assert counts["open"] <= OPEN_OF_PEER
    assert len(front.log(f"peer={front.foe_name} ", "busy")) <= 10
    back = flood(front, foe, [mail.abort() for mail in mails[:100]], at_once=10)
    assert back.keys() <= {"aborted", BUSY}
    assert front.victim.packetboat.spooled() == 0


def test_a_flood_of_callbacks_is_bounded_and_slows_nobody(front, foe, quiet, letter):
    mails = [pieces(front, letter, id=f"1{number:040}") for number in range(CALLBACKS_OF_PEER + 500)]
    with quiet.unharmed():
        counts = flood(front, foe, [mail.abort() for mail in mails], at_once=10)
    assert counts.keys() == {"aborted", BUSY}
    assert counts["aborted"] <= CALLBACKS_OF_PEER
    assert len(front.log(f"peer={front.foe_name} ", "transfer-called-back")) <= 10
