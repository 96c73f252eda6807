"""People with ordinary clients: `outside.py mail ...` sends a mail as a user of a domain, `chat ...` has two users talk to each other.

It runs in the network of the test's Internet, so it is a program of its own."""

import argparse
import base64
import os
import re
import smtplib
import socket
import ssl
import sys


def lax():
    """TLS that asks for no certificate: whether it is good is not what a client is here for."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Chatter:
    """A user's XMPP session: just enough for one to be online, to write and to read."""

    def __init__(self, jid, address, password):
        self.user, self.domain = jid.split("@")
        self._seen = ""
        self._socket = socket.create_connection((address, 5222), timeout=60)
        self._open()
        self._ask("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<proceed")
        self._socket = lax().wrap_socket(self._socket, server_hostname=self.domain)
        self._open()
        token = base64.b64encode(f"\0{self.user}\0{password}".encode()).decode()
        self._ask(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{token}</auth>", "<success")
        self._open()
        self._ask("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", "<jid>[^<]+</jid>")
        # Online once the server has told it so itself.
        self._ask("<presence/>", "<presence")

    def write(self, to, text):
        self._send(f"<message type='chat' to='{to}'><body>{text}</body></message>")

    def read(self, wanted):
        """Returns once the text, a regular expression, has come; what came before it is forgotten."""
        while not (found := re.search(wanted, self._seen)):
            part = self._socket.recv(65536)
            if not part:
                raise ConnectionError(f"{self.domain} has closed the session; it said: {self._seen}")
            self._seen += part.decode(errors="replace")
            if re.search(r"<failure|<stream:error|type=['\"]error", self._seen):
                raise ConnectionError(f"{self.domain} said: {self._seen}")
        self._seen = self._seen[found.end():]

    def _open(self):
        self._seen = ""
        self._ask(f"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='{self.domain}' "
                  "version='1.0'>", "</stream:features>")

    def _ask(self, text, answer):
        self._send(text)
        self.read(answer)

    def _send(self, text):
        self._socket.sendall(text.encode())


def chat(people, text):
    """Each of the two writes to the other, who reads it. `people` are JID,ADDRESS,PASSWORD."""
    sessions = {person.split(",")[0]: Chatter(*person.split(",")) for person in people}
    for writer in sessions:
        for reader in sessions:
            if reader != writer:
                sessions[writer].write(reader, f"{text} of {writer}")
                sessions[reader].read(f"{text} of {re.escape(writer)}</body>")


def mail(server, port, login, sender, recipients):
    """A mail from standard input, its bytes as they are; as a user who logs in, or as a stranger."""
    content = re.sub(rb"\r?\n", b"\r\n", sys.stdin.buffer.read())
    with smtplib.SMTP(server, port, local_hostname="outside.example", timeout=60) as client:
        if login:
            client.starttls(context=lax())
            client.login(*login.split(":"))
        client.sendmail(sender, recipients, content)


def main():
    parser = argparse.ArgumentParser()
    what = parser.add_subparsers(dest="what", required=True)
    chatting = what.add_parser("chat")
    chatting.add_argument("people", nargs=2)
    chatting.add_argument("--text", default="Hello")
    mailing = what.add_parser("mail")
    mailing.add_argument("server")
    mailing.add_argument("--port", type=int, default=25)
    mailing.add_argument("--login")
    mailing.add_argument("--sender", required=True)
    mailing.add_argument("recipients", nargs="+")
    given = vars(parser.parse_args())
    try:
        {"chat": chat, "mail": mail}[given.pop("what")](**given)
    except (smtplib.SMTPException, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        # Past the end of the sessions, which may be what has failed.
        os._exit(1)


if __name__ == "__main__":
    main()
