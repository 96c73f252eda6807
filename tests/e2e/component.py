"""An XMPP component of the tests' own: what a stranger, or an impostor, could send."""

import base64
import hashlib
import itertools
import re
import socket
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

SECRET = "a test's secret"
TRANSFER = "urn:xmpp:mail-transfer:0"
INFO = "http://jabber.org/protocol/disco#info"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"


class Component:
    """Connected to an XMPP server under its name (XEP-0114). Answers questions about itself while it waits."""

    def __init__(self, site, name, secret=SECRET, domains=()):
        """`domains`: what it claims in its capability form to carry mail for."""
        self.name = name
        self.domains = list(domains)
        self._numbers = itertools.count(1)
        self._parser = ElementTree.XMLPullParser(["start", "end"])
        self._socket = socket.create_connection((site.address, 5347), timeout=20)
        self._depth = 0
        self._send("<stream:stream xmlns='jabber:component:accept' "
                   f"xmlns:stream='http://etherx.jabber.org/streams' to={quoteattr(name)}>")
        stream = self._next(depth=0)
        digest = hashlib.sha1((stream.get("id") + secret).encode()).hexdigest()
        self._send(f"<handshake>{digest}</handshake>")
        answer = self._next(depth=1)
        if not answer.tag.endswith("handshake"):
            raise PermissionError(ElementTree.tostring(answer).decode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def asks(self, to, payload, kind="get"):
        """Sends an IQ, and returns its answer, whatever that is."""
        number = f"{self.name}-{next(self._numbers)}"
        self._send(f"<iq type='{kind}' id='{number}' from='{self.name}' to='{to}'>{payload}</iq>")
        while True:
            stanza = self._next(depth=1)
            if stanza.get("id") == number and stanza.get("type") in ("result", "error"):
                return stanza
            self._answer(stanza)

    def receives(self, kind):
        """The next IQ of this kind."""
        while True:
            stanza = self._next(depth=1)
            if stanza.tag.endswith("}iq") and stanza.get("type") == kind:
                return stanza
            self._answer(stanza)

    def answers(self, stanza, payload):
        self._send(f"<iq type='result' id={quoteattr(stanza.get('id'))} from='{self.name}' "
                   f"to={quoteattr(stanza.get('from'))}>{payload}</iq>")

    def _answer(self, stanza):
        if stanza.get("type") != "get":
            return
        if stanza.find(f"{{{INFO}}}query") is not None:
            self.answers(stanza, f"<query xmlns='{INFO}'>{capabilities(self.domains)}</query>")

    def _send(self, text):
        self._socket.sendall(text.encode())

    def _next(self, depth):
        """The next element that opens (depth 0: the stream) or is complete (depth 1: a stanza)."""
        while True:
            for event, element in self._parser.read_events():
                if event == "start":
                    self._depth += 1
                    if depth == 0:
                        return element
                else:
                    self._depth -= 1
                    if self._depth == 1:
                        return element
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError(f"the server closed the stream of {self.name}")
            self._parser.feed(data)


def capabilities(domains):
    """The identity, feature and form of a component that carries mail."""
    form = {"FORM_TYPE": [TRANSFER], "domains": domains, "max-stanza": ["524288"], "max-size": ["52428800"],
            "max-recipients": ["100"], "max-batch": ["10"], "window": ["262144"], "retention": ["604800"],
            "extensions": ["8bitmime", "smtputf8", "dsn"]}
    fields = "".join(f"<field var='{name}' type='{'hidden' if name == 'FORM_TYPE' else 'list-multi'}'>"
                     + "".join(f"<value>{value}</value>" for value in values) + "</field>"
                     for name, values in form.items())
    return ("<identity category='gateway' type='smtp'/>" f"<feature var='{INFO}'/><feature var='{TRANSFER}'/>"
            f"<x xmlns='jabber:x:data' type='result'>{fields}</x>")


def transfer(domain, sender, recipient, letter, expires):
    """A letter as the payload of an IQ, under an id that it alone has."""
    content = re.sub(rb"\r?\n", b"\r\n", letter.content)
    digest = hashlib.sha256(content)
    number = hashlib.sha256(letter.id.encode()).hexdigest()[:44]
    return (f"<transfers xmlns='{TRANSFER}'><transfer id='{number}' domain='{domain}'>"
            f"<envelope size='{len(content)}' expires='{expires:%Y-%m-%dT%H:%M:%SZ}'>"
            f"<from addr='{sender}'/><rcpt n='0' addr='{recipient}'/></envelope>"
            f"<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>{base64.b64encode(digest.digest()).decode()}</hash>"
            f"<content off='0' size='{len(content)}'/></transfer>"
            f"<block enc='none' size='{len(content)}'>{base64.b64encode(content).decode()}</block></transfers>")
