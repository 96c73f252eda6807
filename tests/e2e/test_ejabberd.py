"""The same with ejabberd, at d.test."""

from component import INFO, TRANSFER, Component
from people import all_settled
from twodomains.waiting import until


def test_mail_goes_from_prosody_to_ejabberd_and_back(a, d, alice, dora, new_letter):
    there, back = new_letter(), new_letter()
    alice.sends(there, dora)
    assert dora.receives(there).transport() == "xmpp"
    dora.sends(back, alice)
    assert alice.receives(back).transport() == "xmpp"
    all_settled(a, d)


def test_a_stranger_s_questions_are_answered_and_do_not_cut_the_link(b, d):
    """ejabberd closes the stream of a component whose answer lacks a `from`."""
    cuts = d.packetboat.log().count("event=link-down")
    with Component(b, "stranger.b.test") as stranger:
        for _ in range(2):
            ping = stranger.asks("mail.d.test", "<ping xmlns='urn:xmpp:ping'/>")
            assert (ping.get("type"), ping.get("from")) == ("result", "mail.d.test")
            info = stranger.asks("mail.d.test", f"<query xmlns='{INFO}'/>")
            assert TRANSFER in [feature.get("var") for feature in info.iter(f"{{{INFO}}}feature")]
            items = stranger.asks("mail.d.test", "<query xmlns='http://jabber.org/protocol/disco#items'/>")
            assert items.get("type") == "result"
            version = stranger.asks("mail.d.test", "<query xmlns='jabber:iq:version'/>")
            assert version.find("{jabber:iq:version}query/{jabber:iq:version}name").text == "Packetboat"
            unknown = stranger.asks("mail.d.test", "<query xmlns='urn:nobody:knows'/>")
            assert unknown.get("type") == "error"
            monster = stranger.asks("mail.d.test", "<a xmlns='urn:nobody:knows'>" + 99 * "<a>" + 100 * "</a>")
            assert monster.get("type") == "error"
    assert d.packetboat.log().count("event=link-down") == cuts


def test_mail_waits_while_ejabberd_is_down(a, d, alice, dora, letter, down):
    up = down(d.xmpp)
    alice.sends(letter, dora)
    until(lambda: a.packetboat.queue(), "the mail in a.test's queue")
    up()
    assert dora.receives(letter, seconds=60).transport() == "xmpp"
    all_settled(a, d)
    assert dora.has(letter) == 1
