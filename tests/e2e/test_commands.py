"""What the administrator's commands say about a running daemon."""

import json

from people import all_settled
from twodomains.waiting import until


def test_check_finds_nothing_wrong_with_a_healthy_site(a):
    checked = a.packetboat.run("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "mail.a.test" in checked.stdout


def test_check_tells_which_component_carries_a_domain_s_mail(a):
    checked = a.packetboat.run("check", "b.test")
    assert checked.returncode == 0
    assert "mail.b.test" in checked.stdout


def test_check_tells_that_a_domain_takes_no_mail_over_xmpp_and_why(a):
    checked = a.packetboat.run("check", "c.test")
    assert checked.returncode == 0  # nothing is wrong with that
    line = next(line for line in (checked.stdout + checked.stderr).splitlines() if "c.test" in line)
    assert "_xmpp-server._tcp.c.test" in line


def test_queue_list_shows_who_waits_for_what(a, b, alice, bob, letter, down):
    up = down(b.packetboat)
    alice.sends(letter, bob)
    until(lambda: a.packetboat.queue(), "the mail in a.test's queue")
    text = a.packetboat.run("queue", "list").stdout
    assert "alice@a.test" in text
    assert "bob@b.test" in text
    waiting = a.packetboat.queue()
    assert len(waiting) == 1
    assert "bob@b.test" in json.dumps(waiting)
    up()
    bob.receives(letter)
    all_settled(a)
    assert "bob@b.test" not in a.packetboat.run("queue", "list").stdout


def test_trace_tells_each_step_at_both_ends(a, b, alice, bob, letter):
    alice.sends(letter, bob)
    transfer = bob.receives(letter).transfer_id()
    all_settled(a, b)
    at_a = a.packetboat.run("trace", transfer)
    at_b = b.packetboat.run("trace", transfer)
    for traced in (at_a, at_b):
        assert traced.returncode == 0, traced.stderr
        assert "bob@b.test" in traced.stdout
    assert "mail.b.test" in at_a.stdout  # whom it went to
    assert "mail.a.test" in at_b.stdout  # whom it came from


def test_trace_knows_a_mail_by_its_message_id_too(a, b, alice, bob, letter):
    alice.sends(letter, bob)
    bob.receives(letter)
    all_settled(a, b)
    for site in (a, b):
        traced = site.packetboat.run("trace", "--json", letter.id)
        assert traced.returncode == 0, traced.stderr
        assert json.loads(traced.stdout)


def test_trace_of_an_unknown_id_says_so(a):
    traced = a.packetboat.run("trace", "no-such-id")
    assert traced.returncode == 1
    assert "no-such-id" in traced.stderr


def test_version_names_the_program(a):
    version = a.packetboat.run("version")
    assert version.returncode == 0
    assert version.stdout.lower().startswith("packetboat ")


def test_help_is_there_by_every_name_and_for_one_command(a):
    whole = a.packetboat.run("--help")
    assert whole.returncode == 0 and "packetboat [options] serve" in whole.stdout and "--older" in whole.stdout
    for words in (["-h"], ["help"]):
        assert a.packetboat.run(*words).stdout == whole.stdout
    for words in (["help", "queue", "show"], ["queue", "show", "--help"]):
        usage, _, options = a.packetboat.run(*words).stdout.partition("\n\n")
        assert usage == "usage: packetboat [options] queue show ID [--json]"
        assert "--json" in options and "--older" not in options
    for words in (["-V"], ["--version"]):
        assert a.packetboat.run(*words).stdout == a.packetboat.run("version").stdout


def test_what_is_mistyped_is_told_from_what_cannot_be_done(a):
    for words, says in ((["qeue", "list"], 'there is no command "qeue"; did you mean "queue"? See packetboat --help'),
                        (["help", "qeue"], 'did you mean "queue"?'),
                        (["queue"], 'which "queue" command?'),
                        (["serve", "--log-level", "loud"], '"loud" is no log level'),
                        (["check", "b..test"], "b..test: "),
                        (["routes", "forget", "b..test"], "b..test: "),
                        (["peers", "show", "b..test"], "b..test: "),
                        (["promise", "forget", "b..test"], "b..test: ")):
        told = a.packetboat.run(*words)
        assert (told.returncode, told.stdout, told.stderr.count("\n")) == (2, "", 1), words
        assert told.stderr.startswith("packetboat: ") and says in told.stderr, words
    for words in (["routes", "forget", "never.test"], ["retire", "mail.other.test"], ["senders", "forget", "nobody"]):
        assert a.packetboat.run(*words).returncode == 1, words


def test_commands_say_that_the_daemon_is_not_running(a, down):
    down(a.packetboat)
    for words in (("queue", "list"), ("trace", "x"), ("check",)):
        told = a.packetboat.run(*words)
        assert told.returncode == 1
        assert "control.sock" in told.stdout + told.stderr
