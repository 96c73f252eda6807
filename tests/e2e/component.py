"""An XMPP component of the tests' own: what a stranger, or an impostor, could send."""

import contextlib
import hashlib
import itertools
import socket
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

SECRET = "a test's secret"
TRANSFER = "urn:xmpp:mail-transfer:0"
INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
PING = "<ping xmlns='urn:xmpp:ping'/>"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
OPENING = ("<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
           "xmlns='jabber:component:accept' ")


READ_AT_ONCE = 4096  # bytes; no server reads less


class Component:
    """Connected to an XMPP server under its name (XEP-0114). Answers questions about itself while it waits."""

    def __init__(self, site, name, secret=SECRET, domains=()):
        """`domains`: what it claims in its capability form to carry mail for."""
        self.name = name
        self.domains = list(domains)
        self.promise_until = ""  # of all its domains: a time, or nothing is promised
        self.answers_status = False  # as if it knew of no transfer: the mere sign that it is there
        self._numbers = itertools.count(1)
        self._parser = ElementTree.XMLPullParser(["start", "end"])
        self._socket = socket.create_connection((site.address, site.xmpp.component_port(name)), timeout=20)
        self._depth = 0
        self._stream = None
        self.sends(OPENING + f"to={quoteattr(name)}>")
        self._stream = self._next(depth=0)
        digest = hashlib.sha1((self._stream.get("id") + secret).encode()).hexdigest()
        self.sends(f"<handshake>{digest}</handshake>")
        answer = self._next(depth=1)
        if not answer.tag.endswith("handshake"):
            raise PermissionError(ElementTree.tostring(answer).decode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # ends a read of another thread
        self._socket.close()

    def asks(self, to, payload, kind="get", sender=None, number=None):
        """Sends an IQ, and returns its answer, whatever that is. `sender`: another JID than its name."""
        number = number or self.new_number()
        stanza = iq(kind, number, sender or self.name, to, payload)
        # A server's expat that has seen a part of a tag looks at it again once there is twice as much (CVE-2023-52425), and
        # keeps a whole one until then, as it came in pieces. White space between stanzas does (RFC 6120 4.6.1).
        self.sends(stanza + " " * len(stanza) if len(stanza) > READ_AT_ONCE else stanza)
        return self.answers_to([number])[0]

    def answers_to(self, numbers):
        """The answers to stanzas that were sent, in this order, whichever comes first."""
        found = {}
        while not found.keys() >= set(numbers):
            stanza = self._next(depth=1)
            if stanza.get("id") in numbers and stanza.get("type") in ("result", "error"):
                found[stanza.get("id")] = stanza
            self._answer(stanza)
        return [found[number] for number in numbers]

    def receives(self, kind):
        """The next IQ of this kind."""
        while True:
            stanza = self._next(depth=1)
            if stanza.tag.endswith("}iq") and stanza.get("type") == kind:
                return stanza
            self._answer(stanza)

    def next_stanza(self):
        return self._next(depth=1)

    def answers(self, stanza, payload):
        self.sends(answer_to(stanza, payload))

    def new_number(self):
        return f"{self.name}-{next(self._numbers)}"

    def sends(self, text):
        """These bytes, or this text, as they are."""
        self._socket.sendall(text if isinstance(text, bytes) else text.encode())

    def last_words(self):
        """Reads until its server closes the stream; the condition that it gives, if any."""
        condition = None
        try:
            while True:
                stanza = self._next(depth=1)
                if stanza.tag.endswith("}error") and len(stanza):
                    condition = stanza[0].tag.split("}")[-1]
        except (ConnectionError, ElementTree.ParseError):
            return condition

    def _answer(self, stanza):
        if stanza.get("type") != "get":
            return
        if stanza.find(f"{{{INFO}}}query") is not None:
            self.answers(stanza, f"<query xmlns='{INFO}'>{capabilities(self.domains, self.promise_until)}</query>")
        elif stanza.find(f"{{{ITEMS}}}query") is not None:
            self.answers(stanza, f"<query xmlns='{ITEMS}'/>")
        elif self.answers_status and (status := stanza.find(f"{{{TRANSFER}}}status")) is not None:
            self.answers(stanza, f"<verdicts xmlns='{TRANSFER}'><verdict id='{status.get('id')}' "
                                 f"domain='{status.get('domain')}' state='unknown'/></verdicts>")

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
                        self._stream.remove(element)
                        return element
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError(f"the server closed the stream of {self.name}")
            self._parser.feed(data)


def iq(kind, number, sender, to, payload):
    return f"<iq type='{kind}' id={quoteattr(number)} from={quoteattr(sender)} to={quoteattr(to)}>{payload}</iq>"


def answer_to(stanza, payload, kind="result"):
    """An IQ's answer, from who was asked to who asked."""
    return iq(kind, stanza.get("id"), stanza.get("to"), stanza.get("from"), payload)


def error_of(answer):
    """What an IQ error says: its condition, and the element of ours in it."""
    assert answer.get("type") == "error", ElementTree.tostring(answer).decode()
    tags = [child.tag for child in answer.find("{*}error")]
    words = [[tag.split("}")[1] for tag in tags if tag.startswith(prefix) and not tag.endswith("}text")]
             for prefix in (STANZAS, f"{{{TRANSFER}}}")]
    return tuple(found[0] if found else None for found in words)


def capabilities(domains, promise_until=""):
    """The identity, feature and form of a component that carries mail; and promises to send it no other way until then."""
    form = {"FORM_TYPE": [TRANSFER], "domains": domains, "max-stanza": ["524288"], "max-size": ["52428800"],
            "max-recipients": ["100"], "max-batch": ["10"], "window": ["262144"], "retention": ["604800"],
            "extensions": ["8bitmime", "smtputf8", "dsn"]}
    if promise_until:
        form |= {"promise": domains, "promise-until": [promise_until]}
    fields = "".join(f"<field var='{name}' type='{'hidden' if name == 'FORM_TYPE' else 'list-multi'}'>"
                     + "".join(f"<value>{value}</value>" for value in values) + "</field>"
                     for name, values in form.items())
    return ("<identity category='gateway' type='smtp'/>" f"<feature var='{INFO}'/><feature var='{TRANSFER}'/>"
            f"<x xmlns='jabber:x:data' type='result'>{fields}</x>")
