"""Exim and OpenSMTPD beside Packetboat, by the examples. Their packages exclude Postfix: they lie in a tree of their own."""

import pathlib
import shutil

import pytest
from test_forged_mark import FORGED, has_mark
from twodomains import smtp
from twodomains.templates import EXAMPLES
from twodomains.waiting import accepts, until

TREE = pathlib.Path(__file__).resolve().parents[2] / "build/other-mtas"
DOMAIN = "mail.spare.test"

EXIM = """
primary_hostname = mx.spare.test
domainlist local_domains = {domain}
local_interfaces = {address}
{ports}
exim_path = {tree}/usr/sbin/exim4
spool_directory = /run/exim
log_file_path = /var/log/exim-%slog
tls_advertise_hosts =
smtp_accept_max = 0
dns_ipv4_lookup = *
disable_ipv6 = true
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
{named}
data:
{data}
  accept
rcpt:
{acl}
  accept domains = +local_domains
  accept hosts = 127.0.0.0/8
  deny
begin routers
local:
  driver = accept
  domains = +local_domains
  transport = local
{router}
by_smtp:
  driver = dnslookup
  transport = by_smtp
begin transports
{transport}
local:
  driver = appendfile
  directory = /run/maildir
  maildir_format
  user = mail
  group = mail
  create_directory
by_smtp:
  driver = smtp
  message_linelength_limit = 1G
"""

OPENSMTPD = """
{example}
listen on {address} port 25 filter "unmark"
action "local" maildir "/run/maildir" virtual {{ "@" = mail }}
match from any for domain "{domain}" action "local"
match ! tag XMPP from local for any action "by_smtp"
"""


class Beside:
    """A Packetboat with another MTA on the same host."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.host = daemon.host
        self.process = None

    def private(self):
        """/etc with the accounts that the MTAs want, and empty places for their files."""
        etc = self.host.directory / "all-etc"
        shutil.copytree("/etc", etc, symlinks=True, ignore_dangling_symlinks=True)
        for name, line in (("passwd", "{0}:x:{1}:{1}::/run:/bin/false\n"), ("group", "{0}:x:{1}:\n")):
            with open(etc / name, "a") as file:
                for number, account in enumerate(("Debian-exim", "opensmtpd", "opensmtpq"), 61000):
                    file.write(line.format(account, number))
        (etc / "exim4").mkdir(exist_ok=True)
        resolv = pathlib.Path("/etc/resolv.conf").read_text()
        (etc / "resolv.conf").unlink(missing_ok=True)
        (etc / "resolv.conf").write_text(resolv)
        (etc / "hosts").write_text("127.0.0.1 localhost\n")
        (etc / "mailname").write_text("mx.spare.test\n")
        self.inside(f"mount --bind {etc} /etc")
        self.etc = etc

    def inside(self, script):
        self.host.command("sh", "-ec", script, check=True)

    def example(self, name):
        return (EXAMPLES / name).read_text().replace("127.0.0.1", self.host.address)

    def start(self, command, port):
        self.process = self.host.popen(command, "mta.log")
        until(lambda: self.alive() and accepts(self.host.address, port), "the MTA")

    def alive(self):
        if self.process.poll() is not None:
            raise RuntimeError("the MTA ended: " + (self.host.logs / "mta.log").read_text())
        return True

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def sends(self, letter, recipient, port=25):
        smtp.send(self.host.address, f"s@{DOMAIN}", [recipient], letter.content, port=port)

    def by_sendmail(self, letter):
        self.host.command(*self.sendmail, "-i", "-f", f"s@{DOMAIN}", f"r@{DOMAIN}", input=letter.content, stdin=None,
                          check=True)

    def has(self, letter):
        return [file for file in self.host.path("/run/maildir").glob("new/*") if letter.id.encode() in file.read_bytes()]


@pytest.fixture(params=["exim", "opensmtpd"])
def beside(request, patient):
    protocol = {"exim": "lmtp", "opensmtpd": "smtp"}[request.param]
    daemon = patient(("first-retry = 5m", "first-retry = 1s"), ("max-retry = 4000s", "max-retry = 2s"),
                     ("protocol = lmtp", f"protocol = {protocol}"))
    until(lambda: "takes mail over XMPP" in daemon.run("check", "b.test").stdout, "the peer to be known")
    both = Beside(daemon)
    both.private()
    try:
        {"exim": start_exim, "opensmtpd": start_opensmtpd}[request.param](both)
        yield both
    finally:
        both.stop()


def start_exim(both):
    main = (EXAMPLES / "exim/main.conf").read_text()
    options = [line for line in main.splitlines(True) if not line.startswith("#")]
    data, acl = ("".join(line.removeprefix("#") for line in part.splitlines(True) if line.startswith("#  "))
                 for part in main.split("ACL for RCPT"))
    (both.etc / "exim4/exim4.conf").write_text(EXIM.format(
        domain=DOMAIN, address=both.host.address, tree=TREE, ports="".join(options), acl=acl, data=data,
        named=both.example("exim/40_packetboat"),
        router=both.example("exim/150_packetboat"), transport=both.example("exim/30_packetboat")))
    both.inside("mkdir -p /run/exim /run/maildir; chown 61000:61000 /run/exim /var/log; chown mail:mail /run/maildir")
    both.sendmail = [f"{TREE}/usr/sbin/exim4"]
    both.start([f"{TREE}/usr/sbin/exim4", "-bdf", "-q5s"], 25)


def start_opensmtpd(both):
    (both.etc / "packetboat-domains").write_text("b.test\n")
    shutil.copy(EXAMPLES / "opensmtpd/unmark", both.etc / "unmark")
    (both.etc / "smtpd.conf").write_text(OPENSMTPD.format(domain=DOMAIN, address=both.host.address,
                                                          example=both.example("opensmtpd/smtpd.conf")
                                                          .replace("/usr/local/lib/packetboat/", "/etc/")))
    both.inside(f"mount -t tmpfs none /var/spool; mount -t tmpfs none /var/lib; mount --bind {TREE}/usr/libexec /usr/libexec;"
                "mkdir -p /var/lib/opensmtpd/empty /run/maildir /var/spool/smtpd; chmod 711 /var/spool/smtpd;"
                "chown mail:mail /run/maildir")
    # What `sendmail` is on such a system: smtpctl under another name.
    both.inside(f"install -g opensmtpq -m 2755 {TREE}/usr/sbin/smtpctl /run/sendmail")
    both.sendmail = ["/run/sendmail"]
    both.start([f"{TREE}/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf"], 25)


def test_its_mail_goes_over_xmpp_and_the_answer_comes_back(beside, b, bob, new_letter):
    there, back = new_letter(), new_letter()
    beside.sends(there, bob.address)
    mail = until(lambda: bob.mailbox.find(there.id), "the mail")[0]
    assert mail.transport() == "xmpp"
    until(lambda: "takes mail over XMPP" in b.packetboat.run("check", DOMAIN).stdout, "b.test to know it")
    bob.sends(back, f"r@{DOMAIN}")
    until(lambda: beside.has(back), "the answer")
    assert b"via XMPP" in beside.has(back)[0].read_bytes()
    # Where nobody else's gets through (below), the true mark does.
    assert b"Authentication-Results: packetboat.spare.test; x-xmpp-s2s=pass policy.assurance=pkix" in beside.has(back)[0].read_bytes()


@pytest.mark.parametrize("way_in", ["port 25", "sendmail"])
def test_a_forged_mark_is_removed_and_nothing_else(beside, new_letter, way_in):
    others = "Authentication-Results: packetboat.b.test; spf=pass\n\tsmtp.mailfrom=c.test\n"
    letters = {}
    for name, forged in FORGED.items():
        letters[name] = letter = new_letter()
        letter.content = (others + forged).encode() + letter.content
        if way_in == "sendmail":
            beside.by_sendmail(letter)
        else:
            beside.sends(letter, f"r@{DOMAIN}")
    arrived = {name: until(lambda: beside.has(letter), name)[0].read_bytes() for name, letter in letters.items()}
    assert [name for name, content in arrived.items() if has_mark(content)] == []
    assert [name for name, content in arrived.items() if others.encode() not in content.replace(b"\r\n", b"\n")] == []


def test_mail_to_others_goes_by_smtp(beside, carol, letter):
    beside.sends(letter, carol.address)
    assert until(lambda: carol.mailbox.find(letter.id), "the mail")[0].transport() == "smtp"


def test_what_is_handed_back_goes_by_smtp(beside, bob, letter):
    beside.sends(letter, bob.address, port=2527)
    assert until(lambda: bob.mailbox.find(letter.id), "the mail")[0].transport() == "smtp"


def test_what_packetboat_brings_is_not_relayed(beside, bob, letter):
    with pytest.raises(smtp.Refused, match="^5"):
        beside.sends(letter, bob.address, port=2526)


def test_a_dead_packetboat_costs_mail_to_others_nothing(beside, carol, letter):
    beside.daemon.kill()
    beside.sends(letter, carol.address)
    assert until(lambda: carol.mailbox.find(letter.id), "the mail")[0].transport() == "smtp"
