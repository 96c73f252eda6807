"""The mail of a chaos run: sent by LMTP straight into a Packetboat, which may be gone at any moment."""

import threading
import time

from reconcile import DIGEST, Answer, Sent, digest
from twodomains import smtp

PAUSE = 0.1  # seconds between two mails of one sender
SIZES = [(90, 300, 8_000), (8, 30_000, 200_000), (2, 300_000, 1_500_000)]  # weight, least, most octets


class Load(threading.Thread):
    """One sender at a site. Each mail is given once: what its sender did not hear of may have been taken or not."""

    def __init__(self, random, site, sender, recipients, nobody):
        super().__init__(daemon=True)
        self.random = random
        self.site = site
        self.sender = sender
        self.recipients = recipients
        self.nobody = nobody
        self.sent = []
        self.messages = 0  # that were given to the end, whether an answer came or not
        self.failure = None
        self._stopping = False

    def stop(self):
        self._stopping = True
        self.join()
        self.check()

    def check(self):
        if self.failure:
            raise self.failure

    def run(self):
        number = 0
        try:
            while not self._stopping:
                try:
                    with smtp.Session(self.site.address, 2424, greeting="LHLO", timeout=30) as session:
                        while not self._stopping:
                            number += 1
                            self._send(session, number)
                            time.sleep(PAUSE)
                except (OSError, smtp.Refused):
                    time.sleep(0.1)  # it is down, or busy, or its disk is full: as any client, later
        except Exception as error:  # noqa: BLE001  (whatever it is, the run has to end with it)
            self.failure = error

    def _send(self, session, number):
        id = f"<chaos.{self.sender.split('@')[0]}.{number}@{self.site.domain}>"
        recipients = [self.random.choice(self.recipients)]
        if self.random.random() < 0.2:
            recipients = list(self.recipients)
        if self.random.random() < 0.05:
            recipients.append(self.nobody)
        # A mail that the other side's Postfix refuses once it has seen it, and not before.
        unwanted = "X-Unwanted: yes\r\n" if self.random.random() < 0.03 else ""
        wants_success = self.random.random() < 0.05
        options = ["NOTIFY=SUCCESS,FAILURE"] if wants_success else []
        content = self._content(id, unwanted)
        session.command(f"MAIL FROM:<{self.sender}>")
        for recipient in recipients:
            session.command(" ".join([f"RCPT TO:<{recipient}>", *options]))
        session.command("DATA", expect="3")
        # Until the last octet is on its way nobody may take it.
        answers = dict.fromkeys(recipients, Answer.REFUSED)
        try:
            session.write(content + b".\r\n")
            answers = dict.fromkeys(recipients, Answer.UNHEARD)
            self.messages += 1
            for recipient in recipients:
                answers[recipient] = Answer.TAKEN if session.reply().startswith("2") else Answer.REFUSED
        finally:
            self.sent += [Sent(id, self.sender, *answer, wants_success) for answer in answers.items()]

    def _content(self, id, more_header):
        _, least, most = self.random.choices(SIZES, weights=[size[0] for size in SIZES])[0]
        lines = self.random.randint(least, most) // 64
        seed = f"{self.random.getrandbits(128):032x}"
        body = "".join(f"{line:08d} {seed} {'x' * 20}\r\n" for line in range(lines)).encode()
        return (f"From: {self.sender}\r\nSubject: chaos\r\nMessage-ID: {id}\r\n{DIGEST}: {digest(body)}\r\n"
                f"{more_header}\r\n").encode() + body
