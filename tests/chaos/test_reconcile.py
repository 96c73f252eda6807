"""The reconciler finds what it is there for: a green chaos run means something only if a bad one is red."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from reconcile import Arrived, Sent, read, reconcile  # noqa: E402  (the path comes first)

A, B = "alice@a.test", "bob@b.test"
SENT = [Sent("<chaos.1@a.test>", A, B, True), Sent("<chaos.2@a.test>", A, "nobody@b.test", True),
        Sent("<chaos.3@a.test>", A, B, False)]
ARRIVED = [Arrived(B, "<chaos.1@a.test>", "t1"), Arrived(A, "<chaos.2@a.test>", "", ("nobody@b.test",))]


def test_a_run_in_which_all_is_well():
    result = reconcile(SENT, ARRIVED)
    assert (result.lost, result.doubled, result.again_at_last_hop, result.unexpected) == ([], [], 0, [])


def test_an_acknowledged_mail_that_is_nowhere_is_lost():
    assert reconcile(SENT, ARRIVED[1:]).lost == [("<chaos.1@a.test>", B)]


def test_a_failure_that_nobody_was_told_of_is_lost():
    assert reconcile(SENT, ARRIVED[:1]).lost == [("<chaos.2@a.test>", "nobody@b.test")]
    elsewhere = Arrived(B, "<chaos.2@a.test>", "", ("nobody@b.test",))
    assert reconcile(SENT, [ARRIVED[0], elsewhere]).lost == [("<chaos.2@a.test>", "nobody@b.test")]


def test_a_mail_that_came_by_two_transfers_is_doubled_and_by_one_it_is_not():
    assert reconcile(SENT, [*ARRIVED, Arrived(B, "<chaos.1@a.test>", "t2")]).doubled == [("<chaos.1@a.test>", B)]
    result = reconcile(SENT, [*ARRIVED, Arrived(B, "<chaos.1@a.test>", "t1")])
    assert (result.doubled, result.again_at_last_hop) == ([], 1)


def test_what_a_receiver_took_twice_is_doubled_whatever_is_in_the_mailbox():
    assert reconcile(SENT, ARRIVED, [("<chaos.1@a.test>", B)]).doubled == [("<chaos.1@a.test>", B)]


def test_a_mail_without_an_acknowledgement_may_arrive_or_not_and_one_that_nobody_sent_may_not():
    assert not reconcile(SENT, [*ARRIVED, Arrived(B, "<chaos.3@a.test>", "t3")]).lost
    assert reconcile(SENT, [*ARRIVED, Arrived(B, "<chaos.9@a.test>", "t9")]).unexpected == [("<chaos.9@a.test>", B)]


def test_mails_are_read_as_they_lie_in_mailboxes():
    mail = (b"Received: from mail.a.test by mail.b.test via XMPP\r\n with MAILXFER id 0197abc; now\r\n"
            b"Message-ID: <chaos.1@a.test>\r\n\r\nx\r\n")
    assert read(B, mail) == Arrived(B, "<chaos.1@a.test>", "0197abc")
    report = (b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\nx\r\n\r\n"
              b"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; nobody@b.test\r\nAction: failed\r\n\r\n"
              b"Message-ID: <chaos.2@a.test>\r\n")
    assert read(A, report) == Arrived(A, "<chaos.2@a.test>", "", ("nobody@b.test",))
    assert read(A, report.replace(b"failed", b"relayed")) is None
    assert read(A, b"Subject: other\r\n\r\n") is None
