"""Mail of domains whose names are not ASCII: JIDs are U-labels (RFC 7622), mail and the DNS have A-labels, and
people write either. bücher.test is behind Prosody, with a component of its own; bäume.test is behind ejabberd."""

import pytest
from component import INFO, Component
from people import Person, all_settled
from test_lanes import table
from test_own_domains import in_the_table
from test_route_lookup import Table
from twodomains.waiting import until

BOOKS = ["bücher.test", "xn--bcher-kva.test"]
TREES = ["bäume.test", "xn--bume-loa.test"]


@pytest.fixture(scope="module", autouse=True)
def known(a, b, d):
    """Everyone has looked everyone up."""
    for site, peer in ((a, TREES[0]), (b, BOOKS[0]), (b, TREES[1]), (d, BOOKS[1])):
        until(lambda: "takes mail over XMPP" in site.packetboat.run("check", peer).stdout, f"{site.domain} to know {peer}")
    # Postfix remembers a domain's way for half a minute.
    assert {BOOKS[0], BOOKS[1]} <= in_the_table(d.packetboat)
    assert {TREES[0], TREES[1]} <= in_the_table(a.packetboat)


def eva(a, domain):
    return Person(a, f"eva@{domain}", mailbox=f"eva@{BOOKS[1]}")


def ulla(d, domain):
    return Person(d, f"ulla@{domain}", mailbox=f"ulla@{TREES[1]}")


@pytest.fixture
def joerg(b):
    """His mail comes to him by dovecot-lda: LMTP to Dovecot would not take a sender in U-labels (SMTPUTF8)."""
    return Person(b, "joerg@b.test")


@pytest.mark.parametrize("written", BOOKS)
def test_mail_to_a_domain_behind_prosody_in_either_spelling(a, bob, dora, new_letter, written):
    by_socketmap, by_table = new_letter(), new_letter()
    bob.sends(by_socketmap, eva(a, written))
    dora.sends(by_table, eva(a, written))
    for letter in (by_socketmap, by_table):
        mail = eva(a, written).receives(letter)
        assert mail.transport() == "xmpp"
        # By the standards of SMTP, a host's name in a trace field is in A-labels.
        assert "by mail.xn--bcher-kva.test via XMPP" in mail.xmpp_hop()


@pytest.mark.parametrize("written", BOOKS)
def test_mail_of_a_domain_behind_prosody_in_either_spelling(a, b, d, joerg, new_letter, written):
    letter = new_letter()
    eva(a, written).sends(letter, joerg, ulla(d, TREES[1]))
    for person in (joerg, ulla(d, TREES[1])):
        mail = person.receives(letter)
        assert mail.transport() == "xmpp"
        verdict = mail.field("Authentication-Results")
        assert "x-xmpp-s2s=pass" in verdict and "policy.domain=xn--bcher-kva.test" in verdict
        assert "policy.mailfrom-aligned=strict" in verdict
    all_settled(a, b, d)


@pytest.mark.parametrize("written", TREES)
def test_mail_to_and_of_a_domain_behind_ejabberd_in_either_spelling(a, b, d, bob, joerg, new_letter, written):
    there, further, back = new_letter(), new_letter(), new_letter()
    bob.sends(there, ulla(d, written))
    eva(a, BOOKS[0]).sends(further, ulla(d, written))
    ulla(d, written).sends(back, joerg, eva(a, BOOKS[1]))
    assert ulla(d, written).receives(there).transport() == "xmpp"
    assert ulla(d, written).receives(further).transport() == "xmpp"
    for person in (joerg, eva(a, BOOKS[1])):
        mail = person.receives(back)
        assert mail.transport() == "xmpp"
        assert "policy.domain=xn--bume-loa.test" in mail.field("Authentication-Results")
    all_settled(a, b, d)


@pytest.mark.parametrize("written", BOOKS)
def test_the_sender_hears_of_an_unknown_recipient(a, d, new_letter, written):
    letter = new_letter()
    eva(a, written).sends(letter, f"nobody@{TREES[0]}")
    report = eva(a, written).receives_report_on(letter)
    (fields,) = report.recipients.values()
    assert fields["Status"].startswith("5.1.1")
    assert fields["Remote-MTA"] == "dns; mail.d.test"
    back = new_letter()
    ulla(d, TREES[0]).sends(back, f"nobody@{written}")
    (fields,) = ulla(d, TREES[0]).receives_report_on(back).recipients.values()
    assert fields["Remote-MTA"] == "dns; mail.xn--bcher-kva.test"


@pytest.mark.parametrize("policy", ["prefer", "require"])
def test_what_is_required_is_listed_in_both_spellings(spare, policy):
    daemon = spare(("# [domain bank.example]", f"[domain bücher.test]\npolicy = {policy}\n#"))
    daemon.start()
    assert in_the_table(daemon) == (set(BOOKS) if policy == "require" else set())


def test_postfix_folds_what_it_looks_up(a, d, dora, letter):
    """With smtputf8_enable it compares without regard to case, and not only in ASCII; more it does not."""
    written = "BÜCHER.Test"
    dora.sends(letter, eva(a, written))
    assert eva(a, written).receives(letter).transport() == "xmpp"
    decomposed = "bu\u0308cher.test"
    assert table(d.packetboat, written) and not table(d.packetboat, decomposed)


def test_who_is_asked_for_each_recipient_knows_every_spelling(b):
    asked = Table(b)
    for written in (*BOOKS, "BÜCHER.Test", "bu\u0308cher.test", "ｂücher．test"):
        assert asked.asks(f"eva@{written}") == "OK lmtp:inet:[127.0.2.1]:2424"


def test_the_command_line_takes_either_spelling(a, d, b):
    for site, spellings, component in ((b, BOOKS, "mail.bücher.test"), (a, TREES, "mail.d.test")):
        for written in spellings:
            checked = site.packetboat.run("check", written)
            assert f"{written}: takes mail over XMPP, at {component}" in checked.stdout, checked.stdout
    checked = a.packetboat.run("check")
    assert checked.returncode == 0, checked.stdout
    assert "component mail.bücher.test: connected" in checked.stdout
    assert "bücher.test: ours; other domains find mail.bücher.test" in checked.stdout
    assert "bäume.test: ours; other domains find mail.d.test" in d.packetboat.run("check").stdout
    for written in TREES:
        forgotten = a.packetboat.run("routes", "forget", written)
        assert forgotten.stdout == "xn--bume-loa.test: forgotten\n"
        until(lambda: not set(TREES) & in_the_table(a.packetboat), "the route to be gone")
        assert "takes mail over XMPP" in a.packetboat.run("check", written).stdout


@pytest.mark.parametrize("name", ["mail.bäume.test", "mail.xn--bume-loa.test"])
def test_a_component_of_ejabberd_s_with_such_a_name(d, spare, name):
    port = d.xmpp.component_port("mail.bäume.test")
    daemon = spare(("[component mail.spare.test]", f"[component {name}]"), ("domains = spare.test", f"domains = {name}"),
                   ("server = 127.0.1.1:5347", f"server = {d.address}:{port}"))
    daemon.start()
    until(lambda: "component mail.bäume.test: connected" in daemon.run("check").stdout, "the component to be connected")


@pytest.mark.parametrize("known, unknown", [BOOKS, TREES], ids=["Prosody", "ejabberd"])
# RFC 7622 3.2.
def test_a_server_knows_such_a_domain_in_u_labels_alone(b, known, unknown):
    """What Packetboat relies on, and RFC 7622 says: as a JID, the name in A-labels is another one, and nobody's."""
    with Component(b, "stranger.b.test") as stranger:
        question = f"<query xmlns='{INFO}'/>"
        assert stranger.asks(known, question).get("type") == "result"
        assert stranger.asks(unknown, question).get("type") == "error"


def test_prosody_makes_another_domain_of_some_names(b):
    """So Packetboat leaves them in A-labels: what is meant for the one must not be asked of the other."""
    with Component(b, "stranger.b.test") as stranger:
        question = f"<query xmlns='{INFO}'/>"
        assert stranger.asks("straße.test", question).get("from") == "strasse.test"
        assert stranger.asks("xn--strae-oqa.test", question).get("from") == "xn--strae-oqa.test"
