"""Who writes to whom in the tests: letters, and people who send and receive them."""

import re

from identical import difference
from twodomains import smtp
from twodomains.waiting import until


class Letter:
    """A mail's bytes, and the Message-ID that finds it again."""

    def __init__(self, message_id, body="Hello.\n", more_header=""):
        self.id = message_id
        self.content = (f"From: Alice <alice@a.test>\nTo: Bob <bob@b.test>\nSubject: a test\nMessage-ID: {message_id}\n"
                        f"{more_header}\n{body}").encode()

    def __repr__(self):
        return f"Letter {self.id}"


class Person:
    """Someone with a mailbox at a site."""

    def __init__(self, site, address, mailbox=None):
        """`mailbox`: the user whose mailbox it is, if that is not the address."""
        self.site = site
        self.address = address
        self.mailbox = site.mailbox(mailbox or address)

    def sends(self, letter, *recipients, sender=None, **options):
        """Gives the letter to the own site's Postfix; raises smtp.Refused with the reply if that refuses."""
        addresses = [getattr(recipient, "address", recipient) for recipient in recipients]
        sender = self.address if sender is None else sender
        return smtp.send(self.site.address, sender, addresses, letter.content, **options)

    def receives(self, letter, seconds=30):
        """The letter as it lies in the mailbox. It must be unchanged, and there only once."""
        mail = self.mailbox.wait_for(letter.id, seconds)
        assert difference(letter.content, mail.content) is None, mail.content[:2000].decode(errors="replace")
        return mail

    def receives_report_on(self, letter, seconds=30):
        """The one delivery report (RFC 3464) about a letter of theirs."""
        return Report(self.mailbox.wait_for(letter.id, seconds))

    def has(self, letter):
        """How many times the letter is in the mailbox."""
        return len(self.mailbox.find(letter.id))


class Report:
    def __init__(self, mail):
        self.mail = mail
        text = mail.content.decode(errors="replace")
        assert re.search('report-type="?(global-)?delivery-status', text), text
        self.recipients = {}
        # A block of fields for each recipient, behind the block for the message.
        for block in re.split(r"\r?\n\r?\n", text):
            fields = dict(re.findall(r"(?m)^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)", block.replace("\r", "")))
            if "Final-Recipient" in fields:
                self.recipients[fields["Final-Recipient"].split(";")[-1].strip()] = fields


def all_settled(*sites):
    """Until no Packetboat of these has a mail left: what has not arrived by then never will."""
    for site in sites:
        until(lambda: not site.packetboat.queue(), f"an empty queue at {site.domain}", 30)
