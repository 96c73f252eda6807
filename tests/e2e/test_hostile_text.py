"""What strangers write where people and mail servers read it: control characters."""

import json
import unicodedata

import pytest

from twodomains import smtp
from twodomains.waiting import until

RED, BIDI = "\u009b31m", "\u202e"  # CSI as one character, and what turns the text behind it round


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
