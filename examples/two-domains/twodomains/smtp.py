"""A mail client that sends a file's bytes exactly, and keeps the server's replies."""

import re
import socket


class Refused(Exception):
    """The server refused a command; the text is its reply."""


def wire_form(content):
    """The bytes as SMTP carries them: each line ends in CRLF, the last one too."""
    content = re.sub(rb"\r?\n", b"\r\n", content)
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def send(address, sender, recipients, content, port=25, options=(), recipient_options=()):
    """Sends one mail; returns the reply to its data. Options are MAIL's and RCPT's, such as "RET=HDRS"."""
    with Session(address, port) as session:
        return session.send(sender, recipients, content, options, recipient_options)


class Session:
    """One connection to an SMTP or (greeting="LHLO") an LMTP server; an address that is a path is a Unix socket's."""

    def __init__(self, address, port=25, greeting="EHLO", timeout=60):
        if address.startswith("/"):
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(timeout)
            self._socket.connect(address)
        else:
            self._socket = socket.create_connection((address, port), timeout=timeout)
        self._file = self._socket.makefile("rb")
        self._read("2")
        self.features = self.command(f"{greeting} client.test").upper()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.command("QUIT")
        except (Refused, OSError):
            pass  # it may be gone already
        self._file.close()
        self._socket.close()

    def send(self, sender, recipients, content, options=(), recipient_options=()):
        content = wire_form(content)
        self.command(" ".join([f"MAIL FROM:<{sender}>", *self._needed([sender, *recipients], content), *options]))
        for recipient in recipients:
            self.command(" ".join([f"RCPT TO:<{recipient}>", *recipient_options]))
        self.command("DATA", expect="3")
        return self.data(content)

    def data(self, content):
        """The content behind DATA, dot-stuffed, and the one reply to it."""
        self.write(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
        return self._read("2")

    def write(self, octets):
        """Octets as they are; returns once the last of them is on its way."""
        self._socket.sendall(octets)

    def command(self, text, expect="2"):
        self.write(text.encode() + b"\r\n")
        return self._read(expect)

    def reply(self):
        """One more reply: LMTP has one for each recipient after the data."""
        return self._read("")

    def _needed(self, addresses, content):
        options = []
        if not content.isascii() and "8BITMIME" in self.features:
            options.append("BODY=8BITMIME")
        if not "".join(addresses).isascii():
            options.append("SMTPUTF8")
            if "BODY=8BITMIME" not in options:
                options.append("BODY=8BITMIME")
        return options

    def _read(self, expect):
        lines = []
        while not lines or lines[-1][3:4] == "-":
            line = self._file.readline()
            if not line:
                raise Refused("the server closed the connection" + "".join(f" after: {line}" for line in lines))
            lines.append(line.decode(errors="replace").rstrip())
        text = "\n".join(lines)
        if not text.startswith(expect):
            raise Refused(text)
        return text
