"""Our SMTP server as other people's programs see it: swaks, smtplib, smtp-source, and attackers."""

import contextlib
import re
import shutil
import smtplib
import socket
import ssl
import subprocess

import pytest
from twodomains import smtp
from twodomains.waiting import until

HERE = ["from s@spare.test to r@spare.test"]


@pytest.fixture
def server(world, spare):
    """A Packetboat with an SMTP listener that has TLS and trusts its clients; what it takes stays in its queue."""
    key, certificate = (shutil.copy(file, world.scratch) for file in world.authority.issue("mx.spare.test"))
    for file in (key, certificate):
        (world.scratch / file).chmod(0o644)
    daemon = spare(("protocol = lmtp", f"protocol = smtp\nmax-size = 50M\ntls-certificate = {certificate}\ntls-key = {key}\n"
                                       "trusted-networks = 127.0.0.0/8"))
    daemon.start()
    return daemon


def session(server):
    return smtp.Session(server.host.address, 2424)


# RFC 5321 4.1.1.1.
def test_every_extension_of_the_table_is_announced(server):
    with session(server) as client:
        words = {line[4:].strip() for line in client.features.splitlines()}
    assert {"PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "CHUNKING", "STARTTLS",
            "LIMITS RCPTMAX=1000", "MT-PRIORITY"} <= words
    assert any(word.startswith("XFORWARD ") for word in words)
    assert any(word.startswith("XCLIENT ") for word in words)
    # Only where it can be kept.
    assert "REQUIRETLS" not in words


@contextlib.contextmanager
def starts_tls(world, server, *before):
    """A client that has said these commands in the clear, and nothing since STARTTLS."""
    context = ssl.create_default_context(cafile=str(world.authority.certificate))
    with smtplib.SMTP(server.host.address, 2424, timeout=20) as client:
        client._host = "mx.spare.test"  # whose certificate is wanted
        client.ehlo()
        assert client.has_extn("starttls")
        for command in before:
            assert client.docmd(command)[0] == 250
        assert client.starttls(context=context)[0] == 220
        yield client


# RFC 8689 2.
def test_starttls_gives_requiretls(world, server):
    with starts_tls(world, server) as client:
        client.ehlo()
        assert client.has_extn("requiretls")
        assert not client.has_extn("starttls")
        client.sendmail("s@spare.test", ["r@spare.test"], "Subject: tls\n\nHi.\n", mail_options=["REQUIRETLS"])
    until(lambda: len(server.queue()) == 1, "the mail in the queue")


def test_nothing_that_was_sent_before_starttls_counts_behind_it(world, server):
    """RFC 3207 4.2: neither hello, nor a mail that was begun, nor what was said of the client."""
    with starts_tls(world, server, "XFORWARD ADDR=192.0.2.7", "MAIL FROM:<eve@spare.test>", "RCPT TO:<e@spare.test>") as client:
        assert client.docmd("MAIL FROM:<s@spare.test>")[0] == 503
        client.ehlo()
        assert client.docmd("RCPT TO:<r@spare.test>")[0] == 503
        client.sendmail("s@spare.test", ["r@spare.test"], "Message-ID: <behind.tls@spare.test>\n\nHi.\n")
    [waiting] = until(server.queue, "the mail in the queue")
    assert waiting["from"] == "s@spare.test" and waiting["to"] == "r@spare.test"
    story = server.run("trace", waiting["id"]).stdout
    assert "127.0.0.1" in story and "192.0.2.7" not in story


# RFC 3207 4.2.
def test_a_command_slipped_in_behind_starttls_ends_the_session(server):
    with socket.create_connection((server.host.address, 2424), timeout=20) as client:
        client.recv(1000)
        client.sendall(b"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<evil@evil.test>\r\n")
        answer = read_to_end(client)
    assert b"501 5.5.1" in answer and b"220 2.0.0 Ready" not in answer


def test_swaks_sends_over_tls_and_in_pieces_of_its_own(world, server):
    for more in (["--tls", "--tls-ca-path", world.authority.certificate], ["--pipeline"], []):
        result = subprocess.run(["swaks", "--server", f"{server.host.address}:2424", "--from", "s@spare.test",
                                 "--to", "r@spare.test", "--timeout", "20", *map(str, more)], capture_output=True,
                                text=True)
        assert result.returncode == 0, result.stdout + result.stderr
    assert len(server.queue()) == 3


def test_smtp_source_gets_all_its_mails_in(server):
    subprocess.run(["smtp-source", "-s", "20", "-m", "200", "-l", "4096", "-d", "-f", "s@spare.test", "-t", "r@spare.test",
                    f"{server.host.address}:2424"], check=True, timeout=60)
    assert len(server.queue()) == 200


# RFC 3030 2.
def test_a_message_in_chunks_is_taken_as_it_is(server):
    with session(server) as client:
        client.command("MAIL FROM:<s@spare.test> BODY=8BITMIME SIZE=40")
        client.command("RCPT TO:<r@spare.test>")
        client.write(b"BDAT 12\r\nSubject: x\r\nBDAT 7 LAST\r\n\r\n.\xc3\xa4\r\n")
        assert client.reply().startswith("250 2.0.0 12 octets")
        assert client.reply().startswith("250 2.0.0 Ok: queued as")
    [waiting] = server.queue()
    assert waiting["size"] == 19


# RFC 1870 6.1.
def test_a_size_that_is_too_large_is_refused_before_it_moves(server):
    with session(server) as client, pytest.raises(smtp.Refused, match="552 5.3.4"):
        client.command("MAIL FROM:<s@spare.test> SIZE=52428801")


# RFC 5321 3.5.3.
def test_vrfy_tells_nothing(server):
    with session(server) as client:
        assert client.command("VRFY r@spare.test").startswith("252 ")


def test_a_trusted_client_says_for_whom_it_speaks(server):
    with session(server) as client:
        client.command("XFORWARD NAME=client.example ADDR=192.0.2.7 HELO=laptop.example PROTO=ESMTP")
        reply = client.send("s@spare.test", ["r@spare.test"], b"Subject: x\n\nHi.\n")
    queued = re.search(r"queued as (\w+)", reply).group(1)
    assert "192.0.2.7" in server.run("trace", queued).stdout
    assert f"id={queued}" in server.log()


def test_xclient_makes_it_another_client_which_may_not_be_allowed(server):
    with session(server) as client:
        client.command("XCLIENT ADDR=127.0.5.5 NAME=[UNAVAILABLE]")
        client.command("EHLO other")
        client.send("s@spare.test", ["r@spare.test"], b"Subject: x\n\nHi.\n")
        with pytest.raises(smtp.Refused, match="554 5.7.1 Client 192.0.2.9 is not allowed"):
            client.command("XCLIENT ADDR=192.0.2.9")
    assert "127.0.5.5" in server.log()


# The ends of data that one program or another has taken for one (SMTP smuggling, 2023).
SMUGGLED = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r\r\n.\r\r\n",
            b"\r\n.\r\r\n", b"\n\n.\r\n\r\n"]
# What goes on with the mail.
NO_ENDS = [b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\0\r\n\0.\0\r\n"]


def after_data(server, end):
    """What the client hears to a mail with `end` and the dialogue of a second mail in its body."""
    with socket.create_connection((server.host.address, 2424), timeout=20) as client:
        client.sendall(b"EHLO x\r\nMAIL FROM:<s@spare.test>\r\nRCPT TO:<r@spare.test>\r\nDATA\r\n")
        answer = b""
        while b"\r\n354 " not in answer:
            answer += client.recv(65536)
        client.sendall(b"Subject: one\r\n\r\nbody" + end + b"MAIL FROM:<admin@spare.test>\r\nRCPT TO:<victim@spare.test>\r\nDATA\r\n"
                       b"Subject: two\r\n\r\nsmuggled\r\n.\r\nQUIT\r\n")
        answer += read_to_end(client)
    assert answer.count(b"354 ") == 1
    return answer


@pytest.mark.parametrize("end", SMUGGLED, ids=[repr(end) for end in SMUGGLED])
def test_no_other_end_of_data_smuggles_a_second_mail(server, end):
    assert re.search(rb"^554 5\.5\.2 Bare (CR|LF) in the message", after_data(server, end), re.M)
    assert server.queue() == []


@pytest.mark.parametrize("octets", NO_ENDS, ids=[repr(octets) for octets in NO_ENDS])
def test_a_nul_beside_a_dot_is_part_of_the_one_mail(server, octets):
    assert after_data(server, octets).count(b"queued as") == 1
    [waiting] = server.queue()
    assert waiting["to"] == "r@spare.test"


def test_a_client_that_knows_no_rules_is_told_and_the_daemon_goes_on(server):
    with socket.create_connection((server.host.address, 2424), timeout=20) as client:
        client.sendall(b"NOISE\r\n" + b"A" * 10000 + b"\r\n" + b"NOISE\r\n" * 30)
        assert b"421 4.7.0" in read_to_end(client)
    with session(server) as client:
        client.send("s@spare.test", ["r@spare.test"], b"Subject: x\n\nHi.\n")


MAIL = (b"EHLO x\r\nMAIL FROM:<ceo@spare.test>\r\nRCPT TO:<r@spare.test>\r\nDATA\r\nFrom: The CEO <ceo@spare.test>\r\n"
        b"Subject: pay\r\n\r\nNow.\r\n.\r\nQUIT\r\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "MADEUP"])
def test_a_request_of_http_is_no_mail_whatever_is_in_its_body(server, method):
    curl = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "20", "--http0.9", "--request", method,
                           "--data-binary", "@-", f"http://{server.host.address}:2424/"], input=MAIL, capture_output=True)
    assert b"250" not in curl.stdout
    assert server.queue() == []
    until(lambda: f"{method} / HTTP/1.1" in server.log(), "the line in the log")


def test_content_before_the_354_and_a_malformed_bdat_end_the_session(server):
    envelope = b"EHLO x\r\nMAIL FROM:<s@spare.test>\r\nRCPT TO:<r@spare.test>\r\n"
    for rest in (MAIL.partition(b"r@spare.test>\r\n")[2], b"BDAT 100 FIRST\r\n" + MAIL):
        with socket.create_connection((server.host.address, 2424), timeout=20) as client:
            client.sendall(envelope + rest)
            answer = read_to_end(client)
        assert re.search(rb"^521 5\.5\.[14] [^\r\n]*\r\n\Z", answer, re.M), answer
    assert server.queue() == []


def test_one_client_gets_no_more_connections_than_its_share(spare):
    server = spare(("protocol = lmtp", "protocol = smtp\nclient-connections = 3\nclient-rate = 4"))
    server.start()
    clients = [session(server) for _ in range(4)]
    assert clients[0].reply().startswith("421 4.7.0")  # it had been silent for longest
    for _ in range(4):
        clients[1].send("s@spare.test", ["r@spare.test"], b"Subject: x\n\nHi.\n")
    with pytest.raises(smtp.Refused, match="450 4.7.0 Too much mail"):
        clients[1].send("s@spare.test", ["r@spare.test"], b"Subject: x\n\nHi.\n")


def test_programs_that_sit_on_every_port_do_not_keep_the_mail_server_out(a, b, alice, bob, new_letter):
    """250 connections each, to what Postfix needs: the intake, the policy service, and at b.test the socketmap."""
    ports = [(a.address, 2424), (a.address, 2426), (b.address, 2425), (b.address, 2424)]
    with contextlib.ExitStack() as stack:
        for address in ports * 250:
            stack.enter_context(socket.create_connection(address, timeout=20))
        there, back = new_letter(), new_letter()
        alice.sends(there, bob)
        bob.receives(there)
        bob.sends(back, alice)
        alice.receives(back)


def test_only_postfix_may_open_the_intakes_unix_socket(d, bob, dora, letter):
    """d.test's Postfix has the shipped, chrooted LMTP client; the other sites have a port."""
    path = d.packetboat.intake_socket
    opens = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    assert d.host.command("/usr/bin/python3", "-c", opens, path, user="postfix").returncode == 0
    told = d.host.command("/usr/bin/python3", "-c", opens, path, user="daemon", text=True)
    assert "PermissionError" in told.stderr
    dora.sends(letter, bob)
    assert bob.receives(letter).transport() == "xmpp"


def test_it_is_no_open_relay(spare):
    """Clients from elsewhere are turned away; what comes from this host goes over XMPP, or to the own MTA."""
    server = spare(("networks = 127.0.0.0/8", "networks = 192.0.2.0/24"))
    server.start()
    with socket.create_connection((server.host.address, 2424), timeout=20) as client:
        assert client.recv(1000).startswith(b"554 5.7.1")


def read_to_end(client):
    answer = b""
    try:
        while piece := client.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass  # it had not read all
    return answer
