"""What a sender hears later of mail that the other side had accepted, read by two parsers that others wrote."""

import email
import email.policy

import pytest
from flufl.bounce import scan_message

from people import all_settled
from twodomains import smtp
from twodomains.waiting import until

NO = "Not today, in the words of b.test"


@pytest.fixture
def choosy(b):
    """b.test's Postfix takes every recipient, and refuses some mails once it has seen them."""
    b.host.write("/etc/postfix/choosy", f"/^X-Unwanted:/ REJECT {NO}\n")
    set_postfix(b, own_header_checks="regexp:/etc/postfix/choosy")
    yield
    set_postfix(b, own_header_checks="")


@pytest.fixture
def without_dsn(b, down):
    """b.test's Postfix does not know delivery status notifications."""
    up = down(b.packetboat)
    set_postfix(b, smtpd_discard_ehlo_keywords="dsn")
    up()  # with no connection from before
    yield
    up = down(b.packetboat)
    set_postfix(b, smtpd_discard_ehlo_keywords="")
    up()


def set_postfix(site, **settings):
    for name, value in settings.items():
        site.host.command("postconf", "-e", f"{name}={value}", check=True)
    site.postfix.reload()


def parsed(report):
    """The fields of the report's recipients as Python's own parser reads them, and the message's part."""
    message = email.message_from_bytes(report.mail.content, policy=email.policy.default)
    assert message.get_content_type() == "multipart/report"
    assert message["Auto-Submitted"] == "auto-replied"
    people, status, original = message.iter_parts()
    assert people.get_content_type() == "text/plain"
    blocks = status.get_payload()
    return blocks[1:], people.get_content(), original


# RFC 3464 2.
def test_a_mail_that_fails_after_it_was_accepted_comes_back_to_its_sender(a, b, alice, bob, new_letter, choosy):
    letter = new_letter(more_header="X-Unwanted: yes\n")
    alice.sends(letter, bob, options=["ENVID=QQ1", "RET=FULL"], recipient_options=["ORCPT=rfc822;robert@b.test"])
    report = alice.receives_report_on(letter)
    failed, = parsed(report)[0]
    assert failed["Action"] == "failed"
    assert failed["Status"] == "5.7.1"
    assert failed["Final-Recipient"] == "rfc822; bob@b.test"
    assert failed["Original-Recipient"] == "rfc822;robert@b.test"
    assert failed["Remote-MTA"] == "dns; mx.b.test"
    assert NO in failed["Diagnostic-Code"]
    assert "Original-Envelope-Id: QQ1" in report.mail.content.decode()
    _, words, original = parsed(report)
    assert NO in " ".join(words.split())
    # The content is at b.test, or gone: what a.test has kept is the header.
    assert original.get_content_type() == "text/rfc822-headers"
    assert letter.id in str(original.get_payload())
    # And as mailing list software reads it.
    assert scan_message(email.message_from_bytes(report.mail.content)) == {b"robert@b.test"}
    # It was made here: no mail has crossed to tell it.
    assert report.mail.transport() == "smtp"
    all_settled(a, b)
    assert bob.has(letter) == 0
    assert alice.has(letter) == 1


def test_each_side_can_tell_where_that_mail_is_and_why(a, b, alice, bob, new_letter, choosy):
    letter = new_letter(more_header="X-Unwanted: yes\n")
    alice.sends(letter, bob)
    alice.receives_report_on(letter)
    all_settled(a, b)
    at_origin = a.packetboat.run("trace", letter.id).stdout
    assert "peer-failed <bob@b.test> 550 5.7.1" in " ".join(at_origin.split())
    assert "reported" in at_origin
    at_receiver = b.packetboat.run("trace", letter.id).stdout
    assert "by report:mail.a.test" in at_receiver


def test_a_failure_that_nobody_wants_to_hear_of_is_told_to_nobody(a, b, alice, bob, new_letter, choosy):
    letters = [new_letter(more_header="X-Unwanted: yes\n") for _ in range(2)]
    alice.sends(letters[0], bob, recipient_options=["NOTIFY=NEVER"])
    alice.sends(letters[1], bob, sender="")
    until(lambda: all("failed" in b.packetboat.run("trace", letter.id).stdout or
                      "bounced" in b.packetboat.run("trace", letter.id).stdout for letter in letters), "both to fail")
    all_settled(a, b)
    assert [alice.has(letter) for letter in letters] == [0, 0]


# RFC 3461 5.2.2.
def test_success_is_told_where_the_last_system_cannot(a, b, alice, bob, letter, without_dsn):
    alice.sends(letter, bob, recipient_options=["NOTIFY=SUCCESS,FAILURE"])
    bob.receives(letter)
    report = alice.receives_report_on(letter)
    told, = parsed(report)[0]
    assert told["Action"] == "relayed"
    assert told["Status"].startswith("2.")
    assert told["Remote-MTA"] == "dns; mx.b.test"
    all_settled(a, b)


# RFC 3461 5.2.5.
def test_a_sender_is_told_of_a_delay_once(patient, b, bob, alice, letter, down):
    """The daemon looks for what is late at its start, and then every minute."""
    daemon = patient(("delay-warning = 4h", "delay-warning = 1s"))
    until(lambda: "takes mail over XMPP" in daemon.run("check", "b.test").stdout, "the peer to be known")
    up = down(b.packetboat)
    with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
        session.send("s@mail.spare.test", [bob.address], letter.content)
    until(lambda: [row for row in daemon.queue() if row["state"] == "deferred"], "the mail to wait")
    oldest = daemon.queue()[0]
    for _ in range(2):
        until(lambda: daemon.run("queue", "list", "--older", "1s", "--json").stdout.strip() != "[]", "it to be late")
        daemon.restart()
        until(lambda: "event=delayed" in daemon.log(), "the warning", 30)
    # The warning waits for its own mail server, which there is none of.
    reports = [row for row in daemon.queue() if row["to"] == "s@mail.spare.test"]
    assert len(reports) == 1
    assert "reported" in daemon.run("trace", oldest["id"]).stdout
    up()
    bob.receives(letter)


def test_a_read_receipt_passes_as_any_mail(a, b, alice, bob):
    """RFC 8098: to the network a disposition notification is a mail with a null sender."""
    content = ("From: Bob <bob@b.test>\nTo: alice@a.test\nSubject: Read: hello\nMessage-ID: <mdn.1@b.test>\n"
               "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n"
               "--b\n\nIt was read.\n--b\nContent-Type: message/disposition-notification\n\n"
               "Final-Recipient: rfc822;bob@b.test\nOriginal-Message-ID: <1@a.test>\n"
               "Disposition: manual-action/MDN-sent-manually; displayed\n\n--b--\n").encode()
    smtp.send(b.address, "", [alice.address], content)
    mail = alice.mailbox.wait_for("<mdn.1@b.test>")
    assert mail.transport() == "xmpp"
    assert mail.content.replace(b"\r\n", b"\n").endswith(content)
    notification = email.message_from_bytes(mail.content).get_payload(1)
    assert notification.get_content_type() == "message/disposition-notification"
    all_settled(a, b)
