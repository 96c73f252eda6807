"""A peer that reports too much of a mail that it took: its sender hears each thing once."""

from component import TRANSFER, answer_to, error_of
from people import all_settled
from transfers import report, verdicts
from twodomains import smtp
from twodomains.waiting import until

MANY = 200


def test_a_sender_hears_of_each_thing_once(front, letter):
    with front.foe() as foe:
        with smtp.Session(*front.victim.packetboat.intake, greeting="LHLO") as session:
            session.send(front.person.address, [f"x@{front.foe_name}", f"nobody@{front.foe_name}"], letter.content)
        request = foe.receives("set")
        transfer = request.find(f".//{{{TRANSFER}}}transfer")
        taken = verdicts(request).replace("n='1' code='250' status='2.1.5'", "n='1' code='550' status='5.1.1'")
        foe.sends(answer_to(request, taken))
        until(lambda: not front.victim.packetboat.queue(), "the verdict to be heard")
        numbers = iter(range(1, 10 * MANY))

        def says(action, code, status, n=0):
            answer = foe.asks(front.component, report(transfer, next(numbers), action, code, status, n), kind="set")
            # It is answered as if it were taken, so that it is not repeated.
            assert answer.get("type") == "result", error_of(answer)
        for _ in range(MANY):
            says("delayed", "450", "4.4.1")
        for _ in range(MANY):
            says("failed", "550", "5.2.1")
            says("delivered", "250", "2.1.5")
            says("delayed", "450", "4.4.1")
            says("failed", "550", "5.1.1", n=1)  # which it had refused
    all_settled(front.victim)
    # The bounce of the one that was refused, one delay, and one failure.
    assert until(lambda: front.person.has(letter) >= 3, "the reports")
    assert front.person.has(letter) == 3
