"""A peer, or its server, that answers one request wrongly: the others go on, and nothing is repeated without an end."""

import base64
import random

import pytest

from component import STANZAS, TRANSFER, answer_to
from hostile import Peer
from transfers import verdict_on, verdicts
from twodomains import smtp
from twodomains.waiting import until

SENDER = "s@mail.spare.test"
COMPONENT = "mail.spare.test"
SIGNS = 10  # of life, while a poisoned mail waits


class Outbox:
    """A Packetboat whose own retries are minutes away, and its foe, which shows that it is there."""

    def __init__(self, front, patient, foe, respond):
        self.daemon = patient()
        self.foe = foe
        foe.answers_status = True
        self.peer = Peer(foe, respond)
        # It has to know its peer, or it would send by SMTP.
        until(lambda: "takes mail over XMPP" in self.daemon.run("check", front.foe_name).stdout, "the foe to be known")

    def send(self, letter, name):
        with smtp.Session(self.daemon.host.address, 2424, greeting="LHLO") as session:
            session.send(SENDER, [f"{name}@{self.foe.name}"], letter.content)

    def waiting(self):
        """Whose mail waits, and why."""
        return {row["to"].split("@")[0]: row["last_reply"] for row in self.daemon.queue()}

    def shows_up(self):
        self.foe.sends(f"<presence from='{self.foe.name}' to='{COMPONENT}'/>")

    def requests_for(self, name):
        return [request for request in self.peer.requests if name in names_in(request)]


@pytest.fixture
def outbox(front, patient):
    with front.foe() as foe:
        yield lambda respond: Outbox(front, patient, foe, respond)


def names_in(request):
    return [rcpt.get("addr").split("@")[0] for rcpt in request.iter(f"{{{TRANSFER}}}rcpt")]


def error(condition, ours="", more=""):
    element = f"<{ours} xmlns='{TRANSFER}'{more}/>" if ours else ""
    return f"<error type='cancel'><{condition} xmlns='{STANZAS.strip('{}')}'/>{element}</error>"


@pytest.mark.parametrize("condition", ["recipient-unavailable", "service-unavailable"])
def test_one_poisoned_mail_waits_by_itself(outbox, new_letter, condition):
    """The good ones pass, those in the same stanza, too; and no sign of life is a reason to send it again."""
    def stumbles(request):
        if "poison" in names_in(request):
            return answer_to(request, error(condition), kind="error")
        return answer_to(request, verdicts(request))
    outbox = outbox(stumbles)
    for name in [*(f"x{number}" for number in range(10)), "poison", *(f"y{number}" for number in range(9))]:
        outbox.send(new_letter(), name)
    until(lambda: list(outbox.waiting()) == ["poison"] and outbox.waiting()["poison"], "the good mails to be taken")
    assert condition in outbox.waiting()["poison"]

    for number in range(SIGNS):
        outbox.shows_up()
        # Behind it on the same way: when this has been taken, the sign was heard.
        outbox.send(new_letter(), f"z{number}")
        until(lambda: list(outbox.waiting()) == ["poison"], "the next good mail to be taken")
    # Together with others, and alone.
    assert len(outbox.requests_for("poison")) <= 2
    assert len([line for line in outbox.daemon.log().splitlines() if "poison@" in line and "deferred" in line]) <= 2


@pytest.mark.parametrize("last", [error("item-not-found", "unknown-transfer"),
                                  error("unexpected-request", "bad-offset", " offset='0'")],
                         ids=["unknown-transfer", "bad-offset"])
def test_a_peer_that_never_gets_on_is_sent_a_mail_twice_and_no_more(outbox, new_letter, last):
    """... in one attempt; the next one is minutes away, whatever sign of life there is."""
    def forgets(request):
        about = request[0]
        if about.tag.endswith("}transfers"):
            return answer_to(request, verdicts(request))
        if about.tag.endswith("}open"):
            return answer_to(request, verdict_on(request, "open", "", " offset='0' window='262144'"))
        if about.tag.endswith("}chunk"):
            end = int(about.get("off")) + int(about.get("size"))
            return answer_to(request, f"<ack xmlns='{TRANSFER}' id='{about.get('id')}' domain='{about.get('domain')}' "
                                      f"offset='{end}'/>")
        return answer_to(request, last, kind="error")
    outbox = outbox(forgets)
    body = base64.encodebytes(random.Random(7).randbytes(1_500_000)).decode()
    letter = new_letter(body=body)
    outbox.send(letter, "large")
    until(lambda: outbox.waiting().get("large"), "the attempt to end")
    for number in range(SIGNS):
        outbox.shows_up()
        outbox.send(new_letter(), f"z{number}")
        until(lambda: list(outbox.waiting()) == ["large"], "the next good mail to be taken")
    sent = sum(int(request[0].get("size")) for request in outbox.peer.requests if request[0].tag.endswith("}chunk"))
    size = len(letter.content) + letter.content.count(b"\n")
    assert size <= sent <= 2 * size
