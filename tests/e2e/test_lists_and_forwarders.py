"""Mailing lists and forwarders: where the envelope's sender is the own domain's, by the list (mlmmj) or by SRS (postsrsd), mail of
other domains' authors goes over XMPP, and what bounces finds its way back; what the field says of it is true."""

import re
import shutil
import subprocess

import pytest
from test_trace_fields import authenticated
from twodomains.templates import fill
from twodomains.waiting import accepts, until

ACCOUNT = "nobody"


def settings_of(text):
    """Those of a main.cf, as postconf takes them."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [re.sub(r"\s*=\s*", "=", line, count=1) for line in lines]


@pytest.fixture
def configured(a):
    """Postfix of a.test with settings and services of an example, for a test."""
    before = {name: a.host.path(f"/etc/postfix/{name}").read_text() for name in ("main.cf", "master.cf")}

    def configure(main, master=""):
        if main:
            a.host.command("postconf", "-e", *settings_of(main), check=True)
        a.host.write("/etc/postfix/master.cf", a.host.path("/etc/postfix/master.cf").read_text() + master)
        begin_anew()

    def begin_anew():
        """A server that Packetboat has a connection to goes on with the old configuration until that ends."""
        a.postfix.stop()
        a.postfix.start()
    yield configure
    for name, text in before.items():
        a.host.write(f"/etc/postfix/{name}", text)
    begin_anew()


class List:
    """list@a.test, kept by mlmmj."""

    def __init__(self, site):
        self.site = site
        self.address = "list@a.test"
        self.spool = site.host.directory / "mlmmj"
        self.home = self.spool / "list"

    def make(self):
        self.spool.mkdir()
        # The domain, the owner, the language of the texts.
        made = subprocess.run(["mlmmj-make-ml", "-L", "list", "-s", self.spool], input="a.test\nalice@a.test\nen\n",
                              capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        (self.home / "control/relayhost").write_text(self.site.address + "\n")
        self._give()

    def subscribe(self, *people):
        for address in people:
            subprocess.run(["/usr/bin/mlmmj-sub", "-L", self.home, "-a", address, "-f", "-s"], check=True)
        self._give()

    def bounces_of(self, address):
        file = self.home / "bounce" / address.replace("@", "=")
        return file.read_text() if file.exists() else ""

    def _give(self):
        for path in [self.spool, *self.spool.rglob("*")]:
            shutil.chown(path, ACCOUNT, "nogroup")


@pytest.fixture
def mailing_list(a, configured):
    made = List(a)
    made.make()
    state = str(a.host.directory / "packetboat/state")
    a.host.write("/etc/postfix/lists", "list@a.test a.test--list@localhost.mlmmj\n")
    a.host.write("/etc/postfix/lists-transport", "a.test--list@localhost.mlmmj mlmmj:list\n")
    main = fill("postfix/mlmmj-main.cf", domain="a.test", state=state, address=a.address)
    # (Some users' mail takes a way of its own.)
    main = main.replace("texthash:/etc/postfix/lists-transport,", "texthash:/etc/postfix/lists-transport, regexp:/etc/postfix/own-domains,")
    master = fill("postfix/mlmmj-master.cf").replace("user=mlmmj", f"user={ACCOUNT}").replace("/var/spool/mlmmj", str(made.spool))
    configured(main, master)
    yield made
    shutil.rmtree(made.spool)


@pytest.fixture
def carols_letter(new_letter):
    """From an author of a domain without XMPP, to an address."""
    def make(to):
        letter = new_letter()
        letter.content = letter.content.replace(b"Alice <alice@a.test>", b"Carol <carol@c.test>").replace(
            b"Bob <bob@b.test>", to.encode())
        return letter
    return make


def field_of(mail):
    return re.sub(r"\s+", " ", authenticated(mail))


def test_a_list_s_mail_goes_over_xmpp_in_its_own_name(mailing_list, bob, dora, carol, carols_letter):
    mailing_list.subscribe(bob.address, dora.address, carol.address)
    letter = carols_letter(mailing_list.address)
    carol.sends(letter, mailing_list.address)
    for reader in (bob, dora):
        mail = reader.mailbox.wait_for(letter.id)
        assert mail.transport() == "xmpp"
        assert re.fullmatch(rf"<list\+bounces-\d+-{reader.address.replace('@', '=')}@a\.test>", mail.field("Return-Path"))
        field = field_of(mail)
        assert "x-xmpp-s2s=pass policy.assurance=pkix policy.domain=a.test" in field
        assert "header.from=c.test" in field and " policy.mailfrom-aligned=strict " in field
        assert field.endswith(" policy.from-aligned=no")
    # Who takes none over XMPP gets it by SMTP.
    assert carol.mailbox.wait_for(letter.id).transport() == "smtp"


def test_a_subscriber_s_bounce_comes_back_to_the_list(mailing_list, bob, carol, carols_letter):
    gone = "gone@b.test"
    mailing_list.subscribe(bob.address, gone)
    letter = carols_letter(mailing_list.address)
    carol.sends(letter, mailing_list.address)
    bob.mailbox.wait_for(letter.id)
    until(lambda: mailing_list.bounces_of(gone), "the bounce in the list's own book")
    assert not mailing_list.bounces_of(bob.address)
    # And to nobody else.
    assert not carol.has(letter)


@pytest.fixture
def forwarding(a, configured):
    """a.test forwards bobby@a.test to b.test, and old@a.test to somebody who is not there."""
    aliases = a.host.path("/etc/postfix/aliases")
    before = aliases.read_text()
    aliases.write_text(before + "bobby@a.test bob@b.test\nold@a.test gone@b.test\n")
    try:
        configured("")
        yield configured
    finally:
        aliases.write_text(before)


@pytest.fixture
def srs(a, forwarding):
    """It rewrites the sender of what it forwards."""
    secret = a.host.directory / "postsrsd.secret"
    secret.write_text("a secret of a.test's own\n")
    secret.chmod(0o644)
    daemon = a.host.popen(["postsrsd", "-4", "-s", secret, "-d", "a.test", "-l", a.address, "-u", ACCOUNT,
                           "-Xa2.test", "-Xxn--bcher-kva.test"], "postsrsd.out")
    until(lambda: accepts(a.address, 10001) and accepts(a.address, 10002), "postsrsd")
    forwarding(fill("postfix/postsrsd-main.cf", domain="a.test", address=a.address))
    yield
    daemon.kill()
    daemon.wait()


def test_forwarded_mail_of_others_goes_by_smtp_as_ever(forwarding, bob, carol, carols_letter):
    letter = carols_letter("bobby@a.test")
    carol.sends(letter, "bobby@a.test")
    mail = bob.receives(letter)
    assert mail.transport() == "smtp"
    assert mail.field("Return-Path") == "<carol@c.test>"
    assert not any("x-xmpp-s2s" in each for each in mail.fields("Authentication-Results"))


def test_with_srs_it_goes_over_xmpp(srs, alice, bob, carol, new_letter, carols_letter):
    letter = carols_letter("bobby@a.test")
    carol.sends(letter, "bobby@a.test")
    mail = bob.receives(letter)
    assert mail.transport() == "xmpp"
    assert re.fullmatch(r"<SRS0=[\w+/-]+=\w+=c\.test=carol@a\.test>", mail.field("Return-Path"))
    field = field_of(mail)
    assert "policy.domain=a.test" in field and "header.from=c.test" in field
    assert " policy.mailfrom-aligned=strict " in field and field.endswith(" policy.from-aligned=no")
    # Own senders stay who they are.
    own = new_letter()
    alice.sends(own, "bobby@a.test")
    mail = bob.receives(own)
    assert mail.field("Return-Path") == "<alice@a.test>"
    assert field_of(mail).endswith(" policy.from-aligned=strict")


def test_with_srs_what_bounces_goes_to_who_sent_it(srs, carol, carols_letter):
    letter = carols_letter("old@a.test")
    carol.sends(letter, "old@a.test")
    report = carol.receives_report_on(letter)
    assert report.recipients["gone@b.test"]["Status"].startswith("5.1.1")
    assert report.mail.field("Return-Path") == "<>"


def test_nobody_gets_mail_by_a_forged_srs_address(srs, bob, carol, new_letter):
    letter = new_letter()
    forged = "SRS0=AAAA=AA=c.test=carol@a.test"
    bob.sends(letter, forged)
    assert bob.receives_report_on(letter).recipients[forged]["Status"].startswith("5.1.1")
    assert not carol.has(letter)
