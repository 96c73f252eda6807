"""A peer that takes our mail and answers nothing, late, twice, or nonsense: nothing is lost, nothing said too early."""

import pytest

from component import PING, STANZAS, TRANSFER, answer_to, iq
from hostile import Peer
from people import all_settled
from transfers import verdict_on, verdicts
from twodomains import smtp
from twodomains.waiting import until


@pytest.fixture
def peer(front):
    with front.foe() as foe, front.link_stays():
        peer = Peer(foe)
        yield peer
        peer.from_now_on(accepts)
        all_settled(front.victim)


def accepts(request):
    return answer_to(request, verdicts(request))


def refuses(request):
    return answer_to(request, verdicts(request, code="550", status="5.1.1", text="Nobody of that name"))


def sends(front, letter, name="x"):
    """A letter to the foe. Postfix would send the first one by SMTP."""
    with smtp.Session(*front.victim.packetboat.intake, greeting="LHLO") as session:
        session.send(front.person.address, [f"{name}@{front.foe_name}"], letter.content)


def waiting(front):
    """What is in the queue for the foe: its last reply for each recipient."""
    return {row["to"].split("@")[0]: row["last_reply"] for row in front.victim.packetboat.queue()}


def trace(front, letter):
    return front.victim.packetboat.run("trace", letter.id).stdout


def test_no_answer_and_then_two(front, peer, letter):
    """What an earlier request is answered, late or again, changes nothing."""
    sends(front, letter)
    first = peer.request(0)
    assert list(waiting(front)) == ["x"]
    assert "relayed" not in trace(front, letter)

    # The peer began anew, and has forgotten: it is asked again, in the same words.
    peer.component.sends(f"<presence from='{front.foe_name}' to='{front.component}'/>")
    second = peer.request(1)
    assert first.get("id") != second.get("id")
    assert first[0][0].get("id") == second[0][0].get("id")
    assert "began anew" in waiting(front)["x"] and "began anew" in trace(front, letter)

    peer.component.sends(refuses(first))  # late
    peer.component.sends(accepts(second))
    peer.component.sends(refuses(second))  # again
    all_settled(front.victim)
    assert "250 2.1.5" in trace(front, letter)
    assert "failed" not in trace(front, letter)
    assert front.log("event=stanza-dropped", f"peer={front.foe_name} ", "it answers nothing that was asked of it")
    assert not front.person.mailbox.find(letter.id)  # no report


@pytest.mark.parametrize("operation", ["hold", "cancel"])
def test_what_an_administrator_does_to_one_recipient_changes_nothing_of_what_is_sent_again(front, peer, letter, operation):
    """Its peer would take another digest under the same id for another message."""
    recipients = [f"{name}@{front.foe_name}" for name in "xyz"]
    peer.from_now_on(lambda request: answer_to(request, ""))  # taken or not: nobody knows
    with smtp.Session(*front.victim.packetboat.intake, greeting="LHLO") as session:
        session.send(front.person.address, recipients, letter.content)
    until(lambda: list(map(bool, waiting(front).values())) == 3 * [True], "a reason for each")

    def is_done():  # not while it is being sent again
        done = front.victim.packetboat.run("queue", operation, "--to", recipients[0])
        assert done.returncode == 0
        return done.stdout.startswith(f"{operation}: 1 recipients\n")
    until(is_done, "it to be waiting")

    seen = len(peer.requests)
    again = peer.request(seen)
    peer.from_now_on(accepts)
    first, again = (request[0][0] for request in (peer.requests[0], again))
    assert again.attrib == first.attrib
    assert [rcpt.get("addr") for rcpt in again.iter(f"{{{TRANSFER}}}rcpt")] == recipients
    # What was done to the first one stays.
    until(lambda: waiting(front).keys() == ({"x"} if operation == "hold" else set()), "the others to be settled")
    assert trace(front, letter).count("250 2.1.5") == 2
    if operation == "hold":
        assert front.victim.packetboat.run("queue", "release", "--to", recipients[0]).returncode == 0
        all_settled(front.victim)
        assert trace(front, letter).count("250 2.1.5") == 3
    assert not front.person.mailbox.find(letter.id)  # no report


def test_a_verdict_of_somebody_else_settles_nothing(front, peer, letter):
    """Even with the right id, and from the peer's neighbour, its server, its users, or a neighbour of ours."""
    sends(front, letter)
    request = peer.request(0)

    def answers_as(component, name):
        for kind, payload in (("result", verdicts(request)), ("error", error("forbidden", "domain-not-authorized"))):
            component.sends(iq(kind, request.get("id"), name, front.component, payload))
    with front.sibling() as sibling, front.neighbour() as neighbour:
        for component in (sibling, neighbour):
            answers_as(component, component.name)
            answers_as(component, f"x@{component.name}")
            # Behind these on the same way: when it has been answered, they have been read.
            component.asks(front.component, PING)
    assert list(waiting(front)) == ["x"]
    assert len(peer.requests) == 1
    # These are read before the peer's own answer, which they would forestall.
    answers_as(peer.component, f"x@{front.foe_name}")
    answers_as(peer.component, f"{front.foe_name}/x")
    peer.from_now_on(refuses)
    report = front.person.receives_report_on(letter)
    assert "Nobody of that name" in report.recipients[f"x@{front.foe_name}"]["Diagnostic-Code"]


def error(condition, ours="", kind="cancel"):
    name = f"<{condition} xmlns='{STANZAS.strip('{}')}'/>" if condition else ""
    return f"<error type='{kind}'>{name}" + (f"<{ours} xmlns='{TRANSFER}'/>" if ours else "") + "</error>"


def nonsense(**wrong):
    return lambda request: answer_to(request, verdicts(request, **wrong))


def result(payload):
    return lambda request: answer_to(request, payload)


def failure(payload):
    return lambda request: answer_to(request, payload, kind="error")


MALFORMED, NO_VERDICT, NO_VERDICTS = "answer is malformed", "gave no verdict", "answer has no verdicts"
# What the peer answers, and what the queue says of it.
GARBAGE = {
    "nothing": (result(""), NO_VERDICTS),
    "foreign": (result("<what xmlns='urn:nobody:knows'><is/>this</what>"), NO_VERDICTS),
    "undefined": (result(f"<noise xmlns='{TRANSFER}'/>"), NO_VERDICTS),
    "disco": (result("<query xmlns='http://jabber.org/protocol/disco#info'/>"), NO_VERDICTS),
    "empty": (result(f"<verdicts xmlns='{TRANSFER}'/>"), NO_VERDICT),
    "echo": (lambda request: answer_to(request, f"<transfers xmlns='{TRANSFER}'/>"), "answer"),
    "otherid": (nonsense(id="01a1fd8c690000000000000000000000"), NO_VERDICT),
    "otherdomain": (nonsense(domain="a.test"), NO_VERDICT),
    "noone": (nonsense(numbers=[]), MALFORMED),
    "toomany": (nonsense(numbers=[0, 1]), NO_VERDICT),
    "another": (nonsense(numbers=[7]), NO_VERDICT),
    "double": (nonsense(numbers=[0, 0]), MALFORMED),
    "negative": (nonsense(numbers=[-1]), MALFORMED),
    "state": (nonsense(state="open"), MALFORMED),
    "code": (nonsense(code="354"), MALFORMED),
    "status": (nonsense(status="5.1.1"), MALFORMED),
    "more": (lambda request: answer_to(request, verdicts(request) + verdicts(request)), MALFORMED),
    "inside": (lambda request: answer_to(request, verdicts(request, text="<b/>")), MALFORMED),
    "deep": (result("<a xmlns='urn:nobody:knows'>" + 99 * "<a>" + 100 * "</a>"), MALFORMED),
    "noerror": (failure(""), "undefined-condition"),
    "nocondition": (failure(error("")), "undefined-condition"),
    "unheardof": (failure(error("gone-fishing", kind="perhaps")), "gone-fishing"),
    "undefinederror": (failure(error("conflict", "gone-fishing")), "conflict (gone-fishing)"),
    "overload": (failure(error("policy-violation")), "policy-violation"),
}


def test_garbage_for_an_answer_delivers_nothing_and_loses_nothing(front, peer, new_letter):
    """Each mail has its own kind of garbage for an answer; then all are taken."""
    letters = {name: new_letter() for name in GARBAGE}
    answered = {}

    def garbage(request):
        names = [rcpt.get("addr").split("@")[0] for rcpt in request.iter(f"{{{TRANSFER}}}rcpt")]
        if len(names) > 1:  # a batch: it is sent again one by one
            return answer_to(request, "")
        # Each time anew: to be silent would hold up what travels with it, which is not the question here.
        answered[names[0]] = GARBAGE[names[0]][0](request)
        return answered[names[0]]
    peer.from_now_on(garbage)
    for name, letter in letters.items():
        sends(front, letter, name)
    until(lambda: answered.keys() == GARBAGE.keys(), "an answer to each")

    until(lambda: all(waiting(front).values()), "a reason for each")
    assert {name: reply for name, reply in waiting(front).items() if GARBAGE[name][1] not in reply} == {}
    assert waiting(front).keys() == GARBAGE.keys()
    for name, letter in letters.items():
        assert GARBAGE[name][1] in trace(front, letter)
    assert len(front.log("event=refused-by-peer", f"peer={front.foe_name} ")) < len(GARBAGE)

    peer.from_now_on(accepts)
    all_settled(front.victim)
    for letter in letters.values():
        assert "250 2.1.5" in trace(front, letter)
        assert not front.person.mailbox.find(letter.id)


def test_a_verdict_on_another_message_under_its_id_is_none(front, peer, letter):
    """The id is reused, says the peer, and then that it has taken it: the administrator has to look."""
    def knows_another(request):
        if request[0].tag.endswith("}transfers"):
            return answer_to(request, error("conflict", "id-reuse"), kind="error")
        return answer_to(request, verdict_on(request))
    peer.from_now_on(knows_another)
    sends(front, letter)
    row = until(lambda: [row for row in front.victim.packetboat.queue() if row["state"] == "held"], "it to be held")[0]
    assert "another message (id-reuse)" in row["last_reply"]
    assert front.log("event=quarantined", row["id"])
    until(lambda: front.log("event=reported", row["id"], f"to=postmaster@{front.victim.domain}"),
          "the administrator to be told")
    assert "relayed" not in trace(front, letter)
    assert [request[0].tag.split("}")[1] for request in peer.requests] == ["transfers"]
    assert front.victim.packetboat.run("queue", "cancel", row["id"]).returncode == 0
