"""Next hops for a Packetboat under test: Postfix's smtp-sink, aiosmtpd, and one that has REQUIRETLS."""

import contextlib
import socket
import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from twodomains.waiting import accepts, until


class Sink:
    """smtp-sink(1): takes, refuses or hangs up, as its options say."""

    def __init__(self, host, *options, port=2526):
        self.host = host
        self.port = port
        self.dump = host.directory / f"sink-{port}"
        self.dump.mkdir(exist_ok=True)
        self._process = host.popen(["smtp-sink", "-u", "root", "-d", f"{self.dump}/mail.", "-t", "60", *options,
                                    f"{host.address}:{port}", "100"], "sink.log")
        until(lambda: accepts(host.address, port), "smtp-sink")

    def mails(self):
        # One with nothing in it is the test's own look whether it listens.
        return [text for file in sorted(self.dump.iterdir()) if b"X-Rcpt-Args" in (text := file.read_bytes())]

    def stop(self):
        self._process.kill()
        self._process.wait()


class Taken:
    """An aiosmtpd handler that keeps what comes."""

    def __init__(self):
        self.envelopes = []
        self.tls = []

    async def handle_DATA(self, _server, session, envelope):
        self.tls.append(session.ssl is not None)
        self.envelopes.append(envelope)
        return "250 2.0.0 kept"


@contextlib.contextmanager
def aiosmtpd(host, tls=None, port=2526, **options):
    """aiosmtpd as a server; `tls`: its key and certificate, without which it has no STARTTLS."""
    handler = Taken()
    context = None
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tls[1], tls[0])

    class Server(Controller):
        def factory(self):
            return SMTP(handler, hostname="mx.next.test", tls_context=context, require_starttls=bool(tls),
                        **{"enable_SMTPUTF8": True, **options})

    server = Server(handler, hostname=host.address, port=port)
    server.start()
    try:
        yield handler
    finally:
        server.stop()


@contextlib.contextmanager
def silent_server(address, port=2526):
    """Takes connections, and says nothing."""
    with socket.create_server((address, port), backlog=100):
        yield


class CappedServer:
    """Takes `most` connections at once, as Exim's smtp_accept_max; with one more it says 421 and hangs up. It has time
    until it had to do so once."""

    def __init__(self, host, most, port=2526):
        self.mails = []
        self.refused = 0
        self._most = most
        self._open = 0
        self._lock = threading.Lock()
        self._was_full = threading.Event()
        self._listener = socket.create_server((host.address, port), backlog=100)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)  # or who waits in accept() keeps it open
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            client.settimeout(60)
            with self._lock:
                has_room = self._open < self._most
                self._open += has_room
                self.refused += not has_room
            if not has_room:
                self._was_full.set()
                client.sendall(b"421 4.7.0 Too many concurrent SMTP connections\r\n")
                return
            try:
                self._talk(client.makefile("rwb", buffering=0))
            finally:
                with self._lock:
                    self._open -= 1

    def _talk(self, file):
        file.write(b"220 mx.next.test\r\n")
        while line := file.readline():
            if line.upper().startswith(b"DATA"):
                file.write(b"354 go\r\n")
                mail = b"".join(iter(file.readline, b".\r\n"))
                self._was_full.wait(20)
                with self._lock:
                    self.mails.append(mail)
            file.write(b"250 2.0.0 ok\r\n")


@contextlib.contextmanager
def requiretls_server(host, tls, announces=True, port=2526):
    """A server that has STARTTLS and, behind it, REQUIRETLS; yields the MAIL commands that came."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls[1], tls[0])
    commands = []
    listener = socket.create_server((host.address, port))

    def serve(client):
        encrypted = False
        with contextlib.suppress(OSError):
            client.settimeout(20)
            file = client.makefile("rwb", buffering=0)
            file.write(b"220 mx.next.test\r\n")
            while line := file.readline():
                verb = line.split(b" ")[0].strip().upper()
                if verb == b"EHLO":
                    extension = b"STARTTLS" if not encrypted else b"REQUIRETLS" if announces else b"DSN"
                    file.write(b"250-mx.next.test\r\n250 " + extension + b"\r\n")
                elif verb == b"STARTTLS":
                    file.write(b"220 go\r\n")
                    client = context.wrap_socket(client, server_side=True)
                    file = client.makefile("rwb", buffering=0)
                    encrypted = True
                elif verb == b"DATA":
                    file.write(b"354 go\r\n")
                    while file.readline() != b".\r\n":
                        pass
                    file.write(b"250 2.0.0 ok\r\n")
                else:
                    if verb == b"MAIL":
                        commands.append((encrypted, line.decode().strip()))
                    file.write(b"250 2.0.0 ok\r\n")

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield commands
    finally:
        listener.close()


@contextlib.contextmanager
def recording_server(address, port):
    """A server that has all extensions and takes everything; yields, for each mail, its commands and its content as they
    came, but for the stuffed dots."""
    mails = []
    listener = socket.create_server((address, port), backlog=100)

    def serve(client):
        with client, contextlib.suppress(OSError):
            client.settimeout(60)
            file = client.makefile("rwb")

            def say(*lines):
                file.write(b"".join(line + b"\r\n" for line in lines))
                file.flush()

            say(b"220 mx.next.test ESMTP")
            commands = []
            while line := file.readline():
                verb = line[:4].upper()
                if verb in (b"EHLO", b"LHLO"):
                    say(b"250-mx.next.test", b"250-8BITMIME", b"250-SMTPUTF8", b"250-DSN", b"250 PIPELINING")
                    continue
                if verb == b"DATA":
                    say(b"354 go")
                    lines = iter(file.readline, b".\r\n")
                    mails.append((commands, b"".join(each[each.startswith(b"."):] for each in lines)))
                if verb in (b"MAIL", b"RSET"):
                    commands = []
                commands.append(line)
                say(b"250 2.0.0 ok")

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield mails
    finally:
        listener.shutdown(socket.SHUT_RDWR)  # or who waits in accept() keeps it open
        listener.close()
