"""What became of every mail of a chaos run: nothing lost, nothing twice over the hop.

Pure: it is given what was sent and what is in the mailboxes and queues afterwards.
"""

import collections
import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sent:
    """One recipient of one mail, and what its sender heard at the end of the data."""
    id: str
    sender: str
    recipient: str
    acknowledged: bool


@dataclass
class Arrived:
    """A mail in a mailbox: the id it is about, and by which transfer it came ("" for none)."""
    mailbox: str
    id: str
    transfer: str
    failed: tuple = ()  # recipients that a report says to have failed; empty if it is no report


@dataclass
class Result:
    lost: list = field(default_factory=list)
    doubled: list = field(default_factory=list)
    again_at_last_hop: int = 0  # the same transfer twice in a mailbox: SMTP's own window
    unexpected: list = field(default_factory=list)


def read(mailbox, content):
    """What a mail's bytes say; None if it is none of the run's."""
    text = content.decode(errors="replace").replace("\r\n", "\n")
    header, _, body = text.partition("\n\n")
    ids = re.findall(r"<chaos\.[\w.]+@[\w.]+>", text)
    if not ids:
        return None
    unfolded = re.sub(r"\n(?=[ \t])", "", header)
    hop = next((line for line in unfolded.split("\n") if line.startswith("Received:") and " via XMPP" in line), "")
    transfer = re.search(r"\bid\s+<?([^\s;>]+)", hop)
    failed = ()
    if "report-type" in unfolded and "delivery-status" in unfolded:
        blocks = [block for block in re.split(r"\n\n", body) if "Final-Recipient:" in block]
        failed = tuple(re.search(r"Final-Recipient: *rfc822; *(\S+)", block).group(1) for block in blocks
                       if re.search(r"(?m)^Action: *failed", block))
        if not failed:
            return None  # it tells of success or delay
    return Arrived(mailbox, ids[0], transfer.group(1) if transfer else "", failed)


def reconcile(sent, arrived, accepted_twice=()):
    """`accepted_twice`: (id, recipient) that a receiver took by two transfers, as its own queue says."""
    mails = collections.defaultdict(list)
    reports = collections.defaultdict(list)
    for mail in arrived:
        if mail.failed:
            for recipient in mail.failed:
                reports[mail.id, recipient].append(mail)
        else:
            mails[mail.id, mail.mailbox].append(mail)
    result = Result()
    known = set()
    for each in sent:
        place = (each.id, each.recipient)
        known.add(place)
        told = [report for report in reports[place] if report.mailbox == each.sender]
        if each.acknowledged and not mails[place] and not told:
            result.lost.append(place)
        transfers = {mail.transfer for mail in mails[place]}
        if len(transfers) > 1:
            result.doubled.append(place)
        result.again_at_last_hop += max(0, len(mails[place]) - max(1, len(transfers)))
    result.doubled += [place for place in accepted_twice if place not in result.doubled]
    result.unexpected = [place for place, found in mails.items() if found and place not in known]
    return result
