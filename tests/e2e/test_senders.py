"""Limits on our own users: who sends as a machine does is slowed where they log in, and named; nobody else notices."""

import base64
import json
import re

import pytest

from people import Person
from test_reload import Reloading
from twodomains import smtp
from twodomains.waiting import accepts, until

# Postfix asks Dovecot whether the password is right.
AUTH = """
service auth {
  unix_listener /var/spool/postfix/private/auth {
    user = postfix
    group = postfix
    mode = 0600
  }
}
"""
# As in Debian's master.cf, with what the example's main.cf puts there.
SUBMISSION = ("inet n - y - - smtpd -o syslog_name=postfix/submission -o smtpd_sasl_auth_enable=yes"
              " -o smtpd_sasl_type=dovecot -o smtpd_sasl_path=private/auth"
              " -o smtpd_relay_restrictions="
              " -o smtpd_recipient_restrictions=$packetboat_policy,permit_sasl_authenticated,reject")
WHY = "sent more than the limit"


class Login(smtp.Session):
    """A mail client that has logged in at its site's port 587."""

    def __init__(self, site, user, password="x"):
        super().__init__(site.address, 587)
        self.command("AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode())


@pytest.fixture(scope="module")
def submission(a):
    configuration = a.host.path("/etc/dovecot/local.conf").read_text()
    service = f"{a.address}:587"

    def serve(text, *postconf):
        a.host.write("/etc/dovecot/local.conf", text)
        a.dovecot.stop()
        a.dovecot.start()
        a.host.command("postconf", *postconf, check=True)
        a.postfix.reload()
    serve(configuration + AUTH, "-M", f"{service}/inet={service} {SUBMISSION}")
    until(lambda: accepts(a.address, 587), "the submission service")
    yield
    serve(configuration, "-MX", f"{service}/inet")


class Limits:
    def __init__(self, site):
        self._daemon = site.packetboat
        self._reloading = Reloading(site.packetboat)

    def are(self, *lines):
        self._reloading.reads(self._with(lines))

    def are_as_before(self):
        self._reloading.reads(self._reloading.good)

    def are_wrong(self, *lines):
        """What the log says; the file is as before then."""
        before = self._daemon.configuration.read_text()
        said = self._reloading.reads(self._with(lines), "event=reload-failed ")
        self._daemon.configuration.write_text(before)
        return said

    def _with(self, lines):
        """The configuration with these lines in place of the example's."""
        text, count = re.subn(r"^\[senders\]\n(.+\n)*", "\n".join(["[senders]", *lines, ""]), self._reloading.good, flags=re.M)
        assert count == 1
        return text

    def senders(self):
        """(kind, name) -> the row."""
        result = self._daemon.run("senders", "--json")
        assert result.returncode == 0, result.stderr
        return {(row["kind"], row["name"]): row for row in json.loads(result.stdout)}

    def forget(self, *names):
        for name in names:
            self._daemon.run("senders", "forget", name)

    def alarms(self, *texts):
        return self._reloading.lines("event=sender-beyond-limit ", *texts)


@pytest.fixture
def limits(a):
    """Nobody has sent anything yet."""
    limits = Limits(a)
    limits.forget(*(name for _, name in limits.senders()))
    yield limits
    limits.are_as_before()
    limits.forget(*(name for _, name in limits.senders()))
    a.postfix.flush()
    until(lambda: not a.postfix.queue(), "an empty queue at a.test's Postfix", 30)


@pytest.fixture
def juergen(a):
    return Person(a, "juergen@a.test")


def test_an_infected_machine_is_slowed_where_it_logs_in_and_named(limits, submission, a, bob, juergen, new_letter):
    limits.are("messages-per-hour = 20", "beyond = refuse")
    before = len(limits.alarms("name=alice@a.test"))
    sent = 0
    with Login(a, "alice@a.test") as machine, pytest.raises(smtp.Refused, match=f"^450 4.7.1 .*{WHY}"):
        for sent in range(200):
            # It makes up senders, and most of its mail goes by SMTP.
            machine.send(f"x{sent}@a.test", ["carol@c.test"], new_letter().content)
    assert 20 <= sent < 30  # one more for each three minutes that this takes
    with Login(a, "alice@a.test") as again, pytest.raises(smtp.Refused, match=f"^450 4.7.1 .*{WHY}"):
        again.send("alice@a.test", [bob.address], new_letter().content)

    row = limits.senders()["login", "alice@a.test"]
    assert row["is_beyond"] and row["last_hour"]["messages"] == sent and row["limits"]["messages"] == 20
    shown = a.packetboat.run("senders").stdout
    assert f"alice@a.test  {sent} of 20 messages, {sent} of 1000 recipients" in shown
    assert "; beyond its limit, and refused" in shown
    alarm, = limits.alarms("name=alice@a.test")[before:]
    assert "kind=login" in alarm and "what=messages limit=20" in alarm and "client=127." in alarm

    letter = new_letter()
    with Login(a, "juergen@a.test") as other:
        other.send("juergen@a.test", [bob.address], letter.content)
    assert bob.mailbox.wait_for(letter.id).transport() == "xmpp"

    # Its user has another password by now.
    limits.forget("alice@a.test")
    letter = new_letter()
    with Login(a, "alice@a.test") as user:
        user.send("alice@a.test", [bob.address], letter.content)
    bob.receives(letter)


def test_what_nobody_logged_in_for_waits_in_postfix_s_queue(limits, a, alice, bob, juergen, new_letter):
    limits.are("messages-per-hour = 3", "beyond = refuse")
    letters = [new_letter() for _ in range(5)]
    for letter in letters:
        alice.sends(letter, bob)
    until(lambda: a.postfix.queue().count(WHY) == 2, "two mails to wait")
    untouched = new_letter()
    juergen.sends(untouched, bob)
    bob.receives(untouched)
    until(lambda: sum(bob.has(letter) for letter in letters) == 3, "the three within the limit")
    assert limits.senders()["sender", "alice@a.test"]["is_beyond"]
    # An administrator sees that all is well.
    limits.are("messages-per-hour = 100", "beyond = refuse")
    a.postfix.flush()
    for letter in letters:
        bob.receives(letter)


def test_what_is_held_waits_for_the_administrator(limits, a, alice, bob, juergen, new_letter):
    limits.are("messages-per-hour = 3", "beyond = hold")
    letters = [new_letter() for _ in range(5)]
    for letter in letters:
        alice.sends(letter, bob)
    untouched = new_letter()
    juergen.sends(untouched, bob)
    bob.receives(untouched)
    until(lambda: len(a.packetboat.queue()) == 2 and not a.postfix.queue(), "two mails in the queue")
    for row in a.packetboat.queue():
        assert row["state"] == "held" and WHY in row["last_reply"]
        assert re.search(f"Z  held +.*{WHY}", a.packetboat.run("trace", row["id"]).stdout)
    until(lambda: sum(bob.has(letter) for letter in letters) == 3, "the three within the limit")
    assert a.packetboat.run("queue", "release", "--from", "alice@a.test").returncode == 0
    for letter in letters:
        bob.receives(letter)


def test_a_login_s_mail_is_held_whichever_way_it_goes(limits, submission, a, bob, carol, new_letter):
    limits.are("recipients-per-hour = 3", "beyond = hold")
    letters = [new_letter() for _ in range(3)]
    with Login(a, "alice@a.test") as machine:
        for letter in letters:
            machine.send("list@elsewhere.test", [bob.address, carol.address], letter.content)
    until(lambda: a.postfix.queue().count("!") == 2, "two mails in Postfix's queue for held mail")
    bob.receives(letters[0])
    carol.receives(letters[0])
    assert not bob.has(letters[1]) and not carol.has(letters[2])
    a.host.command("postsuper", "-H", "ALL", check=True)
    for letter in letters:
        bob.receives(letter)


def test_who_writes_to_people_who_do_not_exist_is_slowed(limits, submission, a, alice, bob, juergen, new_letter):
    limits.are("unknown-recipients-per-hour = 3", "beyond = refuse")
    for number in range(3):
        alice.sends(new_letter(), f"nobody{number}@b.test")

    def unknown():
        return limits.senders().get(("sender", "alice@a.test"), {}).get("last_hour", {}).get("unknown-recipients")
    until(lambda: unknown() == 3, "b.test's verdicts")
    with Login(a, "alice@a.test") as machine, pytest.raises(smtp.Refused, match=f"^450 4.7.1 .*{WHY}"):
        machine.send("alice@a.test", [bob.address], new_letter().content)
    assert "what=unknown-recipients limit=3" in limits.alarms("name=alice@a.test")[-1]
    late, untouched = new_letter(), new_letter()
    alice.sends(late, bob)
    juergen.sends(untouched, bob)
    bob.receives(untouched)
    until(lambda: WHY in a.postfix.queue(), "her mail to wait")
    limits.forget("alice@a.test")
    a.postfix.flush()
    bob.receives(late)


def test_limits_that_are_wrong_change_nothing(limits, a):
    limits.are("messages-per-hour = 7", "beyond = refuse")
    said = limits.are_wrong("messages-per-hour = 5", "beyond = shout")
    assert "no good value for beyond: one of hold, log, refuse" in said and f"{a.packetboat.configuration}:" in said
    with smtp.Session(a.address, 2424, greeting="LHLO") as session:
        session.send("alice@a.test", ["alice@a.test"], b"Subject: x\n\nHi.\n")
    assert limits.senders()["sender", "alice@a.test"]["limits"]["messages"] == 7
