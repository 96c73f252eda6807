"""`packetboat setup` on two machines that exchange chat and mail already: from the package to a working lane, and back.

The tests are one story, in the order in which they stand here; it is told twice: with Prosody on both machines, and with ejabberd
on one of them."""

import json
import os
import subprocess
import time

import machine as machines
import pytest
from snapshot import difference, snapshot
from two_sites import PATIENCE, two_sites
from twodomains.waiting import until

RECORD = "/var/lib/packetboat-setup"
FINDING = "x-xmpp-s2s=pass"


class Story:
    """The two sites, what they were before, and what the administrator has done so far."""

    def __init__(self, sites):
        self.sites = sites
        self.before = {}
        self.is_set_up = False
        self.held = ""  # a mail that waits
        self._actions = []

    def act(self, site, *command):
        """One of the administrator's actions, which has to succeed."""
        began = time.monotonic()
        said = site.machine.must(*command)
        self._actions.append((site.domain, " ".join(command), time.monotonic() - began))
        return said

    def remember(self, site):
        self.before[site] = snapshot(site.machine)

    def changes(self, site):
        return difference(self.before[site], snapshot(site.machine))

    def told(self):
        rows = [f"  {domain}: {command}  {seconds:.1f} s" for domain, command, seconds in self._actions]
        seconds = sum(row[2] for row in self._actions)
        return "\n".join([f"{len(rows)} actions, {seconds / 60:.1f} minutes for the machines to do them:", *rows])


@pytest.fixture(scope="module", params=["prosody", "ejabberd"])
def story(deb, trees, tmp_path_factory, request):
    if os.geteuid() != 0:
        pytest.skip("containers need root")
    with two_sites(deb, tmp_path_factory.mktemp("sites"), trees, request.param) as sites:
        yield Story(sites)


@pytest.fixture
def sites(story):
    return story.sites


@pytest.fixture
def lane(story):
    """For tests that need what test_setup has set up."""
    if not story.is_set_up:
        pytest.skip("setup has failed")


@pytest.fixture
def a(sites):
    return sites.a


@pytest.fixture
def b(sites):
    return sites.b


def setup_words(site, *more):
    return ["packetboat", "setup", "--domain", site.domain, "--component", site.component, *more]


def undo(site):
    return site.machine.run("packetboat", "setup", "--undo", "--yes")


def waiting(site):
    """Those of its mails that Packetboat has."""
    return json.loads(site.machine.must("packetboat", "queue", "list", "--json"))


def assert_rules_hold(sites):
    """The rules that a.example's administrator has written: in transport_maps, header_checks, for recipients and submission."""
    a, b = sites.sites
    plain, forbidden = "Subject: no\n\nHello.\n", "Subject: no\nX-Forbidden: yes\n\nHello.\n"
    for sender, recipient, content, login, words in [
            (a, "somebody@gone.example", plain, True, "gone.example is no more"),
            (a, "never@elsewhere.example", plain, True, "nobody here writes to that one"),
            (a, b.jid, forbidden, True, "such a field is forbidden here"),
            (b, a.jid, forbidden, False, "such a field is forbidden here"),
            (b, f"closed@{a.domain}", plain, False, "this one is closed")]:
        done = sites.submit(sender, recipient, content, login)
        assert done.returncode != 0 and words in done.stderr, done.stderr


def assert_they_write_by_smtp(sites):
    sites.chat()
    assert [mail.transport() for mail in sites.exchange()] == ["smtp", "smtp"]
    assert_rules_hold(sites)


def test_before(story, sites):
    assert_they_write_by_smtp(sites)
    for site in sites.sites:
        story.act(site, "apt-get", "install", "-y", "/root/packetboat.deb")
        story.remember(site)


def test_it_shows_what_it_would_do(story, sites):
    for site in sites.sites:
        shown = site.machine.must(*setup_words(site, "--print"))
        for file in ("/etc/postfix/main.cf", "/etc/postfix/master.cf", "/etc/packetboat/packetboat.conf"):
            assert f"--- {file}" in shown and f"+++ {file}" in shown
        assert site.xmpp in shown
        # What only the administrator of the DNS, and of certificates, can do.
        assert f"_xmpp-server._tcp.{site.domain}" in shown and f"_xmpp-server._tcp.{site.component}" in shown
        assert story.changes(site) == []
        assert not site.machine.path(RECORD).exists()


def test_who_says_no_gets_nothing(story, a):
    try:
        done = a.machine.run(*setup_words(a), input="n\n" * 50)
        assert "[Y/n]" in done.stdout + done.stderr
        assert story.changes(a) == []
        assert a.machine.run("systemctl", "is-active", "packetboat").stdout.strip() == "inactive"
        # Nobody there to answer: no is safe.
        done = a.machine.run(*setup_words(a), stdin=subprocess.DEVNULL)
        assert done.returncode != 0
        assert story.changes(a) == []
    finally:
        # The next tests begin where this one should have ended.
        a.machine.run("systemctl", "disable", "--now", "packetboat")
        a.machine.run("rm", "-rf", RECORD)


def assert_refused(story, site, done, *words):
    """It failed, with one line that has the words in it, and has changed nothing."""
    assert done.returncode not in (0, 134, 139), done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stdout + done.stderr
    assert all(word in lines[0] for word in words), lines[0]
    assert story.changes(site) == []
    assert not site.machine.path(RECORD).exists()


def test_a_domain_that_the_xmpp_server_does_not_serve(story, sites):
    for site in sites.sites:
        done = site.machine.run("packetboat", "setup", "--domain", "nowhere.example", "--component", "mail.nowhere.example", "--yes")
        assert_refused(story, site, done, "nowhere.example")


def test_a_name_that_is_in_use(story, a):
    """By a chat room service; and the domain itself, by its users."""
    rooms = "/etc/prosody/conf.d/rooms.cfg.lua"
    a.write(rooms, f'Component "rooms.{a.domain}" "muc"\n')
    story.remember(a)
    for name in (f"rooms.{a.domain}", a.domain):
        done = a.machine.run("packetboat", "setup", "--domain", a.domain, "--component", name, "--yes")
        assert_refused(story, a, done, name)
    a.machine.path(rooms).unlink()
    story.remember(a)


def test_not_root(story, a):
    done = a.machine.run("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", *setup_words(a, "--yes"))
    assert_refused(story, a, done, "root")


def test_no_postfix(story, a):
    programs = [a.machine.path(f"/usr/sbin/{name}") for name in ("postfix", "postconf")]
    for program in programs:
        program.rename(f"{program}.away")
    try:
        done = a.machine.run(*setup_words(a, "--yes"))
    finally:
        for program in programs:
            program.with_name(program.name + ".away").rename(program)
    assert_refused(story, a, done, "Postfix")


def test_a_port_that_somebody_has(story, a):
    listening = "import socket, sys; it = socket.create_server(('127.0.0.1', 2526)); print('it listens', flush=True); sys.stdin.read()"
    with subprocess.Popen([*machines.in_network(a.machine.first_process), "/usr/bin/python3", "-c", listening],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"it listens\n"
        done = a.machine.run(*setup_words(a, "--yes"))
        other.stdin.close()
    assert_refused(story, a, done, "2526")


def test_setup(story, sites):
    for site in sites.sites:
        story.act(site, *setup_words(site, "--yes"))
        assert site.machine.must("stat", "-c", "%U:%G %a", RECORD).strip() == "root:root 700"
        assert site.machine.must("systemctl", "is-enabled", "packetboat").strip() == "enabled"
        site.wait_for_servers()
    for site in sites.sites:
        site.machine.must("packetboat", "check")
    story.is_set_up = True


@pytest.mark.usefixtures("lane")
def test_mail_goes_over_xmpp(story, sites, a, b, capsys):
    sites.chat()
    story.act(a, "packetboat", "check", b.domain)
    # Longer lines than SMTP has: not a byte changes.
    for mail, sender in zip(sites.exchange(width=1500), (a, b)):
        finding = mail.field("Authentication-Results")
        assert mail.transport() == "xmpp" and FINDING in finding and f"policy.domain={sender.domain}" in finding, mail.content
    with capsys.disabled():
        print("\n" + story.told())


@pytest.mark.usefixtures("lane")
def test_rules_still_hold(sites, a, b):
    assert_rules_hold(sites)
    # For what comes over XMPP, too: its sender hears of it from his own server.
    done = sites.submit(b, a.jid, f"From: <{b.jid}>\nSubject: forbidden\nX-Forbidden: yes\n\nHello.\n")
    assert done.returncode == 0, done.stderr
    b.mailbox().wait_for("such a field is forbidden here", PATIENCE)


@pytest.mark.usefixtures("lane")
def test_nobody_forges_the_finding(sites, a, b):
    """Brought by SMTP."""
    forged = f"Authentication-Results: packetboat.{a.domain}; {FINDING} policy.domain={b.domain}\n"
    content = f"From: <{b.jid}>\nSubject: it is forged\n\nHello.\n"
    done = sites.submit(b, a.jid, forged + content, login=False)
    assert done.returncode == 0, done.stderr
    assert FINDING not in a.mailbox().wait_for("Subject: it is forged", PATIENCE).content.decode()


@pytest.mark.usefixtures("lane")
def test_again_it_changes_nothing(story, sites):
    for site in sites.sites:
        before = snapshot(site.machine)
        said = site.machine.must(*setup_words(site, "--yes"))
        assert "nothing" in said.lower(), said
        assert difference(before, snapshot(site.machine)) == []
    assert [mail.transport() for mail in sites.exchange()] == ["xmpp", "xmpp"]


def stop_servers(site):
    """Neither XMPP nor SMTP gets there."""
    site.machine.must("systemctl", "stop", site.xmpp, "postfix")
    until(lambda: not site.machine.listens(25) and not site.machine.listens(5269), f"the end of {site.domain}'s servers", PATIENCE)


def start_servers(site):
    site.machine.must("systemctl", "start", site.xmpp, "postfix")
    site.wait_for_servers()


@pytest.mark.usefixtures("lane")
def test_undo_refuses_while_mail_waits(story, sites, a, b):
    stop_servers(b)
    story.held = sites.send(a, b)
    until(lambda: waiting(a), "the mail in Packetboat's queue", PATIENCE)
    # So that it goes nowhere, whatever becomes of the lane.
    a.machine.must("packetboat", "queue", "hold", "--all")
    before = snapshot(a.machine)
    done = undo(a)
    assert done.returncode != 0 and "wait" in done.stderr, done.stdout + done.stderr
    assert len(waiting(a)) == 1
    assert a.machine.must("systemctl", "is-active", "packetboat").strip() == "active"
    assert difference(before, snapshot(a.machine)) == []


@pytest.mark.usefixtures("lane")
def test_who_has_begun_to_undo_can_go_back(story, sites, a, b):
    start_servers(b)
    a.machine.must(*setup_words(a, "--yes"))
    a.machine.must("packetboat", "queue", "release", "--all")
    a.machine.must("packetboat", "queue", "flush", "--all")
    sites.arrived(b, story.held)
    b.machine.must("packetboat", "check", a.domain)
    assert [mail.transport() for mail in sites.exchange()] == ["xmpp", "xmpp"]


@pytest.mark.usefixtures("lane")
def test_no_mail_is_lost_when_it_is_undone(story, sites, a, b):
    stop_servers(b)
    content = sites.send(a, b)
    until(lambda: waiting(a), "the mail in Packetboat's queue", PATIENCE)
    done = undo(a)
    start_servers(b)

    def is_undone():
        nonlocal done
        done = undo(a)
        return done.returncode == 0

    if done.returncode != 0:
        assert "wait" in done.stderr, done.stdout + done.stderr
        until(is_undone, lambda: f"the undoing: {done.stdout}{done.stderr}", 5 * PATIENCE)
    # It may have come to Postfix while b was down.
    a.machine.must("postqueue", "-f")
    sites.arrived(b, content)
    assert story.changes(a) == []


@pytest.mark.usefixtures("lane")
def test_who_has_undone_it_gets_mail_from_who_has_not(story, sites, a, b):
    sites.chat()
    sites.arrived(b, sites.send(a, b))
    # b was not there when a has told its peers: what it tries may have been sent, and waits. Its administrator can have the next go by SMTP.
    story.held = sites.send(b, a)
    until(lambda: [row for row in waiting(b) if row["state"] == "deferred"], "the first try", PATIENCE)
    b.machine.must("packetboat", "routes", "forget", a.domain)
    content = sites.send(b, a)

    def has_come():
        return content.encode() in b"".join(mail.content for mail in a.mailbox().mails())

    # It may wait with the other one, whose next try is minutes away.
    until(lambda: has_come() or len(waiting(b)) == 2, "the next mail", PATIENCE)
    b.machine.must("packetboat", "queue", "flush", "--all")
    assert sites.arrived(a, content).transport() == "smtp"
    assert len(waiting(b)) == 1


@pytest.mark.usefixtures("lane")
def test_and_can_set_it_up_once_more(story, sites, a, b):
    a.machine.must(*setup_words(a, "--yes"))
    a.machine.must("packetboat", "check", b.domain)
    b.machine.must("packetboat", "check", a.domain)
    b.machine.must("packetboat", "queue", "flush", "--all")
    assert sites.arrived(a, story.held).transport() == "xmpp"
    assert [mail.transport() for mail in sites.exchange()] == ["xmpp", "xmpp"]


@pytest.mark.usefixtures("lane")
def test_undo_keeps_what_others_have_changed_since(story, sites, a):
    added = {"/etc/postfix/main.cf": "smtpd_client_connection_count_limit = 49\n",
             f"/etc/prosody/conf.avail/{a.domain}.cfg.lua": "-- Of the administrator, later.\n"}
    for file, line in added.items():
        a.append(file, line)
    a.machine.must("postfix", "reload")
    for site in sites.sites:
        story.act(site, "packetboat", "setup", "--undo", "--yes")
        assert not site.machine.path(RECORD).exists()
        assert site.machine.run("systemctl", "is-active", "packetboat").stdout.strip() == "inactive"
        site.wait_for_servers()
    assert a.machine.must("postconf", "-h", "smtpd_client_connection_count_limit").strip() == "49"
    for file, line in added.items():
        text = a.machine.path(file).read_text()
        assert text.endswith(line)
        a.write(file, text.removesuffix(line))
    a.machine.must("postfix", "reload")
    for site in sites.sites:
        assert story.changes(site) == []


@pytest.mark.usefixtures("lane")
def test_afterwards(sites):
    for site in sites.sites:
        site.restart_xmpp()
        site.machine.must("systemctl", "restart", "postfix")
        site.wait_for_servers()
    assert_they_write_by_smtp(sites)
    for site in sites.sites:
        done = undo(site)
        assert "nothing" in (done.stdout + done.stderr).lower()


def test_two_domains(story, sites, a, b):
    a.add_second_domain()
    story.remember(a)
    both = ["packetboat", "setup", "--domain", f"{a.domain},{a.second}", "--component", a.component, "--yes"]
    a.machine.must(*both)
    b.machine.must(*setup_words(b, "--yes"))
    a.machine.must("packetboat", "check", b.domain)
    for domain in (a.domain, a.second):
        b.machine.must("packetboat", "check", domain)
        content = f"From: <{b.jid}>\nSubject: to {domain}\n\nHello.\n"
        done = sites.submit(b, f"{a.user}@{domain}", content)
        assert done.returncode == 0, done.stderr
        mail = a.mailbox(domain).wait_for(f"Subject: to {domain}\n", PATIENCE)
        assert mail.transport() == "xmpp" and mail.content.endswith(content.encode())
    for site in sites.sites:
        done = undo(site)
        assert done.returncode == 0, done.stdout + done.stderr
        assert story.changes(site) == []


def test_undo_where_somebody_has_changed_our_own_line(story, sites, a):
    """It says so, and leaves it; mail goes on; once it is set right by hand there is nothing left to undo."""
    a.machine.must(*setup_words(a, "--yes"))
    before = story.before[a]["postconf -n"]
    now = a.machine.must("postconf", "-h", "transport_maps").strip()
    a.machine.must("postconf", "-e", f"transport_maps = {now}, hash:/etc/postfix/recipients")
    a.machine.must("postfix", "reload")
    done = undo(a)
    if done.returncode != 0:
        assert "/etc/postfix/main.cf" in done.stdout + done.stderr
        assert [mail.transport() for mail in sites.exchange()] == ["smtp", "smtp"]
    own = next(line for line in before if line.startswith("transport_maps ="))
    a.machine.must("postconf", "-e", own)
    a.machine.must("postfix", "reload")
    done = undo(a)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not a.machine.path(RECORD).exists()
    assert story.changes(a) == []
