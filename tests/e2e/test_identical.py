"""The judge of the demo: identical.py finds the differences that matter, and no others."""

import pytest

from identical import difference

SENT = b"Subject: x\n\nbody\n"


@pytest.mark.parametrize("arrived", [
    SENT,
    b"Received: from a\n\tby b\n" + SENT,
    b"Return-Path: <>\r\nReceived: x\r\n" + SENT.replace(b"\n", b"\r\n"),
], ids=["as it was", "with trace fields", "with CRLF"])
def test_it_accepts(arrived):
    assert difference(SENT, arrived) is None
    assert difference(SENT.replace(b"\n", b"\r\n"), arrived) is None


@pytest.mark.parametrize("arrived", [
    SENT + b"\n",
    SENT[:-1],
    SENT.replace(b"body", b"bodY"),
    SENT.replace(b"\n\n", b"\nDate: now\n\n"),
    SENT.replace(b"body", b"body "),
    b"Received: x\n\n" + SENT,
    b"Xreceived" + SENT,
    b"",
], ids=["a line more", "no last line end", "another letter", "a field inside", "a blank", "an empty line in front",
        "text in front of the first line", "nothing"])
def test_it_rejects(arrived):
    assert difference(SENT, arrived) is not None


def test_a_bare_carriage_return_is_no_line_end():
    assert difference(b"a\rb\n", b"a\nb\n") is not None
