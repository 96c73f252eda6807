"""Complaints: what people at b.test say of a.test's mail, how a.test hears of it, and what that changes there."""

import contextlib
import imaplib
import json
import re
import shutil

import pytest
from component import TRANSFER, Component, error_of
from people import all_settled
from test_control_socket import ask
from test_peers import peers, total
from twodomains.templates import fill
from twodomains.waiting import accepts, until

SOCKET = "/run/packetboat/complaints.sock"
ON = """[complaints]
send = yes
take = yes
batch = 1s
socket = /run/packetboat/complaints.sock
socket-mode = 0666
abuse-address = {abuse}
"""


@pytest.fixture(scope="module")
def complaints(world, a, b):
    """On at both, and told at once; a.test's go to Jürgen."""
    before = {}
    for site, abuse in ((a, "juergen@a.test"), (b, "joerg@b.test")):
        all_settled(site)
        daemon = site.packetboat
        before[site] = daemon.configuration.read_text()
        daemon.configuration.write_text(re.sub(r"(?m)^\[complaints\]\n(.+\n)*", ON.format(abuse=abuse), before[site]))
        daemon.restart()
    for site, other in ((a, "b.test"), (b, "a.test")):
        until(lambda: site.packetboat.run("check", other).returncode == 0, f"{site.domain} to find {other}", 60)
    b.packetboat.run("peers", "trust", "a.test")
    yield
    b.packetboat.run("peers", "forget", "a.test")
    for site, text in before.items():
        site.packetboat.run("queue", "cancel", "--all")
        site.packetboat.configuration.write_text(text)
        site.packetboat.restart()
    for site, other in ((a, "b.test"), (b, "a.test")):
        until(lambda: site.packetboat.run("check", other).returncode == 0, f"{site.domain} to find {other}", 60)


pytestmark = pytest.mark.usefixtures("complaints")


def complain(site, content, *words, user=None):
    return site.host.command(site.packetboat.binary, "complaint", "--socket", SOCKET, *words, stdin=None, input=content,
                             user=user)


def kept(mail, address):
    """As a mail server keeps it that says whose mailbox it is in."""
    return f"Delivered-To: {address}\n".encode() + mail.content


def said_of(site, mail):
    return [line for line in site.packetboat.log().splitlines()
            if "event=complaint " in line and f"transfer={mail.transfer_id()}" in line]


def against(site):
    """(sender, domain) -> how many complaints there are."""
    rows = json.loads(site.packetboat.run("senders", "--json").stdout)
    return {(row["name"], row["domain"]): row["complaints"] for row in rows if row["kind"] == "complaints"}


def complaints_on(b):
    return total(b, "a.test").get("complaints", 0)


def test_an_infected_account_is_slowed_at_its_origin_by_the_other_sides_complaints(a, b, alice, bob, new_letter):
    spam, other = new_letter(), new_letter()
    alice.sends(spam, bob)
    mail = bob.receives(spam)
    counted = complaints_on(b)
    answered = complain(b, kept(mail, bob.address))
    assert answered.returncode == 0, (answered.stderr, mail.content)
    assert answered.stdout == b"a complaint of bob@b.test about a.test\n"
    assert complaints_on(b) == counted + 1
    assert len(said_of(b, mail)) == 1 and "by=bob@b.test kind=spam" in said_of(b, mail)[0]
    until(lambda: against(a).get(("alice@a.test", "b.test")), "the complaint at its origin")
    alarm = next(line for line in a.packetboat.log().splitlines() if "event=complaints-on-sender" in line)
    assert "from=<alice@a.test>" in alarm and "domain=b.test" in alarm and "days=1" in alarm
    assert "complaints  alice@a.test  1 of b.test on 1 of the last 7 days" in a.packetboat.run("senders").stdout
    # A person hears of it.
    report = a.mailbox("juergen@a.test").wait_for("report-type=feedback-report")
    text = report.content.decode()
    assert "Feedback-Type: abuse" in text and "Original-Mail-From: <alice@a.test>" in text
    assert "Incidents: 1" in text and f"Message-ID: {spam.id}" in text
    assert report.field("Auto-Submitted") == "auto-generated"
    # One goes, and the next one waits; others' mail, and hers to others, does not.
    alice.sends(other, bob)
    bob.receives(other)
    slowed, free = new_letter(), new_letter()
    alice.sends(slowed, bob)
    waiting = until(lambda: [row for row in a.packetboat.queue() if row["state"] == "deferred"], "the mail that waits")
    assert "b.test complains of mail of this sender" in waiting[0]["last_reply"]
    alice.sends(free, bob, sender="juergen@a.test")
    bob.receives(free)
    assert not bob.has(slowed)
    # Over a restart, too.
    a.packetboat.restart()
    assert against(a)[("alice@a.test", "b.test")] == 1
    until(lambda: a.packetboat.run("check", "b.test").returncode == 0, "a.test to find b.test", 60)
    # The complaint was a mistake: nothing is slowed any more.
    back = complain(b, kept(mail, bob.address), "--not-spam")
    assert back.returncode == 0, back.stderr
    assert complaints_on(b) == counted
    until(lambda: ("alice@a.test", "b.test") not in against(a), "the complaint to be taken back")
    a.packetboat.run("queue", "flush")
    bob.receives(slowed)


def test_complaints_with_forged_trace_fields_count_nowhere(a, b, alice, bob, carol, new_letter):
    true, of_carol = new_letter(), new_letter()
    alice.sends(true, bob, "joerg@b.test")
    mail = bob.receives(true)
    by_smtp = new_letter()
    carol.sends(by_smtp, bob)
    counted = complaints_on(b)
    content = kept(mail, bob.address)
    head = content[:content.index(b"From: ")]
    stranger = mail.content
    for forged, why in (
            (bob.receives(by_smtp).content, "it did not come over XMPP"),
            (b"", "it did not come over XMPP"),
            (b"\n" + content, "it did not come over XMPP"),
            (content.replace(b"packetboat.b.test; x-xmpp", b"packetboat.c.test; x-xmpp"), "it did not come over XMPP"),
            (content.replace(mail.transfer_id().encode(), b"0" * 32), "no mail of the last 30 days"),
            (content.replace(b"policy.domain=a.test", b"policy.domain=evil.test"), "no mail of the last 30 days"),
            (head + of_carol.content, "brought another mail"),
            (b"Delivered-To: carol@b.test\n" + stranger, "was its recipient"),
            (stranger, "was its recipient")):
        answered = complain(b, forged)
        assert answered.returncode == 1, (why, answered.stdout)
        assert why in answered.stderr.decode(), (why, answered.stderr)
        assert answered.stderr.count(b"\n") == 1
    assert complaints_on(b) == counted
    assert complain(b, content, "--recipient", "carol@b.test").returncode == 1
    # Each recipient has a vote, and one.
    for words, said in (([], b"a complaint of bob"), ([], b"bob@b.test has said so before"),
                        (["--recipient", "joerg@b.test"], b"a complaint of joerg")):
        answered = complain(b, content, *words)
        assert answered.returncode == 0 and answered.stdout.startswith(said), answered
    assert complaints_on(b) == counted + 2
    for words in ([], ["--recipient", "joerg@b.test"]):
        assert complain(b, content, "--not-spam", *words).returncode == 0
    assert complaints_on(b) == counted


def test_complaints_of_who_did_not_get_the_mail_or_where_they_are_off_are_refused(a, b, alice, bob, letter):
    alice.sends(letter, bob)
    transfer = bob.receives(letter).transfer_id()
    with Component(b, "stranger.b.test") as foe:
        for component, number, why in (("mail.a.test", transfer, "domain-not-authorized"),
                                       ("mail.a.test", "0" * 44, "unknown-transfer"),
                                       ("mail.d.test", transfer, "service-unavailable")):
            answer = foe.asks(component, f"<complaint xmlns='{TRANSFER}' id='{number}' domain='a.test' kind='spam'/>",
                              kind="set")
            assert answer.get("type") == "error"
            assert why in error_of(answer), (component, error_of(answer))
    assert ("alice@a.test", "b.test") not in against(a)


def test_the_socket_to_complain_on_lets_nobody_touch_mail(b):
    for verb in ("status", "queue-list", "queue", "backup", "verify", "trace", "peers-set", "senders-forget", "retire", "look-up"):
        asked = b.host.command("/usr/bin/python3", "-c", ASK, SOCKET, json.dumps({"command": verb, "verb": "cancel", "all": True,
                                                                          "name": "x", "domain": "a.test"}), user="mail", text=True)
        assert asked.returncode == 0, asked.stderr
        assert json.loads(asked.stdout) == {"ok": False, "error": f'unknown command "{verb}"'}
    asked = b.host.command("/usr/bin/python3", "-c", ASK, SOCKET, '{"command": "notify"}', user="mail", text=True)
    assert "notify is not known yet" in asked.stdout
    assert ask(b.packetboat, {"command": "status"})["ok"] is True


ASK = """
import socket, sys
with socket.socket(socket.AF_UNIX) as client:
    client.connect(sys.argv[1])
    client.sendall(sys.argv[2].encode() + b"\\n")
    print(client.makefile().readline())
"""


@pytest.fixture
def imap(b):
    """b.test's Dovecot has IMAP, and the example's Sieve scripts."""
    local = b.host.path("/etc/dovecot/local.conf")
    before = local.read_text()
    sieve = b.host.path("/etc/dovecot/sieve")
    sieve.mkdir(exist_ok=True)
    for name in ("spam.sieve", "not-spam.sieve", "packetboat-complaint"):
        text = fill(f"dovecot/sieve/{name}").replace("/usr/bin/packetboat", str(b.packetboat.binary))
        (sieve / name).write_text(text)
    (sieve / "packetboat-complaint").chmod(0o755)
    local.write_text(before.replace("protocols = lmtp", "protocols = lmtp imap") + fill("dovecot/complaints.conf")
                     + IMAP.format(address=b.address))
    # It tells sievec what plugins there are.
    restart(b)
    for name in ("spam.sieve", "not-spam.sieve"):
        compiled = b.host.command("sievec", f"/etc/dovecot/sieve/{name}", text=True)
        assert compiled.returncode == 0, compiled.stderr
    until(lambda: accepts(b.address, 143), "IMAP")
    with contextlib.closing(imaplib.IMAP4(b.address)) as client:
        client.login("bob@b.test", "x")
        client.create("Junk")
        client.create("Trash")
        yield client
    local.write_text(before)
    shutil.rmtree(sieve)
    restart(b)


IMAP = """
disable_plaintext_auth = no
service imap-login {{
  inet_listener imap {{
    address = {address}
    port = 143
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


def restart(site):
    site.dovecot.stop()
    site.dovecot.start()


def move(client, letter, source, target):
    client.select(source)
    found = client.search(None, "HEADER", "Message-ID", letter.id)[1][0].split()
    assert len(found) == 1, found
    assert client._simple_command("MOVE", found[0].decode(), target)[0] == "OK"


def test_moving_a_mail_to_junk_complains_of_it_and_moving_it_back_takes_that_back(a, b, alice, bob, new_letter, imap):
    letter = new_letter()
    alice.sends(letter, bob)
    mail = bob.receives(letter)
    counted = complaints_on(b)
    move(imap, letter, "INBOX", "Junk")
    until(lambda: complaints_on(b) == counted + 1, "the complaint")
    uid = b.host.command("id", "-u", "mail", text=True).stdout.strip()
    assert f"uid={uid}" in said_of(b, mail)[0]
    move(imap, letter, "Junk", "INBOX")
    until(lambda: complaints_on(b) == counted, "the complaint to be taken back")
    assert "kind=not-spam" in said_of(b, mail)[-1]
    # To throw away what is spam does not make it good.
    move(imap, letter, "INBOX", "Junk")
    until(lambda: complaints_on(b) == counted + 1, "the complaint")
    move(imap, letter, "Junk", "Trash")
    assert complaints_on(b) == counted + 1
    assert len(said_of(b, mail)) == 3
    move(imap, letter, "Trash", "INBOX")


def test_a_mail_that_did_not_come_over_xmpp_goes_to_junk_like_any_other(b, carol, bob, new_letter, imap):
    letter = new_letter()
    carol.sends(letter, bob)
    bob.receives(letter)
    counted = complaints_on(b)
    move(imap, letter, "INBOX", "Junk")
    move(imap, letter, "Junk", "INBOX")
    assert bob.has(letter) and complaints_on(b) == counted
