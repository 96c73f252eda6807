"""What an administrator does with the queue, by the commands of the manual, on the running daemon."""

import json

import pytest

from people import all_settled
from twodomains.waiting import until


def queue(site, *words):
    """A command that has to work; what it prints."""
    result = site.packetboat.run("queue", *words)
    assert result.returncode == 0, result.stderr
    return result.stdout


def waiting_id(site, letter):
    """The queue id of the letter that waits."""
    found = json.loads(site.packetboat.run("trace", letter.id, "--json").stdout)
    assert len(found) == 1
    return found[0]["id"]


@pytest.fixture
def stuck(a, b, alice, bob, letter, down):
    """Alice's letter waits for b.test, which is down; yields its queue id and what brings b.test back."""
    up = down(b.packetboat)
    alice.sends(letter, bob)
    until(lambda: [row for row in a.packetboat.queue() if row["state"] == "deferred"], "the letter to wait")
    return waiting_id(a, letter), up


def test_the_list_says_what_waits_for_whom_and_why(a, stuck):
    queue_id, _ = stuck
    row, = json.loads(queue(a, "list", "--domain", "b.test", "--json"))
    assert row["id"] == queue_id
    assert row["state"] == "deferred"
    assert row["to"] == "bob@b.test"
    assert row["lane"] == "xmpp:b.test"
    assert row["class"] == "interactive"
    assert row["attempts"] >= 1
    assert " 4.4." in row["last_reply"]
    assert queue(a, "list", "--to", "nobody@b.test", "--json").strip() == "[]"
    shown = queue(a, "show", queue_id)
    assert row["last_reply"] in shown
    assert "received" in shown


def test_held_mail_stays_when_the_peer_is_back_and_goes_when_it_is_released(a, b, bob, letter, stuck):
    queue_id, up = stuck
    assert "hold: 1 recipients" in queue(a, "hold", queue_id)
    up()
    until(lambda: a.packetboat.run("check", "b.test").returncode == 0, "b.test to be back")
    assert [row["state"] for row in a.packetboat.queue()] == ["held"]
    assert bob.has(letter) == 0
    assert "release: 1 recipients" in queue(a, "release", queue_id)
    assert bob.receives(letter).transport() == "xmpp"


def test_cancelled_mail_is_gone_and_nobody_is_told(a, alice, bob, letter, stuck):
    queue_id, up = stuck
    assert "cancel: 1 recipients" in queue(a, "cancel", "--to", "bob@b.test")
    assert not a.packetboat.queue()
    up()
    assert "discarded" in a.packetboat.run("trace", queue_id).stdout
    assert (bob.has(letter), alice.has(letter)) == (0, 0)


def test_bounced_mail_comes_back_to_its_sender(a, alice, letter, stuck):
    queue_id, _ = stuck
    assert "bounce: 1 recipients" in queue(a, "bounce", queue_id)
    report = alice.receives_report_on(letter)
    assert report.recipients["bob@b.test"]["Action"] == "failed"
    assert "administrator" in report.recipients["bob@b.test"]["Diagnostic-Code"]


def test_a_flush_tries_at_once(a, bob, letter, stuck):
    _, up = stuck
    queue(a, "hold", "--all")
    queue(a, "release", "--all")
    up()
    assert "flush: " in queue(a, "flush")
    bob.receives(letter)


def test_a_mail_is_found_by_either_end_of_it_long_after_it_went(a, b, alice, bob, letter):
    alice.sends(letter, bob)
    bob.receives(letter)
    all_settled(a, b)
    queue_id = waiting_id(a, letter)
    for name in (alice.address, bob.address, "Bob@B.test"):
        found = json.loads(a.packetboat.run("trace", name, "--json").stdout)
        assert queue_id in [message["id"] for message in found]
        assert len(found) <= 20
    assert queue(a, "verify") == "the queue is sound\n"
    assert queue(b, "verify") == "the queue is sound\n"


@pytest.mark.parametrize("words, status, says", [
    (["hold"], 2, "which mail?"),
    (["explode", "--all"], 2, 'there is no command "queue explode"'),
    (["lsit"], 2, 'did you mean "queue list"?'),
    (["hold", "nonsense!"], 2, '"nonsense!" is no queue id'),
    (["hold", "--state", "asleep"], 2, '"asleep" is no state'),
    (["list", "--older", "yesterday"], 2, '"yesterday" is no age'),
    (["list", "--older", "1h", "--newer", "5m"], 2, "nothing is older and newer"),
    (["list", "--lane", "pigeon"], 2, '"pigeon" is no lane'),
    (["list", "--lane", "xmmp"], 2, 'did you mean "xmpp"?'),
    (["list", "--domain", "b..test"], 2, "is no domain"),
    (["hold", "--limit", "5"], 2, "--limit is for queue list"),
    (["list", "--odler", "1h"], 2, 'did you mean "--older"?'),
    (["list", "--to", "bob"], 2, '"bob" is no address'),
    (["list", "--limit", "0"], 2, '"0" is no number of rows'),
    (["show", "00000000001"], 1, "no message is known as 00000000001"),
])
def test_what_makes_no_sense_is_said_in_one_line_and_touches_nothing(a, words, status, says):
    result = a.packetboat.run("queue", *words)
    assert result.returncode == status
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_unknown_id_matches_nothing(a):
    assert "hold: 0 recipients" in queue(a, "hold", "00000000001")
