"""How Postfix knows the lane: the table that it reads by itself, the policy service, and sockets of systemd's."""

import contextlib
import fcntl
import os
import socket
import statistics
import subprocess
import threading
import time

import pytest
from test_lanes import table
from test_route_lookup import Table
from twodomains import smtp
from twodomains.waiting import accepts, until


def ask_policy(daemon, recipient, port=2426):
    with socket.create_connection((daemon.host.address, port), timeout=10) as client:
        client.sendall(f"request=smtpd_access_policy\nrecipient={recipient}\nsender=x@y.test\n\n".encode())
        return client.recv(1000)


def test_the_table_has_who_takes_mail_over_xmpp_and_nobody_else(a):
    answer = f"lmtp:inet:[{a.address}]:2424"
    assert table(a.packetboat, "b.test") == answer
    for other in ("c.test", "a.test", "*", "nowhere.test"):
        assert table(a.packetboat, other) == ""


def test_the_policy_service_says_dunno_and_learns(patient):
    daemon = patient()
    assert table(daemon, "b.test") == ""
    # Without a link nothing can be found out, and a domain is asked for once in a while only.
    until(lambda: "event=link-up" in daemon.log(), "the link")
    assert ask_policy(daemon, "bob@b.test") == b"action=DUNNO\n\n"
    until(lambda: table(daemon, "b.test"), "b.test in the table")
    assert ask_policy(daemon, "carol@c.test") == b"action=DUNNO\n\n"
    assert ask_policy(daemon, "nonsense") == b"action=DUNNO\n\n"
    assert table(daemon, "c.test") == ""


def test_who_writes_to_us_is_in_the_table(patient, b, bob, letter):
    daemon = patient()
    until(lambda: "takes mail over XMPP" in b.packetboat.run("check", "mail.spare.test").stdout, "b.test to know us")
    with smtp.Session(b.address, 2424, greeting="LHLO") as session:
        session.send(bob.address, ["r@mail.spare.test"], letter.content)
    until(lambda: table(daemon, "b.test"), "b.test in the table")


def test_the_table_outlives_its_writer(patient):
    daemon = patient()
    until(lambda: "takes mail over XMPP" in daemon.run("check", "b.test").stdout, "the peer to be known")
    until(lambda: table(daemon, "b.test"), "b.test in the table")
    daemon.kill()
    assert table(daemon, "b.test")


def test_postfix_reads_while_we_write(patient):
    """It never sees half a change."""
    daemon = patient()
    stop = threading.Event()
    seen = []

    def read():
        while not stop.is_set():
            result = daemon.host.command("postmap", "-s", f"lmdb:{daemon.state}/routes", text=True)
            seen.append((result.returncode, result.stderr))
    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(20):
            daemon.run("check", "b.test", "d.test", "a.test")
            daemon.run("retire")
            daemon.run("resume")
    finally:
        stop.set()
        reader.join()
    assert len(seen) > 20
    assert {status for status, _ in seen} == {0}, seen


@contextlib.contextmanager
def locked(file, how):
    """A lock of Postfix's kind, which another program has on the table."""
    with open(file, "r+b") as table_file:
        fcntl.lockf(table_file, how)
        yield


def waits_for(file, process):
    """Whether that process waits for a lock on the file: proc_locks(5)."""
    inode = f":{os.stat(file).st_ino} "
    return any("-> " in line and inode in line and f" {process} " in line for line in open("/proc/locks"))


def test_postfixs_lock_and_ours_are_the_same(patient):
    daemon = patient()
    file = f"{daemon.state}/routes.lmdb"
    until(lambda: "takes mail over XMPP" in daemon.run("check", "b.test").stdout, "the peer to be known")
    until(lambda: table(daemon, "b.test"), "b.test in the table")
    # Whoever reads keeps us from writing ...
    with locked(file, fcntl.LOCK_SH):
        assert daemon.run("retire").returncode == 0
        until(lambda: waits_for(file, daemon.process_id()), "us to wait for the lock")
        assert table(daemon, "b.test")
    until(lambda: not table(daemon, "b.test"), "b.test out of the table")
    # ... and whoever writes keeps Postfix from reading.
    with locked(file, fcntl.LOCK_EX):
        reader = daemon.host.popen(["postmap", "-q", "b.test", f"lmdb:{daemon.state}/routes"], "postmap.log")
        until(lambda: waits_for(file, reader.pid), "Postfix to wait for the lock")
    assert reader.wait(30) == 1  # it is not in the table


@pytest.mark.measures
def test_answers_come_at_once_while_mail_flows(a, bob, alice, record_property):
    """On a machine that does a hundred other things; the benchmark has the figures."""
    load = subprocess.Popen(["smtp-source", "-L", "-s", "5", "-m", "500", "-d", "-f", alice.address, "-t", "bob+load@b.test",
                             f"{a.address}:2424"])
    times = []
    client = Table(a)
    while load.poll() is None or len(times) < 1000:
        began = time.perf_counter()
        assert client.asks("bob@b.test").startswith("OK ")
        times.append(time.perf_counter() - began)
    assert load.wait() == 0
    p99 = statistics.quantiles(times, n=100)[98]
    record_property("route lookup p50/p99 ms", (1000 * statistics.median(times), 1000 * p99))
    assert p99 < 0.02
    until(lambda: not a.packetboat.queue(), "an empty queue", 120)


def test_many_keys_of_strangers_start_little_and_cost_little(a):
    client = Table(a)
    began = time.monotonic()
    for number in range(3000):
        assert client.asks(f"x@{'long.' * 20}{number}.stranger.test").startswith("NOTFOUND")
    assert time.monotonic() - began < 5
    assert client.asks("bob@b.test").startswith("OK ")
    assert a.packetboat.run("check", "b.test").returncode == 0


def test_sockets_of_systemd_are_taken_over_and_stay(spare):
    """Socket activation: nobody is refused while we start or restart."""
    daemon = spare()
    listeners = [socket.create_server((daemon.host.address, port)) for port in (2424, 2425, 2426)]
    try:
        for _ in range(2):
            process = start_with(daemon, listeners)
            try:
                with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
                    session.send("s@spare.test", ["r@spare.test"], b"Subject: x\n\nHi.\n")
                assert ask_policy(daemon, "x@y.test") == b"action=DUNNO\n\n"
            finally:
                process.terminate()
                assert process.wait(30) == 0
            # Between two lives of ours the kernel holds the clients.
            assert accepts(daemon.host.address, 2425)
    finally:
        for listener in listeners:
            listener.close()


def start_with(daemon, listeners):
    """As systemd does it: the sockets are descriptors 3 and up, and LISTEN_PID is the process's own."""
    saved = [os.dup(listener.fileno()) for listener in listeners]
    for number, descriptor in enumerate(saved):
        os.set_inheritable(descriptor, True)
    script = "".join(f"exec {3 + n}<&{fd} {fd}<&-\n" for n, fd in enumerate(saved) if fd != 3 + n)
    high = "".join(f"exec {50 + n}<&{fd}\n" for n, fd in enumerate(saved))
    script = high + "".join(f"exec {3 + n}<&{50 + n} {50 + n}<&-\n" for n in range(len(saved)))
    script += f"LISTEN_FDS={len(saved)} LISTEN_PID=$$ exec {daemon.binary} serve --config {daemon.configuration}\n"
    with open(daemon.log_file, "ab") as log:
        process = subprocess.Popen(["nsenter", f"--mount=/proc/{daemon.host._holder.pid}/ns/mnt", "--", "bash", "-c", script],
                                   pass_fds=saved, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    for descriptor in saved:
        os.close(descriptor)
    return process


@pytest.mark.parametrize("request_", [b"GET / HTTP/1.0\r\n\r\n", b"x" * 10000, b"recipient\n\n"], ids=["http", "long", "no value"])
def test_garbage_ends_only_its_own_connection(a, request_):
    with socket.create_connection((a.address, 2426), timeout=10) as client:
        client.sendall(request_)
        try:
            assert client.recv(1000) == b""
        except ConnectionResetError:
            pass  # it had not read all
    assert ask_policy(a.packetboat, "bob@b.test") == b"action=DUNNO\n\n"


@pytest.mark.parametrize("damage", ["none", "noise", "flipped", "cut", "empty"])
def test_a_damaged_table_is_made_anew_and_the_postfix_that_runs_goes_by_it(a, b, bob, alice, new_letter, down, damage):
    """Postfix has the old table open all the while, and looks for another every ten seconds."""
    def goes_by(transport):
        letter = new_letter()
        with contextlib.suppress(smtp.Refused):  # a table that can't be read is a temporary failure
            alice.sends(letter, bob)
            return bob.receives(letter).transport() == transport
        return False
    until(lambda: goes_by("xmpp"), "Postfix to have the table open")
    file = a.packetboat.state / "routes.lmdb"
    up = down(a.packetboat)
    whole = file.read_bytes()
    with open(file, "r+b") as table_file:
        if damage == "noise":
            table_file.write(os.urandom(len(whole)))
        elif damage == "flipped":
            table_file.seek(8192)
            table_file.write(bytes(byte ^ 0xff for byte in whole[8192:]))
        elif damage in ("cut", "empty"):
            table_file.truncate(8192 if damage == "cut" else 0)
    up()
    assert table(a.packetboat, "b.test")
    until(lambda: goes_by("xmpp"), "mail to go by XMPP", 60)
    # What changes in the new table is seen, too.
    assert a.packetboat.run("retire").returncode == 0
    try:
        until(lambda: goes_by("smtp"), "Postfix to see that the table is empty", 60)
    finally:
        assert a.packetboat.run("resume").returncode == 0
        until(lambda: table(a.packetboat, "b.test"), "b.test in the table again", 60)
    until(lambda: goes_by("xmpp"), "mail to go by XMPP again", 60)
