"""The world that the end-to-end tests live in: four domains with real servers, started once.

Run by `./run test e2e`: two of pytest's workers (xdist) side by side, each in a namespace of its own, with a world of its own.
The tests of one file run in one world, those that measure (`measures`, or the fixture `quiet`) while the other world waits. A
test that stops or kills something starts it again (see `down`), so that each finds the world whole.
"""

import contextlib
import fcntl
import itertools
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/two-domains"))
from twodomains.host import Host  # noqa: E402  (the path comes first)
from twodomains.namespace import SCRATCH  # noqa: E402
from twodomains.packetboat import ANY_CLASS, Packetboat, program  # noqa: E402
from twodomains.waiting import until  # noqa: E402
from twodomains.world import SECRET, World  # noqa: E402

import hostile  # noqa: E402
from people import Letter, Person, all_settled  # noqa: E402

LOGS = ROOT / "build/e2e-logs"
# Outages end with the next attempt, so that comes soon.
QUICK = [("first-retry = 5m", "first-retry = 1s"), ("max-retry = 4000s", "max-retry = 2s"),
         ("log-level = info", "log-level = debug"),
         # Large mails, both on the way in and at the other end.
         ("max-size = 50M", "max-size = 200M"), ("protocol = lmtp", "protocol = lmtp\nmax-size = 200M"), ANY_CLASS]
# The last is written as people should not have to, and Prosody does not.
MORE_COMPONENTS = """[component mail.a2.test]
server = 127.0.1.1:5347
secret = a test's secret
domains = a2.test
s2s-assurance = pkix

[component mail.xn--bcher-kva.test]
server = 127.0.1.1:5347
secret = a test's secret
domains = bücher.test
s2s-assurance = pkix

[intake postfix]"""


def pytest_configure(config):
    config.addinivalue_line("markers", "measures: it measures how fast something is, and has the machine for itself")
    config.addinivalue_line("filterwarnings", "ignore:please use dns.resolver:DeprecationWarning")  # dkimpy's
    if not program().exists():
        raise pytest.UsageError(f"{program()} is missing: run ./run build")
    if config.getoption("dist", "no") != "no":
        # This one only hands out the tests. A worker needs time to put its world away.
        from xdist.workermanage import NodeManager
        NodeManager.EXIT_TIMEOUT = 60
        shutil.rmtree(LOGS, ignore_errors=True)
        return
    if SCRATCH not in os.environ:
        raise pytest.UsageError("these tests need a namespace of their own: run ./run test e2e")


@pytest.fixture(scope="session")
def world():
    world = World()
    world.add_prosody_site("a.test", "127.0.1.1", ["alice@a.test", "juergen@a.test", "alice@a2.test", "eva@xn--bcher-kva.test"],
                           aliases={"jürgen@a.test": "juergen@a.test", "eva@bücher.test": "eva@xn--bcher-kva.test"},
                           more_domains=["a2.test", "bücher.test"], plain_domains=["plain.test"],
                           other_components=["mail.spare.test"],
                           changes=QUICK + [("[intake postfix]", MORE_COMPONENTS)])
    world.add_prosody_site("b.test", "127.0.2.1", ["bob@b.test", "joerg@b.test", "bob@b2.test"],
                           aliases={"jörg@b.test": "joerg@b.test"}, second_domains=["b2.test"],
                           other_components=["stranger.b.test", "evil.test", *hostile.NAMES],
                           changes=QUICK + [("domains = b.test", "domains = b.test b2.test")], socketmap=True)
    world.add_smtp_site("c.test", "127.0.3.1", ["carol@c.test"])
    world.add_ejabberd_site("d.test", "127.0.4.1", ["dora@d.test", "ulla@xn--bume-loa.test"],
                            aliases={"ulla@bäume.test": "ulla@xn--bume-loa.test"}, second_domains=["bäume.test"],
                            other_components=["stranger.d.test", "wicked.test", "mail.bäume.test"],
                            changes=QUICK + [("domains = d.test", "domains = d.test bäume.test")],
                            intake_socket="/var/spool/postfix/private/packetboat")
    # Components that are mail domains of their own, at whose servers nothing else has that name.
    for name, site in (("evil.test", "127.0.2.1"), ("wicked.test", "127.0.4.1"), ("mail.spare.test", "127.0.1.1")):
        world.dns.add_domain(name, site)
    # Domains of the first Prosody's address: one that it knows, without mail, and one that it does not know.
    for name in ("plain.test", "unknown.test"):
        world.dns.add_domain(name, "127.0.1.1")
    # Whose servers come and go (test_lane_change).
    for name, address in (("m.test", "127.0.6.1"), ("n.test", "127.0.7.1")):
        world.dns.add_domain(name, address)
    # Whose XMPP server, as the DNS has it, knows nothing of it (test_returns).
    world.dns.add_domain("lost.test", "127.0.1.1")
    world.dns.add_text("key._domainkey.a.test", make_dkim_key(world.scratch / "dkim.pem"))
    world.dns.add_text("_dmarc.a.test", "v=DMARC1; p=reject")
    try:
        world.start()
        # Everyone has looked everyone up, as after the first mails; what happens before that has tests of its own.
        all_look_each_other_up(world)
        yield world
    finally:
        logs = LOGS / os.environ.get("PYTEST_XDIST_WORKER", "")
        world.keep_logs(logs)
        if "SUDO_UID" in os.environ:
            for path in [LOGS, logs, *logs.rglob("*")]:
                os.chown(path, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))


def make_dkim_key(path):
    """A signing key for a.test; returns its DNS record."""
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", path, "2048"], check=True, capture_output=True)
    public = subprocess.run(["openssl", "rsa", "-in", path, "-pubout", "-outform", "PEM"], check=True,
                            capture_output=True, text=True).stdout
    return "v=DKIM1; k=rsa; p=" + "".join(public.splitlines()[1:-1])


@pytest.fixture(scope="session")
def a(world):
    return world.sites["a.test"]


@pytest.fixture(scope="session")
def b(world):
    return world.sites["b.test"]


@pytest.fixture(scope="session")
def d(world):
    return world.sites["d.test"]


@pytest.fixture(scope="session")
def alice(a):
    return Person(a, "alice@a.test")


@pytest.fixture(scope="session")
def bob(b):
    return Person(b, "bob@b.test")


@pytest.fixture(scope="session")
def carol(world):
    return Person(world.sites["c.test"], "carol@c.test")


@pytest.fixture(scope="session")
def dora(d):
    return Person(d, "dora@d.test")


@pytest.fixture(autouse=True)
def machine(request):
    """A test that measures has the machine for itself: the other world's tests wait meanwhile."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    measures = "quiet" in request.fixturenames or request.node.get_closest_marker("measures")
    # Any two files that both worlds see.
    with open(__file__) as gate, open(ROOT / "run") as lock:
        # Who waits for all of it holds the gate, so that nobody else comes in between.
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(lock, fcntl.LOCK_EX if measures else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


_numbers = itertools.count(1)
_spares = itertools.count(1)


@pytest.fixture
def new_letter(request):
    """Makes letters, each with a Message-ID that no other has."""
    def make(body="Hello.\n", more_header=""):
        return Letter(f"<{next(_numbers)}.{request.node.name.split('[')[0]}@a.test>", body, more_header)
    return make


@pytest.fixture
def letter(new_letter):
    return new_letter()


def all_look_each_other_up(world):
    for site, peers in (("a.test", ["b.test", "b2.test", "d.test"]), ("b.test", ["a.test", "a2.test", "d.test"]),
                        ("d.test", ["a.test", "b.test"])):
        # Links to a server that has just come back are made anew, after a pause that grows.
        until(lambda: world.sites[site].packetboat.run("check", *peers).returncode == 0,
              f"{site}'s Packetboat to find nothing wrong", 60)


@pytest.fixture
def down(world):
    """`down(server)` stops a server for the rest of the test; the test, or else its end, starts it again."""
    with contextlib.ExitStack() as stack:
        # Last of all: a failure here stays with the test that caused it.
        stack.callback(lambda: all_settled(*(site for site in world.sites.values() if site.packetboat)))
        stack.callback(all_look_each_other_up, world)

        def stop(server, how="stop"):
            getattr(server, how)()
            started = []

            def up():
                if not started:
                    started.append(True)
                    server.start()
            stack.callback(up)
            return up
        yield stop


@pytest.fixture
def spare(world, a):
    """Makes a Packetboat of its own for spare.test, beside a.test's and with a.test's Prosody; not started yet."""
    made = []

    def make(*changes, secret=SECRET):
        number = next(_spares)
        host = Host(f"spare{number}", f"127.0.9.{number}", world.scratch)
        host.start()
        daemon = Packetboat(host, "spare.test", secret,
                            [(f"server = {host.address}:5347", f"server = {a.address}:5347"), *changes])
        daemon.configure()
        made.append(daemon)
        return daemon
    yield make
    for daemon in made:
        if daemon.is_running():
            daemon.kill()


@pytest.fixture
def patient(spare):
    """As `spare`, with retries minutes apart, for a domain that can send to others: s@mail.spare.test."""
    def make(*changes):
        daemon = spare(("domains = spare.test", "domains = mail.spare.test"), *changes)
        daemon.start()
        return daemon
    return make


@pytest.fixture(params=list(hostile.FRONTS), ids=["behind Prosody", "behind ejabberd"], scope="session")
def front(world, request):
    """A Packetboat that is attacked from the other server."""
    return hostile.front(world, request.param)


@pytest.fixture
def quiet(front, alice, record_property):
    """How good mail fares while nobody attacks."""
    return hostile.Quiet(alice, front.person, record_property)
