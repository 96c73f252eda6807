"""The table that Postfix asks (socketmap): answered at once, from what is known."""

import contextlib
import socket

import pytest


class Table:
    """One connection of Postfix's socketmap client (socketmap_table(5))."""

    def __init__(self, site):
        self._socket = socket.create_connection((site.address, 2425), timeout=10)
        self._file = self._socket.makefile("rb")

    def asks(self, key, name="route"):
        request = f"{name} {key}".encode()
        self._socket.sendall(b"%d:%s," % (len(request), request))
        length = b""
        while not length.endswith(b":"):
            byte = self._file.read(1)
            assert byte, "the connection was closed"
            length += byte
        answer = self._file.read(int(length[:-1]) + 1)
        assert answer.endswith(b",")
        return answer[:-1].decode()


@pytest.fixture
def table(a):
    return Table(a)


def test_a_domain_that_takes_mail_over_xmpp_is_routed_to_packetboat(table):
    assert table.asks("bob@b.test") == "OK lmtp:inet:[127.0.1.1]:2424"
    assert table.asks("b.test") == "OK lmtp:inet:[127.0.1.1]:2424"  # Postfix asks for the domain, too
    assert table.asks("BOB@B.TEST") == "OK lmtp:inet:[127.0.1.1]:2424"


@pytest.mark.parametrize("key", ["*", "carol@c.test", "alice@a.test", "", "@", "a b@c d", "x@" + "y" * 300])
def test_anything_else_is_not_found(table, key):
    assert table.asks(key).startswith("NOTFOUND ")


def test_garbage_ends_only_its_own_connection(a, table):
    with socket.create_connection((a.address, 2425), timeout=10) as other:
        other.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):  # closed before it had read all
            assert other.recv(1000) == b""
    assert table.asks("bob@b.test").startswith("OK ")
