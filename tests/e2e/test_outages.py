"""Something is down: mail waits, arrives once all is well, and arrives once."""

import pytest

from people import all_settled
from twodomains import smtp
from twodomains.waiting import until

IN_FLIGHT_TO_POSTFIX = 20  # sessions that Packetboat may have open to one Postfix


@pytest.mark.parametrize("where, server", [
    ("b.test", "packetboat"), ("b.test", "xmpp"), ("a.test", "xmpp"), ("b.test", "postfix")])
def test_mail_waits_while_a_server_is_down(a, b, alice, bob, letter, down, where, server):
    up = down(getattr({"a.test": a, "b.test": b}[where], server))
    alice.sends(letter, bob)
    # Without its Postfix b.test may have asked about Bob a moment ago, and remember: then it waits there.
    until(lambda: a.packetboat.queue() or b.packetboat.is_running() and b.packetboat.queue(), "the mail in a queue")
    up()
    assert bob.receives(letter, seconds=60).transport() == "xmpp"
    all_settled(a, b)
    assert bob.has(letter) == 1


def test_a_crash_between_the_acceptance_and_the_sending_loses_nothing(a, b, alice, bob, letter, down):
    b_up = down(b.packetboat)  # so that nothing can have been sent
    with smtp.Session(a.address, 2424, greeting="LHLO") as session:
        assert session.send(alice.address, [bob.address], letter.content).startswith("250")
    a_up = down(a.packetboat, how="kill")
    a_up()
    b_up()
    assert bob.receives(letter).transport() == "xmpp"
    all_settled(a, b)
    assert bob.has(letter) == 1


@pytest.mark.parametrize("who", ["sender", "receiver"])
def test_a_crash_amid_a_hundred_mails_loses_none_and_doubles_none(a, b, alice, bob, new_letter, down, who):
    letters = [new_letter() for _ in range(100)]
    with smtp.Session(a.address, 2424, greeting="LHLO") as session:
        for letter in letters:
            session.send(alice.address, [bob.address], letter.content)
    # The first has arrived, so the rest is on its way: in both queues, and between them.
    until(lambda: bob.has(letters[0]), "the first")
    up = down((a if who == "sender" else b).packetboat, how="kill")
    up()
    for letter in letters:
        until(lambda: bob.has(letter), letter.id, 60)
    all_settled(a, b)
    # The last hop into Postfix is SMTP: whose 250 a crash has lost, comes again. Nothing else may.
    doubled = sum(bob.has(letter) - 1 for letter in letters)
    assert doubled <= (0 if who == "sender" else IN_FLIGHT_TO_POSTFIX)


def test_no_other_mail_is_harmed_while_packetboat_is_dead(a, alice, bob, carol, new_letter, down):
    """With the table, which Postfix reads by itself, only mail to those who take it over XMPP waits."""
    up = down(a.packetboat, how="kill")
    local, to_carol, to_bob = new_letter(), new_letter(), new_letter()
    smtp.send(a.address, "postmaster@a.test", [alice.address], local.content)
    alice.receives(local)
    alice.sends(to_carol, "carol+new@c.test")
    assert carol.receives(to_carol).transport() == "smtp"
    alice.sends(to_bob, "bob+abroad@b.test")
    until(lambda: "bob+abroad@b.test" in a.postfix.queue(), "Bob's mail in Postfix' queue")
    up()
    assert bob.receives(to_bob, 60).transport() == "xmpp"


def test_local_mail_is_unharmed_while_packetboat_is_dead(b, alice, bob, new_letter, down):
    """With the socketmap Postfix has to ask for all others."""
    up = down(b.packetboat, how="kill")
    local = new_letter()
    smtp.send(b.address, "postmaster@b.test", [bob.address], local.content)
    bob.receives(local)

    # For others Postfix cannot know the way now: it says so, and the client keeps the mail.
    abroad = new_letter()
    with pytest.raises(smtp.Refused, match="^451"):
        bob.sends(abroad, "alice+abroad@a.test")  # an address whose way no server has in a cache
    up()
    # Postfix asks for "*" every 30 seconds, and believes nothing until that has been answered once.
    until(lambda: is_taken(bob, abroad, "alice+abroad@a.test"), "Postfix to take mail again", 60)
    assert alice.receives(abroad).transport() == "xmpp"


def is_taken(sender, letter, recipient):
    try:
        return sender.sends(letter, recipient)
    except smtp.Refused:
        return None


def test_packetboat_stops_in_good_order_when_told_to(a):
    try:
        assert a.packetboat.stop() == 0
    finally:
        a.packetboat.start()


def test_mail_that_was_queued_survives_a_restart(a, b, alice, bob, letter, down):
    up = down(b.packetboat)
    alice.sends(letter, bob)
    until(lambda: a.packetboat.queue(), "the mail in a.test's queue")
    a.packetboat.restart()
    assert len(a.packetboat.queue()) == 1
    up()
    bob.receives(letter)
