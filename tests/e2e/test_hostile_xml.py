"""XML that is none, or too much of it: from a component through the servers, and on our own link."""

import contextlib
import itertools

import pytest

from component import PING, TRANSFER, Component, error_of, iq
from fake_server import OPENED, FakeServer
from people import all_settled
from twodomains.waiting import until

DEPTH = 10_000
HUGE = "x" * 10_000_000
DOCTYPE = "<!DOCTYPE html>"
LAUGHS = "<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>"
PASSES, NOT_XML, CLOSED = "passes", "not-well-formed", None


def message(content, attributes=""):
    """`HEAD` is where from and to belong."""
    head, tail = f"<message HEAD{attributes}>".encode(), b"</message>"
    return head + (content if isinstance(content, bytes) else content.encode()) + tail


# What a component's own server makes of it: it closes the stream with this, or goes on.
POISON = {
    # name: (bytes, Prosody, ejabberd)
    "doctype": (DOCTYPE.encode(), NOT_XML, NOT_XML),
    "entities": (LAUGHS.encode() + message("&c;"), NOT_XML, NOT_XML),
    "undeclared entity": (message("<body>&lol;</body>"), NOT_XML, NOT_XML),
    "processing instruction": (b"<?php x?>", NOT_XML, PASSES),
    "comment": (b"<!-- x -->", NOT_XML, PASSES),
    "invalid UTF-8": (message(b"<body>\xff\xfe</body>"), NOT_XML, NOT_XML),
    "overlong UTF-8": (message(b"<body>\xc0\xaf</body>"), NOT_XML, NOT_XML),
    "surrogate": (message(b"<body>\xed\xa0\x80</body>"), NOT_XML, NOT_XML),
    "control character": (message("<body>\x01</body>"), NOT_XML, NOT_XML),
    "reference to NUL": (message("<body>&#0;</body>"), NOT_XML, NOT_XML),
    "wrong end": (b"<message HEAD></presence>", NOT_XML, NOT_XML),
    "twice the same attribute": (message("", " id='1' id='2'"), NOT_XML, NOT_XML),
    "undeclared prefix": (message("<a:b/>"), NOT_XML, NOT_XML),
    "10 MB attribute": (message("", f" id='{HUGE}'"), CLOSED, CLOSED),
    "10 MB text": (message(f"<body>{HUGE}</body>"), CLOSED, CLOSED),
    "a thousand levels": (message("<a>" * 1000 + "</a>" * 1000), PASSES, PASSES),
    "text between stanzas": (b"hello", PASSES, PASSES),
    "no stanza": (b"<nonsense HEAD/>", PASSES, PASSES),
    "another's name": (b"<message from='mail.a.test' to='TO'/>", "invalid-from", "invalid-from"),
    "nobody's name": (b"<message to='TO'/>", PASSES, "improper-addressing"),
}


@pytest.mark.parametrize("name", POISON)
def test_a_component_s_poison_stops_at_the_servers_or_harms_nobody(front, alice, letter, name):
    poison, at_prosody, at_ejabberd = POISON[name]
    expected = at_ejabberd if front.attackers.domain == "d.test" else at_prosody
    with front.foe() as foe, front.link_stays():
        poison = poison.replace(b"HEAD", b"from='FROM' to='TO'").replace(b"FROM", foe.name.encode())
        with contextlib.suppress(ConnectionError):  # it need not read all
            foe.sends(poison.replace(b"TO", front.component.encode()))
            foe.sends(iq("get", "after", foe.name, front.component, PING))
        if expected == PASSES:
            assert foe.answers_to(["after"])[0].get("type") == "result"
        elif expected == CLOSED:
            foe.last_words()
        else:
            assert foe.last_words() == expected
        alice.sends(letter, front.person)
        front.person.receives(letter)


# Within the servers' limits, and as they write it beyond what we read: `"` becomes `&quot;`, and a prefix its namespace.
NOBODY = "<a xmlns='urn:nobody:knows'"
QUOTES = '"' * 480_000
EXPANDS = {
    "text": f"{NOBODY}>{QUOTES}</a>",
    "an attribute": f"{NOBODY} b='{QUOTES}'/>",
    "many attributes": NOBODY + ">" + ("<b c='" + '"' * 80 + "'/>") * 5000 + "</a>",
    "text of transfers": f"<transfers xmlns='{TRANSFER}'>{QUOTES}</transfers>",
}


@pytest.mark.parametrize("payload", EXPANDS.values(), ids=EXPANDS.keys())
def test_what_the_servers_expand_beyond_our_bounds_is_refused_and_the_link_stays(front, alice, letter, payload):
    with front.neighbour() as neighbour, front.link_stays():
        neighbour.sends(message(f"<body>{QUOTES}</body>", f" from='{neighbour.name}' to='{front.component}'")
                        .replace(b"HEAD", b""))
        for kind in ("get", "set"):
            assert error_of(neighbour.asks(front.component, payload, kind)) == ("policy-violation", None)
        assert neighbour.asks(front.component, PING).get("type") == "result"
        alice.sends(letter, front.person)
        front.person.receives(letter)
    assert front.log("event=stanza-dropped", "a stanza is too large")


def test_a_prefix_that_stands_for_a_long_namespace_costs_nobody_the_link(front, alice, letter):
    """Prosody writes the namespace anew for each element and attribute: here 6 MB, and a tag of 15 MB."""
    name = "urn:" + "n" * 1000
    wide = " ".join(f"p:b{number}=''" for number in range(15_000))
    with front.neighbour() as neighbour, front.link_stays():
        for payload in ("<p:b/>" * 6000, f"<b {wide}/>"):
            answer = neighbour.asks(front.component, f"{NOBODY} xmlns:p='{name}'>{payload}</a>")
            assert error_of(answer)[0] in ("policy-violation", "service-unavailable")
        alice.sends(letter, front.person)
        front.person.receives(letter)


def test_ten_thousand_levels_reach_us_through_prosody_and_are_refused(b, alice, bob, letter):
    cuts = b.packetboat.log().count("event=link-down")
    with Component(b, "stranger.b.test") as neighbour:
        monster = "<a xmlns='urn:nobody:knows'>" + "<a>" * DEPTH + "</a>" * DEPTH + "</a>"
        assert error_of(neighbour.asks("mail.b.test", monster)) == ("policy-violation", None)
    alice.sends(letter, bob)
    bob.receives(letter)
    assert b.packetboat.log().count("event=link-down") == cuts
    assert "elements are nested too deeply" in b.packetboat.log()


def test_ten_thousand_levels_kill_ejabberd_and_lose_no_mail(a, b, d, alice, dora, letter, down):
    """Version 23.01, also when they come from a remote server. Should it survive one day, wait() is late here."""
    with Component(b, "evil.test") as evil:
        evil.sends(message("<a>" * DEPTH + "</a>" * DEPTH, " from='evil.test' to='mail.d.test'").replace(b"HEAD", b""))
        up = down(d.xmpp, how="wait")
    alice.sends(letter, dora)
    until(lambda: a.packetboat.queue(), "the mail in a.test's queue")
    assert d.packetboat.is_running()
    up()
    assert dora.receives(letter, seconds=60).transport() == "xmpp"
    all_settled(a, d)
    assert dora.has(letter) == 1


# ---- on our own link, as a server never should

SILENT_HEAD = "from='eve.test' to='mail.spare.test'"
ON_THE_LINK = {
    "doctype": (DOCTYPE, "not XML"),
    "entities": (LAUGHS, "not XML"),
    "undeclared entity": ("<message><body>&lol;</body></message>", "not XML"),
    "processing instruction": ("<?php x?>", "processing instruction"),
    "comment": ("<!-- x -->", "comment"),
    "invalid UTF-8": (b"<message><body>\xff\xfe</body></message>", "not XML"),
    "wrong end": ("<message></presence>", "not XML"),
    "an attribute without an end": (f"<message id='{7 * HUGE}", "too large"),
    "70 MB text": (f"<message><body>{7 * HUGE}</body></message>", "too large"),
    "half a million levels": ("<message>" + "<a>" * 500_000, "too deeply"),
    "text between stanzas": ("hello", "text between stanzas"),
    "end of the stream": ("</stream:stream>", "ended the stream"),
    "stream error": ("<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>", "reset"),
}
BEFORE_THE_LINK = {
    "another protocol": ("HTTP/1.1 400 Bad Request\r\n\r\n", "not XML"),
    "another XML": ("<html>", "no XMPP stream"),
    "doctype first": ("<?xml version='1.0'?>" + DOCTYPE, "document type"),
    "laughs first": (LAUGHS, "document type"),
    "huge header": ("<stream:stream id='" + HUGE, "too large"),
    "nonsense for a handshake": (OPENED.format("mail.spare.test") + "<message/>", "does not answer the handshake"),
}
_addresses = itertools.count(1)


@pytest.fixture
def linked(a, spare):
    """A daemon of its own, and the server that it takes for one."""
    address = f"127.0.10.{next(_addresses)}"
    daemon = spare((f"server = {a.address}:5347", f"server = {address}:5347"))
    with FakeServer(address, "mail.spare.test") as server:
        daemon.start()
        server.accepts()
        yield daemon, server


def closes_and_comes_back(daemon, server, why):
    """One line on why; a moment later it tries again, and all is well."""
    assert server.is_closed()
    [line] = until(lambda: [line for line in daemon.log().splitlines() if "event=link-down" in line], "a line on it")
    assert why in line
    server.accepts()
    server.opens()
    assert server.pings()
    assert daemon.log().count("event=link-down") == 1
    assert daemon.log().count("event=link-up") >= 1


@pytest.mark.parametrize("poison, why", ON_THE_LINK.values(), ids=ON_THE_LINK.keys())
def test_poison_on_the_link_ends_it_with_one_line_and_a_new_one_follows(linked, poison, why):
    daemon, server = linked
    server.opens()
    server.pings()
    with contextlib.suppress(ConnectionError):
        server.sends(poison)
    closes_and_comes_back(daemon, server, why)


@pytest.mark.parametrize("poison, why", BEFORE_THE_LINK.values(), ids=BEFORE_THE_LINK.keys())
def test_what_is_no_server_is_left_with_one_line_and_tried_again(linked, poison, why):
    daemon, server = linked
    with contextlib.suppress(ConnectionError):
        server.sends(poison)
    closes_and_comes_back(daemon, server, why)


def test_a_stanza_beyond_our_bounds_costs_its_sender_an_error_and_nobody_the_link(linked):
    daemon, server = linked
    server.opens()
    wide = "<a " + " ".join(f"a{n}='x'" for n in range(99)) + "/>"
    for monster in ("<a>" * DEPTH + "</a>" * DEPTH, "<a/>" * 30000, wide, f"<a>{HUGE}</a>",
                    f"<a b='{HUGE}'/>", "<a b='" + "&quot;" * 500_000 + "'/>", "<a>" + "&quot;" * 500_000 + "</a>",
                    f"<transfers xmlns='{TRANSFER}'>{HUGE}</transfers>"):
        server.sends(f"<iq type='get' id='m' {SILENT_HEAD}>{monster}</iq>")
        assert b"policy-violation" in server.receives(rb"</iq>")
    assert server.pings()
    assert "event=link-down" not in daemon.log()
