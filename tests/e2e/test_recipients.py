"""One mail, several recipients: each has an outcome of its own."""

import pytest

from next_hop import recording_server
from people import Person, all_settled
from twodomains import smtp
from twodomains.waiting import until


def test_an_unknown_recipient_is_reported_once_and_the_other_gets_the_mail(a, b, alice, bob, letter):
    alice.sends(letter, bob, "nobody@b.test", recipient_options=["NOTIFY=FAILURE"])
    assert bob.receives(letter).transport() == "xmpp"
    report = alice.receives_report_on(letter)
    assert list(report.recipients) == ["nobody@b.test"]
    failed = report.recipients["nobody@b.test"]
    assert failed["Action"] == "failed"
    assert failed["Status"] == "5.1.1"
    # In the words of b.test's own Postfix.
    assert "User unknown" in failed["Diagnostic-Code"]
    all_settled(a, b)
    assert alice.has(letter) == 1
    assert bob.has(letter) == 1


# RFC 5321 6.1.
def test_a_refused_null_sender_mail_makes_no_report(a, b, alice, bob, letter):
    alice.sends(letter, bob, "nobody@b.test", sender="")
    bob.receives(letter)
    all_settled(a, b)
    assert alice.has(letter) == 0


# RFC 3461 5.2.6.
def test_no_report_is_made_for_a_sender_who_wants_none(a, b, alice, bob, letter):
    alice.sends(letter, bob, "nobody@b.test", recipient_options=["NOTIFY=NEVER"])
    bob.receives(letter)
    all_settled(a, b)
    assert alice.has(letter) == 0


def test_recipients_at_two_peers_and_one_domain_without_xmpp_all_get_it(alice, bob, carol, dora, letter):
    alice.sends(letter, bob, dora, carol)
    assert bob.receives(letter).transport() == "xmpp"
    assert dora.receives(letter).transport() == "xmpp"
    assert carol.receives(letter).transport() == "smtp"


def test_postfix_sends_to_a_domain_without_xmpp_by_smtp_itself(a, alice, carol, letter):
    alice.sends(letter, carol)
    arrived = carol.receives(letter)
    assert arrived.transport() == "smtp"
    # Packetboat had no part in it.
    assert len(arrived.fields("Received")) == 3  # Alice's to a.test, a.test's to c.test, c.test's to Dovecot
    assert letter.id not in a.packetboat.log()


def test_what_cannot_go_by_xmpp_is_handed_back_and_goes_by_smtp(a, alice, carol, letter):
    """As when Postfix has a static table, or a peer has given up its component."""
    with smtp.Session(a.address, 2424, greeting="LHLO") as session:
        session.send(alice.address, [carol.address], letter.content)
    assert carol.receives(letter).transport() == "smtp"


@pytest.mark.parametrize("wish, action", [("NOTIFY=SUCCESS", ("delivered", "relayed"))])
def test_a_sender_who_wants_to_know_hears_of_success(alice, bob, letter, wish, action):
    alice.sends(letter, bob, recipient_options=[wish])
    bob.receives(letter)
    report = alice.receives_report_on(letter)
    assert report.recipients["bob@b.test"]["Action"].split()[0] in action


@pytest.mark.parametrize("user, dead, good", [("dora@d.test", 60, 1), ("bob@b.test", 900, 100)])
def test_many_unknown_recipients_keep_the_known_ones_from_nothing(world, patient, letter, user, dead, good):
    """The next retry is minutes away: whoever is answered is so by the first."""
    name, domain = user.split("@")
    peer = world.sites[domain]
    known = Person(peer, user)
    daemon = patient()
    until(lambda: "takes mail over XMPP" in daemon.run("check", domain).stdout, "the peer to be known")
    # Here, too, the report can be delivered.
    with recording_server(daemon.host.address, 2526) as reports:
        with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
            session.send("s@mail.spare.test",
                         [f"dead{number}@{domain}" for number in range(dead)]
                         + [f"{name}+{number}@{domain}" for number in range(good)], letter.content)
        until(lambda: known.has(letter) == good, "the mail")
        until(lambda: not daemon.queue() and reports, "an empty queue")
    for told in (daemon.run("trace", letter.id), peer.packetboat.run("trace", letter.id)):
        assert letter.id in told.stdout and "deferred" not in told.stdout
    failed = [line for _, content in reports for line in content.splitlines() if line == b"Action: failed"]
    assert len(failed) == dead
