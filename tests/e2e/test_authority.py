"""Who may speak for a domain: its own component, one that it names, and nobody else."""

import pytest
from component import INFO, Component
from people import Person, all_settled


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


@pytest.mark.parametrize("domain", ["b.test", "d.test"], ids=["Prosody", "ejabberd"])
def test_the_main_domain_names_its_component_too(world, domain):
    """So that no other component of that server can claim its mail."""
    with Component(world.sites[domain], f"stranger.{domain}") as asker:
        answer = asker.asks(domain, f"<query xmlns='{INFO}'/>")
    fields = {field.get("var"): [value.text for value in field] for field in answer.iter("{jabber:x:data}field")}
    assert fields["mail-transfer-addresses"] == [f"mail.{domain}"]
