"""The reconciler finds what it is there for: a green chaos run means something only if a bad one is red."""

import pathlib
import sys
from dataclasses import replace

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from reconcile import DIGEST, Answer, Arrived, Sent, digest, read, reconcile  # noqa: E402  (the path comes first)

A, B = "alice@a.test", "bob@b.test"
ONE, TWO, THREE, FOUR = (f"<chaos.{number}@a.test>" for number in (1, 2, 3, 4))
SENT = [Sent(ONE, A, B, Answer.TAKEN, wants_success=True), Sent(TWO, A, "nobody@b.test", Answer.TAKEN),
        Sent(THREE, A, B, Answer.UNHEARD), Sent(FOUR, A, B, Answer.REFUSED)]
MAIL = Arrived(B, ONE, "t1")
FAILURE = Arrived(A, TWO, "", report="<r1@a.test>", failed=("nobody@b.test",))
SUCCESS = Arrived(A, ONE, "s1", report="<r2@b.test>", succeeded=(B,))
ARRIVED = [MAIL, FAILURE, SUCCESS]


def without(gone):
    return [each for each in ARRIVED if each is not gone]


def wrongs(arrived):
    result = reconcile(SENT, arrived)
    assert (result.lost, result.doubled) == ([], [])
    return result.wrong


def test_a_run_in_which_all_is_well():
    result = reconcile(SENT, ARRIVED)
    assert result.is_good() and result.again_at_last_hop == 0


def test_an_acknowledged_mail_that_is_nowhere_is_lost():
    result = reconcile(SENT, without(MAIL))
    assert result.lost == [(ONE, B)] and not result.is_good()


def test_a_failure_that_its_sender_was_not_told_of_is_lost():
    assert reconcile(SENT, without(FAILURE)).lost == [(TWO, "nobody@b.test")]
    elsewhere = replace(FAILURE, mailbox=B)
    assert reconcile(SENT, [*without(FAILURE), elsewhere]).lost == [(TWO, "nobody@b.test")]


def test_a_mail_of_which_a_part_is_missing_is_lost():
    result = reconcile(SENT, [*without(MAIL), replace(MAIL, whole=False)])
    assert result.lost == [(ONE, B)]
    assert ((ONE, B), "its body is not what was sent") in result.wrong


def test_a_mail_that_came_by_two_transfers_is_doubled_and_by_one_it_is_not():
    result = reconcile(SENT, [*ARRIVED, replace(MAIL, transfer="t2")])
    assert result.doubled == [(ONE, B)] and not result.is_good()
    result = reconcile(SENT, [*ARRIVED, MAIL])
    assert result.is_good() and result.again_at_last_hop == 1


def test_what_a_receiver_took_twice_is_doubled_whatever_is_in_the_mailbox():
    assert reconcile(SENT, ARRIVED, [(ONE, B)]).doubled == [(ONE, B)]


def test_a_mail_whose_reply_got_lost_may_come_or_not():
    assert reconcile(SENT, [*ARRIVED, Arrived(B, THREE, "t3")]).is_good()


@pytest.mark.parametrize("more, place, what", [
    (Arrived(B, "<chaos.9@a.test>", "t9"), ("<chaos.9@a.test>", B), "in a mailbox, but nobody sent it there"),
    (replace(MAIL, mailbox="berta@b.test"), (ONE, "berta@b.test"), "in a mailbox, but nobody sent it there"),
    (Arrived(B, FOUR, "t4"), (FOUR, B), "it was refused, and came"),
    (replace(FAILURE, id=FOUR, failed=(B,)), (FOUR, B), "it was refused, and reported, too"),
    (replace(FAILURE, id=ONE, failed=(B,)), (ONE, B), "it is in the mailbox, and reported to have failed"),
    (replace(FAILURE, report="<r9@a.test>"), (TWO, "nobody@b.test"), "two reports say that it failed"),
])
def test_what_should_not_be_there_is_wrong(more, place, what):
    assert wrongs([*ARRIVED, more]) == [(place, what)]


def test_what_postfix_was_given_twice_it_may_return_twice():
    first, second = (replace(FAILURE, report=report, by_postfix=True) for report in ("<p1@a.test>", "<p2@a.test>"))
    result = reconcile(SENT, [*without(FAILURE), first, second])
    assert result.is_good() and result.again_at_last_hop == 1
    assert wrongs([*ARRIVED, first]) == [((TWO, "nobody@b.test"), "two reports say that it failed")]


def test_a_success_that_was_asked_for_is_told():
    assert wrongs(without(SUCCESS)) == [((ONE, B), "it is in the mailbox, and the success was not reported")]


def test_mails_are_read_as_they_lie_in_mailboxes():
    mail = (b"Received: from mail.a.test by mail.b.test via XMPP\n with MAILXFER id 0197abc; now\n"
            b"Message-ID: <chaos.1@a.test>\n" + f"{DIGEST}: {digest(b'x' + bytes([13, 10]))}".encode() + b"\n\nx\n")
    assert read(B, mail) == Arrived(B, ONE, "0197abc")
    assert read(B, mail[:-2] + b"y\n") == Arrived(B, ONE, "0197abc", whole=False)
    assert read(B, mail[:-2]) == Arrived(B, ONE, "0197abc", whole=False)
    assert read(A, b"Subject: other\r\n\r\n") is None


def test_reports_are_read_as_they_lie_in_mailboxes():
    report = (b"Message-ID: <r1@a.test>\r\nContent-Type: multipart/report;\r\n report-type=delivery-status\r\n\r\n"
              b"x\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; nobody@b.test\r\nAction: failed\r\n\r\n"
              b"Message-ID: <chaos.2@a.test>\r\n")
    assert read(A, report) == FAILURE
    of_postfix = report.replace(b"dns; x\r\n", b"dns; x\r\nX-Postfix-Queue-ID: 4F1C2\r\n")
    assert read(A, of_postfix) == replace(FAILURE, by_postfix=True)
    relayed = read(A, report.replace(b"failed", b"relayed"))
    assert (relayed.failed, relayed.succeeded) == ((), ("nobody@b.test",))
    delayed = read(A, report.replace(b"failed", b"delayed"))
    assert (delayed.failed, delayed.succeeded) == ((), ())
