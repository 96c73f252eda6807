"""A backup MX without Packetboat, and a site with two MX, one of which has it: docs/more-than-one-mx.md, with c.test's host as the
other one of b.test's."""

import re

import pytest
from test_reload import Reloading
from test_trace_fields import authenticated
from twodomains import smtp
from twodomains.templates import fill
from twodomains.waiting import accepts, until

MARK = "x-xmpp-s2s=pass policy.assurance=pkix policy.domain=bank.example policy.from-aligned=strict"


@pytest.fixture(scope="module")
def other(world, b):
    """c.test's host takes mail for b.test, and passes it on to it."""
    site = world.sites["c.test"]
    world.dns.add_setting("mx-host=b.test,mx.c.test,20")
    world.dns.stop()
    world.dns.serve()
    before = {name: site.host.path(f"/etc/postfix/{name}").read_text() for name in ("main.cf", "master.cf")}
    site.host.command("postconf", "-e", "relay_domains=b.test", f"transport_maps=inline:{{b.test=smtp:[{b.address}]}}", check=True)
    site.postfix.reload()
    yield site
    for name, text in before.items():
        site.host.write(f"/etc/postfix/{name}", text)
    site.postfix.reload()
    world.dns.remove_setting("mx-host=b.test,mx.c.test,20")
    world.dns.stop()
    world.dns.serve()


@pytest.fixture
def impatient(a):
    """a.test sends by SMTP what its peer does not take at once."""
    its = Reloading(a.packetboat)
    its.reads(its.changed(("# fallback-after = 6h", "fallback-after = 2s")))
    yield
    its.reads(its.good)


def holds(site, letter):
    """Its Postfix keeps the mail, as the next host is not there."""
    def is_there():
        ids = re.findall(r"(?m)^([0-9A-F]+)[*!]? ", site.postfix.queue())
        return any(letter.id.encode() in site.host.command("postcat", "-qh", each).stdout for each in ids)
    return is_there


def test_a_backup_mx_keeps_mail_and_passes_it_on_by_smtp(other, impatient, a, b, down, alice, bob, new_letter):
    on_its_way, letter = new_letter(), new_letter()
    up = [down(b.packetboat), down(b.postfix)]
    before = a.packetboat.log().count("event=peer-down domain=b.test")
    # This one may have been taken, for all that is known, and waits for the component.
    alice.sends(on_its_way, bob)
    until(lambda: a.packetboat.log().count("event=peer-down domain=b.test") > before, "the outage to be known")
    alice.sends(letter, bob)
    until(holds(other, letter), "the mail at the backup MX", 60)
    for server in reversed(up):
        server()
    other.postfix.flush()
    mail = bob.receives(letter, 60)
    assert mail.transport() == "smtp"
    assert any("by mx.c.test " in each for each in mail.fields("Received"))
    # Once, whichever way: it is asked back first.
    bob.receives(on_its_way, 60)
    # Nobody has proved anything.
    assert not any("x-xmpp-s2s" in each for each in mail.fields("Authentication-Results"))


def test_a_forged_result_goes_on_that_way_too(other, bob, letter):
    smtp.send(other.address, "eve@evil.test", [bob.address],
              f"Authentication-Results: packetboat.b.test; {MARK}\n".encode() + letter.content)
    mail = bob.receives(letter)
    assert any("by mx.c.test " in each for each in mail.fields("Received"))
    assert not mail.fields("Authentication-Results")


def service(address, next_hop, client, filtered=True):
    """The example's service 2526 on the network, for one client; `filtered`: it passes its mail on to the next hop's."""
    text = fill("postfix/master.cf", address=address)
    found = re.search(rf"(?m)^{re.escape(address)}:2526 .*\n([ \t#].*\n)*^from-packetboat .*\n([ \t].*\n)*", text)
    text = found.group().replace("        -o smtpd_client_restrictions=\n", "")
    more = f"        -o {{ smtpd_client_restrictions = check_client_access cidr:{{{{{client} OK}}}}, reject }}\n"
    if filtered:
        more += f"        -o content_filter=smtp:[{next_hop}]:2526\n"
    return text.replace("        -o cleanup_service_name=", more + "        -o cleanup_service_name=", 1)


@pytest.fixture
def two_hops(other, b):
    """b.test's Packetboat delivers to the other MX if its own mail server is not there."""
    master = other.host.path("/etc/postfix/master.cf")
    before = master.read_text()
    # All hosts here have the client address of whom they connect to, but for Postfix, which binds to its own.
    other.host.write("/etc/postfix/master.cf", before + service(other.address, b.address, "127.0.0.0/8"))
    other.postfix.reload()
    until(lambda: accepts(other.address, 2526), "the other MX")
    configuration = b.packetboat.configuration
    text = configuration.read_text()
    first = f"deliver-to = smtp:{b.address}:2526"
    assert first in text
    configuration.write_text(text.replace(first, f"{first} smtp:{other.address}:2526"))
    b.packetboat.restart()
    yield
    configuration.write_text(text)
    b.packetboat.restart()
    other.host.write("/etc/postfix/master.cf", before)
    other.postfix.reload()


def test_what_comes_over_xmpp_is_delivered_to_the_second_while_the_first_is_down(two_hops, other, b, down, alice, bob, letter):
    up = down(b.postfix)
    alice.sends(letter, bob)
    until(holds(other, letter), "the mail at the other MX", 60)
    up()
    other.postfix.flush()
    mail = bob.receives(letter, 60)
    assert mail.transport() == "xmpp"
    assert any("by mx.c.test " in each for each in mail.fields("Received"))
    # The true result is still there.
    field = re.sub(r"\s+", " ", authenticated(mail))
    assert field.startswith("packetboat.b.test; x-xmpp-s2s=pass") and field.endswith("policy.from-aligned=strict")


def test_only_its_neighbour_may_use_a_service_that_believes_results(other, b, letter):
    before = other.host.path("/etc/postfix/master.cf").read_text()
    other.host.write("/etc/postfix/master.cf", before + service(other.address, b.address, "192.0.2.1"))
    other.postfix.reload()
    try:
        until(lambda: accepts(other.address, 2526), "the other MX")
        with pytest.raises(smtp.Refused, match="554 5.7.1"):
            smtp.send(other.address, "eve@evil.test", ["bob@b.test"], letter.content, port=2526)
    finally:
        other.host.write("/etc/postfix/master.cf", before)
        other.postfix.reload()


def test_mail_that_the_other_mx_sends_takes_the_lane_by_its_neighbour(other, b, alice, letter):
    before = other.host.path("/etc/postfix/main.cf").read_text()
    own = f"inline:{{b.test=smtp:[{b.address}], c.test=:}}"
    other.host.command("postconf", "-e", f"transport_maps={own}, socketmap:inet:{b.address}:2425:route", check=True)
    other.postfix.reload()
    try:
        letter.content = letter.content.replace(b"Alice <alice@a.test>", b"Bob <bob@b.test>")
        smtp.send(other.address, "bob@b.test", [alice.address], letter.content)
        mail = alice.receives(letter)
    finally:
        other.host.write("/etc/postfix/main.cf", before)
        other.postfix.reload()
    assert mail.transport() == "xmpp"
    assert any("by mx.c.test " in each for each in mail.fields("Received"))
    assert "policy.domain=b.test" in authenticated(mail) and "policy.from-aligned=strict" in authenticated(mail)
