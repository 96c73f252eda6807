"""examples/filters: what rspamd, SpamAssassin and Sieve make of Packetboat's finding, and of what pretends to be one."""

import contextlib
import re
import sqlite3
import time

import filter_programs
import pytest
from people import all_settled
from test_forged_mark import ID, NAME, by_intake
from test_lanes import set_main
from twodomains import smtp
from twodomains.mailbox import Mailbox
from twodomains.waiting import until

CREDIT = {"PACKETBOAT_ALIGNED", "PACKETBOAT_KNOWN"}
LINK = "x-xmpp-s2s=pass policy.assurance=pkix"
REST = "policy.domain=a.test smtp.mailfrom=a.test policy.mailfrom-aligned=strict"
TRUE = f"{LINK} {REST} policy.from-aligned=strict"
OTHER = f"{LINK} {REST} policy.from-aligned=no"  # what Packetboat says of a liar
QUOTED = TRUE.replace("=", "=3D").replace(" ", "_")
# In place of the true field. Each has all the words in it, and none of them is to be believed.
FORGERIES = {
    "two fields": f"{NAME}: {ID}; {OTHER}\n{NAME}: policy.from-aligned=strict\n",
    "two fields the other way": f"{NAME}: policy.from-aligned=strict\n{NAME}: {ID}; {OTHER}\n",
    "two fields, and the id in one": f"{NAME}: {ID}; spf=pass\n{NAME}: {TRUE}\n",
    "two fields, and the id of another": f"{NAME}: {ID}; spf=pass\n{NAME}: mx.evil.test; {TRUE}\n",
    "two fields that continue": f"{NAME}: {ID}; {LINK}\n{NAME}: {REST} policy.from-aligned=strict\n",
    "three fields": f"{NAME}: {ID}; x-xmpp-s2s=pass\n{NAME}: policy.assurance=pkix\n{NAME}: policy.from-aligned=strict\n",
    "a line more": f"{NAME}: {ID}; {OTHER}\n\tpolicy.from-aligned=strict\n",
    "a line more, with a blank": f"{NAME}: {ID}; {OTHER}\n policy.from-aligned=strict\n",
    "a line more that says no": f"{NAME}: {ID}; {TRUE}\n\tpolicy.from-aligned=no\n",
    "an empty line more": f"{NAME}: {ID}; {OTHER}\n \n\tpolicy.from-aligned=strict\n",
    "folded everywhere": f"{NAME}:\n {ID};\n " + f"{OTHER} policy.from-aligned=strict".replace(" ", "\n ") + "\n",
    "padding": f"{NAME}: {ID}; {OTHER}{' ' * 900}policy.from-aligned=strict\n",
    "a comment": f"{NAME}: {ID}; {OTHER} (policy.from-aligned=strict)\n",
    "a comment that does not end": f"{NAME}: {ID}; {OTHER} ( policy.from-aligned=strict\n",
    "a comment over the truth": f"{NAME}: {ID}; {LINK} {REST} (policy.from-aligned=no) policy.from-aligned=strict\n",
    "a comment between": f"{NAME}: {ID}; {LINK} {REST} (policy.from-aligned) policy.from-aligned=strict\n",
    "a comment in front": f"{NAME}: (x) {ID}; (x) {TRUE}\n",
    "quotes": f"{NAME}: {ID}; {OTHER} header.from=\"x policy.from-aligned=strict\"\n",
    "quotes that do not end": f"{NAME}: {ID}; {OTHER} header.from=\"x policy.from-aligned=strict\n",
    "half of it in quotes": f"{NAME}: {ID}; {LINK} {REST} header.from=\"x policy.from-aligned=strict\n",
    "quotes over the truth": f"{NAME}: {ID}; {LINK} policy.domain=\"x policy.from-aligned=no\" policy.from-aligned=strict\n",
    "in another's quotes": f"{NAME}: {ID}; spf=pass smtp.mailfrom=\"x; {TRUE}\"@evil.test\n",
    "a second method": f"{NAME}: {ID}; {OTHER}; spf=pass policy.from-aligned=strict\n",
    "half of it in a second method": f"{NAME}: {ID}; {LINK} {REST}; spf=pass policy.from-aligned=strict\n",
    "a second method that is ours": f"{NAME}: {ID}; {OTHER}; {TRUE}\n",
    "ours as the second method": f"{NAME}: {ID}; spf=pass; {TRUE}\n",
    "assurance twice": f"{NAME}: {ID}; {TRUE.replace('pkix', 'dialback policy.assurance=pkix')}\n",
    "assurance twice, the other way": f"{NAME}: {ID}; {TRUE.replace('pkix', 'pkix policy.assurance=dialback')}\n",
    "dialback": f"{NAME}: {ID}; {TRUE.replace('pkix', 'dialback')}\n",
    "another word for it": f"{NAME}: {ID}; {TRUE.replace('pkix', 'pkixed')}\n",
    "none": f"{NAME}: {ID}; {TRUE.replace('=pass', '=none')}\n",
    "neutral": f"{NAME}: {ID}; {TRUE.replace('=pass', '=neutral')}\n",
    "another word for pass": f"{NAME}: {ID}; {TRUE.replace('=pass', '=passed')}\n",
    "another method": f"{NAME}: {ID}; x-{TRUE}\n",
    "our id with a host": f"{NAME}: evil.{ID}; {TRUE}\n",
    "our id with a word": f"{NAME}: evil-{ID}; {TRUE}\n",
    "our id as a host": f"{NAME}: {ID}.evil.test; {TRUE}\n",
    "our id behind another": f"{NAME}: evil.test {ID}; {TRUE}\n",
    "our id in a comment": f"{NAME}: evil.test ({ID}); {TRUE}\n",
    "our id without dots": f"{NAME}: {ID.replace('.', 'x')}; {TRUE}\n",
    "a version": f"{NAME}: {ID} 1; {TRUE}\n",
    "another name": f"X-{NAME}: {ID}; {TRUE}\n",
    "ARC": f"ARC-{NAME}: i=1; {ID}; {TRUE}\n",
    "a longer name": f"{NAME}-Old: {ID}; {TRUE}\n",
    "in the subject": f"Subject: {NAME}: {ID}; {TRUE}\n",
    "in the subject, folded": f"Subject: x\n {NAME}: {ID}; {TRUE}\n",
    "behind a bare CR": f"X-Other: x\r{NAME}: {ID}; {TRUE}\n",
    "encoded": f"{NAME}: =?us-ascii?q?{ID}=3B_{QUOTED}?=\n",
    "encoded behind another id": f"{NAME}: x.test; =?us-ascii?q?x?= =?us-ascii?q?=0A{ID}=3B_{QUOTED}?=\n",
    "an encoded field in another": f"X-Other: =?us-ascii?q?x=0D=0A{NAME}=3A_{ID}=3B_{QUOTED}?=\n",
    "encoded in part": f"{NAME}: {ID}; {OTHER} =?us-ascii?q?policy=2Efrom-aligned=3Dstrict?=\n",
    "in the body": f"X-Other: x\n\n{NAME}: {ID}; {TRUE}\n",
}
# rspamd takes a bare CR for the end of a line: mail with one does not come in over XMPP, and it looks at no other for the
# field. Sieve decodes a field before it looks at it: that one is removed on every way in.
NOT_SEEN_BY = {"rspamd": "behind a bare CR", "sieve": "encoded"}
PROGRAMS = ["rspamd", "spamassassin", "sieve"]
CLASSES = {"blocked": 6.0, "poor": 2.0, "limited": 1.0, "good": -0.5, "trusted": -3.0}


def classed(field, word):
    """A field, whatever it is, with a class in its place."""
    return (field.replace("policy.domain=a.test", f"policy.domain=a.test policy.class={word}")
            .replace("policy.domain=3Da.test", f"policy.domain=3Da.test_policy.class=3D{word}"))


QUOTED_CLASS = 'new header.from="x policy.class=trusted y"'
QUOTED_DOMAIN = '"a.test policy.class=trusted x" smtp'
NEW, TRUSTED = classed(TRUE, "new"), classed(TRUE, "trusted")
# Beside the others: each says that a.test is trusted, and not as Packetboat does.
FORGED_CLASSES = {
    **{name: classed(forged, "trusted") for name, forged in FORGERIES.items()},
    "another author": f"{NAME}: {ID}; {classed(OTHER, 'trusted')}\n",
    "class in another field": f"{NAME}: {ID}; {NEW}\n{NAME}: policy.class=trusted\n",
    "class in another's field": f"{NAME}: {ID}; {NEW}\n{NAME}: mx.evil.test; {TRUSTED}\n",
    "class in a second field": f"{NAME}: {ID}; {NEW}\n{NAME}: {ID}; {TRUSTED}\n",
    "class in a first field": f"{NAME}: {ID}; {TRUSTED}\n{NAME}: {ID}; {NEW}\n",
    "class twice": f"{NAME}: {ID}; {classed(TRUE, 'new policy.class=trusted')}\n",
    "class twice, the other way": f"{NAME}: {ID}; {classed(TRUE, 'trusted policy.class=new')}\n",
    "class twice, later": f"{NAME}: {ID}; {TRUSTED.replace(' policy.from', ' policy.class=new policy.from')}\n",
    "class at the end": f"{NAME}: {ID}; {TRUE} policy.class=trusted\n",
    "class on a line more": f"{NAME}: {ID}; {TRUE}\n\tpolicy.class=trusted\n",
    "class out of its place": f"{NAME}: {ID}; {TRUE.replace(' policy.mail', ' policy.class=trusted policy.mail')}\n",
    "class in front": f"{NAME}: {ID}; {TRUE.replace(' policy.domain', ' policy.class=trusted policy.domain')}\n",
    "class in a comment": f"{NAME}: {ID}; {TRUE.replace('a.test smtp', 'a.test (policy.class=trusted) smtp')}\n",
    "class in a comment behind it": f"{NAME}: {ID}; {classed(TRUE, 'new (policy.class=trusted)')}\n",
    "class in quotes": f"{NAME}: {ID}; {classed(TRUE, QUOTED_CLASS)}\n",
    "class in the domain's quotes": f"{NAME}: {ID}; {TRUE.replace('a.test smtp', QUOTED_DOMAIN)}\n",
    "class of another name": f"{NAME}: {ID}; {TRUE.replace('a.test smtp', 'a.test smtp.class=trusted smtp')}\n",
    "class of a longer word": f"{NAME}: {ID}; {classed(TRUE, 'trusted-not')}\n",
    "class in capitals": f"{NAME}: {ID}; {classed(TRUE, 'TRUSTED')}\n",
}
# Sieve knows neither places nor fields nor capitals. Packetboat writes no such thing, and what others write is removed.
FORGED_CLASSES_SEEN_BY = {"sieve": {"class in a second field", "class in a first field", "class out of its place",
                                    "class in capitals"}}


@pytest.fixture(params=PROGRAMS, scope="module")
def program(request, world, b, bob):
    made = {"rspamd": lambda: filter_programs.rspamd(world, b), "sieve": lambda: filter_programs.sieve(b, bob),
            "spamassassin": lambda: filter_programs.spamassassin(b, bob)}
    with made[request.param]() as program:
        program.name = request.param
        yield program


def from_the_ceo(letter):
    letter.content = letter.content.replace(b"Alice <alice@a.test>", b"ceo@bank.example")
    return letter


def arrived(letter, person):
    """The mail's bytes, as the filter saw them but for the fields of the last hop."""
    folders = person.mailbox, Mailbox(person.mailbox.maildir / ".Believed")
    return until(lambda: [mail for folder in folders for mail in folder.find(letter.id)], f"{letter}")[0].content


def with_field(content, text):
    """The mail with something else in place of Packetboat's field."""
    changed, count = re.subn(rf"(?m)^{NAME}: {re.escape(ID)};.*\n([ \t].*\n)*".encode(), lambda _: text.encode(), content)
    assert count == 1
    return changed


@contextlib.contextmanager
def no_stripping(b):
    """Port 25 as it is where somebody has forgotten the lines about header_checks."""
    before = b.host.command("postconf", "-h", "header_checks", text=True).stdout.strip()
    set_main(b, header_checks="")
    try:
        yield
    finally:
        set_main(b, header_checks=before)


def test_mail_of_the_author_s_own_domain_is_believed_and_no_other(program, alice, bob, carol, new_letter):
    own, from_list, by_smtp = new_letter(), from_the_ceo(new_letter()), from_the_ceo(new_letter())
    alice.sends(own, bob)
    alice.sends(from_list, bob)
    carol.sends(by_smtp, bob)
    assert CREDIT & set(program.of(own))
    assert not CREDIT & set(program.of(from_list))
    assert not [name for name in program.of(by_smtp) if name.startswith("PACKETBOAT")]
    if program.name != "sieve":
        assert {"PACKETBOAT"} | CREDIT <= set(program.of(own)) and "PACKETBOAT_OTHER_AUTHOR" not in program.of(own)
        assert {"PACKETBOAT", "PACKETBOAT_OTHER_AUTHOR"} <= set(program.of(from_list))


def test_what_is_forged_on_port_25_or_inside_of_mail_over_xmpp_gets_no_credit(program, a, b, bob, new_letter):
    letters = {}
    in_headers = {name: forged for name, forged in FORGERIES.items() if name != "in the body"}
    for name, forged in {**in_headers, "as it is": f"{NAME}: {ID}; {TRUE}\n",
                         "case": f"{NAME.upper()}: {ID.upper()}; {TRUE}\n"}.items():
        for way in ("port 25", "XMPP"):
            letters[name, way] = letter = from_the_ceo(new_letter())
            letter.content = forged.encode() + letter.content
            if way == "port 25":
                smtp.send(b.address, "carol@c.test", [bob.address], letter.content)
            elif not by_intake(a, "alice@a.test", bob.address, letter.content):
                del letters[name, way]  # it takes no such mail
    assert ("behind a bare CR", "XMPP") not in letters and len(letters) > 2 * len(FORGERIES)
    assert [name for name, letter in letters.items() if CREDIT & set(program.of(letter))] == []


@pytest.mark.parametrize("assurance", ["dialback", "none"])
def test_another_assurance_gets_no_credit(program, b, alice, bob, letter, assurance):
    text = b.packetboat.configuration.read_text()
    b.packetboat.configuration.write_text(text.replace("s2s-assurance = pkix", f"s2s-assurance = {assurance}"))
    try:
        filter_programs.with_new_connections(b)
        alice.sends(letter, bob)
        symbols = program.of(letter)
        assert not CREDIT & set(symbols)
        if program.name != "sieve":
            assert {"PACKETBOAT", "PACKETBOAT_UNVERIFIED"} <= set(symbols)
    finally:
        b.packetboat.configuration.write_text(text)
        filter_programs.with_new_connections(b)


def test_none_of_them_leans_on_what_is_removed_before_it(program, alice, bob, letter):
    """Each forgery as the filter would see it, had nobody removed anything."""
    alice.sends(letter, bob)
    content = arrived(letter, bob)
    assert CREDIT & set(program.on(content)), "the true one"
    # What Packetboat may come to say beside it.
    newer = TRUE.replace(" policy.from", " policy.new=x policy.from")
    assert CREDIT & set(program.on(with_field(content, f"{NAME}: {ID}; {newer}\n")))
    found = [name for name, forged in FORGERIES.items() if CREDIT & set(program.on(with_field(content, forged)))]
    assert found == [name for name in FORGERIES if name == NOT_SEEN_BY.get(program.name)]


@pytest.mark.parametrize("program", ["rspamd", "spamassassin"], indirect=True)
def test_the_weights_are_modest(program, alice, bob, letter):
    alice.sends(letter, bob)
    content = arrived(letter, bob)
    scores = program.on(content)
    assert (scores["PACKETBOAT_ALIGNED"], scores["PACKETBOAT_KNOWN"]) == (-1.0, -3.0)
    liar = program.on(with_field(content, f"{NAME}: {ID}; {OTHER}\n"))
    assert 0 <= liar["PACKETBOAT_OTHER_AUTHOR"] < 0.1
    stranger = program.on(with_field(content, f"{NAME}: {ID}; {TRUE.replace('a.test', 'x.test')}\n"))
    assert "PACKETBOAT_ALIGNED" in stranger and "PACKETBOAT_KNOWN" not in stranger


@pytest.mark.parametrize("program", ["rspamd"], indirect=True)
def test_rspamd_leaves_dmarc_out_for_mail_that_is_believed_and_for_no_other(program, alice, bob, letter):
    """a.test says p=reject, and signs nothing."""
    alice.sends(letter, bob)
    content = arrived(letter, bob)
    assert "DMARC_POLICY_REJECT" not in program.on(content) and "DMARC_POLICY_REJECT" in program.by(content, "mx.b.test")
    kept = [name for name, forged in FORGERIES.items() if "DMARC_POLICY_REJECT" in program.on(with_field(content, forged))]
    # Settings look at what is decoded, as Sieve does; and one forgery has moved the author into the body, too.
    assert kept == [name for name in FORGERIES if name not in ("behind a bare CR", "encoded", "in the body")]


@pytest.mark.parametrize("program", ["rspamd"], indirect=True)
def test_rspamd_gives_no_credit_on_port_25_even_if_nothing_is_removed_there(program, b, bob, letter):
    letter.content = f"{NAME}: {ID}; {TRUE}\n".encode() + from_the_ceo(letter).content
    with no_stripping(b):
        smtp.send(b.address, "carol@c.test", [bob.address], letter.content)
        assert not [name for name in program.of(letter) if name.startswith("PACKETBOAT")]
    assert CREDIT & set(program.on(letter.content)) and not CREDIT & set(program.by(letter.content, "mx.b.test"))


def test_spamassassin_finds_no_mistake_in_its_rules(b):
    filter_programs.configure_spamassassin(b, "/run/spamassassin-lint")
    said = b.host.command("spamassassin", "-L", "--lint", "--siteconfigpath=/run/spamassassin-lint", text=True)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


@pytest.mark.parametrize("program", ["spamassassin"], indirect=True)
def test_spamassassin_gives_no_credit_to_what_stands_below_a_stranger_s_received_field(program, letter):
    received = b"Received: from %s by mx.b.test (Postfix) with ESMTP id 1; Mon, 30 Nov 2026 02:00:00 +0000\n"
    field = f"{NAME}: {ID}; {TRUE}\n".encode()
    ours, theirs = received % b"localhost (localhost [127.0.0.1])", received % b"x.test (x.test [203.0.113.9])"
    assert CREDIT <= set(program.on(ours + field + letter.content))
    assert not [name for name in program.on(theirs + field + letter.content) if name.startswith("PACKETBOAT")]
    assert not CREDIT & set(program.on(ours + theirs + field + letter.content))


@pytest.mark.parametrize("program", ["spamassassin"], indirect=True)
def test_spamassassin_takes_no_stranger_for_our_own_user_nor_his_home_for_our_client(program, alice, bob, letter):
    home = (b"Received: from [10.1.2.3] (unknown [203.0.113.7])\n\tby mx.a.test (Postfix) with ESMTP id 1\n"
            b"\tfor <bob@b.test>; Mon, 30 Nov 2026 02:00:00 +0000 (UTC)\n")
    letter.content = home + letter.content
    alice.sends(letter, bob)
    content = arrived(letter, bob)
    # The sites of these tests are all on 127.0.0.0/8: what they have written is left out.
    content = re.sub(rb"(?m)^Received: from client\.test.*\n([ \t].*\n)*", b"", content)
    judged = "RDNS_NONE"  # of the last relay
    seen = program.alone(content)
    assert CREDIT <= set(seen) and judged in seen
    seen = program.alone(content, ("#msa_networks 127.0.0.1", "msa_networks 127.0.2.1"))  # where b.test has it all
    assert CREDIT <= set(seen) and judged not in seen
    assert seen["ALL_TRUSTED"] + seen["PACKETBOAT_STRANGER"] == 0


def test_rspamd_s_own_field_would_take_the_place_of_ours(world, b, alice, bob, letter):
    """What settings.conf is for: without it, the field is gone."""
    with filter_programs.rspamd(world, b, settings=""):
        alice.sends(from_the_ceo(letter), bob)  # of whose domain DMARC knows nothing
        mail = bob.mailbox.wait_for(letter.id)
    assert mail.transport() == "xmpp"
    assert not [value for value in mail.fields(NAME) if value.startswith(ID)] and mail.fields(NAME)


@pytest.fixture
def peer(a, b):
    """a.test, of which b.test knows nothing, and forgets it afterwards."""
    all_settled(a, b)
    b.packetboat.run("peers", "forget", "a.test")
    yield "a.test"
    all_settled(a, b)
    b.packetboat.run("peers", "forget", "a.test")


def with_figures(b, domain, days, unknown):
    """The peer book as if the domain had sent something on each of the days before this one."""
    b.packetboat.run("peers", "forget", domain)
    b.packetboat.stop()
    today = int(time.time() // 86400)
    with contextlib.closing(sqlite3.connect(b.packetboat.state / "queue.db")) as queue, queue:
        queue.execute("INSERT INTO standing VALUES (?, ?, ?, ?, ?, 0, 0)", (domain, today - 40, today - 1, days, domain))
        queue.executemany("INSERT INTO standing_day VALUES (?, ?, 6, 8, ?, 0, 0)",
                          ((domain, today - ago, unknown) for ago in range(1, days + 1)))
    filter_programs.with_new_connections(b)


def classes_in(symbols):
    return {name.removeprefix("PACKETBOAT_CLASS_").lower() for name in symbols if name.startswith("PACKETBOAT_CLASS_")}


def comes_as(program, letter, sender, recipient):
    """The classes that the filter saw on a mail's way, each with its weight."""
    sender.sends(letter, recipient)
    scores = program.on(arrived(letter, recipient))
    assert classes_in(scores) == classes_in(program.of(letter))
    return {word: scores[f"PACKETBOAT_CLASS_{word.upper()}"] for word in classes_in(scores)}


@pytest.mark.parametrize("program", ["rspamd", "spamassassin"], indirect=True)
def test_what_the_administrator_says_of_a_peer_counts(program, b, alice, bob, new_letter, peer):
    assert comes_as(program, new_letter(), alice, bob) == {}
    for verb, word in (("block", "blocked"), ("limit", "limited"), ("trust", "trusted")):
        assert b.packetboat.run("peers", verb, peer).returncode == 0
        assert comes_as(program, new_letter(), alice, bob) == {word: CLASSES[word]}
        # A liar has no credit by it, and the rest all the same.
        against = {word: CLASSES[word]} if CLASSES[word] > 0 else {}
        assert comes_as(program, from_the_ceo(new_letter()), alice, bob) == against


@pytest.mark.parametrize("program", ["rspamd", "spamassassin"], indirect=True)
@pytest.mark.parametrize("word, days, unknown", [("poor", 12, 2), ("good", 12, 0), ("known", 5, 0)])
def test_what_the_figures_of_a_peer_say_counts(program, b, alice, bob, letter, peer, word, days, unknown):
    with_figures(b, peer, days, unknown)
    seen = comes_as(program, letter, alice, bob)
    assert f" policy.class={word} ".encode() in b" ".join(arrived(letter, bob).split())
    assert seen == {name: CLASSES[name] for name in (word,) if name in CLASSES}


@pytest.mark.parametrize("program", ["rspamd", "spamassassin"], indirect=True)
def test_a_class_that_is_forged_gets_no_credit(program, alice, bob, letter):
    alice.sends(letter, bob)
    content = arrived(letter, bob)
    for word in ("good", "trusted"):
        assert classes_in(program.on(with_field(content, f"{NAME}: {ID}; {classed(TRUE, word)}\n"))) == {word}
        folded = classed(TRUE, word).replace(" policy.domain", "\n\tpolicy.domain").replace(" policy.cl", "\n\tpolicy.cl")
        assert classes_in(program.on(with_field(content, f"{NAME}: {ID}; {folded}\n"))) == {word}
    assert not classes_in(program.on(with_field(content, f"{NAME}: {ID}; {NEW}\n")))
    found = [(name, word) for name, forged in FORGED_CLASSES.items() for word in ("good", "trusted")
             if word in classes_in(program.on(with_field(content, forged.replace("trusted", word))))]
    not_seen = NOT_SEEN_BY.get(program.name)
    assert found == ([(not_seen, "good"), (not_seen, "trusted")] if not_seen else [])


@pytest.mark.parametrize("program", ["rspamd", "spamassassin"], indirect=True)
def test_a_bad_class_counts_whatever_else_the_sender_makes_the_field_say(program, alice, bob, letter):
    alice.sends(letter, bob)
    content = arrived(letter, bob)
    for word in ("blocked", "poor", "limited"):
        field = classed(TRUE, word)
        for said in (field, classed(OTHER, word), field.replace("pkix", "dialback"), field.replace("=pass", "=neutral"),
                     field.replace("smtp.mailfrom=a.test", 'smtp.mailfrom="[192.0.2.1]"'),
                     field.replace("smtp.mailfrom=a.test", 'smtp.mailfrom="a\\"(; policy.class=trusted "'),
                     field.replace("smtp.mailfrom=a.test", "smtp.mailfrom=a.test smtp.mailfrom=b.test"),
                     f"{field} policy.class=trusted", f"{field}\n{NAME}: {ID}; {TRUSTED}"):
            assert classes_in(program.on(with_field(content, f"{NAME}: {ID}; {said}\n"))) == {word}, said
        for said in (f"evil.test; {field}", f"{ID}.evil.test; {field}", f"{ID}; {classed(TRUE, word + '-not')}",
                     f"{ID}; {TRUE.replace(' policy.from', f' policy.class={word} policy.from')}"):
            assert not classes_in(program.on(with_field(content, f"{NAME}: {said}\n"))), said


@pytest.mark.parametrize("program", ["sieve"], indirect=True)
def test_sieve_may_believe_those_alone_that_are_trusted(program, b, alice, bob, new_letter, peer):
    """By the other line that its comment offers."""
    with program.changed("policy.domain=* policy.from", "policy.domain=* policy.class=trusted * policy.from"):
        def is_believed(letter):
            alice.sends(letter, bob)
            return bool(CREDIT & set(program.of(letter)))
        assert not is_believed(new_letter())
        b.packetboat.run("peers", "trust", peer)
        assert is_believed(true := new_letter())
        assert not is_believed(from_the_ceo(new_letter()))
        content = arrived(true, bob)
        seen = FORGED_CLASSES_SEEN_BY["sieve"] | {NOT_SEEN_BY["sieve"]}
        found = {name for name, forged in FORGED_CLASSES.items() if CREDIT & set(program.on(with_field(content, forged)))}
        assert found == seen
