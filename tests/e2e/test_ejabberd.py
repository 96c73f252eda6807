"""The same with ejabberd, at d.test."""

from people import all_settled
from twodomains.waiting import until


def test_mail_goes_from_prosody_to_ejabberd_and_back(a, d, alice, dora, new_letter):
    there, back = new_letter(), new_letter()
    alice.sends(there, dora)
    assert dora.receives(there).transport() == "xmpp"
    dora.sends(back, alice)
    assert alice.receives(back).transport() == "xmpp"
    all_settled(a, d)


def test_mail_waits_while_ejabberd_is_down(a, d, alice, dora, letter, down):
    up = down(d.xmpp)
    alice.sends(letter, dora)
    until(lambda: a.packetboat.queue(), "the mail in a.test's queue")
    up()
    assert dora.receives(letter, seconds=60).transport() == "xmpp"
    all_settled(a, d)
    assert dora.has(letter) == 1
