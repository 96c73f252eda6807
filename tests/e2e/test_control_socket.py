"""The control socket: whatever is asked of it, and wherever it is told to write, the daemon lives and answers."""

import contextlib
import json
import os
import random
import socket

import pytest

from test_backup import submit
from twodomains.packetboat import ACCOUNT, GROUP
from twodomains.waiting import until

SEED, REQUESTS = 20261128, 400
MEGABYTE = 1 << 20


@contextlib.contextmanager
def connection(daemon):
    """A connection to the socket, whose path may be too long for a name of its own."""
    folder = os.open(daemon.host.path("/run/packetboat"), os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(f"/proc/self/fd/{folder}/control.sock")
            yield client
    finally:
        os.close(folder)


def ask(daemon, request):
    """The answer to these octets, or this object; None if the connection was closed without one."""
    octets = request if isinstance(request, bytes) else json.dumps(request).encode()
    with connection(daemon) as client:
        with contextlib.suppress(BrokenPipeError):
            client.sendall(octets + b"\n")
        answer = b""
        with contextlib.suppress(ConnectionError):
            while not answer.endswith(b"\n") and (more := client.recv(1 << 16)):
                answer += more
    return json.loads(answer) if answer else None


def lives(daemon):
    assert daemon.is_running(), daemon.log()[-2000:]
    status = ask(daemon, {"command": "status"})
    assert status["ok"] is True and status["components"], status
    return True


@pytest.fixture
def daemon(patient, bob):
    """One with a mail in its queue that nobody takes: its peers are not known, and there is no way to hand back."""
    daemon = patient()
    submit(daemon, bob, [1], name="asked")
    return daemon


COMMANDS = ["status", "queue-list", "queue", "verify", "backup", "trace", "look-up", "routes-list", "routes-forget",
            "resume", "complaint", "notify", "reload", "", "stop", "\0", "QUEUE-LIST"]
KEYS = ["ids", "state", "lane", "from", "to", "domain", "sender_domain", "older", "newer", "limit", "all", "verb", "file",
        "name", "component", "command", "header", "recipient", "spam", "\0", "ok"]
WORDS = ["", " ", "\0", "hold", "release", "flush", "retry", "xmpp", "queued,deferred", "queued,,", "1d", "-1s", "9" * 400, "1e9",
         "\u202e\u0085\x1b[2J", "%s%n", "'; DROP TABLE message; --", "a@b", "<a@b.test>", "@", "a" * 5000, "[127.0.0.1]",
         "xn--\u00fc", "a..b", "/", "/tmp", "//", "/\0", "../x", "relative", "/proc/self/mem", "0", "ZZZZZZZZZZZ", "\ud7ff",
         "*", "null", "{}", "\u00fc" * 2000]


def value(chance, depth=0):
    """Something that is rarely of the type that is expected."""
    kind = chance.randrange(9 if depth < 5 else 7)
    if kind < 3:
        return chance.choice(WORDS)
    if kind < 7:
        return chance.choice([None, True, False, 0, -1, 2**63, -2**63, 2**64, 1.5, -0.0, 1e308, 10**30])
    if kind == 7:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice(KEYS): value(chance, depth + 1) for _ in range(chance.randrange(4))}


def requests(chance):
    for _ in range(REQUESTS):
        request = {chance.choice(KEYS): value(chance) for _ in range(chance.randrange(5))}
        if chance.random() < 0.9:
            request["command"] = chance.choice(COMMANDS)
        yield request


BROKEN = {
    "nothing": b"", "an array": b"[]", "a number": b"7", "a half": b'{"command":"stat', "no UTF-8": b'{"command":"\xff\xfe"}',
    "half a surrogate": b'{"command":"\\ud800"}', "deep": b'{"ids":' + b"[" * 30_000, "deep and closed": b"[" * 20_000 + b"]" * 20_000,
    "a key twice": b'{"command":"status","command":7}', "a number beyond all": b'{"command":"queue-list","limit":1e999999}',
    "a NUL": b'{"command":"status"\0}', "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "long": b'{"command":"' + b"x" * 60_000 + b'"}', "too long": b'{"command":"' + b"x" * (2 * MEGABYTE) + b'"}',
    "many ids": json.dumps({"command": "queue-list", "ids": ["00000000001"] * 4000}).encode(),
}


@pytest.mark.parametrize("request_", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_request_is_answered_or_closed(a, request_):
    answer = ask(a.packetboat, request_)
    assert answer is None or answer["ok"] is False or b"twice" in request_ or answer["ok"]
    lives(a.packetboat)


def test_no_request_ends_the_daemon(daemon):
    chance = random.Random(SEED)
    for number, request in enumerate(requests(chance)):
        answer = ask(daemon, request)
        assert answer is not None and answer["ok"] in (True, False), (number, request)
        assert answer["ok"] or answer["error"], (number, request)
        assert "internal error" not in answer.get("error", ""), (number, request, answer)
        assert daemon.is_running(), (number, request, daemon.log()[-2000:])
    lives(daemon)
    assert ask(daemon, {"command": "verify"})["findings"] == []


@pytest.fixture
def places(daemon):
    """Where a backup can't be written, and what would happen to it there."""
    folder = daemon.directory / "places"
    folder.mkdir()
    shut = folder / "shut"
    shut.mkdir(mode=0o700)  # root's
    (shut / "inner").mkdir(mode=0o777)
    read_only = folder / "root's"
    read_only.mkdir(mode=0o755)
    open_ = folder / "open"
    open_.mkdir()
    open_.chmod(0o777)
    (open_ / "folder").mkdir()
    os.mkfifo(open_ / "fifo")
    (open_ / "file").write_text("somebody's")
    (open_ / "link").symlink_to("/etc/passwd")
    (open_ / "nowhere").symlink_to("/nowhere/at/all")
    (open_ / "self").symlink_to("self")
    (open_ / "into the shut").symlink_to(shut)
    full = folder / "full"
    full.mkdir()
    daemon.host.command("mount", "-t", "tmpfs", "-o", "size=16k,mode=1777", "tmpfs", full, check=True)
    short = folder / "nearly full"
    short.mkdir()
    # Room for the queue's pages when it is looked at, and not for its journal.
    size = os.stat(daemon.state / "queue.db").st_size // 4096 * 4 + 8
    daemon.host.command("mount", "-t", "tmpfs", "-o", f"size={size}k,mode=1777", "tmpfs", short, check=True)
    yield folder
    for mounted in (full, short):
        daemon.host.command("umount", "-l", mounted)


def test_a_backup_to_no_good_place_is_an_error_and_no_more(daemon, places):
    open_ = places / "open"
    for file in (places / "shut/x", places / "shut", places / "shut/inner/x", places / "root's/x", places / "missing/x",
                 open_, open_ / "folder", open_ / "folder/", open_ / "fifo", open_ / "fifo/x", open_ / "file", open_ / "file/x",
                 open_ / "link", open_ / "link/x", open_ / "nowhere", open_ / "nowhere/x", open_ / "self", open_ / "self/x",
                 open_ / "into the shut/x", open_ / ("x" * 300), open_ / ("x" * 252), open_ / "/".join(["x" * 200] * 30),
                 places / "full/x", "/proc/x", "/proc/1/root/x", "/sys/x", "/dev/full", "/dev/full/x", "/", "//", "/.", "/..",
                 f"{open_}/x\0y", f"{open_}/\u202e/x", "x", ""):
        answer = ask(daemon, {"command": "backup", "file": str(file)})
        assert answer is not None, (file, daemon.log()[-2000:])
        assert answer["ok"] is False and answer["error"], (file, answer)
        assert "internal error" not in answer["error"], (file, answer)
        lives(daemon)
    # This one may succeed, or not.
    assert ask(daemon, {"command": "backup", "file": str(places / "nearly full/x")})["ok"] in (True, False)
    lives(daemon)
    # What was there is there, and nothing is left behind.
    assert (open_ / "file").read_text() == "somebody's"
    assert sorted(path.name for path in open_.iterdir()) == ["fifo", "file", "folder", "into the shut", "link", "nowhere",
                                                             "self"]
    # What stood in the way of another attempt does not stop one.
    os.mkfifo(open_ / "good.part")
    assert ask(daemon, {"command": "backup", "file": str(open_ / "good")})["ok"] is True
    assert ask(daemon, {"command": "verify"})["findings"] == []


def test_backup_says_where_it_may_not_write(daemon, places):
    result = daemon.run("backup", str(places / "shut/x"))
    assert result.returncode == 1
    assert "shut/x" in result.stderr and "Permission denied" in result.stderr
    assert result.stderr.count("\n") == 1
    assert daemon.is_running()


def test_clients_that_ask_nothing_lock_nobody_out(a):
    """More than there is room for, some in the middle of a request."""
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connection(a.packetboat)) for _ in range(60)]
        for client in silent[::2]:
            with contextlib.suppress(BrokenPipeError):
                client.sendall(b'{"command": "sta')
        for _ in range(3):
            lives(a.packetboat)
        checked = a.packetboat.run("check")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        # The first made room; the last still has its turn.
        silent[-1].sendall(b'{"command": "status"}\n')
        assert b'"ok":true' in silent[-1].recv(1 << 16)


def test_a_client_that_does_not_read_holds_nobody_up(daemon, bob):
    """Its answer is larger than the socket's buffer."""
    submit(daemon, bob, range(2, 1500), name="asked")
    with contextlib.ExitStack() as stack:
        deaf = [stack.enter_context(connection(daemon)) for _ in range(25)]
        for client in deaf:
            with contextlib.suppress(BrokenPipeError):
                client.sendall(b'{"command": "queue-list"}\n')
        until(lambda: ask(daemon, {"command": "status"})["ok"], "an answer")
        assert daemon.run("queue", "list", "--limit", "1").returncode == 0


def test_the_socket_is_its_account_s_alone(daemon):
    found = os.stat(daemon.host.path("/run/packetboat/control.sock"))
    assert found.st_mode & 0o777 == 0o600
    assert ACCOUNT and GROUP
