"""A socket that a Packetboat takes for its XMPP server, and that says what no server should."""

import re
import socket

from component import PING, iq

OPENED = ("<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
          "xmlns='jabber:component:accept' from='{}' id='s1'>")


class FakeServer:
    def __init__(self, address, component, port=5347):
        self.component = component
        self._listener = socket.create_server((address, port))
        self._listener.settimeout(20)
        self._socket = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        if self._socket:
            self._socket.close()

    def accepts(self):
        """The next connection; nothing has been said on it."""
        self._socket, _ = self._listener.accept()
        self._socket.settimeout(20)

    def opens(self):
        """As a server does that finds the secret right."""
        self.sends(OPENED.format(self.component))
        self.receives(rb"</handshake>")
        self.sends("<handshake/>")

    def sends(self, text):
        self._socket.sendall(text if isinstance(text, bytes) else text.encode())

    def receives(self, pattern):
        """Reads until this has come."""
        data = b""
        while not re.search(pattern, data):
            piece = self._socket.recv(65536)
            if not piece:
                raise ConnectionError(f"closed after {data[-200:]!r}")
            data += piece
        return data

    def is_closed(self):
        """Reads until the other end closes the connection."""
        try:
            while self._socket.recv(65536):
                pass
        except ConnectionResetError:
            pass  # it had not read all
        return True

    def pings(self):
        self.sends(iq("get", "p1", "stranger.test", self.component, PING))
        return self.receives(rb"<iq type='result' id='p1'[^>]*/>")
