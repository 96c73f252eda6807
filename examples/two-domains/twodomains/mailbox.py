"""Reads what has arrived in a Maildir."""

import re

from twodomains.waiting import until


class Mail:
    """One delivered file, with the fields that were prepended on its way."""

    def __init__(self, path):
        self.path = path
        self.content = path.read_bytes()
        # The rename into new/ changed it last.
        self.arrived = path.stat().st_ctime

    def without(self, sent):
        """Only what was prepended to the sent content: a mail may bring such fields itself."""
        sent = re.sub(rb"\r?\n", b"\n", sent)
        if sent and self.content.endswith(sent):
            self.content = self.content[:-len(sent)]
        return self

    def field(self, name):
        """The first value of a header field, unfolded; "" if there is none."""
        return next(iter(self.fields(name)), "")

    def fields(self, name):
        header = re.split(rb"\r?\n\r?\n", self.content, maxsplit=1)[0].decode(errors="replace")
        unfolded = re.sub(r"\r?\n(?=[ \t])", "", header)
        return [value.strip() for value in re.findall(rf"(?mi)^{re.escape(name)}[ \t]*:(.*)$", unfolded)]

    def xmpp_hop(self):
        """The newest Received field of a hop over XMPP; "" if it came another way."""
        return next((value for value in self.fields("Received") if " via XMPP" in value), "")

    def transfer_id(self):
        found = re.search(r"\bid\s+<?([^\s;>]+)", self.xmpp_hop())
        return found.group(1) if found else ""

    def transport(self):
        return "xmpp" if self.xmpp_hop() else "smtp"


class Mailbox:
    def __init__(self, maildir):
        self.maildir = maildir

    def mails(self):
        """All that arrived, oldest first."""
        files = [path for folder in ("new", "cur") for path in (self.maildir / folder).glob("*")]
        return sorted(map(Mail, files), key=lambda mail: mail.arrived)

    def find(self, text):
        """The mails in which the text occurs (in the trace fields, too)."""
        wanted = text.encode()
        return [mail for mail in self.mails() if wanted in mail.content]

    def wait_for(self, text, seconds=30):
        """The one mail with the text in it; more than one is an error."""
        found = until(lambda: self.find(text), f"mail with {text!r} in {self.maildir.name}'s mailbox", seconds)
        if len(found) > 1:
            raise AssertionError(f"{len(found)} mails with {text!r}")
        return found[0]
