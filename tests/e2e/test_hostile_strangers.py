"""Strangers ask, write and flood: each is answered as XMPP says, the link lives, and good mail goes on."""

import itertools

import pytest

from component import INFO, ITEMS, PING, TRANSFER, error_of, iq

DEEP = "<a xmlns='urn:nobody:knows'>" + 99 * "<a>" + 100 * "</a>"
WIDE = "<a xmlns='urn:nobody:knows' " + " ".join(f"a{number}='x'" for number in range(200)) + "/>"
UNKNOWN = "<query xmlns='urn:nobody:knows'/>"
VERDICTS = f"<verdicts xmlns='{TRANSFER}'/>"
REFUSED = ("service-unavailable", None)
QUESTIONS = {
    "unknown get": ("get", UNKNOWN, REFUSED),
    "unknown set": ("set", UNKNOWN, REFUSED),
    "an exchange of ours that is not there yet": ("set", f"<verify xmlns='{TRANSFER}'/>", REFUSED),
    "a report on nobody": ("set", f"<report xmlns='{TRANSFER}' id='0123456789' domain='a.test' seq='1'/>", ("bad-request", "malformed")),
    "a monster in depth": ("get", DEEP, ("policy-violation", None)),
    "a monster in width": ("get", WIDE, ("policy-violation", None)),
    "transfers as a get": ("get", f"<transfers xmlns='{TRANSFER}'/>", ("bad-request", "malformed")),
    "verdicts as a request": ("set", VERDICTS, ("bad-request", "malformed")),
}


@pytest.fixture
def stranger(front):
    with front.sibling() as stranger, front.link_stays():
        yield stranger


# XEP-0030 3.1, XEP-0030 4.1, XEP-0092 2, XEP-0199 3.
def test_a_stranger_s_questions_are_answered(front, stranger):
    """ejabberd closes the stream of a component whose answer lacks a `from`."""
    for _ in range(2):
        ping = stranger.asks(front.component, PING)
        assert (ping.get("type"), ping.get("from")) == ("result", front.component)
        info = stranger.asks(front.component, f"<query xmlns='{INFO}'/>")
        assert TRANSFER in [feature.get("var") for feature in info.iter(f"{{{INFO}}}feature")]
        assert stranger.asks(front.component, f"<query xmlns='{ITEMS}'/>").get("type") == "result"
        version = stranger.asks(front.component, "<query xmlns='jabber:iq:version'/>")
        assert version.find("{jabber:iq:version}query/{jabber:iq:version}name").text == "Packetboat"


@pytest.mark.parametrize("kind, payload, error", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_what_is_not_understood_gets_an_error(front, stranger, kind, payload, error):
    assert error_of(stranger.asks(front.component, payload, kind=kind)) == error
    # A user of ours, who does not exist, takes no transfers either.
    answer = stranger.asks(f"user@{front.component}", payload, kind=kind)
    assert error_of(answer) == (REFUSED if error[1] else error)


# RFC 6120 8.3.1.
def test_errors_results_and_presences_are_never_answered(front, stranger):
    head = f"from='{stranger.name}' to='{front.component}'"
    for silent in (f"<iq type='error' id='silent' {head}><error type='cancel'/></iq>",
                   f"<iq type='result' id='silent' {head}/>",
                   f"<message type='error' id='silent' {head}/>", f"<message type='headline' id='silent' {head}/>",
                   f"<presence id='silent' {head}/>", f"<presence type='subscribe' id='silent' {head}/>"):
        stranger.sends(silent)
    stranger.sends(iq("get", "end", stranger.name, front.component, PING))
    while (stanza := stranger.next_stanza()).get("id") != "end":
        assert stanza.get("id") != "silent", stanza.attrib


# What floods, and whether each stanza has an answer.
FLOODS = {
    "ping": (lambda head, number: f"<iq type='get' id='{number}' {head}>{PING}</iq>", True),
    "disco": (lambda head, number: f"<iq type='get' id='{number}' {head}><query xmlns='{INFO}'/></iq>", True),
    "unknown": (lambda head, number: f"<iq type='set' id='{number}' {head}>{UNKNOWN}</iq>", True),
    "message": (lambda head, number: f"<message id='{number}' {head}><body>Buy!</body></message>", True),
    "presence": (lambda head, number: f"<presence id='{number}' {head}/>", False),
    "result": (lambda head, number: f"<iq type='result' id='{number}' {head}>{VERDICTS}</iq>", False),
}
AT_ONCE, ROUNDS = 1000, 3


def test_a_flood_slows_no_mail_and_is_in_the_log_once(front, quiet, stranger):
    users = [f"eve{number}@{stranger.name}" for number in range(7)]  # one server, many names
    with quiet.unharmed():
        for _ in range(ROUNDS):
            answered = []
            for user, (write, has_answer) in zip(itertools.cycle(users), itertools.islice(
                    itertools.cycle(FLOODS.values()), AT_ONCE)):
                number = stranger.new_number()
                stranger.sends(write(f"from='{user}' to='{front.component}'", number))
                answered += [number] if has_answer else []
            stranger.answers_to(answered)
    for complaint in ("nobody reads messages here", "it answers nothing that was asked of it"):
        assert 1 <= len(front.log("event=stanza-dropped", complaint)) <= 5, complaint
