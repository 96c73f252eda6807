"""Alice writes to Bob, and the mail crosses two real domains."""

import pathlib
import random

import dkim
import pytest

from people import Person, all_settled
from twodomains import smtp

SAMPLES = pathlib.Path(smtp.__file__).resolve().parents[1] / "samples"


def test_a_mail_arrives_over_xmpp_with_every_byte(alice, bob, letter):
    alice.sends(letter, bob)
    arrived = bob.receives(letter)
    assert arrived.transport() == "xmpp"
    assert arrived.field("Return-Path") == "<alice@a.test>"


def test_an_answer_comes_back_the_same_way(alice, bob, letter):
    bob.sends(letter, alice)
    assert alice.receives(letter).transport() == "xmpp"


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.glob("*.eml") if "utf8" not in path.name))
def test_each_sample_of_the_demo_arrives_identical(alice, bob, letter, sample):
    letter.content = (SAMPLES / sample).read_bytes().replace(
        b"Message-ID: <", b"Message-ID: " + letter.id.encode() + b"\nX-Old-ID: <")
    alice.sends(letter, bob)
    assert bob.receives(letter).transport() == "xmpp"


# RFC 5321 4.5.2.
def test_lines_that_mail_software_likes_to_change_arrive_unchanged(alice, bob, new_letter):
    letter = new_letter(body="From here\n.\n..\n \n\t\n" + "x" * 990 + "\nend with blanks   \n\n\n",
                        more_header="Bcc: old@a.test\nReturn-Path: <old@a.test>\nX-Long: " + "y" * 980 + "\n")
    alice.sends(letter, bob)
    assert bob.receives(letter).transport() == "xmpp"


def test_internationalised_addresses_cross(a, b, new_letter):
    juergen = Person(a, "jürgen@a.test", mailbox="juergen@a.test")
    joerg = Person(b, "jörg@b.test", mailbox="joerg@b.test")
    letter = new_letter(body="Schöne Grüße!\n", more_header="Comments: Привет из порта\n")
    juergen.sends(letter, joerg)
    arrived = joerg.receives(letter)
    assert arrived.transport() == "xmpp"
    assert arrived.field("Return-Path") == "<jürgen@a.test>"


# RFC 5321 4.5.5.
def test_a_mail_from_the_null_sender_crosses(alice, bob, letter):
    alice.sends(letter, bob, sender="")
    arrived = bob.receives(letter)
    assert arrived.transport() == "xmpp"
    assert arrived.field("Return-Path") == "<>"


def test_a_dkim_signature_is_valid_after_the_crossing(world, alice, bob, letter):
    content = smtp.wire_form(letter.content)
    key = (world.scratch / "dkim.pem").read_bytes()
    # "simple": not one byte of header or body may differ.
    signature = dkim.sign(content, b"key", b"a.test", key, canonicalize=(b"simple", b"simple"),
                          include_headers=[b"from", b"to", b"subject", b"message-id"])
    letter.content = signature + content
    alice.sends(letter, bob)
    arrived = bob.receives(letter)
    assert arrived.transport() == "xmpp"
    assert dkim.verify(arrived.content.replace(b"\n", b"\r\n"))


def test_the_receiver_says_who_sent_it_and_drops_forged_claims_of_that(alice, bob, letter):
    forged = b"Authentication-Results: packetboat.b.test; dkim=pass header.d=bank.test\n"
    others = b"Authentication-Results: mx.elsewhere.test; spf=pass\n"
    sent = letter.content
    letter.content = others + forged + sent
    alice.sends(letter, bob)
    arrived = bob.mailbox.wait_for(letter.id)
    # The one exception to "bytes do not change": what claims to be the receiver's own finding goes.
    assert b"bank.test" not in arrived.content
    assert arrived.content.replace(b"\r\n", b"\n").endswith(others + sent)
    own = [value for value in arrived.fields("Authentication-Results") if value.startswith("packetboat.b.test")]
    assert len(own) == 1 and "a.test" in own[0]


# RFC 5321 4.4.
def test_the_trace_names_both_components_and_the_transfer(alice, bob, letter):
    alice.sends(letter, bob)
    hop = bob.receives(letter).xmpp_hop()
    assert hop.startswith("from mail.a.test")
    assert "by mail.b.test" in hop


def test_a_mail_too_large_for_a_stanza_arrives_in_pieces(alice, bob, new_letter):
    letters = random.Random(1)
    body = "\n".join("".join(letters.choices("abcdefghijklmnopqrstuvwxyz0123456789+/", k=76)) for _ in range(16000))
    letter = new_letter(body=body + "\n")
    alice.sends(letter, bob)
    assert bob.receives(letter).transport() == "xmpp"


def test_a_hundred_mails_at_once_arrive_once_each(a, b, alice, bob, new_letter):
    letters = [new_letter() for _ in range(100)]
    with smtp.Session(a.address) as session:
        for letter in letters:
            session.send(alice.address, [bob.address], letter.content)
    for letter in letters:
        assert bob.receives(letter).transport() == "xmpp"
    all_settled(a, b)
    assert all(bob.has(letter) == 1 for letter in letters)
