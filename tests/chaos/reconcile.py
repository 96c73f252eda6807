"""What became of every mail of a chaos run: nothing lost, nothing twice over the hop, nobody told what is not so.

Pure: it is given what was sent and what is in the mailboxes and queues afterwards.
"""

import collections
import enum
import hashlib
import re
from dataclasses import dataclass, field

DIGEST = "X-Chaos-Digest"  # a mail's own header field: the SHA-256 of its body


class Answer(enum.Enum):
    """What a sender knows of one recipient of a mail that it gave away."""
    TAKEN = "taken"  # heard 2xx at the end of the data
    REFUSED = "refused"  # heard something else there, or never got as far as the end of the data
    UNHEARD = "unheard"  # the reply did not come: it may have been taken or not


@dataclass(frozen=True)
class Sent:
    """One recipient of one mail."""
    id: str
    sender: str
    recipient: str
    answer: Answer
    wants_success: bool = False


@dataclass
class Arrived:
    """A mail or a report in a mailbox: the id it is about, and by which transfer it came ("" for none)."""
    mailbox: str
    id: str
    transfer: str
    whole: bool = True  # its body has the digest that its header says
    report: str = ""  # a report's own Message-ID
    by_postfix: bool = False  # it is Postfix's report, on what was handed over to it
    failed: tuple = ()  # recipients of which a report says so
    succeeded: tuple = ()


@dataclass
class Result:
    lost: list = field(default_factory=list)
    doubled: list = field(default_factory=list)
    wrong: list = field(default_factory=list)  # (place, what is wrong with it): neither lost nor doubled
    # The same transfer twice in a mailbox, or two reports of Postfix's, which it was given twice: SMTP's own window.
    again_at_last_hop: int = 0

    def is_good(self):
        return not (self.lost or self.doubled or self.wrong)


def digest(body):
    return hashlib.sha256(body.replace(b"\r\n", b"\n")).hexdigest()


def read(mailbox, content):
    """What a mail's bytes say; None if it is none of the run's."""
    header, _, body = content.replace(b"\r\n", b"\n").partition(b"\n\n")
    ids = re.findall(rb"<chaos\.[\w.]+@[\w.]+>", content)
    if not ids:
        return None
    fields = re.sub(r"\n(?=[ \t])", "", header.decode(errors="replace")).split("\n")
    hop = next((line for line in fields if line.startswith("Received:") and " via XMPP" in line), "")
    transfer = re.search(r"\bid\s+<?([^\s;>]+)", hop)
    arrived = Arrived(mailbox, ids[0].decode(), transfer.group(1) if transfer else "")
    if any("report-type" in line and "delivery-status" in line for line in fields):
        arrived.report = next(line for line in fields if line.lower().startswith("message-id:"))[11:].strip()
        arrived.by_postfix = b"\nX-Postfix-Queue-ID:" in body
        blocks = body.decode(errors="replace").split("\n\n")
        arrived.failed = _recipients(blocks, "failed")
        arrived.succeeded = _recipients(blocks, "delivered|relayed|expanded")
    else:
        arrived.whole = f"{DIGEST}: {digest(body)}" in fields
    return arrived


def _recipients(blocks, action):
    return tuple(re.search(r"Final-Recipient: *rfc822; *(\S+)", block).group(1) for block in blocks
                 if "Final-Recipient:" in block and re.search(rf"(?mi)^Action: *({action})\b", block))


def reconcile(sent, arrived, accepted_twice=()):
    """`accepted_twice`: (id, recipient) that a receiver took by two transfers, as its own queue says."""
    mails = collections.defaultdict(list)
    failures = collections.defaultdict(dict)  # the Message-IDs of the reports: whether they are Postfix's
    successes = collections.defaultdict(set)
    for each in arrived:
        if not each.report:
            mails[each.id, each.mailbox].append(each)
        for recipient in each.failed:
            failures[each.id, each.mailbox, recipient][each.report] = each.by_postfix
        for recipient in each.succeeded:
            successes[each.id, each.mailbox, recipient].add(each.report)
    result = Result()
    for each in sent:
        told = failures[each.id, each.sender, each.recipient]
        success = successes[each.id, each.sender, each.recipient]
        _judge(result, each, mails[each.id, each.recipient], told, success)
    result.doubled += [place for place in accepted_twice if place not in result.doubled]
    known = {(each.id, each.recipient) for each in sent}
    result.wrong += [(place, "in a mailbox, but nobody sent it there") for place, found in mails.items()
                     if found and place not in known]
    return result


def _judge(result, sent, mails, told, success):
    place = (sent.id, sent.recipient)
    whole = [mail for mail in mails if mail.whole]
    if sent.answer is Answer.TAKEN and not whole and not told:
        result.lost.append(place)
    transfers = {mail.transfer for mail in mails}
    if len(transfers) > 1:
        result.doubled.append(place)
    result.again_at_last_hop += max(0, len(mails) - max(1, len(transfers)))
    if all(told.values()):
        result.again_at_last_hop += max(0, len(told) - 1)
    wrong = {
        "its body is not what was sent": len(whole) < len(mails),
        "it was refused, and came": sent.answer is Answer.REFUSED and mails,
        "it was refused, and reported, too": sent.answer is Answer.REFUSED and told,
        "it is in the mailbox, and reported to have failed": mails and told,
        "two reports say that it failed": len(told) > 1 and not all(told.values()),
        "it is in the mailbox, and the success was not reported": sent.wants_success and mails and not success,
    }
    result.wrong += [(place, what) for what, is_so in wrong.items() if is_so]
