"""What `packetboat check` finds in the servers beside it."""

import contextlib
import socket
import ssl
import threading

import pytest

from twodomains.waiting import until


def set_service(site, service, name, value):
    """A value for a service of master.cf; "" takes it away."""
    words = ["-P", f"{service}/{name}={value}"] if value else ["-PX", f"{service}/{name}"]
    site.host.command("postconf", *words, check=True)


@contextlib.contextmanager
def master(site, service, name, value):
    before = site.host.command("postconf", "-hP", f"{service}/{name}", text=True).stdout.strip()
    set_service(site, service, name, value)
    try:
        yield
    finally:
        set_service(site, service, name, before)


@contextlib.contextmanager
def main(site, name, value):
    before = site.host.command("postconf", "-h", name, text=True).stdout.strip()
    site.host.command("postconf", "-e", f"{name}={value}", check=True)
    try:
        yield
    finally:
        site.host.command("postconf", "-e", f"{name}={before}", check=True)


@pytest.fixture
def changed():
    """Changes of a site's configuration, which its daemon does not read."""
    @contextlib.contextmanager
    def change(site, *changes):
        configuration = site.packetboat.configuration
        before = after = configuration.read_text()
        for old, new in changes:
            assert old in after
            after = after.replace(old, new)
        configuration.write_text(after)
        try:
            yield
        finally:
            configuration.write_text(before)
    return change


def findings(site):
    return site.packetboat.run("check").stdout


def test_a_postfix_by_the_examples_has_nothing_wrong(b):
    assert f"removes forged x-xmpp-s2s results from what comes in by {b.address}:25/inet pickup/unix" in findings(b)


def test_a_postfix_that_lets_forged_marks_in_is_told_of(b):
    with main(b, "header_checks", ""):
        said = findings(b)
    for way in (f"{b.address}:25/inet", "pickup/unix"):
        assert f"BAD  Postfix: whoever sends mail to {way} can write what only Packetboat may say" in said
    with master(b, f"{b.address}:25/inet", "receive_override_options", "no_header_body_checks"):
        assert f"BAD  Postfix: whoever sends mail to {b.address}:25/inet can write" in findings(b)


@pytest.mark.parametrize("table", [
    "/^Authentication-Results: packetboat.b.test; x-xmpp-s2s/ IGNORE", "/^Authentication-Results:.*x-xmpp-s2s/ WARN",
    "/^authentication-results:.*packetboat/ IGNORE", "/./ DUNNO"])
def test_a_table_that_only_looks_as_if_is_told_of(b, table):
    b.host.write("/etc/postfix/looks-as-if", table + "\n")
    with main(b, "header_checks", "regexp:/etc/postfix/looks-as-if, $own_header_checks"):
        assert "can write what only Packetboat may say" in findings(b)


def test_a_site_s_own_table_in_front_that_lets_it_through_is_told_of(b):
    with main(b, "header_checks", "regexp:{{/^Authentication-Results/ PREPEND X-Seen: yes}}, "
                                  "regexp:/etc/postfix/packetboat-header-checks"):
        assert "can write what only Packetboat may say" in findings(b)


def test_a_hand_over_that_removes_the_true_mark_is_told_of(b):
    with master(b, f"{b.address}:2526/inet", "cleanup_service_name", ""):
        assert "removes Packetboat's own Authentication-Results field" in findings(b)


def test_attached_mails_that_lose_theirs_are_told_of(b):
    with main(b, "nested_header_checks", "$header_checks"):
        assert "takes the field from attached mails, too" in findings(b)


def test_filters_that_take_a_stranger_s_mail_for_a_user_s_are_told_of(b):
    with main(b, "smtpd_milters", "unix:opendkim/opendkim.sock"):
        assert "OpenDKIM signs strangers' mail" in findings(b)
        with master(b, f"{b.address}:2526/inet", "smtpd_milters", "inet:127.0.0.1:8892"):
            assert "OpenDKIM signs" not in findings(b)
    with main(b, "smtpd_milters", "inet:127.0.0.1:11332"):
        assert "give it a milter_macro_daemon_name" not in findings(b)
        with master(b, f"{b.address}:2526/inet", "milter_macro_daemon_name", ""):
            assert "give it a milter_macro_daemon_name" in findings(b)


def test_a_postfix_that_never_asks_for_the_way_is_told_of(a, b):
    assert "ok   Postfix and Packetboat pass mail to each other" in findings(a)
    assert "ok   Postfix and Packetboat pass mail to each other" in findings(b)
    with main(a, "transport_maps", "hash:/etc/postfix/transport"):
        assert 'BAD  Postfix: transport_maps is "hash:/etc/postfix/transport", so no mail goes out over XMPP: add lmdb:' in findings(a)
    with main(a, "smtpd_recipient_restrictions", "permit_mynetworks"):
        assert "BAD  Postfix: it does not ask [policy-service]" in findings(a)


def test_services_that_lead_the_wrong_way_are_told_of(a, changed):
    with master(a, f"{a.address}:2527/inet", "content_filter", ""):
        assert f"BAD  Postfix: what we return to SMTP at {a.address}:2527/inet goes by transport_maps" in findings(a)
    with changed(a, ("answer = lmtp:inet:[", "answer = lmtp:inet:[127.0.0.1]:2423\n# [")):
        assert "no [intake] listens there" in findings(a)
    with changed(a, (f"deliver-to = smtp:{a.address}:2526", f"deliver-to = smtp:{a.address}:2527"),
                 (f"return-to = smtp:{a.address}:2527", f"return-to = smtp:{a.address}:2526")):
        said = findings(a)
    assert "are deliver-to and return-to swapped?" in said
    assert f"at {a.address}:2526/inet goes by transport_maps, and comes round again" in said


def test_a_resolver_that_is_not_there_is_told_of(a, changed):
    assert "ok   resolver: that of the system answers" in findings(a)
    with changed(a, ("# resolver = 192.0.2.53", "resolver = 127.0.0.99")):
        assert "BAD  resolver: 127.0.0.99 does not answer" in findings(a)


def test_what_the_example_has_as_an_example_is_told_of(a, changed):
    with changed(a, (f"hostname = mx.{a.domain}", "hostname = mx.example.org")):
        assert "BAD  [daemon]: hostname is mx.example.org, a name of the example" in findings(a)


class Shown:
    """An XMPP server that shows other servers a certificate, and no more."""

    FEATURES = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

    def __init__(self, address, key, certificate, features=FEATURES):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._features = features
        self._listener = socket.create_server((address, 5299))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with self._listener:
            client, _ = self._listener.accept()
            with client, contextlib.suppress(OSError):
                while b"version=" not in client.recv(4096):
                    pass
                client.sendall(b"<?xml version='1.0'?><stream:stream xmlns='jabber:server'><stream:features>"
                               + self._features + b"</stream:features>")
                client.recv(4096)
                client.sendall(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
                self._context.wrap_socket(client, server_side=True).recv(1)


@pytest.fixture
def shown(world, spare, a):
    """What check says of the component of spare.test whose server shows such a certificate."""
    dns = world.dns.twin(world.scratch / "dns-of-check", "127.0.0.98")
    dns.add_setting("srv-host=_xmpp-server._tcp.fake.spare.test,fake.a.test,5299")
    dns.serve()
    daemon = spare(("[component mail.spare.test]", "[component fake.spare.test]"), ("# resolver = 192.0.2.53", "resolver = 127.0.0.98"))

    def said(issued=None, features=Shown.FEATURES):
        if issued:
            Shown(a.address, *issued, features)
        return next(line for line in daemon.run("check").stdout.splitlines() if "fake.a.test:5299" in line)
    yield said
    dns.stop()


def test_the_certificate_that_others_see_is_looked_at(world, a, d, shown):
    for site in (a, d):
        assert f"ok   component mail.{site.domain}: the certificate at {site.domain}:5269: until 20" in findings(site)
    issue = world.authority.issue
    assert "BAD" in (line := shown()) and "they can't reach it: " in line and "Connection refused" in line
    assert "ok   component fake.spare.test: the certificate at" in shown(issue("spare.test", days=20))
    assert "BAD" in (line := shown(issue("spare.test", days=10))) and "it ends soon, 20" in line
    assert "it names other.test, *.other.test and not fake.spare.test" in shown(issue("other.test"))
    assert "it offers no TLS for fake.spare.test" in shown(issue("spare.test"), b"<dialback/>")


def test_the_log_says_that_a_certificate_ends_soon(world, spare, a, shown):
    daemon = spare(("[component mail.spare.test]", "[component fake.spare.test]"), ("# resolver = 192.0.2.53", "resolver = 127.0.0.98"))
    Shown(a.address, *world.authority.issue("spare.test", days=10))
    daemon.start()
    until(lambda: "event=certificate-is-minded component=fake.spare.test server=fake.a.test:5299" in daemon.log(), "the warning")
    assert "it ends soon, 20" in daemon.log()


def test_what_keeps_others_from_finding_our_component_is_told_with_its_cure(spare):
    """Or no peer could ever verify its mail: they ask the domain, not the component."""
    daemon = spare(("domains = spare.test", "domains = mail.spare.test unknown.test plain.test a2.test nowhere.test"))
    daemon.start()
    until(lambda: "component mail.spare.test: connected" in daemon.run("check", timeout=300).stdout, "the component's link")
    checked = daemon.run("check", timeout=300)
    assert checked.returncode == 1
    said = {line[5:].partition(": ")[0]: line for line in checked.stdout.splitlines() if ": ours" in line}
    assert said["mail.spare.test"].startswith("ok ")
    # Its server has no such VirtualHost.
    assert "BAD  unknown.test: ours, but other domains don't find that: unknown.test cannot be asked over XMPP" in \
        said["unknown.test"]
    assert "the XMPP server of mail.spare.test has to serve unknown.test, too" in said["unknown.test"]
    # It has this one, which does not list the component; and this one, which names another.
    assert "BAD  plain.test" in said["plain.test"]
    assert "plain.test has to name mail.spare.test in mail-transfer-addresses" in said["plain.test"]
    assert "other domains find mail.a2.test" in said["a2.test"]
    assert "a2.test has to name mail.spare.test in mail-transfer-addresses" in said["a2.test"]
    assert "the DNS has no _xmpp-server._tcp.nowhere.test" in said["nowhere.test"]
    # Nothing of it is a route, or remembered.
    assert daemon.run("routes", "list", "--json").stdout.strip() == "[]"
