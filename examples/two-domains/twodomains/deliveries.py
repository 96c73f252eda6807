"""One mail of the demo: sent, awaited, compared, and told about."""

import pathlib
import re
import subprocess
import sys
import time

from twodomains import smtp
from twodomains.waiting import Late, until

IDENTICAL = pathlib.Path(__file__).resolve().parents[1] / "identical.py"
PATIENCE_SECONDS = 5  # then it is said that there is something to wait for


class Delivery:
    """A file's way from site `a` to site `b`."""

    def __init__(self, number, file, a, b):
        self.file = file
        self.content = file.read_bytes()
        self.identical = False
        self._a, self._b = a, b
        # The +part tells the mails apart in the mailbox without a change to any of them.
        self._tag = f"+demo{number}"
        if has_international_addresses(self.content):
            self._sender, self.recipient, user = "jürgen@a.test", f"jörg{self._tag}@b.test", "joerg@b.test"
            self._sender_box = a.mailbox("juergen@a.test")
        else:
            self._sender, self.recipient, user = "alice@a.test", f"bob{self._tag}@b.test", "bob@b.test"
            self._sender_box = a.mailbox("alice@a.test")
        self._delivered_as = user.replace("@", self._tag + "@")
        self._mailbox = b.mailbox(user)
        self._sent_at = None
        self._trouble = ""
        self._mail = None

    def send(self):
        self._sent_at = time.time()
        try:
            smtp.send(self._a.address, self._sender, [self.recipient], self.content)
        except (smtp.Refused, OSError) as error:
            self._trouble = f"a.test's Postfix refused it: {error}"

    def wait(self, deadline):
        """Until it is in the mailbox, or a bounce in the sender's, or it is known to have been refused."""
        if self._trouble:
            return
        while not self._ends_within(min(PATIENCE_SECONDS, max(0.1, deadline - time.monotonic()))):
            if time.monotonic() >= deadline:
                self._trouble = f"it has not arrived after {time.time() - self._sent_at:.0f} s:\n{self._queues()}"
                break
            print(f"-- still waiting for {self.file.name}", flush=True)
        if self._mail:
            result = subprocess.run([sys.executable, IDENTICAL, self.file, self._mail.path], capture_output=True,
                                    text=True)
            self.identical = result.returncode == 0
            self._mail = self._mail.without(self.content)
            self._trouble = "" if self.identical else result.stdout.strip()

    def report(self):
        lines = [f"{self.file.name}"]
        facts = [f"{len(self.content)} bytes", f"identical: {'yes' if self.identical else 'no'}"]
        if self._mail:
            facts += [f"in transit {self._mail.arrived - self._sent_at:.2f} s", f"transport {self._mail.transport()}"]
        lines.append("  " + ", ".join(facts))
        if self._trouble:
            lines += ["  " + line for line in self._trouble.splitlines()]
        for site in (self._a, self._b):
            if self._trace_id():
                traced = site.packetboat.run("trace", self._trace_id())
                lines.append(f"  trace at {site.domain}:")
                lines += ["    " + line for line in (traced.stdout + traced.stderr).rstrip().splitlines()]
        return "\n".join(lines)

    def _ends_within(self, seconds):
        try:
            return until(self._has_ended, self.file.name, seconds)
        except Late:
            return False

    def _has_ended(self):
        for mail in self._mailbox.mails():
            # Only the trace in front is looked at: a given file may have such a field itself.
            newest = mail.fields("Received")[:1] + mail.fields("Delivered-To")[:1]
            if any(self._delivered_as in value for value in newest):
                self._mail = mail
                return True
        for bounce in self._sender_box.find(self._tag + "@b.test"):
            self._trouble = "it came back to its sender:\n" + words_of(bounce)
            return True
        return False

    def _trace_id(self):
        if self._mail and self._mail.transfer_id():
            return self._mail.transfer_id()
        found = re.search(rb"(?mi)^Message-ID:\s*(<[^>\s]+>)", self.content)
        return found.group(1).decode() if found else ""

    def _queues(self):
        listed = self._a.packetboat.run("queue", "list")
        return self._a.postfix.queue() + listed.stdout + listed.stderr


def has_international_addresses(content):
    """Whether From or To of the mail need an internationalised envelope."""
    header = re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0]
    fields = re.findall(rb"(?mi)^(?:From|To):(?:.*)(?:\r?\n[ \t].*)*", header)
    return any(not address.isascii() for field in fields for address in re.findall(rb"[^\s<>,;:\"]+@[^\s<>,;]+", field))


def words_of(bounce):
    """What a bounce says about the recipient (RFC 3464), or else all of it."""
    text = bounce.content.decode(errors="replace")
    fields = re.findall(r"(?mi)^(?:Final-Recipient|Status|Diagnostic-Code|Remote-MTA):.*(?:\r?\n[ \t].*)*", text)
    return "\n".join(fields) or text
