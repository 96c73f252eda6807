"""What strangers write where people and mail servers read it: control characters, and DSN parameters that are none."""

import json
import unicodedata

import pytest

from people import all_settled
from twodomains import smtp
from twodomains.waiting import until

RED, BIDI = "\u009b31m", "\u202e"  # CSI as one character, and what turns the text behind it round
BAD_ENVIDS = ["a+C3+A4b", "ä", "+C2+9B", "x" * 101]
BAD_ORCPTS = [r"utf-8;\x{110000}@b.test", r"utf-8;\x{D800}@b.test", r"utf-8;\x{41}@b.test", "utf-8;j+C3+B6rg@b.test",
              "utf-8;" + "ö" * 100 + "@b.test", "utf-8;j\u009brg@b.test"]


def controls_in(text):
    """What a terminal could obey; lines end as they do."""
    return {character for character in text if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}


def intake(site):
    return smtp.Session(site.address, 2424, greeting="LHLO")


def test_no_control_character_reaches_log_or_terminal(a, b, alice, down):
    up = down(b.packetboat)
    content = (f"From: {RED}RED{BIDI} <alice@a.test>\nMessage-ID: <c1{RED}7mREV@a.test>\nSubject: c1\n\nhi\n").encode()
    with intake(a) as session:
        with pytest.raises(smtp.Refused, match="^500"):
            session.command(f"FOO{RED}BAR")
        with pytest.raises(smtp.Refused, match="^501"):
            session.command(f"LHLO x{BIDI}")
        session.send(f"al{BIDI}ice@a.test", ["bob@b.test"], content)
    [row] = until(a.packetboat.queue, "the mail in the queue")
    shown = [a.packetboat.run(*words).stdout
             for words in (("queue", "list"), ("queue", "show", row["id"]), ("trace", row["id"]),
                           ("queue", "list", "--json"), ("queue", "show", row["id"], "--json"),
                           ("trace", row["id"], "--json"))]
    assert all(shown)
    assert [controls_in(text) for text in shown] == [set()] * len(shown)
    # JSON hides nothing from a program: it escapes.
    assert json.loads(shown[3])[0]["from"] == f"al{BIDI}ice@a.test"
    assert "al?ice@a.test" in shown[0]
    assert controls_in(a.packetboat.log()) == set()
    a.packetboat.run("queue", "cancel", row["id"])
    up()


@pytest.mark.parametrize("envid", BAD_ENVIDS)
def test_an_envid_that_no_server_takes_is_refused_at_the_door(a, envid):
    with intake(a) as session:
        with pytest.raises(smtp.Refused, match="^501 5.5.4"):
            session.command(f"MAIL FROM:<alice@a.test> SMTPUTF8 ENVID={envid}")


@pytest.mark.parametrize("orcpt", BAD_ORCPTS)
def test_an_orcpt_that_no_server_takes_is_refused_at_the_door(a, orcpt):
    with intake(a) as session:
        session.command("MAIL FROM:<alice@a.test> SMTPUTF8")
        with pytest.raises(smtp.Refused, match="^501 5.5.4"):
            session.command(f"RCPT TO:<bob@b.test> ORCPT={orcpt}")


def test_one_that_they_take_goes_all_the_way(a, b, alice, bob, letter):
    alice.sends(letter, bob, options=["ENVID=QQ+2B+20x"],
                recipient_options=["NOTIFY=SUCCESS", r"ORCPT=utf-8;b\x{F6}\x{2B}b@b.test"])
    bob.receives(letter)
    report = alice.receives_report_on(letter)
    [fields] = report.recipients.values()
    assert fields["Action"] in ("delivered", "relayed")
    assert fields["Original-Recipient"].replace(" ", "") == "utf-8;bö+b@b.test"  # as the last Postfix reads it
    assert "Original-Envelope-Id: QQ+ x" in report.mail.content.decode()
    all_settled(a, b)
