"""Lists of domains as an input to the class: an administrator's files, and lists in the DNS (a real rbldnsd), good ones, and ones
that answer with anything."""

import json
import re
import signal
import subprocess

import pytest
from test_peers import class_of, peers, stranger  # noqa: F401  (a fixture)
from test_reload import Reloading
from twodomains.dns import listens_udp
from twodomains.waiting import until

RESOLVER, LISTS, NOBODY = "127.0.0.55", "127.0.0.60", "127.0.0.61"
# Lists as they should be, in one server: all have a.test on them.
ZONES = ["block.lists.test", "limit.lists.test", "allow.lists.test", "slow.lists.test"]
A_TEST = ":127.0.0.2:\ntest\na.test\n"
# For all below it, and those without an address: nobody answers there.
ODD = {"wild.test": "127.0.0.2", "error.test": "127.255.255.254", "sold.test": "10.1.2.3"}


class Rbldnsd:
    """A server of lists; it has no configuration but its zones, each a file."""

    def __init__(self, directory, zones):
        self.directory = directory
        self.zones = zones
        self._process = None

    def start(self):
        self.directory.mkdir()
        for zone, text in self.zones.items():
            (self.directory / zone).write_text(text)
        self.directory.chmod(0o755)
        asked = self.directory / "asked"
        asked.touch()
        asked.chmod(0o666)
        with open(self.directory / "rbldnsd.log", "wb") as log:
            self._process = subprocess.Popen(
                ["rbldnsd", "-n", "-b", f"{LISTS}/53", "-w", self.directory, "-l", f"+{asked}", "-t", "60",
                 *[f"{zone}:dnset:{zone}" for zone in self.zones]], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: listens_udp(LISTS, 53), "rbldnsd")

    def asked(self):
        """The names."""
        # TIME CLIENT NAME TYPE CLASS: ...
        return {line.split()[2] for line in (self.directory / "asked").read_text().splitlines()}

    def signal(self, which):
        self._process.send_signal(which)

    def stop(self):
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="module")
def rbldnsd(world):
    server = Rbldnsd(world.scratch / "rbldnsd", {**dict.fromkeys(ZONES, A_TEST), "other.lists.test": ":127.0.0.9:\ntest\na.test\n"})
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def asks(world, b, rbldnsd):
    """b.test's Packetboat has a name server that knows of the lists, and keeps no answer."""
    dns = world.dns.twin(world.scratch / "dns-of-lists", RESOLVER)
    dns.add_setting("cache-size=0")
    dns.add_setting(f"server=/lists.test/{LISTS}")
    dns.add_setting(f"server=/dead.test/{NOBODY}")
    for zone, address in ODD.items():
        dns.add_setting(f"address=/{zone}/{address}")
    dns.serve()
    configuration = b.packetboat.configuration
    before = configuration.read_text()
    configuration.write_text(before.replace("# resolver = 192.0.2.53", f"resolver = {RESOLVER}"))
    b.packetboat.restart()
    yield
    configuration.write_text(before)
    b.packetboat.restart()
    dns.stop()


@pytest.fixture
def its(b):
    """b.test's Packetboat, which has the lists that a test names, and none afterwards."""
    its = Reloading(b.packetboat)
    yield its
    its.reads(its.good)


@pytest.fixture
def list_file(b):
    path = b.packetboat.directory / "list"
    path.write_text("")
    path.chmod(0o644)
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def comes_as(alice, bob, new_letter):
    """The class with which a mail of a.test comes."""
    def send():
        letter = new_letter()
        alice.sends(letter, bob)
        return class_of(bob.receives(letter))
    return send


def uses(its, zone, meaning="block", more=""):
    """Until the log says whether the list is good: that line."""
    before = len(its.lines("event=dns-list-", f"zone={zone}"))
    its.reads(its.good + f"\n[dns-list {zone}]\nmeaning = {meaning}\n{more}")
    return until(lambda: its.lines("event=dns-list-", f"zone={zone}")[before:], f"a word on {zone}")[0]


@pytest.mark.parametrize("key, word", [("block", "blocked"), ("limit", "limited"), ("allow", "trusted")])
def test_a_file_makes_the_class(b, its, list_file, comes_as, stranger, key, word):  # noqa: F811
    list_file.write_text("# them\nA.test # yes\n")
    assert "[lists] " + key in its.reads(its.good + f"\n[lists]\n{key} = {list_file}\n")
    assert its.lines("event=list-in-force", f"file={list_file}", f"class={word}", "domains=1")
    # Before anything of it has come.
    shown = b.packetboat.run("peers", "show", stranger)
    assert shown.stdout.startswith(f"a.test: {word} (by list {list_file})\n  nothing of it is in the peer book\n")
    assert f"\n  class {word}: taken; " in shown.stdout  # in this world, whatever the class
    assert comes_as() == word
    peer = peers(b, "show", stranger)
    assert (peer["class"], peer["by"], peer["by_hand"]) == (word, f"list {list_file}", False)
    assert re.search(rf"(?m)^a\.test +{word} \(by list {list_file}\) ", b.packetboat.run("peers").stdout)
    # What is said by hand goes before it.
    hand = "limit" if key == "block" else "block"
    b.packetboat.run("peers", hand, stranger)
    assert comes_as() == {"limit": "limited", "block": "blocked"}[hand]
    assert peers(b, "show", stranger)["by"] == "hand"
    b.packetboat.run("peers", "unset", stranger)
    its.reads(its.good)
    assert comes_as() == "new"
    assert peers(b, "show", stranger)["by"] == "figures"


def test_of_a_broken_file_the_old_list_stays(b, its, list_file, comes_as, stranger):  # noqa: F811
    list_file.write_text("a.test\n")
    with_list = its.good + f"\n[lists]\nlimit = {list_file}\n"
    its.reads(with_list)
    for text, fault in (("a.test\n\nno domain\n", f"{list_file}:3: not a domain name"),
                        ("\0" * 100, f"{list_file}:1: not a domain name"),
                        ("#" * 5_000_000, f"{list_file}:0: the file is larger than 4 MB")):
        list_file.write_text(text)
        # The rest of the configuration is in force.
        assert "log-level" in its.reads(with_list.replace("log-level = debug", "log-level = info"))
        its.reads(with_list)
        assert its.lines("event=list-refused", fault)
        assert comes_as() == "limited"
    list_file.unlink()
    its.reads(with_list)
    assert its.lines("event=list-refused", f"{list_file}: can't read this file")
    assert comes_as() == "limited"
    checked = b.packetboat.run("check")
    assert checked.returncode == 1 and f"{list_file}: can't read this file" in checked.stdout


def test_nothing_starts_with_a_broken_list(spare):
    daemon = spare(("[discovery]", "[lists]\nblock = /etc/passwd\n[discovery]"))
    daemon.start_without_waiting()
    assert daemon.wait() == 1
    assert "/etc/passwd:1: not a domain name" in daemon.log()


@pytest.mark.parametrize("zone, meaning, word",
                         [("block.lists.test", "block", "blocked"), ("limit.lists.test", "limit", "limited"),
                          ("allow.lists.test", "allow", "good")])
def test_a_list_in_the_dns_makes_the_class(asks, rbldnsd, b, its, comes_as, stranger, zone, meaning, word):  # noqa: F811
    assert "event=dns-list-used" in uses(its, zone, meaning)
    # The first mails may come before the answer.
    until(lambda: comes_as() == word, f"the class {word}")
    peer = peers(b, "show", stranger)
    assert (peer["class"], peer["by"]) == (word, f"dns-list {zone}")
    assert f"a.test: {word} (by dns-list {zone})" in b.packetboat.run("peers", "show", stranger).stdout
    assert {name for name in rbldnsd.asked() if name.endswith(zone)} == {f"{name}.{zone}" for name in ("test", "invalid", "a.test")}
    its.reads(its.good)
    assert comes_as() == "new"


def test_which_answers_count_can_be_said(asks, its, comes_as, stranger):  # noqa: F811
    # Then its test entry does not, either.
    assert "its test entry" in uses(its, "other.lists.test", more="answers = 127.0.0.2 127.0.0.3\n")
    assert comes_as() == "new"
    assert "event=dns-list-used" in uses(its, "other.lists.test", more="answers = 127.0.0.8/30\n")
    until(lambda: comes_as() == "blocked", "the class blocked")


@pytest.mark.parametrize("zone, why", [("wild.test", "invalid"), ("error.test", "does not serve us"), ("sold.test", "its test entry"),
                                       ("empty.test", "its test entry"), ("dead.test", "does not answer")])
def test_a_list_that_is_none_blocks_nobody(asks, b, its, comes_as, stranger, zone, why):  # noqa: F811
    line = uses(its, zone)
    assert "event=dns-list-unused" in line and why in line
    assert [comes_as() for _ in range(3)] == ["new"] * 3
    assert peers(b, "show", stranger)["by"] == "figures"
    # One line, however much mail comes.
    assert len(its.lines("event=dns-list-", f"zone={zone}")) == 1


def test_a_file_goes_before_the_dns_and_nobody_is_asked(asks, rbldnsd, its, list_file, comes_as, stranger):  # noqa: F811
    list_file.write_text(".a.test\n")
    before = len(its.lines("event=dns-list-used"))
    its.reads(its.good + f"\n[lists]\nallow = {list_file}\n[dns-list slow.lists.test]\nmeaning = block\n")
    until(lambda: its.lines("event=dns-list-used")[before:], "the list to be used")
    assert [comes_as() for _ in range(3)] == ["trusted"] * 3
    assert "a.test.slow.lists.test" not in rbldnsd.asked()


def test_mail_does_not_wait_for_a_silent_list(asks, rbldnsd, its, alice, bob, new_letter, stranger):  # noqa: F811
    assert "event=dns-list-used" in uses(its, "slow.lists.test")
    rbldnsd.signal(signal.SIGSTOP)
    try:
        letters = [new_letter() for _ in range(20)]
        for letter in letters:
            alice.sends(letter, bob)
        assert [class_of(bob.receives(letter)) for letter in letters] == ["new"] * 20
        until(lambda: its.lines("event=dns-list-unused", "zone=slow.lists.test", "does not answer"), "the list to be left alone")
    finally:
        rbldnsd.signal(signal.SIGCONT)
    # A reload looks again at once.
    its.reads(its.daemon.configuration.read_text())
    until(lambda: len(its.lines("event=dns-list-used", "zone=slow.lists.test")) >= 2, "the list to be used again")

    def is_blocked():
        letter = new_letter()
        alice.sends(letter, bob)
        return class_of(bob.receives(letter)) == "blocked"
    until(is_blocked, "the class blocked")


def test_the_book_is_listed_with_the_lists(asks, b, its, list_file, comes_as, stranger):  # noqa: F811
    comes_as()
    list_file.write_text("test\n")
    its.reads(its.good + f"\n[lists]\nblock = {list_file}\n")
    assert {each["domain"]: each["by"] for each in json.loads(b.packetboat.run("peers", "--json").stdout)}[stranger] == "figures"
    list_file.write_text("*.test\n")
    its.reads(its.daemon.configuration.read_text())
    assert {each["domain"]: each["by"] for each in peers(b)}[stranger] == f"list {list_file}"
