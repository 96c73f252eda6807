"""What our client makes of the servers of others: smtp-sink with all its vices, aiosmtpd, TLS, failover."""

import re
import shutil
import smtplib
import ssl

import pytest
from next_hop import CappedServer, Sink, aiosmtpd, recording_server, requiretls_server, silent_server
from twodomains import smtp
from twodomains.waiting import until

QUICK = [("first-retry = 5m", "first-retry = 1s"), ("max-retry = 4000s", "max-retry = 2s")]


@pytest.fixture
def sender(spare):
    """Makes a Packetboat whose next hop is the test's; `sends` gives it a mail for its own domain."""
    def make(*changes):
        daemon = spare(*QUICK, *changes)
        daemon.start()
        return daemon
    return make


@pytest.fixture
def sink():
    """Makes sinks, which are gone in the end."""
    made = []

    def make(*arguments, **options):
        made.append(Sink(*arguments, **options))
        return made[-1]
    yield make
    for each in made:
        each.stop()


def sends(daemon, letter, *recipients, options=(), port=2424, sender="s@spare.test"):
    with smtp.Session(daemon.host.address, port, greeting="LHLO") as session:
        session.send(sender, recipients or ["r@spare.test"], letter.content, options=options)


def story(daemon, letter):
    """All that became of it."""
    return daemon.run("trace", letter.id).stdout


def becomes(daemon, letter, what):
    until(lambda: what in story(daemon, letter), f"{what} of {letter}: {story(daemon, letter)}")
    return story(daemon, letter)


@pytest.mark.parametrize("options", [[], ["-p"], ["-e"], ["-w", "1"], ["-h", "mx.other.test", "-8"]],
                         ids=["usual", "no pipelining", "no ESMTP", "slow", "no 8BITMIME"])
def test_smtp_sink_takes_mail_whatever_it_can(sender, sink, new_letter, options):
    daemon = sender()
    taken = sink(daemon.host, *options)
    letters = [new_letter() for _ in range(5)]
    for letter in letters:
        sends(daemon, letter)
    until(lambda: not daemon.queue(), "an empty queue")
    mails = taken.mails()
    for letter in letters:
        [mail] = [mail for mail in mails if letter.id.encode() in mail]
        assert mail.replace(b"\r\n", b"\n").rstrip(b"\n").endswith(letter.content.rstrip(b"\n"))


# RFC 6152 3.
def test_an_8_bit_mail_to_a_7_bit_server_fails_and_is_not_mangled(sender, sink, new_letter):
    daemon = sender()
    taken = sink(daemon.host, "-8")
    letter = new_letter("Gr\xfc\xdfe\n")
    sends(daemon, letter)
    assert "5.6.3" in becomes(daemon, letter, "bounced")
    until(lambda: any(b"5.6.3" in mail for mail in taken.mails()), "the report")
    assert not any("Gr\xfc\xdfe".encode() in mail for mail in taken.mails())


@pytest.mark.parametrize("options, what, status", [
    (["-r", "rcpt"], "deferred", "4."), (["-f", "rcpt"], "bounced", "5."), (["-r", "mail"], "deferred", "4."),
    (["-f", "data"], "bounced", "5."), (["-r", "."], "deferred", "4."), (["-f", "."], "bounced", "5."),
    (["-q", "mail"], "deferred", "4.4.2"), (["-q", "data"], "deferred", "4.4.2"), (["-q", "."], "deferred", "4.4.2"),
    (["-f", "connect"], "deferred", "4.")], ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_what_a_sink_refuses_is_told_or_tried_again(sender, sink, letter, options, what, status):
    daemon = sender()
    bad = sink(daemon.host, *options)
    sends(daemon, letter)
    assert status in becomes(daemon, letter, what)
    if what == "deferred":
        bad.stop()
        good = sink(daemon.host)
        until(lambda: any(letter.id.encode() in mail for mail in good.mails()), "the mail after all")
        until(lambda: not daemon.queue(), "an empty queue")


def test_aiosmtpd_gets_envelope_and_content_as_they_are(sender, new_letter):
    daemon = sender()
    letter = new_letter("Gr\xfc\xdfe\n.\n..dots\n")
    with aiosmtpd(daemon.host) as next_hop:
        sends(daemon, letter, "r@spare.test", "q@spare.test")
        until(lambda: next_hop.envelopes, "the mail")
    [envelope] = next_hop.envelopes
    assert envelope.rcpt_tos == ["r@spare.test", "q@spare.test"]
    # Mail that its own server gives away and gets again: each hop says that it was one.
    received, content = re.match(rb"(Received: .*?\r\n)(?![ \t])(.*)", envelope.original_content, re.DOTALL).groups()
    assert b"(Packetboat)" in received
    assert content == smtp.wire_form(letter.content)


# --- TLS


@pytest.fixture
def certificates(world):
    """Makes a key and a certificate for a host of a test."""
    def make(name, host, with_address=True):
        files = world.authority.issue(name, host.address if with_address else None)
        return [shutil.copy(file, host.directory) for file in files]
    return make


def over_tls(world):
    return [("deliver-to = smtp:", "deliver-to = smtp+tls:"),
            ("[hand-over]", f"[hand-over]\ntls-ca = {world.authority.certificate}")]


# RFC 3207 4.1.
def test_starttls_is_used_and_the_certificate_verified(world, sender, certificates, letter):
    daemon = sender(*over_tls(world))
    with aiosmtpd(daemon.host, tls=certificates("mx.tls1.test", daemon.host)) as next_hop:
        sends(daemon, letter)
        until(lambda: next_hop.envelopes, "the mail")
    assert next_hop.tls == [True]


def test_a_certificate_of_somebody_else_gets_no_mail(world, sender, certificates, letter):
    daemon = sender(*over_tls(world))
    with aiosmtpd(daemon.host, tls=certificates("mx.tls2.test", daemon.host, with_address=False)) as next_hop:
        sends(daemon, letter)
        until(lambda: "4.7.5" in daemon.run("queue", "list").stdout, "the deferral")
        assert next_hop.envelopes == []


def test_without_starttls_nothing_is_sent_in_the_clear(world, sender, letter):
    daemon = sender(*over_tls(world))
    with aiosmtpd(daemon.host) as next_hop:
        sends(daemon, letter)
        until(lambda: "STARTTLS is not offered" in daemon.run("queue", "list").stdout, "the deferral")
        assert next_hop.envelopes == []


@pytest.fixture
def tls_sender(world, sender, certificates):
    """Its door has TLS, so that it offers REQUIRETLS."""
    def make(*changes):
        key, certificate = (shutil.copy(file, world.scratch) for file in world.authority.issue("mx.spare.test"))
        for file in (key, certificate):
            (world.scratch / file).chmod(0o644)
        return sender(("protocol = lmtp", f"protocol = smtp\ntls-certificate = {certificate}\ntls-key = {key}"), *changes)
    return make


def sends_requiretls(world, daemon, letter):
    context = ssl.create_default_context(cafile=str(world.authority.certificate))
    with smtplib.SMTP(daemon.host.address, 2424, timeout=20) as client:
        client._host = "mx.spare.test"
        client.starttls(context=context)
        client.sendmail("s@spare.test", ["r@spare.test"], smtp.wire_form(letter.content), mail_options=["REQUIRETLS"])


# RFC 8689 4.1, RFC 8689 4.2.1.
def test_requiretls_goes_on_to_a_server_that_keeps_it(world, tls_sender, certificates, letter):
    daemon = tls_sender(*over_tls(world))
    with requiretls_server(daemon.host, certificates("mx.tls3.test", daemon.host)) as commands:
        sends_requiretls(world, daemon, letter)
        until(lambda: not daemon.queue(), "an empty queue")
    [(encrypted, command)] = commands
    assert encrypted and command.endswith(" REQUIRETLS")


# RFC 8689 4.2.1.
def test_requiretls_goes_to_nobody_who_does_not_keep_it(world, tls_sender, certificates, letter):
    daemon = tls_sender(*over_tls(world))
    with requiretls_server(daemon.host, certificates("mx.tls4.test", daemon.host), announces=False) as commands:
        sends_requiretls(world, daemon, letter)
        assert "5.7.30" in becomes(daemon, letter, "bounced")
        assert not any("s@spare.test" in command for _, command in commands)


# --- several next hops


def test_the_second_server_gets_what_the_first_cannot_take_until_it_is_back(sender, sink, new_letter):
    daemon = sender(("deliver-to = smtp:", "deliver-to = smtp:127.0.9.250:2526 smtp:"))
    second = sink(daemon.host)
    letters = [new_letter() for _ in range(3)]
    for letter in letters:
        sends(daemon, letter)
    until(lambda: len(second.mails()) == 3, "the mails at the second server")
    with recording_server("127.0.9.250", 2526) as first:
        until(lambda: first or sends(daemon, new_letter()), "a mail at the first server")
        until(lambda: not daemon.queue(), "an empty queue")


def test_the_second_server_gets_what_the_first_one_silent_does_not_take(patient, sink, new_letter):
    daemon = patient(("deliver-to = smtp:", "deliver-to = smtp:127.0.9.252:2526 smtp:"))
    second = sink(daemon.host)
    letters = [new_letter() for _ in range(10)]
    with silent_server("127.0.9.252"):
        for letter in letters:
            sends(daemon, letter, "r@mail.spare.test")
        until(lambda: len(second.mails()) == 10, "the mails at the second server")
        until(lambda: not daemon.queue(), "an empty queue")
    for letter in letters:
        assert "deferred" not in story(daemon, letter)


def test_a_server_that_caps_connections_gets_all_mail_at_once(patient, new_letter):
    daemon = patient()
    letters = [new_letter() for _ in range(60)]
    with CappedServer(daemon.host, 3) as next_hop:
        with smtp.Session(daemon.host.address, 2424, greeting="LHLO") as session:
            for letter in letters:
                session.send("s@mail.spare.test", ["r@mail.spare.test"], letter.content)
        until(lambda: not daemon.queue(), "an empty queue")
        assert len(next_hop.mails) == 60 and next_hop.refused
    for letter in letters:
        assert "deferred" not in story(daemon, letter)
    assert "next-hop-down" not in daemon.log()


def test_sixty_unknown_recipients_keep_a_known_one_from_nothing(patient, world, carol, letter):
    """At a Postfix as it comes, which hangs up at the twentieth refusal."""
    there = world.sites["c.test"]
    daemon = patient(("return-to = ", f"return-to = smtp:{there.address}:25\n# "))
    dead = [f"dead{number}@c.test" for number in range(60)]
    sends(daemon, letter, *dead, carol.address, sender="")
    carol.receives(letter)
    until(lambda: not daemon.queue(), "an empty queue")
    assert "deferred" not in story(daemon, letter)


def test_a_domain_can_have_a_server_of_its_own_and_does_not_wait_for_the_others(sender, sink, new_letter):
    daemon = sender(("domains = spare.test", "domains = spare.test lists.spare.test"),
                    ("[discovery]", "[domain lists.spare.test]\ndeliver-to = smtp:127.0.9.251:2700\n[discovery]"))
    usual = sink(daemon.host)
    waits, goes = new_letter(), new_letter()
    sends(daemon, waits, "all@lists.spare.test")
    sends(daemon, goes, "r@spare.test")
    until(lambda: any(goes.id.encode() in mail for mail in usual.mails()), "the other domain's mail")
    [waiting] = daemon.queue()
    assert waiting["to"] == "all@lists.spare.test"
