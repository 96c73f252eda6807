"""Large mails go in pieces: they cross whatever their size, cost little memory, and go on where a cut left them."""

import base64
import os
import re

import pytest

from conftest import LOGS
from people import all_settled
from twodomains import smtp
from twodomains.waiting import until

MEGABYTE = 1 << 20
# Of each daemon, beside what it is anyway: some pieces of the message, and the servers' own buffers.
BOUND = 24 * MEGABYTE


def noise(megabytes):
    """Lines that nothing can compress by much."""
    text = base64.b64encode(os.urandom(megabytes * MEGABYTE // 4 * 3)).decode()
    return "\n".join(text[i:i + 76] for i in range(0, len(text), 76)) + "\n"


def sends_large(person, letter, recipient):
    """By the port that Postfix uses: what Postfix does with a large mail is not the question here."""
    with smtp.Session(person.site.address, 2424, greeting="LHLO", timeout=120) as session:
        assert session.send(person.address, [recipient.address], letter.content).startswith("250")


def figure(text):
    with open(LOGS.parent / "figures.txt", "a") as file:
        file.write(text + "\n")


@pytest.mark.parametrize("behind", ["prosody", "ejabberd"])
def test_a_hundred_megabytes_cross_in_little_memory(a, b, d, alice, bob, dora, new_letter, behind):
    recipient, site = (bob, b) if behind == "prosody" else (dora, d)
    letter = new_letter(body=noise(100))
    before = [each.packetboat.memory() for each in (a, site)]
    for each in (a, site):
        each.packetboat.forget_peak_memory()
    sends_large(alice, letter, recipient)
    mail = recipient.receives(letter, seconds=180)
    assert mail.transport() == "xmpp"
    mail.path.unlink()
    peaks = [each.packetboat.peak_memory() for each in (a, site)]
    figure(f"100 MB to {behind}: peak memory of the sender {peaks[0] / MEGABYTE:.0f} MB, of the receiver "
           f"{peaks[1] / MEGABYTE:.0f} MB; before {before[0] / MEGABYTE:.0f} and {before[1] / MEGABYTE:.0f} MB")
    for peak, was in zip(peaks, before):
        assert peak - was < BOUND
    all_settled(a, site)


@pytest.mark.parametrize("who", ["receiver", "sender", "server"])
def test_a_cut_at_nine_tenths_costs_the_last_window_and_not_the_message(a, b, alice, bob, new_letter, down, who):
    letter = new_letter(body=noise(40))
    size = len(smtp.wire_form(letter.content))
    start = {site.domain: len(site.packetboat.log()) for site in (a, b)}
    sends_large(alice, letter, bob)
    until(lambda: b.packetboat.spooled() > size * 9 // 10, "nine tenths of it")
    up = down({"receiver": b.packetboat, "sender": a.packetboat, "server": b.xmpp}[who], how="kill")
    had = b.packetboat.spooled()
    up()
    mail = bob.receives(letter, seconds=90)
    assert mail.transport() == "xmpp"
    mail.path.unlink()
    all_settled(a, b)
    opened = re.findall(r"event=transfer-opened .*offset=(\d+)", b.packetboat.log()[start["b.test"]:])
    assert len(opened) >= 2 and int(opened[0]) == 0
    # What is on the disk is not sent again; what was being written is.
    assert had - int(opened[1]) < 2 * MEGABYTE
    sent = [int(count) for count in re.findall(r"event=pieces-sent .*sent=(\d+)",
                                               a.packetboat.log()[start["a.test"]:])]
    # A sender that was killed has not told what it sent; what then still arrived was not lost.
    again = sum(sent) - size if who != "sender" else max(0, had - int(opened[1]))
    figure(f"{size} bytes, {who} killed at {100 * had / size:.0f}%: {again} bytes sent again")
    assert 0 <= again < 4 * MEGABYTE
    assert bob.has(letter) == 0  # and not a second time
