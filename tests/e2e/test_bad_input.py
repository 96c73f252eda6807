"""What goes wrong from outside: each time one clear line on what and where, and nothing lost."""

import contextlib
import random
import socket

import pytest

from next_hop import Sink
from twodomains import smtp
from twodomains.packetboat import ACCOUNT, Packetboat
from twodomains.waiting import until
from twodomains.world import SECRET


UNUSABLE = 78  # exit status for a configuration that can't be used: systemd is told not to try again


def refuses_to_start(daemon, *statuses):
    """Starts a daemon that ends by itself with one of these exit statuses, or any; returns its one line on why."""
    daemon.start_without_waiting()
    status = daemon.wait(20)
    assert status in statuses if statuses else status not in (0, UNUSABLE, -6, -11)
    complaints = [line for line in daemon.log().splitlines() if line.strip()]
    assert complaints, "it ended without a word"
    return complaints[-1]


def lmtp(daemon, letter, recipient="bob@b.test", sender="someone@spare.test"):
    """Gives it a letter; returns the recipient's reply, or raises smtp.Refused with it."""
    with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
        return session.send(sender, [recipient], letter.content)


def line_of(daemon, text):
    lines = daemon.configuration.read_text().splitlines()
    return 1 + next(number for number, line in enumerate(lines) if text in line)


# ---- the configuration

@pytest.mark.parametrize("change", [
    ("first-retry = 5m", "frist-retry = 5m"),
    ("first-retry = 5m", "first-retry = soon"),
    ("max-size = 50M", "max-size = much"),
    ("protocol = lmtp", "protocol = uucp"),
    ("s2s-assurance = pkix", "s2s-assurance = hope"),
    ("[discovery]", "[discovry]"),
    ("check-recipients = yes", "check-recipients = perhaps"),
    ("domains = spare.test", "domains = spare..test"),
], ids=lambda change: change[1])
def test_a_mistake_in_the_configuration_is_shown_with_file_and_line(spare, change):
    daemon = spare(change)
    told = refuses_to_start(daemon, UNUSABLE)
    assert "error event=gave-up" in told and f"{daemon.configuration}:{line_of(daemon, change[1])}:" in told


def test_check_shows_a_mistake_in_the_configuration_too(spare):
    daemon = spare(("first-retry = 5m", "frist-retry = 5m"))
    checked = daemon.run("check")
    assert checked.returncode == 1
    assert f"{daemon.configuration}:{line_of(daemon, 'frist-retry')}:" in checked.stdout + checked.stderr


def test_a_missing_configuration_is_named(spare):
    daemon = spare()
    daemon.configuration.unlink()
    assert str(daemon.configuration) in refuses_to_start(daemon, UNUSABLE)


def test_a_missing_secret_file_is_named(spare):
    daemon = spare((f"secret = {SECRET}", "secret-file = /nowhere/secret"))
    told = refuses_to_start(daemon, UNUSABLE)
    assert "/nowhere/secret" in told


def test_a_port_that_is_taken_is_named(a, spare):
    daemon = spare()
    text = daemon.configuration.read_text()
    daemon.configuration.write_text(text.replace(f"listen = {daemon.host.address}:2424", f"listen = {a.address}:2424"))
    assert f"{a.address}:2424" in refuses_to_start(daemon)


# ---- the mail server

def test_deliver_to_and_return_to_in_each_others_place_are_refused(spare, a):
    daemon = spare(("deliver-to = smtp:", f"deliver-to = smtp:{a.address}:2527 smtp:"),
                   ("return-to = smtp:", f"return-to = smtp:{a.address}:2526 smtp:"))
    told = refuses_to_start(daemon)
    assert "swapped" in told and f"smtp:{a.address}:2526" in told and f"smtp:{a.address}:2527" in told
    assert "Relay access denied" in told
    checked = daemon.run("check")
    assert checked.returncode == 1 and "the two are swapped" in checked.stdout


def test_a_mail_server_that_comes_up_later_and_is_swapped_ends_the_daemon(spare, new_letter):
    daemon = spare()
    daemon.start()
    assert lmtp(daemon, new_letter()).startswith("250")  # nothing is refused before it is certain
    sinks = [Sink(daemon.host, port=2526), Sink(daemon.host, "-f", "rcpt", "-B", "554 5.7.1 Relay access denied", port=2527)]
    try:
        assert daemon.wait(90) == 1
        assert "the two are swapped" in daemon.log()
    finally:
        for each in sinks:
            each.stop()


def test_check_tells_an_intake_that_takes_less_than_postfix(spare):
    daemon = spare(("protocol = lmtp", "protocol = lmtp\nmax-size = 1M"))
    daemon.host.write("/etc/postfix/main.cf", "message_size_limit = 2000000\n")
    checked = daemon.run("check")
    assert "[intake postfix]: max-size is 1048576 and Postfix has message_size_limit = 2000000" in checked.stdout


# ---- the XMPP server

def test_a_wrong_secret_is_said_with_the_server_and_without_the_secret(spare, a):
    daemon = spare(secret="swordfish")
    daemon.start()
    told = until(lambda: [line for line in daemon.log().splitlines() if "mail.spare.test" in line and "secret" in line],
                 "a line about the secret")
    assert f"{a.address}:5347" in told[0]
    checked = daemon.run("check")
    assert checked.returncode == 1
    assert "secret" in checked.stdout + checked.stderr
    assert "swordfish" not in daemon.log() + checked.stdout + checked.stderr


def test_an_unreachable_server_is_named_and_mail_is_taken_all_the_same(spare, a, new_letter):
    daemon = spare((f"server = {a.address}:5347", "server = 127.0.9.250:5347"))
    daemon.start()
    until(lambda: "127.0.9.250:5347" in daemon.log(), "a line about the server")
    assert lmtp(daemon, new_letter()).startswith("250")
    assert len(daemon.queue()) == 1
    checked = daemon.run("check")
    assert checked.returncode == 1
    assert "127.0.9.250:5347" in checked.stdout + checked.stderr


# ---- the disk

def test_a_state_directory_that_cannot_be_written_is_named(spare):
    daemon = spare()
    daemon.state.chmod(0o500)
    daemon.host.command("chown", "root:root", daemon.state)
    assert str(daemon.state) in refuses_to_start(daemon)


def test_a_full_disk_defers_mail_and_loses_none(spare, new_letter):
    daemon = spare()
    daemon.host.command("mount", "-t", "tmpfs", "-o", f"size=48m,mode=700,uid={ACCOUNT}", "tmpfs", daemon.state,
                        check=True)
    daemon.start()
    kept = new_letter()
    assert lmtp(daemon, kept).startswith("250")
    daemon.host.command("sh", "-c", f"cat /dev/zero > {daemon.state}/filler")  # until there is no room

    large = new_letter(body="x" * 70 + "\n", more_header="X-Much: " + "y" * 900 + "\n")
    large.content += b"z" * 70 * 4000
    with pytest.raises(smtp.Refused, match=r"^452[ -]4\.3\.1"):
        lmtp(daemon, large)
    assert len(daemon.queue()) == 1

    daemon.host.command("rm", f"{daemon.state}/filler", check=True)
    assert lmtp(daemon, large).startswith("250")
    assert len(daemon.queue()) == 2


def database(daemon):
    """The file that holds the queue."""
    files = [path for path in daemon.state.rglob("*") if path.is_file()]
    found = [path for path in files if path.read_bytes().startswith(b"SQLite format 3")]
    assert len(found) == 1
    return found[0]


def test_a_corrupt_database_is_named_and_left_alone(spare, new_letter):
    daemon = spare()
    daemon.start()
    lmtp(daemon, new_letter())
    assert daemon.stop() == 0
    file = database(daemon)
    content = random.Random(3).randbytes(4096) + file.read_bytes()[4096:]
    file.write_bytes(content)
    told = refuses_to_start(daemon)
    assert str(file) in told
    assert file.read_bytes() == content


def test_a_second_daemon_on_the_same_queue_is_refused(spare):
    daemon = spare()
    daemon.start()
    second = Packetboat(daemon.host, "spare.test", SECRET)
    second.log_file = daemon.host.logs / "second.log"
    told = daemon.host.command("setpriv", "--reuid", ACCOUNT, "--regid", "nogroup", "--clear-groups", "--",
                               second.binary, "serve", "--config", second.configuration, text=True)
    assert told.returncode != 0
    assert str(daemon.state) in told.stderr
    assert daemon.is_running() and daemon.queue() == []


# ---- the LMTP port

GARBAGE = {
    "random bytes": random.Random(5).randbytes(20000) + b"\r\n",
    "another protocol": b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "a TLS hello": bytes.fromhex("16030100a50100009f0303") + bytes(160) + b"\r\n",
    "an endless line": b"A" * 1_000_000 + b"\r\n",
    "zeros": bytes(5000) + b"\r\n",
    "commands out of order": b"DATA\r\nRCPT TO:<bob@b.test>\r\n.\r\n",
    "a path that is none": b"LHLO x\r\nMAIL FROM:<<>@@\r\n",
    "an unknown parameter": b"LHLO x\r\nMAIL FROM:<a@a.test> MAGIC=1\r\n",
    "a size that is none": b"LHLO x\r\nMAIL FROM:<a@a.test> SIZE=99999999999999999999\r\n",
    "a control character in an address": b"LHLO x\r\nMAIL FROM:<a\x01b@a.test>\r\n",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_on_the_lmtp_port_gets_an_error_and_harms_nobody(a, alice, bob, letter, garbage):
    with socket.create_connection((a.address, 2424), timeout=20) as client:
        with contextlib.suppress(ConnectionError):  # it need not read all
            client.sendall(garbage + b"QUIT\r\n")
        replies = read_all(client).decode(errors="replace").splitlines()
    assert replies[0].startswith("220")
    assert any(reply[0] == "5" or reply.startswith("421") for reply in replies[1:]), replies
    with smtp.Session(a.address, 2424, greeting="LHLO") as session:
        assert session.send(alice.address, [bob.address], letter.content).startswith("250")
    bob.receives(letter)


@pytest.mark.parametrize("trick", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"a lone \r here"], ids=repr)
def test_a_line_end_that_is_none_neither_ends_a_mail_nor_goes_on(a, alice, bob, new_letter, trick):
    """SMTP smuggling: what one server takes for the end and the next does not."""
    smuggled = new_letter()
    content = (smtp.wire_form(new_letter().content) + b"text" + trick
               + b"MAIL FROM:<ceo@a.test>\r\nRCPT TO:<bob@b.test>\r\nDATA\r\n" + smtp.wire_form(smuggled.content))
    with smtp.Session(a.address, 2424, greeting="LHLO") as session:
        session.command(f"MAIL FROM:<{alice.address}>")
        session.command(f"RCPT TO:<{bob.address}>")
        session.command("DATA", expect="3")
        with pytest.raises(smtp.Refused, match="^5"):
            session.data(content)
    assert bob.has(smuggled) == 0


def read_all(client):
    data = b""
    with contextlib.suppress(ConnectionResetError):  # it closed before it had read all
        while piece := client.recv(65536):
            data += piece
    return data
