"""Packetboat comes to two Postfixes that exchange mail by SMTP, and goes again: nothing is lost, doubled or bounced."""

import itertools
import subprocess
import threading
import time

import pytest
from conftest import LOGS
from twodomains import smtp
from twodomains.packetboat import ANY_CLASS, Packetboat
from twodomains.prosody import Prosody
from twodomains.templates import fill
from twodomains.waiting import Late, until
from twodomains.world import SECRET, Site
from twodomains.host import Host

NAMES = (("m.test", "127.0.6.1", "mia@m.test"), ("n.test", "127.0.7.1", "nico@n.test"))


class Correspondence:
    """Two people who write to each other all the time."""

    def __init__(self, sites):
        self.sites = sites
        self.sent = {user: [] for _, _, user in NAMES}
        self.trouble = []
        self._numbers = itertools.count()
        self._stop = threading.Event()
        self._threads = []

    def start(self):
        for (_, _, sender), (_, _, recipient) in (NAMES, NAMES[::-1]):
            self._threads.append(threading.Thread(target=self._write, args=(sender, recipient)))
            self._threads[-1].start()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def send(self, sender, recipient):
        name = f"<{next(self._numbers)}.lanes@{sender.split('@')[1]}>"
        content = f"From: {sender}\nTo: {recipient}\nSubject: x\nMessage-ID: {name}\n\nHi.\n".encode()
        site = self.sites[sender.split("@")[1]]
        while True:
            try:
                smtp.send(site.address, sender, [recipient], content)
                break
            except (smtp.Refused, OSError) as refused:
                # A client keeps what is not taken, as while Postfix reloads.
                if str(refused).startswith("5"):
                    self.trouble.append(str(refused))
                    return None
                time.sleep(0.1)
        self.sent[recipient].append(name)
        return name

    def _write(self, sender, recipient):
        while not self._stop.wait(0.05):
            self.send(sender, recipient)

    def transport(self, recipient, name):
        mailbox = self.sites[recipient.split("@")[1]].mailbox(recipient)
        return mailbox.wait_for(name).transport()


def set_main(site, text):
    """Adds to main.cf, as an administrator would."""
    path = site.host.path("/etc/postfix/main.cf")
    path.write_text(path.read_text() + text)
    site.host.command("postfix", "reload", check=True)


@pytest.fixture
def pair(world):
    """Two sites with Postfix alone, whose DNS has what Packetboat will need."""
    sites = {}
    for domain, address, user in NAMES:
        site = Site(Host(domain, address, world.scratch), [domain], [user])
        subprocess.run(["ip", "address", "replace", address + "/32", "dev", "lo"], check=True)
        site.start(world.authority)
        sites[domain] = site
    yield sites
    for site in sites.values():
        site.keep_logs(LOGS)
        for server in (site.packetboat, site.xmpp):
            if server and (server is not site.packetboat or server.is_running()):
                server.stop()
        site.postfix.stop()
        site.dovecot.stop()


def found_bad(site):
    return [line for line in site.packetboat.run("check").stdout.splitlines() if line.startswith("BAD")]


def install(world, site):
    """The README's steps, from Prosody to Postfix's way out."""
    before = site.host.path("/etc/postfix/main.cf").read_text()
    site.xmpp = Prosody(site.host, [site.domain], SECRET)
    site.xmpp.configure(world.authority)
    site.xmpp.start()
    site.packetboat = Packetboat(site.host, site.domain, SECRET, [ANY_CLASS])
    main = fill("postfix/main.cf", address=site.address, state=str(site.packetboat.state)).splitlines(keepends=True)
    way_in = [line for line in main if "header_checks =" in line]
    master = site.host.path("/etc/postfix/master.cf")
    master.write_text(master.read_text() + fill("postfix/master.cf", address=site.address))
    site.host.write("/etc/postfix/packetboat-header-checks", fill("postfix/packetboat-header-checks"))
    set_main(site, "".join(way_in))
    site.packetboat.configure()
    site.packetboat.start()
    # As README says: what comes with the next step is missing, and nothing else.
    until(lambda: all(any(word in line for word in ("transport_maps", "[policy-service]", "message_size_limit"))
                      for line in found_bad(site)) and "connected since" in site.packetboat.run("check").stdout,
          lambda: f"{site.domain}: check: {found_bad(site)}")
    set_main(site, "".join(line for line in main if line not in way_in))
    until(lambda: not found_bad(site), lambda: f"{site.domain}: check: {found_bad(site)}")
    return before


def uninstall(site, main, peer):
    """The README's words on undoing it. It is long enough as soon as `peer` has nothing any more that it asks about."""
    assert site.packetboat.run("retire").returncode == 0
    site.host.path("/etc/postfix/main.cf").write_text(main)
    # A delivery that is under way goes on as before the reload, and brings Packetboat mail after it.
    deliveries = site.postfix.processes("qmgr", "lmtp")
    site.postfix.reload()
    until(lambda: not any(process.exists() for process in deliveries), f"{site.domain}: the deliveries of before to end")
    until(lambda: not site.packetboat.queue(), lambda: f"an empty queue, and not {site.packetboat.queue()}", 60)

    until(lambda: site.domain not in peer.packetboat.run("routes", "list").stdout, f"{peer.domain} to have heard of it", 60)

    def asks_for_it():
        return [mail for mail in peer.packetboat.queue() if mail["lane"] == f"xmpp:{site.domain}"]
    until(lambda: not asks_for_it(), lambda: f"all mail to {site.domain} to go by SMTP, and not {asks_for_it()}", 60)
    site.packetboat.stop()
    site.packetboat = None
    site.xmpp.stop()
    site.xmpp = None


def next_lane(letters, sender, recipient, wanted, within):
    """How many mails it takes until one goes the wanted way."""
    for count in range(1, within + 1):
        name = letters.send(sender, recipient)
        if letters.transport(recipient, name) == wanted:
            return count
    raise Late(f"{within} mails from {sender}, and none by {wanted}")


def test_installed_the_lane_changes_by_itself_and_back_when_one_side_goes(world, pair, record_property):
    m, n = pair.values()
    mia, nico = "mia@m.test", "nico@n.test"
    letters = Correspondence(pair)
    letters.start()
    try:
        assert next_lane(letters, mia, nico, "smtp", 1) == 1
        main = install(world, m)
        # One side alone changes nothing.
        assert next_lane(letters, mia, nico, "smtp", 1) == 1
        install(world, n)
        # n.test is looked up by its first mail, and m.test by its own; what m.test knew (no XMPP) is an hour old at most.
        record_property("mails until nico's go over XMPP", next_lane(letters, nico, mia, "xmpp", 20))
        record_property("mails until mia's go over XMPP", next_lane(letters, mia, nico, "xmpp", 20))
        uninstall(m, main, n)
        assert next_lane(letters, nico, mia, "smtp", 3) <= 3
        assert next_lane(letters, mia, nico, "smtp", 1) == 1
    finally:
        letters.stop()
    assert letters.trouble == []
    for site in (m, n):
        # What was deferred once, as by a reload, would wait for as long as it is old.
        site.postfix.flush()
        until(lambda: not site.postfix.queue(), lambda: f"{site.domain}: {site.postfix.queue()}", 60)
    until(lambda: not n.packetboat.queue(), lambda: f"n.test's queue to be empty, and not {n.packetboat.queue()}", 60)
    for user, names in letters.sent.items():
        mailbox = pair[user.split("@")[1]].mailbox(user)
        until(lambda: len(mailbox.mails()) >= len(names), f"all of {user}'s mail", 60)
        counts = [len(mailbox.find(name)) for name in names]
        assert counts == [1] * len(names)
        # And no bounce.
        assert len(mailbox.mails()) == len(names)
