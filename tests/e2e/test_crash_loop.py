"""A mail whose delivery may be what ends the program. A kill looks like a crash, and is one here."""

from next_hop import Sink, silent_server
from twodomains import smtp
from twodomains.waiting import until

QUICK = [("first-retry = 5m", "first-retry = 1s"), ("max-retry = 4000s", "max-retry = 2s")]


def sends(daemon, letter):
    with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
        session.send("s@spare.test", ["r@spare.test"], letter.content)


def states(daemon):
    return [row["state"] for row in daemon.queue()]


def test_a_mail_under_way_in_five_crashes_is_held_and_named_and_others_go_on(spare, new_letter):
    daemon = spare(*QUICK)
    daemon.start()
    suspect, other = new_letter(), new_letter()
    with silent_server(daemon.host.address):
        sends(daemon, suspect)
        for crash in range(1, 6):
            until(lambda: states(daemon) == ["leased"], f"the delivery before crash {crash}")
            daemon.kill()
            daemon.start()
        held = until(lambda: [row for row in daemon.queue() if row["state"] == "held"], "the mail in quarantine")
        assert "its delivery was under way in 5 crashes" in str(held)
    log = daemon.log()
    for crashes in range(2, 6):
        assert f"crashes={crashes}" in log
    assert "event=quarantined" in log
    sink = Sink(daemon.host)
    try:
        sends(daemon, other)
        until(lambda: len(sink.mails()) == 2, "the other mail, and the notice to the postmaster")
        assert any(b"under way in 5 crashes" in mail for mail in sink.mails())
        assert states(daemon) == ["held"]
        # Who has looked lets it go.
        assert daemon.run("queue", "release", "--all").returncode == 0
        until(lambda: not daemon.queue(), "an empty queue")
    finally:
        sink.stop()


def test_a_stop_is_no_crash(spare, letter):
    daemon = spare(*QUICK)
    daemon.start()
    with silent_server(daemon.host.address):
        sends(daemon, letter)
        # One crash would do.
        for _ in range(2):
            until(lambda: states(daemon) == ["leased"], "its delivery")
            daemon.stop()
            daemon.start()
        until(lambda: states(daemon) == ["leased"], "its delivery")
    assert "event=suspected" not in daemon.log()
