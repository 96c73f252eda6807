"""The same with ejabberd, at d.test."""

from component import PING, Component
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


def test_components_on_one_listener_speak_for_each_other_and_check_says_so(d, dora, alice, letter, down):
    """ejabberd's way. What a sibling says in our name would be marked as authenticated at the other side."""
    assert "ok   component mail.d.test: ejabberd is set for it, and demands what we say" in d.packetboat.run("check").stdout
    file = d.host.path("/etc/ejabberd/packetboat.yml")
    alone = file.read_text()
    up = down(d.xmpp)
    file.write_text(alone.replace("    hosts:\n", '    hosts:\n      sibling.d.test:\n        password: "a test\'s secret"\n'))
    d.xmpp.start()
    try:
        with Component(d, "sibling.d.test") as sibling, Component(d, "stranger.d.test") as other:
            sibling.sends(f"<iq type='get' id='x' from='mail.d.test' to='stranger.d.test'>{PING}</iq>")
            assert other.receives("get").get("from") == "mail.d.test"
        checked = d.packetboat.run("check")
        assert "BAD  component mail.d.test: ejabberd lets sibling.d.test speak for it" in checked.stdout
        assert checked.returncode == 1
    finally:
        d.xmpp.stop()
        file.write_text(alone)
        up()
    # Each with a listener of its own, they can't.
    with Component(d, "stranger.d.test") as stranger:
        stranger.sends(f"<iq type='get' id='x' from='mail.d.test' to='wicked.test'>{PING}</iq>")
        assert stranger.last_words() == "invalid-from"
