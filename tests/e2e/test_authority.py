"""Who may speak for a domain: its own component, one that it names, and nobody else."""

import datetime

from component import STANZAS, TRANSFER, Component, transfer
from people import Person, all_settled


def test_a_component_that_claims_another_domain_is_refused(b, alice, new_letter, down):
    expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    down(b.packetboat)  # whose name and link the impostor takes
    with Component(b, "mail.b.test", domains=["b.test", "c.test"]) as impostor:
        forged = new_letter()
        answer = impostor.asks("mail.a.test", kind="set", payload=transfer(
            "c.test", "carol@c.test", alice.address, forged, expires))
        assert answer.get("type") == "error"
        error = answer.find("{*}error")
        assert error.find(STANZAS + "forbidden") is not None
        assert error.find(f"{{{TRANSFER}}}domain-not-authorized") is not None

        # The same, in its own domain's name, is taken: so it was the name.
        honest = new_letter()
        answer = impostor.asks("mail.a.test", kind="set", payload=transfer(
            "b.test", "bob@b.test", alice.address, honest, expires))
        assert answer.get("type") == "result"
        assert answer.find(f".//{{{TRANSFER}}}rcpt").get("code") == "250"
    alice.mailbox.wait_for(honest.id)
    assert alice.has(forged) == 0


def test_a_sender_address_outside_the_component_s_domains_is_refused(b, alice, letter, down):
    expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    down(b.packetboat)
    with Component(b, "mail.b.test", domains=["b.test"]) as impostor:
        answer = impostor.asks("mail.a.test", kind="set", payload=transfer(
            "b.test", "boss@a.test", alice.address, letter, expires))
    verdict = answer.find(f".//{{{TRANSFER}}}rcpt")
    assert (verdict.get("code"), verdict.get("status")) == ("550", "5.7.1")
    assert alice.has(letter) == 0


def test_a_sibling_component_that_merely_claims_the_domain_is_refused(b, alice, letter):
    expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    with Component(b, "stranger.b.test", domains=["b.test"]) as stranger:
        answer = stranger.asks("mail.a.test", kind="set", payload=transfer(
            "b.test", "bob@b.test", alice.address, letter, expires))
    assert answer.find("{*}error").find(f"{{{TRANSFER}}}domain-not-authorized") is not None
    assert alice.has(letter) == 0


def test_a_domain_can_name_a_component_that_is_not_its_subdomain(a, b, alice, letter):
    """b2.test has no component; its server says that mail.b.test carries its mail."""
    bob = Person(b, "bob@b2.test")
    alice.sends(letter, bob)
    arrived = bob.receives(letter)
    assert "by mail.b.test" in arrived.xmpp_hop()


def test_mail_from_such_a_domain_is_accepted(b, alice, letter):
    bob = Person(b, "bob@b2.test")
    bob.sends(letter, alice)
    assert alice.receives(letter).xmpp_hop().startswith("from mail.b.test")


def test_one_daemon_serves_several_components(a, bob, new_letter):
    """mail.a.test and mail.a2.test are both of a.test's Packetboat."""
    alice = Person(a, "alice@a2.test")
    there, back = new_letter(), new_letter()
    alice.sends(there, bob)
    assert bob.receives(there).xmpp_hop().startswith("from mail.a2.test")
    bob.sends(back, alice)
    assert "by mail.a2.test" in alice.receives(back).xmpp_hop()
    all_settled(a)
