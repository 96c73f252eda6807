"""The closed-lane promise, at who promises: announced, kept whatever happens, and taken back only once its readers know."""

import contextlib
import json

import pytest

from component import INFO, Component
from people import all_settled
from test_lanes import FAST, sends, smtp_way, table, went_by_smtp  # noqa: F401  (a fixture)
from test_off import events, off
from test_reload import Reloading
from twodomains import smtp
from twodomains.waiting import until

PROMISE = "\n[promise]\ndomains = {}\ndays = 2\n"


def promises(daemon):
    return json.loads(daemon.run("promise", "ours", "--json").stdout)


def told(daemon):
    return {peer["peer"] for each in promises(daemon) for peer in each["peers"]}


@contextlib.contextmanager
def promising(daemon, domain):
    """It promises for `domain`, and in the end has withdrawn that, and everybody knows."""
    its = Reloading(daemon)
    assert "[promise] domains" in its.reads(its.good + PROMISE.format(domain))
    until(lambda: promises(daemon), "the promise")
    try:
        yield its
    finally:
        if daemon.is_running():
            its.reads(its.good)
            until(lambda: not promises(daemon), lambda: f"all to have read the withdrawal, and not {told(daemon)}", 150)


def has_read(peer, daemon, domain):
    """`peer` looks, and so is told."""
    assert "takes mail over XMPP" in peer.run("check", domain).stdout
    until(lambda: told(daemon), "the peer to have been told")


def form_of(site, name):
    with Component(site, f"stranger.{site.domain}") as asker:
        answer = asker.asks(name, f"<query xmlns='{INFO}'/>")
    return {field.get("var"): [value.text for value in field] for field in answer.iter("{jabber:x:data}field")}


@pytest.mark.parametrize("reader", ["b", "d"], ids=["through Prosody", "through ejabberd"])
def test_the_promise_is_in_the_form_as_others_read_it(a, b, d, reader):
    site = {"b": b, "d": d}[reader]
    assert "promise" not in form_of(site, "mail.a.test")
    with promising(a.packetboat, "a.test"):
        form = form_of(site, "mail.a.test")
        assert form["promise"] == ["a.test"]
        assert form["promise-until"][0].endswith("Z") and len(form["promise-until"]) == 1
        [ours] = promises(a.packetboat)
        assert ours["announced"] and ours["domains"] == ["a.test"] and ours["until"] >= form["promise-until"][0]
        # A stranger is nobody whom a withdrawal has to reach.
        assert f"stranger.{site.domain}" not in told(a.packetboat)
        assert "a.test  promised to all" in a.packetboat.run("promise", "ours").stdout
    assert "promise" not in form_of(site, "mail.a.test")
    assert a.packetboat.run("promise", "ours").stdout == "nothing is promised\n"


def test_what_xmpp_cannot_carry_is_refused_at_the_intake(a, b, alice, bob, carol, new_letter):
    first, free = new_letter(), new_letter()
    alice.sends(first, bob)
    bob.receives(first)
    broken = b"this is no field\n\nhello\n"
    with promising(a.packetboat, "a.test"):
        with smtp.Session(a.address, 2424, greeting="LHLO") as session:
            with pytest.raises(smtp.Refused, match="550.5.7.1 .*a.test has promised b.test"):
                session.send(alice.address, ["a..b@b.test"], first.content)
        with smtp.Session(a.address, 2424, greeting="LHLO") as session:
            with pytest.raises(smtp.Refused, match="550.5.7.1 .*a.test has promised b.test"):
                session.send(alice.address, [bob.address], broken)
        # Of whom nothing was promised to, all is as ever.
        alice.sends(free, carol)
        carol.receives(free)


def test_nothing_goes_by_smtp_while_it_stands_and_it_is_taken_back_in_order(a, b, bob, patient, new_letter, down, smtp_way):  # noqa: F811
    daemon = patient(*FAST, ("# fallback-after = 6h", "fallback-after = 2s"))
    way = smtp_way(daemon)
    first, kept, later, freed = (new_letter() for _ in range(4))
    sends(daemon, first, bob.address)
    assert bob.receives(first).transport() == "xmpp"  # a verdict
    its = Reloading(daemon)
    its.reads(its.good + PROMISE.format("mail.spare.test"))
    until(lambda: promises(daemon), "the promise")
    has_read(b.packetboat, daemon, "mail.spare.test")
    up = down(b.packetboat)
    sends(daemon, kept, bob.address)
    until(lambda: daemon.queue()[0]["attempts"] >= 5, "the time of fallback-after to be over", 60)
    assert way.mails() == []
    assert table(daemon, "b.test")
    # The section is gone, and so is the daemon for a moment; b.test has not read that.
    its.reads(its.good)
    [withdrawn] = promises(daemon)
    assert not withdrawn["announced"] and told(daemon) == {"mail.b.test"}
    daemon.restart()
    sends(daemon, later, bob.address)
    until(lambda: [row["attempts"] >= 3 for row in daemon.queue()] == [True, True], "more attempts", 60)
    assert way.mails() == [] and told(daemon) == {"mail.b.test"}
    up()
    # Whichever way: b.test is back, and free to be sent mail by SMTP as soon as it has read the withdrawal.
    for letter in (kept, later):
        until(lambda: bob.has(letter) + went_by_smtp(way, letter) == 1, f"{letter}, once")
    until(lambda: not promises(daemon), lambda: f"b.test to have read it: {promises(daemon)}", 60)
    assert events(daemon, "own-promise-ended")
    # Now it may go by SMTP again.
    up = down(b.packetboat)
    sends(daemon, freed, bob.address)
    until(lambda: went_by_smtp(way, freed) or daemon.queue(), "it to have been tried")
    for letter in (new_letter(), new_letter()):
        sends(daemon, letter, bob.address)
        until(lambda: went_by_smtp(way, letter) == 1, f"{letter} by SMTP", 60)
    up()
    until(lambda: not daemon.queue(), "an empty queue", 60)


def test_off_withdraws_it_first_and_what_is_free_goes_at_once(a, b, d, alice, bob, carol, new_letter):
    before, during, other = (new_letter() for _ in range(3))
    alice.sends(before, bob)
    bob.receives(before)
    with promising(a.packetboat, "a.test"):
        has_read(b.packetboat, a.packetboat, "a.test")
        b.packetboat.freeze()
        try:
            with off(a):
                assert "promise" not in form_of(d, "mail.a.test")
                with smtp.Session(a.address, 2424, greeting="LHLO") as session:
                    session.send(alice.address, [bob.address], during.content)
                alice.sends(other, carol)
                carol.receives(other)
                until(lambda: "we have promised that to it" in a.packetboat.run("queue", "list").stdout, "why it waits")
                until(lambda: told(a.packetboat) == {"mail.b.test"}, "all others to have read the withdrawal", 150)
                b.packetboat.thaw()
                # It has been told to look, does, and refuses nothing any more.
                assert bob.receives(during, seconds=60).transport() == "smtp"
                assert not promises(a.packetboat)
        finally:
            b.packetboat.thaw()
        until(lambda: [each["announced"] for each in promises(a.packetboat)] == [True], "the promise again", 90)
    all_settled(a, b)


def test_retiring_withdraws_it(a, b, alice, bob, new_letter):
    letter = new_letter()
    alice.sends(letter, bob)
    bob.receives(letter)
    with promising(a.packetboat, "a.test"):
        has_read(b.packetboat, a.packetboat, "a.test")
        try:
            assert a.packetboat.run("retire", "mail.a.test").returncode == 0
            until(lambda: not promises(a.packetboat), "b.test to have read it", 150)
        finally:
            assert a.packetboat.run("resume").returncode == 0
            for peer in (b,):
                until(lambda: "mail.a.test" in peer.packetboat.run("routes", "list").stdout, f"{peer.domain} to know")
            until(lambda: table(a.packetboat, "b.test"), "the table to list it again")
