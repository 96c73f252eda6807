"""What we serve is no route, whoever says so: mail for us never circles between Postfix and Packetboat."""

import json
import sqlite3

import pytest

from component import TRANSFER
from test_lanes import set_main, table
from transfers import Pieces, transfer
from twodomains import smtp
from twodomains.waiting import until


def routes(daemon):
    """The domains that `routes list` shows."""
    listed = daemon.run("routes", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    return {row["domain"] for row in json.loads(listed.stdout)}


def in_the_table(daemon):
    """The domains in the table that Postfix reads."""
    return {line.split()[0] for line in
            daemon.host.command("postmap", "-s", f"lmdb:{daemon.state}/routes", text=True).stdout.splitlines()}


def test_looking_at_our_own_domain_makes_no_route_and_says_what_others_find(a, alice, new_letter):
    checked = a.packetboat.run("check", "a.test", "a2.test")
    assert checked.returncode == 0, checked.stdout
    assert "a.test: ours; other domains find mail.a.test" in checked.stdout
    assert "a2.test: ours; other domains find mail.a2.test" in checked.stdout
    # The name of a component is ours, too, and no mail domain.
    assert "mail.a.test: ours, but" in a.packetboat.run("check", "mail.a.test").stdout
    assert not routes(a.packetboat) & {"a.test", "a2.test", "mail.a.test"}
    assert not in_the_table(a.packetboat) & {"a.test", "a2.test", "mail.a.test"}
    letter = new_letter()
    alice.sends(letter, alice)
    assert alice.receives(letter).transport() == "smtp"
    assert a.packetboat.run("trace", letter.id).returncode == 1  # it was never here


def repertoire(letter, domain, sender, recipient):
    """Every request of the protocol, with this claim."""
    pieces = Pieces(domain, sender, recipient, letter)
    report = (f"<report xmlns='{TRANSFER}' id='{pieces.its['id']}' domain='{domain}' seq='1'>"
              f"<rcpt n='0' action='failed' code='550' status='5.1.1'>no</rcpt></report>")
    yield "set", transfer(domain, sender, recipient, letter)
    yield "set", pieces.open()
    yield "set", pieces.chunk()
    yield "set", pieces.commit()
    yield "get", pieces.status()
    yield "set", pieces.abort()
    yield "set", report
    yield "get", f"<mirror xmlns='{TRANSFER}'><domain name='{domain}'/></mirror>"


def test_a_stranger_s_whole_repertoire_makes_no_route(front, letter):
    """Whatever it claims, and whatever is answered."""
    victim = front.victim.packetboat
    ours, known = front.victim.domain, "a.test"
    # A domain that could be a route, if somebody with authority said so.
    assert victim.run("routes", "forget", known).returncode in (0, 1)
    before = routes(victim)
    assert known not in before
    names = set()
    for connect in (front.foe, front.sibling, front.neighbour):
        # One at a time: the others could not answer what they are asked meanwhile.
        with connect() as stranger, front.link_stays():
            names.add(stranger.name)
            for domain in (ours, front.component, known, stranger.name):
                for sender in (f"boss@{ours}", f"boss@{known}", f"x@{stranger.name}"):
                    for recipient in (front.person.address, f"x@{known}"):
                        for kind, payload in repertoire(letter, domain, sender, recipient):
                            stranger.asks(front.component, payload, kind=kind)
    # Those that are mail domains of their own have their own word.
    assert routes(victim) - names <= before
    assert not in_the_table(victim) & {ours, front.component, known}
    until(lambda: "takes mail over XMPP" in victim.run("check", known).stdout, "a.test to be known again")


def test_what_was_listed_wrongly_is_cleared_at_the_start(patient):
    daemon = patient()
    until(lambda: "takes mail over XMPP" in daemon.run("check", "b.test").stdout, "the peer to be known")
    daemon.stop()
    queue = sqlite3.connect(daemon.state / "queue.db")
    with queue:
        queue.execute("INSERT INTO peer (domain, component, first_seen, last_seen)"
                      " SELECT 'mail.spare.test', 'mail.spare.test', first_seen, last_seen FROM peer")
    queue.close()
    entry = "mail.spare.test lmtp:inet:[127.0.0.1]:2424"
    daemon.host.command("sh", "-c", f"echo '{entry}' | postmap -i lmdb:{daemon.state}/routes", check=True)
    assert "mail.spare.test" in in_the_table(daemon)
    daemon.start()
    assert routes(daemon) == {"b.test"}
    assert in_the_table(daemon) == {"b.test"}
    daemon.stop()
    queue = sqlite3.connect(daemon.state / "queue.db")
    assert queue.execute("SELECT domain FROM peer").fetchall() == [("b.test",)]
    queue.close()


def test_a_route_can_be_taken_out_by_hand(patient):
    daemon = patient()
    until(lambda: "takes mail over XMPP" in daemon.run("check", "b.test").stdout, "the peer to be known")
    assert "b.test  mail.b.test  supported, confirmed" in daemon.run("routes", "list").stdout
    until(lambda: table(daemon, "b.test"), "b.test in the table")
    forgotten = daemon.run("routes", "forget", "B.test")
    assert (forgotten.returncode, forgotten.stdout) == (0, "b.test: forgotten\n")
    until(lambda: not table(daemon, "b.test"), "b.test out of the table")
    assert routes(daemon) == set()
    again = daemon.run("routes", "forget", "b.test")
    assert again.returncode == 1 and "nothing is known" in again.stderr
    assert daemon.run("routes", "forget", "no domain").returncode == 2
    assert "takes mail over XMPP" in daemon.run("check", "b.test").stdout
    assert routes(daemon) == {"b.test"}


def test_required_policy_for_a_domain_of_ours_is_no_route(spare):
    daemon = spare(("# [domain bank.example]", "[domain spare.test]\npolicy = require\n[domain c.test]\npolicy = require\n#"))
    daemon.start()
    assert in_the_table(daemon) == {"c.test"}
    assert routes(daemon) == {"c.test"}


def test_mail_for_us_at_the_intake_is_delivered_here(a, alice, bob, letter):
    with smtp.Session(a.address, 2424, greeting="LHLO") as session:
        session.send(bob.address, [alice.address], letter.content)
    alice.receives(letter)


def test_a_postfix_that_sends_us_its_own_mail_hears_of_the_loop_and_so_does_the_sender(a, bob, letter):
    transport = a.host.command("postconf", "-h", "transport_maps", text=True).stdout.strip()
    # An address whose route Postfix does not remember from other mail.
    looping = "alice+round@a.test"
    try:
        set_main(a, transport_maps=f"inline:{{{looping}=lmtp:inet:[{a.address}]:2424}}, {transport}")
        smtp.send(a.address, bob.address, [looping], letter.content)
        report = bob.receives_report_on(letter)
    finally:
        set_main(a, transport_maps=transport)
    assert report.recipients[looping]["Status"] == "5.4.6"
    # Five times through us, not fifty.
    assert a.packetboat.run("trace", letter.id).stdout.count(" received ") <= 7


@pytest.mark.parametrize("hops, arrives", [(5, True), (6, False)])
# RFC 5321 6.3.
def test_mail_that_was_here_and_is_forwarded_goes_on_but_not_for_ever(alice, bob, new_letter, hops, arrives):
    before = "Received: from mail.b.test by mail.a.test via XMPP with MAILXFER id 018f;\n\tFri, 27 Nov 2026 10:00:00 +0000\n"
    letter = new_letter(more_header=hops * before)
    alice.sends(letter, bob)
    if arrives:
        assert bob.receives(letter).transport() == "xmpp"
    else:
        assert alice.receives_report_on(letter).recipients["bob@b.test"]["Status"] == "5.4.6"
        assert bob.has(letter) == 0
