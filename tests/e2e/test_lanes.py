"""Which lane mail takes when a peer is gone, is required, or goes out of service."""

import pytest
from next_hop import Sink
from people import Person, all_settled
from twodomains import smtp
from twodomains.waiting import until

FAST = [("first-retry = 5m", "first-retry = 1s"), ("max-retry = 4000s", "max-retry = 2s")]


@pytest.fixture
def smtp_way(request):
    """Where a spare Packetboat hands back what goes by SMTP."""
    made = []

    def make(daemon):
        made.append(Sink(daemon.host, port=2527))
        return made[-1]
    yield make
    for sink in made:
        sink.stop()


def sends(daemon, letter, recipient):
    with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
        session.send("s@mail.spare.test", [recipient], letter.content)


def went_by_smtp(sink, letter):
    return sum(letter.id.encode() in mail for mail in sink.mails())


def test_what_waits_too_long_for_a_peer_goes_by_smtp_and_arrives_once(b, bob, patient, new_letter, down, smtp_way):
    daemon = patient(*FAST, ("# fallback-after = 6h", "fallback-after = 2s"))
    way = smtp_way(daemon)
    until(lambda: "takes mail over XMPP" in daemon.run("check", "b.test").stdout, "the peer to be known")
    up = down(b.packetboat)
    first, later = new_letter(), [new_letter() for _ in range(5)]
    sends(daemon, first, bob.address)
    until(lambda: daemon.queue()[0]["state"] == "deferred", "the first mail to have been tried")
    for letter in later:
        sends(daemon, letter, bob.address)
    for letter in later:
        until(lambda: went_by_smtp(way, letter) == 1, f"{letter} by SMTP")
    # The first may have arrived, for all that is known: its peer has to let go of it before it goes another way.
    if went_by_smtp(way, first) == 0:
        assert [row["to"] for row in daemon.queue()] == [bob.address]
    up()
    until(lambda: not daemon.queue(), "an empty queue", 60)
    assert went_by_smtp(way, first) + bob.has(first) == 1
    for letter in later:
        assert (went_by_smtp(way, letter), bob.has(letter)) == (1, 0)
    assert "fallback-after" in daemon.run("trace", later[0].id).stdout


def test_without_it_mail_waits_for_a_peer_that_is_known(b, bob, patient, letter, down):
    daemon = patient(*FAST)
    until(lambda: "takes mail over XMPP" in daemon.run("check", "b.test").stdout, "the peer to be known")
    up = down(b.packetboat)
    sends(daemon, letter, bob.address)
    until(lambda: daemon.queue()[0]["attempts"] >= 3, "three attempts")
    up()
    bob.receives(letter)


def test_where_xmpp_is_required_nothing_goes_by_smtp_and_the_bounce_says_why(patient, letter, smtp_way):
    daemon = patient(*FAST, ("expire-after = 5d", "expire-after = 4s"),
                     ("# [domain bank.example]", "[domain c.test]\npolicy = require\n#"))
    way = smtp_way(daemon)
    sends(daemon, letter, "carol@c.test")
    until(lambda: "policy = require" in daemon.run("queue", "list").stdout, "the reason in the queue")
    until(lambda: "expired" in daemon.run("trace", letter.id).stdout, "the end")
    assert "policy = require" in daemon.run("trace", letter.id).stdout
    assert way.mails() == []
    # Postfix, too, is told that it is for us.
    assert table(daemon, "c.test") == f"lmtp:inet:[{daemon.host.address}]:2424"


def table(daemon, domain):
    """What Postfix finds in the route table."""
    found = daemon.host.command("postmap", "-q", domain, f"lmdb:{daemon.state}/routes", text=True)
    return found.stdout.strip()


def back_in_service(a, *peers):
    """Its peers have its word that it is back, and look into it by themselves."""
    assert a.packetboat.run("resume").returncode == 0
    for peer in peers:
        until(lambda: "mail.a.test" in peer.packetboat.run("routes", "list").stdout, f"{peer.domain} to know")
        until(lambda: table(a.packetboat, peer.domain), f"the table to list {peer.domain} again")


def test_a_component_that_retires_hands_its_mail_to_smtp_at_once_and_comes_back(a, b, d, alice, bob, new_letter):
    before, during, back, after = (new_letter() for _ in range(4))
    bob.sends(before, alice)
    assert alice.receives(before).transport() == "xmpp"
    retired = a.packetboat.run("retire")
    try:
        assert retired.returncode == 0 and "mail.a.test: retired" in retired.stdout
        # Its own Postfix sends by SMTP, and so does b.test's, from the next mail on.
        assert table(a.packetboat, "b.test") == ""
        until(lambda: "no mail for a.test any more" in b.packetboat.run("check", "a.test").stdout
              or "takes no mail over XMPP" in b.packetboat.run("check", "a.test").stdout, "b.test to know")
        bob.sends(during, alice)
        assert alice.receives(during).transport() == "smtp"
        alice.sends(back, bob)
        assert bob.receives(back).transport() == "smtp"
        all_settled(a, b)
        a.packetboat.restart()
        assert "retired" in a.packetboat.run("check").stdout
    finally:
        back_in_service(a, b, d)
    bob.sends(after, alice)
    assert alice.receives(after).transport() == "xmpp"


def test_mail_on_its_way_to_a_component_that_retires_is_not_held(a, b, d, alice, bob, new_letter):
    """What b.test has in its own queue for a.test changes its lane, too."""
    letters = [new_letter() for _ in range(50)]
    try:
        with smtp.Session(b.address, 2424, greeting="LHLO") as session:
            for number, letter in enumerate(letters):
                session.send(bob.address, [alice.address], letter.content)
                if number == 25:
                    assert a.packetboat.run("retire").returncode == 0
        for letter in letters:
            until(lambda: alice.has(letter), f"{letter}", 60)
        all_settled(a, b)
        assert [alice.has(letter) for letter in letters] == [1] * len(letters)
    finally:
        back_in_service(a, b, d)


def test_a_relayhost_gets_what_is_handed_back_if_the_service_names_it(a, alice, carol, letter):
    relay = Sink(a.host, port=2601)
    service = f"{a.address}:2527/inet"
    try:
        a.host.command("postconf", "-P", f"{service}/content_filter=smtp:[{a.address}]:2601", check=True)
        a.postfix.reload()
        smtp.send(a.address, alice.address, [carol.address], letter.content, port=2527)
        until(lambda: went_by_smtp(relay, letter) == 1, "the mail at the relay host")
    finally:
        a.host.command("postconf", "-P", f"{service}/content_filter=smtp:", check=True)
        a.postfix.reload()
        relay.stop()


def test_what_is_handed_back_is_no_second_time_copied_to_the_archive(a, alice, carol, letter):
    """always_bcc acts where mail comes in, and not where Packetboat hands it back."""
    archive = Person(a, "juergen@a.test")
    transport = a.host.command("postconf", "-h", "transport_maps", text=True).stdout.strip()
    try:
        # c.test takes no XMPP: what is sent to us all the same goes back.
        set_main(a, always_bcc=archive.address,
                 transport_maps=f"inline:{{c.test=lmtp:inet:[{a.address}]:2424}}, {transport}")
        alice.sends(letter, carol)
        assert carol.receives(letter).transport() == "smtp"
        assert "rerouted" in a.packetboat.run("trace", letter.id).stdout
        assert len(archive.mailbox.find(letter.id)) == 1
    finally:
        set_main(a, always_bcc="", transport_maps=transport)


def set_main(site, **settings):
    for name, value in settings.items():
        site.host.command("postconf", "-e", f"{name}={value}", check=True)
    site.postfix.reload()


def test_a_foreign_sender_s_mail_goes_by_smtp(a, alice, bob, letter):
    """As a plain forwarder sends it: b.test would have to refuse it over XMPP."""
    with smtp.Session(a.address, 2424, greeting="LHLO") as session:
        session.send("eve@c.test", [bob.address], letter.content)
    assert bob.receives(letter).transport() == "smtp"
