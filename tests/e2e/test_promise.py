"""The closed lane, received: who promises that its mail comes over XMPP only, when that counts, and what becomes of forged mail."""

import contextlib
import datetime
import json
import re
import sqlite3

import pytest

import hostile
from component import iq
from people import Person, all_settled
from test_lanes import set_main
from transfers import transfer
from twodomains import smtp
from twodomains.waiting import Late, until

DAY = datetime.timedelta(days=1)
TOKEN = "0123456789abcdefXYZ"
# The tests' clients come from 127.0.0.0/8, which is exempt otherwise.
STRANGERS = "networks = 127.0.99.0/24"
CHECKS = "/etc/postfix/packetboat-header-checks"


def in_days(days):
    return f"{datetime.datetime.now(datetime.timezone.utc) + days * DAY:%Y-%m-%dT%H:%M:%SZ}"


class Site:
    """d.test, as the promise is read and kept there."""

    def __init__(self, site):
        self.site = site
        self.daemon = site.packetboat
        self._good = self.daemon.configuration.read_text()

    def configure(self, *lines):
        text, count = re.subn(r"(?m)^\[policy-service\]\n(.+\n)*",
                              lambda found: found.group().replace("closed-lane = log\n", "")
                              + "\n".join([STRANGERS, *lines, ""]), self._good)
        assert count == 1
        self.daemon.configuration.write_text(text)
        self.daemon.restart()

    def as_before(self):
        if not self.daemon.is_running():
            self.daemon.start()
        for promise in self.promises():
            self.daemon.run("promise", "forget", promise["domain"])
        self.daemon.configuration.write_text(self._good)
        self.daemon.restart()
        all_settled(self.site)

    def promises(self):
        asked = self.daemon.run("promise", "--json")
        assert asked.returncode == 0, asked.stderr
        return json.loads(asked.stdout)

    def lines(self, *texts):
        return [line for line in self.daemon.log().splitlines() if all(text in line for text in texts)]

    def reads(self, name):
        """Asks for the form now; returns what `check` says."""
        def answered():
            said = self.daemon.run("check", name).stdout
            return said if f"{name}: takes mail over XMPP" in said else None
        return until(answered, f"{name} to be asked", 30)

    def a_day_passes(self):
        """What was read is older when it starts again."""
        assert self.daemon.stop() == 0
        hours = 25 * 3600 * 1000
        with contextlib.closing(sqlite3.connect(self.daemon.state / "queue.db")) as database, database:
            database.execute("UPDATE promise SET first_read = first_read - ?1, last_read = last_read - ?1", (hours,))
        self.daemon.start()


class Promiser:
    """A component that is the mail domain evil.test, and sends mail to d.test."""

    def __init__(self, front):
        self.front = front
        self.name = front.foe_name
        self.address = f"eve@{self.name}"
        self.component = front.foe()
        self._peer = hostile.Peer(self.component)  # answers what it is asked

    def has_a_verdict(self, letter, person=None):
        """Over XMPP, for somebody at d.test; again and again, as the other side may just have started."""
        person = person or self.front.person
        payload = transfer(self.name, self.address, person.address, letter)

        def arrives():
            self.component.sends(iq("set", self.component.new_number(), self.name, self.front.component, payload))
            with contextlib.suppress(Late):
                return until(lambda: person.has(letter), "the mail", 3)
        assert until(arrives, "the mail of the promiser", 30) == 1

    def promises(self, days):
        self.component.promise_until = in_days(days) if days else ""

    def goes(self):
        self.component.__exit__()


@pytest.fixture(scope="module")
def front(world):
    return hostile.front(world, "d.test")


@pytest.fixture(scope="module", autouse=True)
def patience(d):
    """Postfix waits for the answer."""
    usual = d.host.command("postconf", "-h", "packetboat_policy", text=True, check=True).stdout.strip()
    assert "timeout=2s" in usual
    set_main(d, packetboat_policy=usual.replace("timeout=2s", "timeout=15s"))
    yield
    set_main(d, packetboat_policy=usual)


@pytest.fixture
def its(d, front):
    """It has never heard of the promiser."""
    site = Site(d)
    site.daemon.run("routes", "forget", front.foe_name)
    yield site
    site.as_before()


@pytest.fixture
def promiser(front, its):
    promiser = Promiser(front)
    yield promiser
    promiser.goes()


@pytest.fixture
def counted(its, promiser, new_letter):
    """evil.test has had a verdict for d.test, and its promise was read twice, a day apart. Call it with the lines of [policy-service]."""
    def make(*lines):
        its.configure(*lines)
        promiser.promises(7)
        its.reads(promiser.name)
        promiser.has_a_verdict(new_letter())
        its.a_day_passes()
        its.reads(promiser.name)
        promise, = its.promises()
        assert promise["state"] == "binds" and promise["bound"] == ["d.test"], promise
        return promise
    return make


def forged(front, promiser, letter, sender=None, **options):
    """On port 25, by anybody."""
    sender = promiser.address if sender is None else sender
    return smtp.send(front.victim.address, sender, [front.person.address], letter.content, **options)


def test_mail_that_breaks_a_counted_promise_is_refused_and_all_other_mail_passes(
        its, front, promiser, counted, dora, carol, new_letter):
    counted("closed-lane = reject")
    letter = new_letter()
    with pytest.raises(smtp.Refused, match=r"^550 5\.7\.1 .*evil\.test has promised that its mail comes to us over XMPP only"):
        forged(front, promiser, letter)
    assert its.lines("event=promise-broken", "domain=evil.test", f"client={front.victim.address}", "promise=confirmed", "closed-lane=reject")
    bounce, below, other = new_letter(), new_letter(), new_letter()
    forged(front, promiser, bounce, sender="")
    forged(front, promiser, below, sender="eve@x.evil.test")
    carol.sends(other, dora)
    for each in (bounce, below, other):
        dora.receives(each)
    assert not dora.has(letter)


def test_another_domain_of_the_same_component_is_free_until_it_has_a_verdict(
        its, d, front, promiser, counted, new_letter):
    counted("closed-lane = reject")
    ulla = Person(d, "ulla@xn--bume-loa.test")
    first, second = new_letter(), new_letter()
    with pytest.raises(smtp.Refused, match=r"^550 5\.7\.1 .*evil\.test has promised"):
        forged(front, promiser, first)
    smtp.send(front.victim.address, promiser.address, [ulla.address], first.content)
    ulla.receives(first)
    promiser.has_a_verdict(new_letter(), ulla)
    promise, = its.promises()
    assert promise["bound"] == ["d.test", "xn--bume-loa.test"]
    with pytest.raises(smtp.Refused, match=r"^550 5\.7\.1 .*evil\.test has promised"):
        smtp.send(front.victim.address, promiser.address, [ulla.address], second.content)
    assert not ulla.has(second)


def test_first_contact_and_what_was_read_once_are_free(its, front, promiser, dora, new_letter):
    its.configure("closed-lane = reject")
    promiser.promises(7)
    its.reads(promiser.name)
    assert its.lines("event=promise-read", "domain=evil.test", "peer=evil.test")
    its.a_day_passes()
    said = its.reads(promiser.name)
    assert its.lines("event=promise-counts", "domain=evil.test")
    assert "evil.test has promised that its mail comes over XMPP only, until " in said
    assert [promise["state"] for promise in its.promises()] == ["counts"]
    # It has had no verdict.
    letter = new_letter()
    forged(front, promiser, letter)
    dora.receives(letter)


def test_a_promise_that_can_t_be_confirmed_puts_mail_off(its, front, promiser, counted, dora, new_letter):
    counted("closed-lane = reject")
    promiser.goes()
    letter = new_letter()
    with pytest.raises(smtp.Refused, match=r"^451 4\.7\.1 .*evil\.test .*can't be asked now"):
        forged(front, promiser, letter)
    assert its.lines("event=promise-broken", "domain=evil.test", "promise=unconfirmed")
    assert [promise["state"] for promise in its.promises()] == ["binds"]


def test_a_promise_that_was_withdrawn_lets_mail_pass(its, front, promiser, counted, dora, new_letter):
    counted("closed-lane = reject")
    promiser.promises(0)
    letter = new_letter()
    forged(front, promiser, letter)
    dora.receives(letter)
    assert its.promises() == []
    assert its.lines("event=promise-withdrawn", "domain=evil.test")


def test_the_log_alone_says_so_by_default(its, front, promiser, counted, dora, new_letter):
    counted()
    letter = new_letter()
    forged(front, promiser, letter)
    mail = dora.receives(letter)
    assert not mail.fields("Packetboat-Unproven")
    until(lambda: its.lines("event=promise-broken", "domain=evil.test", "closed-lane=log"), "a line of the log")


def test_domains_and_networks_can_be_exempt(its, front, promiser, counted, dora, new_letter):
    counted("closed-lane = reject", "exempt = lists.test evil.test")
    first = new_letter()
    forged(front, promiser, first)
    dora.receives(first)
    its.configure("closed-lane = reject", f"backup-mx = {front.victim.address}")
    second = new_letter()
    forged(front, promiser, second)
    dora.receives(second)
    its.configure("closed-lane = reject")
    with pytest.raises(smtp.Refused, match="^550"):
        until(lambda: not its.reads(promiser.name) or forged(front, promiser, new_letter()), "a refusal")


@pytest.fixture
def token(d):
    """d.test's Postfix knows the secret of the field's name, as the example has it."""
    good = d.host.path(CHECKS).read_text()
    assert "#/^Packetboat-Unproven-TOKEN:" in good
    d.host.write(CHECKS, good.replace("#/^Packetboat-Unproven-TOKEN:", f"/^Packetboat-Unproven-{TOKEN}:"))
    d.postfix.reload()
    yield TOKEN
    d.host.write(CHECKS, good)
    d.postfix.reload()


def test_a_mark_is_set_once_and_nobody_else_s_stays(its, front, promiser, counted, token, dora, new_letter):
    counted("closed-lane = mark", f"mark-token = {token}")
    fields = "".join(f"{name}: domain=evil.test; closed-lane=none\n" for name in
                     ("Packetboat-Unproven", "packetboat-UNPROVEN ", "Packetboat-Unproven-0123456789abcdefXYA",
                      "Packetboat-Unproven-TOKEN"))
    letter, plain = new_letter(), new_letter()
    letter.content = fields.encode() + letter.content
    plain.content = fields.encode() + plain.content
    smtp.send(front.victim.address, promiser.address, [dora.address, "ulla@xn--bume-loa.test"], letter.content)
    mail = dora.mailbox.wait_for(letter.id)
    assert mail.fields("Packetboat-Unproven") == ["domain=evil.test; closed-lane=confirmed"]
    assert token.encode() not in mail.content and b"closed-lane=none" not in mail.content
    forged(front, promiser, plain, sender="carol@c.test")
    assert b"unproven" not in dora.mailbox.wait_for(plain.id).content.lower()
    promiser.goes()
    # What was confirmed holds for some seconds.
    until(lambda: "unconfirmed" in sent_as(front, promiser, dora, new_letter()), "the promiser to be missed", 30)


def sent_as(front, promiser, person, letter):
    forged(front, promiser, letter)
    return person.mailbox.wait_for(letter.id).field("Packetboat-Unproven")


def test_the_class_of_the_envelope_s_domain_is_marked(its, front, promiser, token, dora, new_letter):
    its.configure("closed-lane = mark", f"mark-token = {token}")
    assert its.daemon.run("peers", "block", "c.test").returncode == 0
    try:
        its.daemon.restart()  # or five minutes
        letter, other = new_letter(), new_letter()
        forged(front, promiser, letter, sender="x@sub.c.test")
        assert dora.mailbox.wait_for(letter.id).field("Packetboat-Unproven") == "domain=sub.c.test; class=blocked"
        forged(front, promiser, other, sender="x@elsewhere.test")
        assert not dora.mailbox.wait_for(other.id).field("Packetboat-Unproven")
    finally:
        its.daemon.run("peers", "forget", "c.test")


def test_filters_get_a_list_of_promised_domains(its, d, promiser, counted):
    file = d.packetboat.state / "promised"
    counted("closed-lane = log", f"promised-domains = {file}")
    assert file.read_text() == "evil.test\n"
    assert file.stat().st_mode & 0o777 == 0o644
    assert its.daemon.run("promise", "forget", "evil.test").returncode == 0
    assert file.read_text() == ""


def test_a_restored_backup_refuses_nothing_that_it_has_not_read_afresh(
        its, d, front, promiser, counted, dora, new_letter):
    counted("closed-lane = reject")
    copy = d.packetboat.directory / "backup"
    copy.mkdir(exist_ok=True)
    copy.chmod(0o777)
    assert its.daemon.run("backup", str(copy / "queue")).returncode == 0
    promiser.promises(0)
    its.reads(promiser.name)
    assert its.promises() == []
    with contextlib.closing(sqlite3.connect(copy / "queue")) as backup:
        row = backup.execute("SELECT * FROM promise").fetchone()
    its.daemon.stop()
    with contextlib.closing(sqlite3.connect(d.packetboat.state / "queue.db")) as database, database:
        database.execute("INSERT INTO promise VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    its.daemon.start()
    assert [promise["state"] for promise in its.promises()] == ["binds"]
    letter = new_letter()
    until(lambda: its.daemon.run("check").returncode in (0, 1) and "connected since" in its.daemon.run("check").stdout,
          "the link", 30)
    forged(front, promiser, letter)
    dora.receives(letter)
    assert its.promises() == []


def test_a_weaker_link_proves_nothing(its, promiser, new_letter):
    its._good, good = its._good.replace("s2s-assurance = pkix", "s2s-assurance = dialback"), its._good
    try:
        its.configure("closed-lane = reject")
        promiser.promises(7)
        its.reads(promiser.name)
        assert its.promises() == []
    finally:
        its._good = good


def test_the_command_says_what_is_promised(its, promiser, counted):
    assert its.daemon.run("promise").stdout == "0 promises\n"
    counted("closed-lane = log")
    listed = its.daemon.run("promise", "list").stdout
    assert re.search(r"(?m)^evil\.test +by evil\.test, until 20\S+Z: binds it towards d\.test$", listed), listed
    shown = its.daemon.run("promise", "show", "evil.test").stdout
    assert "promised by evil.test that its mail comes over XMPP only" in shown and "read first 20" in shown
    assert json.loads(its.daemon.run("promise", "show", "evil.test", "--json").stdout)["state"] == "binds"
    refused = its.daemon.run("promise", "show", "c.test")
    assert refused.returncode == 1 and "c.test: has promised nothing" in refused.stderr
    assert its.daemon.run("promise", "forget", "c.test").returncode == 1
    for words in (["show"], ["list", "x"], ["praise", "evil.test"]):
        assert its.daemon.run("promise", *words).returncode == 2
    assert its.daemon.run("promise", "forget", "evil.test").stdout.startswith("evil.test: forgotten")
    assert its.promises() == []
