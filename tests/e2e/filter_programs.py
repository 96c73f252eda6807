"""The spam filters and Sieve as the examples set them up, at one site: what each makes of mail, on its way and by itself."""

import contextlib
import json
import re
import shutil
import urllib.request

from test_lanes import set_main
from twodomains.templates import fill
from twodomains.waiting import accepts, until

# A list of domains that the site knows, for the examples that have one.
KNOWN = "a.test"
# ... and one that has promised that its mail comes over XMPP only.
PROMISED = "a.test"
PROMISED_FILE = "/var/lib/packetboat-lists/promised"
RSPAMD = {
    "options.inc": 'disable_hyperscan = true;\ncheck_local = true;\ndns { nameserver = ["127.0.0.53"]; }\n',
    "worker-proxy.inc": 'bind_socket = "127.0.0.1:11332";\nupstream "local" { default = yes; self_scan = yes; }\n',
    "worker-normal.inc": 'bind_socket = "127.0.0.1:11333";\ncount = 1;\n',
    "dkim_signing.conf": 'domain { b.test { path = "/etc/postfix/dkim.pem"; selector = "key"; } }\n',
    # What this site does with mail that fails DMARC, and nothing else: no other rule is to have a say.
    "dmarc.conf": 'actions = { reject = "reject"; }\n',
    "actions.conf": "reject = 1000; add_header = 900; greylist = 800;\n",
    "milter_headers.conf": 'use = ["authentication-results"];\nskip_local = false;\n',
    "packetboat-known.map": KNOWN + "\n",
    "packetboat-promised": PROMISED + "\n",
    **{name: "enabled = false;\n" for name in (
        "worker-controller.inc", "rbl.conf", "fuzzy_check.conf", "asn.conf", "neural.conf", "phishing.conf",
        "greylist.conf")},
}
# Only here: nothing that asks other machines, and networks of its own, so that it has not to guess.
SPAMASSASSIN = "use_bayes 0\ninternal_networks 192.0.2.0/24\ntrusted_networks 192.0.2.0/24\n"
SPAMASSASSIN_FOLDER = "/run/spamassassin"


def with_new_connections(b):
    """Packetboat's to Postfix, which has another configuration now."""
    b.packetboat.restart()
    until(lambda: b.packetboat.run("check").returncode == 0, "its link to be up", 60)


@contextlib.contextmanager
def filters(b, **settings):
    set_main(b, **settings)
    try:
        with_new_connections(b)
        yield
    finally:
        set_main(b, **{name: "" for name in settings})
        with_new_connections(b)


@contextlib.contextmanager
def running(b, command, log):
    process = b.host.popen(command, log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


class Rspamd:
    """By its symbols and their scores."""

    def __init__(self, b):
        self._b = b

    def of(self, letter):
        """What it has said of a mail that arrived."""
        line = until(lambda: re.search(rf"task_write_log: id: {re.escape(letter.id)}.*", self._log()),
                     f"rspamd's word on {letter.id}").group()
        return {name: float(score) for name, score in re.findall(r"\b([A-Z]\w+)\((-?[\d.]+)\)", line)}

    def on(self, content):
        """What it says of these bytes, as mail that came in by Packetboat's service."""
        return self.by(content, "packetboat")

    def by(self, content, daemon):
        request = urllib.request.Request("http://127.0.0.1:11333/checkv2", content, {"MTA-Name": daemon})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return {name: symbol["score"] for name, symbol in json.load(answer)["symbols"].items()}

    def _log(self):
        return self._b.host.path("/run/rspamd/log/rspamd.log").read_text(errors="replace")


@contextlib.contextmanager
def rspamd(world, b, settings=None):
    """`settings`: in place of the example's settings.conf."""
    shutil.copy(world.scratch / "dkim.pem", b.host.path("/etc/postfix/dkim.pem"))
    b.host.path("/etc/postfix/dkim.pem").chmod(0o644)
    folder = b.host.path("/run/rspamd")
    for name in ("local.d", "override.d", "db", "log"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    examples = {"groups.conf": fill("filters/rspamd/groups.conf"), "multimap.conf": fill("filters/rspamd/multimap.conf"),
                "settings.conf": fill("filters/rspamd/settings.conf", regex="b[.]test") if settings is None else settings}
    for name, text in {**RSPAMD, **examples}.items():
        (folder / "local.d" / name).write_text(text)
    promised = fill("filters/rspamd/promised.lua")
    assert PROMISED_FILE in promised
    (folder / "rspamd.local.lua").write_text(
        fill("filters/rspamd/packetboat.lua", domain="b.test")
        + promised.replace(PROMISED_FILE, "/run/rspamd/local.d/packetboat-promised"))
    places = [word for name, place in (("LOCAL_CONFDIR", ""), ("DBDIR", "/db"), ("RUNDIR", ""), ("LOGDIR", "/log"))
              for word in ("--var", f"{name}=/run/rspamd{place}")]
    try:
        with running(b, ["rspamd", "--insecure", "-f", "-u", "root", "-g", "root", *places], "rspamd.out"):
            until(lambda: accepts("127.0.0.1", 11332) and accepts("127.0.0.1", 11333), "rspamd", 120)
            with filters(b, smtpd_milters="inet:127.0.0.1:11332"):
                yield Rspamd(b)
    finally:
        shutil.copytree(folder / "log", b.host.logs / "rspamd", dirs_exist_ok=True)


class SpamAssassin:
    """By its rules; their scores, where it was asked for a report."""

    def __init__(self, b, person):
        self._b = b
        self._person = person

    def of(self, letter):
        status = until(lambda: self._person.mailbox.find(letter.id), f"{letter}")[0].field("X-Spam-Status")
        return set(re.findall(r"\w+", re.search(r"tests=(.*?)\s*autolearn", status).group(1)))

    def on(self, content):
        report = self._b.host.command("spamc", "-d", "127.0.0.1", "-p", "11783", "-R", input=content, stdin=None,
                                      check=True)
        return rules_in(report.stdout)

    def alone(self, content, *changes, network=("-L",)):
        """Without the daemon, after other (old, new) changes in the example."""
        configure_spamassassin(self._b, SPAMASSASSIN_FOLDER + "-alone", changes)
        report = self._b.host.command("spamassassin", *network, "-t", f"--siteconfigpath={SPAMASSASSIN_FOLDER}-alone",
                                      input=content, stdin=None, check=True)
        return rules_in(report.stdout)


def rules_in(report):
    return {name.decode(): float(score) for score, name in re.findall(rb"(?m)^ *(-?\d+\.\d+) +([A-Z]\w+) ", report)}


def configure_spamassassin(b, inside, changes=()):
    folder = b.host.path(inside)
    shutil.copytree("/etc/spamassassin", folder, dirs_exist_ok=True)
    (folder / "local.cf").write_text(SPAMASSASSIN)
    text = fill("filters/spamassassin/packetboat.cf", pattern=r"b\.test")
    for old, new in (("partner\\.example", KNOWN.replace(".", r"\.")), *changes):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "packetboat.cf").write_text(text)


@contextlib.contextmanager
def spamassassin(b, person):
    """In Postfix by spamass-milter. `person`: whose mails are looked at."""
    configure_spamassassin(b, SPAMASSASSIN_FOLDER)
    daemon = ["spamd", "-L", "-x", "-i", "127.0.0.1", "-p", "11783", "--siteconfigpath", SPAMASSASSIN_FOLDER, "-m", "2",
              "-s", "stderr", "-u", "debian-spamd", "--helper-home-dir", "/run"]
    milter = ["spamass-milter", "-m", "-p", "inet:11784@127.0.0.1", "--", "-d", "127.0.0.1", "-p", "11783"]
    with running(b, daemon, "spamd.out"):
        until(lambda: accepts("127.0.0.1", 11783), "spamd", 60)
        with running(b, milter, "spamass-milter.out"):
            until(lambda: accepts("127.0.0.1", 11784), "spamass-milter")
            with filters(b, smtpd_milters="inet:127.0.0.1:11784"):
                yield SpamAssassin(b, person)


class Sieve:
    """As a user's own script: a mail is in Believed, or it is not."""

    def __init__(self, b, person, home):
        self._b = b
        self._person = person
        self.home = home

    def of(self, letter):
        until(lambda: self._person.has(letter) or believed(self.home, letter), f"{letter}")
        return {"PACKETBOAT_ALIGNED"} if believed(self.home, letter) else set()

    @contextlib.contextmanager
    def changed(self, old, new):
        """With another text in each place of the script that has `old`."""
        script = self.home / ".dovecot.sieve"
        before = script.read_text()
        assert old in before, old
        self._write(before.replace(old, new))
        try:
            yield
        finally:
            self._write(before)

    def _write(self, text):
        (self.home / ".dovecot.sieve").write_text(text)
        (self.home / ".dovecot.svbin").unlink(missing_ok=True)  # Dovecot's own copy, which it knows by the time

    def on(self, content):
        self._b.host.path("/run/letter").write_bytes(content)
        script = f"/var/mail/{self._path()}/.dovecot.sieve"
        said = self._b.host.command("sieve-test", "-u", self._person.address, script, "/run/letter", check=True,
                                    text=True).stdout
        assert "store message in folder" in said, said
        return {"PACKETBOAT_ALIGNED"} if "in folder: Believed" in said else set()

    def _path(self):
        local, domain = self._person.address.split("@")
        return f"{domain}/{local}"


@contextlib.contextmanager
def sieve(b, person):
    """Dovecot runs it at delivery."""
    local = b.host.path("/etc/dovecot/local.conf")
    before = local.read_text()
    home = b.dovecot.maildir(person.address)
    home.mkdir(exist_ok=True, parents=True)
    (home / ".dovecot.sieve").write_text(fill("filters/sieve/believed.sieve", domain="b.test"))
    b.host.command("chown", "-R", "mail:mail", str(home))
    local.write_text(before + "protocol lmtp {\n  mail_plugins = sieve\n}\n")
    reload(b)
    try:
        yield Sieve(b, person, home)
    finally:
        local.write_text(before)
        (home / ".dovecot.sieve").unlink()
        reload(b)


def reload(site):
    site.dovecot.stop()
    site.dovecot.start()


def believed(home, letter):
    return any(letter.id.encode() in file.read_bytes() for file in (home / ".Believed").glob("new/*"))
