"""A component with a domain of its own sends what it must not: the protocol's error each time, and no harm."""

import zlib

import pytest

from component import error_of, iq
from people import all_settled
from transfers import reply_in, text_of, transfer

BLOCK = 8 << 20  # what one may inflate to


def deflated(octets):
    """A raw deflate stream, as a block's text."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return text_of(packer.compress(octets) + packer.flush())


def bomb(size):
    """A few thousand bytes that inflate to so many, and say that they are as many as is allowed."""
    return {"enc": "deflate", "block": deflated(bytes(size)), "block_size": BLOCK, "size": BLOCK, "slice": BLOCK}


# How each differs from a good request, and the error that the protocol names for it.
NO_REQUESTS = {
    "another's domain": ({"domain": "c.test"}, ("forbidden", "domain-not-authorized")),
    "another Packetboat's domain": ({"domain": "a.test"}, ("forbidden", "domain-not-authorized")),
    "a domain that is none": ({"domain": "a..test"}, ("bad-request", "malformed")),
    "a slice that is not the envelope's size": ({"slice": 3}, ("bad-request", "malformed")),
    "a block that is not its stated size": ({"block_size": 5000, "size": 5000, "slice": 5000},
                                            ("bad-request", "malformed")),
    "a deflate bomb": ({"enc": "deflate", "block": deflated(bytes(64 << 20))}, ("bad-request", "malformed")),
    "a stated size beyond the bound": ({"enc": "deflate", "block": deflated(bytes(BLOCK + 1)), "block_size": BLOCK + 1,
                                        "size": BLOCK + 1, "slice": BLOCK + 1}, ("bad-request", "malformed")),
    "a size that is no number": ({"block_size": "9" * 30}, ("bad-request", "malformed")),
    "no base64": ({"block": "%%%%"}, ("bad-request", "malformed")),
    "an undefined element": ({"more": "<chunk/>"}, ("bad-request", "malformed")),
    "an end that is no time": ({"expires": "tomorrow"}, ("bad-request", "malformed")),
}
REFUSED = {
    "a wrong hash": ({"hash": text_of(bytes(32))}, ("554", "5.6.0")),
    "an end that has passed": ({"expires": "2020-01-01T00:00:00Z"}, ("451", "4.4.7")),
    "an end too far ahead": ({"expires": "2199-01-01T00:00:00Z"}, ("451", "4.4.7")),
    "a sender of another domain": ({"sender": "boss@a.test"}, ("550", "5.7.1")),
    "a recipient of another domain": ({"recipient": "carol@c.test"}, ("550", "5.7.1")),
    "nobody's mailbox": ({"recipient": "nobody@{}"}, ("550", "5.1.1")),
}


def request(front, letter, **wrong):
    """A good request of the foe's, but for what is wrong."""
    domain = wrong.pop("domain", front.foe_name)
    sender = wrong.pop("sender", f"eve@{front.foe_name}")
    recipient = wrong.pop("recipient", front.person.address).format(front.victim.domain)
    return transfer(domain, sender, recipient, letter, **wrong)


@pytest.fixture
def foe(front):
    with front.foe() as foe, front.link_stays():
        yield foe


@pytest.mark.parametrize("wrong, error", NO_REQUESTS.values(), ids=NO_REQUESTS.keys())
def test_what_is_no_request_gets_an_error_and_stores_nothing(front, foe, letter, wrong, error):
    assert error_of(foe.asks(front.component, request(front, letter, **wrong), kind="set")) == error
    # The id is free: nothing was remembered.
    assert reply_in(foe.asks(front.component, request(front, letter), kind="set")) == ("250", "2.1.5")
    front.person.mailbox.wait_for(letter.id)


@pytest.mark.parametrize("wrong, reply", REFUSED.values(), ids=REFUSED.keys())
def test_a_mail_that_must_not_be_taken_gets_its_verdict(front, foe, letter, wrong, reply):
    payload = request(front, letter, **wrong)
    for _ in range(2):  # the second time from memory
        assert reply_in(foe.asks(front.component, payload, kind="set")) == reply
    all_settled(front.victim)
    assert front.person.has(letter) == 0


@pytest.mark.parametrize("sender", ["eve@{}", "{}/home", "eve@{}/home"])
def test_a_user_cannot_send_transfers(front, foe, letter, sender):
    answer = foe.asks(front.component, request(front, letter), kind="set", sender=sender.format(front.foe_name))
    assert error_of(answer) == ("forbidden", "domain-not-authorized")
    assert front.person.has(letter) == 0


def test_a_sibling_that_claims_the_domain_of_its_neighbour_is_refused(front, letter):
    domain = front.attackers.domain
    with front.sibling() as sibling, front.link_stays():
        answer = sibling.asks(front.component, transfer(domain, f"eve@{domain}", front.person.address, letter), "set")
    assert error_of(answer) == ("forbidden", "domain-not-authorized")
    assert front.person.has(letter) == 0


def test_a_stanza_that_is_played_again_has_the_same_verdict_and_no_effect(front, foe, letter):
    payload = request(front, letter)
    first = foe.asks(front.component, payload, kind="set", number="again")
    for _ in range(3):
        again = foe.asks(front.component, payload, kind="set", number="again")
        assert again[0][0].attrib == first[0][0].attrib and reply_in(again) == ("250", "2.1.5")
    front.person.mailbox.wait_for(letter.id)
    all_settled(front.victim)
    assert front.person.has(letter) == 1


def test_an_id_that_is_used_again_for_something_else_is_refused(front, foe, new_letter):
    letter, other = new_letter(), new_letter()
    reused = {"id": id_of(letter)}
    assert reply_in(foe.asks(front.component, request(front, letter, **reused), kind="set")) == ("250", "2.1.5")
    answer = foe.asks(front.component, request(front, other, **reused), kind="set")
    assert error_of(answer) == ("conflict", "id-reuse")
    front.person.mailbox.wait_for(letter.id)
    assert front.person.has(other) == 0


def id_of(letter, end=""):
    """An id that only this letter of the test run has."""
    return "01a1fd8c69" + letter.id.strip("<").split(".")[0].zfill(20) + end


def same(front, letter, number):
    return request(front, letter)


# What is sent over and over, and what the log says of it. A new exchange of the protocol is one more line. `number`
# makes each a mail of its own: one that is known is answered from memory, and nothing of it is looked at.
FLOODS = {
    "another's domain": (lambda front, letter, number: request(front, letter, domain="c.test"),
                         "domain-not-authorized"),
    "no base64": (lambda front, letter, number: request(front, letter, block="%%%%"), "malformed"),
    "deflate bombs": (lambda front, letter, number: request(front, letter, **bomb(BLOCK + 1)), "malformed"),
    "bombs with a wrong hash": (lambda front, letter, number: request(front, letter, id=id_of(letter, f"b{number}"),
                                                                      **bomb(BLOCK)), "5.6.0"),
    "a wrong hash": (lambda front, letter, number: request(front, letter, id=id_of(letter, f"h{number}"),
                                                           hash=text_of(bytes(32))), "5.6.0"),
    "the same mail": (same, "transfer-repeated"),
}
# More octets would earn the foe's link minutes of ejabberd's shaper (100 kB/s), which later tests would wait for.
OCTETS, AT_ONCE = 250_000, 50
MORE_MEMORY = 100 << 20  # bytes; one peer's blocks are 32 MiB at most, once packed, once as contents


@pytest.mark.parametrize("write, complaint", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_of_requests_is_in_the_log_once_and_slows_nobody(front, foe, quiet, letter, write, complaint):
    payload = write(front, letter, 0)
    memory = front.victim.packetboat.memory()
    texts = set()
    sent = 0
    with quiet.unharmed():
        for _ in range(OCTETS // len(payload) // AT_ONCE + 1):
            numbers = [foe.new_number() for _ in range(AT_ONCE)]
            for number in numbers:
                sent += 1
                mail = payload if write is same else write(front, letter, sent)
                foe.sends(iq("set", number, foe.name, front.component, mail))
            # What is over the sixteen at a time is told so.
            answers = foe.answers_to(numbers)
            texts.update("".join(answer.itertext()) for answer in answers)
            errors = {error_of(answer) for answer in answers if answer.get("type") == "error"}
            assert errors <= {("forbidden", "domain-not-authorized"), ("bad-request", "malformed"),
                              ("resource-constraint", "busy")}
    assert front.victim.packetboat.memory() < memory + MORE_MEMORY
    # At once, then once a minute; of hundreds.
    assert 1 <= len(front.log(f"peer={front.foe_name} ", complaint)) <= 10
    all_settled(front.victim)
    assert front.person.has(letter) == (1 if write is same else 0)
    if complaint == "5.6.0":
        # Some were looked at, each anew as each is another mail. How many at once, the unit tests know.
        assert "the hash is not that of the content" in texts
