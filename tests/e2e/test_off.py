"""The emergency switch: `packetboat off` has all our mail go by SMTP, `on` takes it back; nothing is lost or doubled."""

import contextlib
import json

from people import all_settled
from test_lanes import sends, smtp_way, table, went_by_smtp  # noqa: F401  (a fixture)
from test_large import noise, sends_large
from test_reload import Reloading
from twodomains.waiting import until


@contextlib.contextmanager
def off(site, *words):
    turned = site.packetboat.run("off", *words)
    assert turned.returncode == 0, turned.stderr
    try:
        yield turned.stdout
    finally:
        assert site.packetboat.run("on").returncode == 0
        until(lambda: table(site.packetboat, "b.test") or site.domain == "b.test", "the table to list b.test again")


def events(daemon, event):
    return [line for line in daemon.log().splitlines() if f"event={event} " in line]


def test_while_it_is_off_our_mail_goes_by_smtp_and_theirs_still_comes_over_xmpp(a, b, alice, bob, new_letter):
    first, again, theirs, back = (new_letter() for _ in range(4))
    with off(a) as said:
        assert "XMPP is off since" in said and "until packetboat on" in said
        assert table(a.packetboat, "b.test") == ""
        alice.sends(first, bob)
        assert bob.receives(first).transport() == "smtp"
        # What Postfix gives us all the same, as it remembers routes for half a minute.
        sends_large(alice, again, bob)
        assert bob.receives(again).transport() == "smtp"
        bob.sends(theirs, alice)
        assert alice.receives(theirs).transport() == "xmpp"
        checked = a.packetboat.run("check")
        assert checked.returncode == 1 and "XMPP: off since" in checked.stdout
    assert a.packetboat.run("check").returncode == 0
    alice.sends(back, bob)
    assert bob.receives(back).transport() == "xmpp"


def test_a_restart_and_a_reload_leave_it_off(a, b, alice, bob, new_letter):
    before, after = new_letter(), new_letter()
    with off(a):
        its = Reloading(a.packetboat)
        its.reads(its.good)
        assert table(a.packetboat, "b.test") == ""
        alice.sends(before, bob)
        assert bob.receives(before).transport() == "smtp"
        a.packetboat.restart()
        # It says so at the start, too, and not only where one asks.
        until(lambda: events(a.packetboat, "still-off"), "a warning in the log")
        assert table(a.packetboat, "b.test") == ""
        sends_large(alice, after, bob)
        assert bob.receives(after).transport() == "smtp"


def test_its_time_passes(a, alice, bob, new_letter):
    during, after = new_letter(), new_letter()
    turned = json.loads(a.packetboat.run("off", "--until", "8s", "--json").stdout)
    assert turned["off"]["until"] > turned["off"]["since"]
    sends_large(alice, during, bob)
    until(lambda: any('why="its time is over"' in line for line in events(a.packetboat, "on")), "its end")
    assert "XMPP: off" not in a.packetboat.run("check").stdout
    assert bob.receives(during).transport() == "smtp"
    sends_large(alice, after, bob)
    assert bob.receives(after).transport() == "xmpp"


def test_it_may_be_said_again_and_nonsense_changes_nothing(a):
    ons = len(events(a.packetboat, "on"))
    with off(a, "--until", "2h"):
        first = json.loads(a.packetboat.run("off", "--json").stdout)["off"]
        assert first["until"] is None
        for wrong in ("yesterday", "2020-01-01T00:00:00Z", "-1h"):
            refused = a.packetboat.run("off", f"--until={wrong}")
            assert (refused.returncode, refused.stdout) == (2, "") and wrong in refused.stderr
        assert json.loads(a.packetboat.run("off", "--json").stdout)["off"] == first
    assert a.packetboat.run("on").stdout.startswith("XMPP is on\n")
    assert json.loads(a.packetboat.run("on", "--json").stdout)["off"] is None
    # Who turns on what is on, changes nothing, and nothing is said.
    assert len(events(a.packetboat, "on")) == ons + 1
    for misused in (["on", "--until", "2h"], ["check", "--until", "2h"], ["off", "--until="], ["off", "b.test"]):
        assert a.packetboat.run(*misused).returncode == 2


def test_a_large_mail_that_is_half_over_is_called_back_and_arrives_once(a, b, alice, bob, new_letter):
    letter = new_letter(body=noise(30))
    sends_large(alice, letter, bob)
    until(lambda: b.packetboat.spooled() > 1 << 20, "some of it")
    b.packetboat.freeze()
    try:
        with off(a):
            b.packetboat.thaw()
            mail = bob.receives(letter, seconds=90)
            assert mail.transport() == "smtp"
            mail.path.unlink()
            all_settled(a, b)
            assert "called back" in a.packetboat.run("trace", letter.id).stdout or \
                "switched off" in a.packetboat.run("trace", letter.id).stdout
    finally:
        b.packetboat.thaw()
    assert b.packetboat.spooled() == 0
    assert bob.has(letter) == 0


def queue_up(daemon, bob, first, later):
    """The peer is down: the first mail is tried, and the others wait behind it."""
    sends(daemon, first, bob.address)
    until(lambda: daemon.queue()[0]["state"] == "deferred", "the first mail to have been tried")
    for letter in later:
        sends(daemon, letter, bob.address)


def test_what_waits_for_a_peer_goes_at_once_even_if_our_own_link_is_down(a, b, bob, patient, new_letter, down, smtp_way):  # noqa: F811
    daemon = patient()
    way = smtp_way(daemon)
    until(lambda: "takes mail over XMPP" in daemon.run("check", "b.test").stdout, "the peer to be known")
    first, later = new_letter(), [new_letter() for _ in range(20)]
    up = down(b.packetboat)
    queue_up(daemon, bob, first, later)
    xmpp_up = down(a.xmpp)
    until(lambda: "not connected" in daemon.run("check").stdout, "our own link to be down")
    assert daemon.run("off").returncode == 0
    for letter in later:
        until(lambda: went_by_smtp(way, letter) == 1, f"{letter} by SMTP")
    # The first may have arrived: its peer has to let go of it, once it is there.
    if went_by_smtp(way, first) == 0:
        assert [row["to"] for row in daemon.queue()] == [bob.address]
    xmpp_up()
    up()
    until(lambda: daemon.run("queue", "flush").returncode == 0 and not daemon.queue(), "an empty queue", 90)
    assert went_by_smtp(way, first) + bob.has(first) == 1
    assert [went_by_smtp(way, letter) for letter in later] == [1] * len(later)
    assert not any(bob.has(letter) for letter in later)


def test_what_waits_leaves_also_if_the_daemon_dies_as_it_is_turned_off(b, bob, patient, new_letter, down, smtp_way):  # noqa: F811
    daemon = patient()
    way = smtp_way(daemon)
    until(lambda: "takes mail over XMPP" in daemon.run("check", "b.test").stdout, "the peer to be known")
    first, later = new_letter(), [new_letter() for _ in range(20)]
    up = down(b.packetboat)
    queue_up(daemon, bob, first, later)
    assert daemon.run("off").returncode == 0
    daemon.kill()
    daemon.start()
    # Its retries are minutes apart. Twice may be what was under way as it died.
    for letter in later:
        until(lambda: went_by_smtp(way, letter) >= 1, f"{letter} by SMTP")
    assert daemon.run("on").returncode == 0
    up()
    until(lambda: daemon.run("queue", "flush").returncode == 0 and not daemon.queue(), "an empty queue", 90)
    assert not any(bob.has(letter) for letter in later)


def test_what_has_to_go_over_xmpp_waits_and_goes_when_it_is_on_again(bob, patient, new_letter, smtp_way):  # noqa: F811
    daemon = patient(("# [domain bank.example]", "[domain b.test]\npolicy = require\n#"))
    way = smtp_way(daemon)
    letters = [new_letter() for _ in range(5)]
    turned = daemon.run("off")
    assert "mail whose policy is require waits" in turned.stdout
    for letter in letters:
        sends(daemon, letter, bob.address)
    until(lambda: daemon.run("queue", "list").stdout.count("switched off") >= len(letters), "the reason in the queue")
    assert way.mails() == []
    # Its retries are minutes apart: this is what starts it.
    assert daemon.run("on").returncode == 0
    for letter in letters:
        assert bob.receives(letter).transport() == "xmpp"
    assert way.mails() == []
