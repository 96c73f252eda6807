"""What goes by SMTP goes over XMPP again when the reason is over, and mail that no peer can verify goes by SMTP."""

import pytest
from next_hop import Sink
from people import Person
from twodomains import smtp
from twodomains.waiting import until

FAST = [("first-retry = 5m", "first-retry = 1s"), ("max-retry = 4000s", "max-retry = 2s")]


def knows(site, domain):
    """Its Packetboat has it that the domain takes mail over XMPP."""
    return any(line.split()[:1] == [domain] for line in site.packetboat.run("routes", "list").stdout.splitlines())


def test_a_component_that_resumes_gets_mail_over_xmpp_again_within_seconds(a, b, d, letter):
    domains = ["a.test", "a2.test"]
    try:
        assert a.packetboat.run("retire").returncode == 0
        for peer in (b, d):
            until(lambda: not knows(peer, "a.test"), f"{peer.domain} to know that it is retired")
    finally:
        assert a.packetboat.run("resume").returncode == 0
        # Nobody asks for it: they have its word that it is back, which they look into.
        for peer in (b, d):
            until(lambda: knows(peer, "a.test"), f"{peer.domain} to know that it is back", 20)
        until(lambda: all(knows(b, domain) for domain in domains), "b.test to know all of them", 20)
    juergen = Person(a, "juergen@a.test")
    Person(b, "bob@b.test").sends(letter, juergen)
    assert juergen.receives(letter).transport() == "xmpp"


@pytest.fixture
def lost(spare):
    """A Packetboat that sends for lost.test, which is no VirtualHost of the server that the DNS names for it."""
    def make(*changes):
        daemon = spare(("domains = spare.test", "domains = lost.test"), *FAST, *changes)
        daemon.start()
        return daemon
    return make


def sends(daemon, letter, recipient):
    with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
        session.send("s@lost.test", [recipient], letter.content)


def test_mail_of_a_domain_that_no_peer_can_verify_goes_by_smtp_in_time(bob, lost, new_letter):
    first, later = new_letter(), new_letter()
    daemon = lost(("# fallback-after = 6h", "fallback-after = 5s"))
    way = Sink(daemon.host, port=2527)
    try:
        sends(daemon, first, bob.address)
        until(lambda: "cannot verify the sender's domain lost.test" in daemon.run("queue", "list").stdout,
              "the reason in the queue")
        until(lambda: any(first.id.encode() in mail for mail in way.mails()), "the first mail by SMTP", 60)
        # The next one does not wait for that again.
        sends(daemon, later, bob.address)
        until(lambda: any(later.id.encode() in mail for mail in way.mails()), "the next mail by SMTP")
        assert "fallback-after" not in daemon.run("trace", later.id).stdout
        assert daemon.log().count("event=sender-unverified") == 1
        assert bob.has(first) == bob.has(later) == 0
    finally:
        way.stop()


def test_where_xmpp_is_required_such_mail_waits_and_the_queue_says_why(bob, lost, letter):
    daemon = lost(("# fallback-after = 6h", "fallback-after = 2s"),
                  ("# [domain bank.example]", "[domain b.test]\npolicy = require\n#"))
    way = Sink(daemon.host, port=2527)
    try:
        sends(daemon, letter, bob.address)
        until(lambda: daemon.queue() and daemon.queue()[0]["attempts"] >= 4, "some tries", 60)
        number = daemon.queue()[0]["id"]
        assert "cannot verify the sender's domain lost.test" in daemon.run("queue", "show", number).stdout
        assert way.mails() == []
    finally:
        way.stop()


def test_a_list_of_hundreds_with_orcpt_goes_in_several_transfers(a, b, patient, letter):
    """The peer's stanzas have 64 KiB, and each recipient needs a hundred octets of them, and XMPP is required."""
    daemon = patient(*FAST, ("max-stanza = 524288", "max-stanza = 65536"),
                     ("# [domain bank.example]", "[domain b.test]\npolicy = require\n#"))
    until(lambda: "takes mail over XMPP" in daemon.run("check", "b.test").stdout, "the peer to be known")
    names = [f"first.last.{n:03}@b.test" for n in range(700)]
    with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
        session.command("MAIL FROM:<s@mail.spare.test>")
        for name in names:
            session.command(f"RCPT TO:<bob+{name}> ORCPT=rfc822;bob+2B{name}")
        session.command("DATA", expect="3")
        session.write(smtp.wire_form(letter.content) + b".\r\n")
        for _ in names:
            assert session.reply().startswith("250")
    until(lambda: not daemon.queue(), "an empty queue", 120)
    trace = daemon.run("trace", letter.id).stdout
    assert "bounced" not in trace and "expired" not in trace and "rerouted" not in trace
    assert trace.count("delivered") + trace.count("relayed") >= len(names)
    transfers = b.packetboat.log().count("event=transfer-accepted peer=mail.spare.test")
    assert transfers > 1
    until(lambda: not b.packetboat.queue(), "the last one delivered at b.test", 180)
