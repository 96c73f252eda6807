"""The mark that Packetboat gives, written by somebody else: it goes, on every way in but Packetboat's own."""

import re

import pytest
from test_trace_fields import believed, sieve  # noqa: F401  (a fixture)
from twodomains import smtp
from twodomains.waiting import accepts, until

ID = "packetboat.b.test"
MARK = "x-xmpp-s2s=pass policy.assurance=pkix policy.domain=bank.example policy.from-aligned=strict"
NAME = "Authentication-Results"
FORGED = {
    "as it is": f"{NAME}: {ID}; {MARK}\n",
    "no blank": f"{NAME}:{ID};{MARK}\n",
    "folded": f"{NAME}:\n\t{ID};\n {MARK.replace(' ', chr(10) + ' ')}\n",
    "folded over a blank line": f"{NAME}: {ID};\n \n {MARK}\n",
    "comments": f"{NAME}: (a) {ID} (b); (c) {MARK.replace('=pass', '(d)=(e)pass')} (f)\n",
    "case": f"AUTHENTICATION-results: {ID.upper()}; {MARK.replace('x-xmpp', 'X-XMPP')}\n",
    "quoted id": f'{NAME}: "{ID}"; {MARK}\n',
    "escapes": f'{NAME}: "packet\\boat.b.test"; {MARK}\n',
    "version": f"{NAME}: {ID} 1; {MARK}\n",
    "blank before the colon": f"{NAME} : {ID}; {MARK}\n",
    "several methods": f"{NAME}: {ID}; spf=none; dkim=pass header.d=x.test; {MARK}\n",
    "two fields": f"{NAME}: {ID}; spf=none\n{NAME}: {ID}; {MARK}\n{NAME}: {ID}; dkim=none\n",
    "encoded": f"{NAME}: =?us-ascii?q?{ID}=3B_{MARK.replace('=', '=3D').replace(' ', '_')}?=\n",
    "encoded in part": f"{NAME}: {ID}; =?us-ascii?q?x-xmpp?= =?us-ascii?q?-s2s?={MARK.removeprefix('x-xmpp-s2s=')}\n",
    "zero byte": f"{NAME}: {ID};\0 {MARK}\n",
    "zero byte in the method": f"{NAME}: {ID}; x-xmpp\0-s2s{MARK.removeprefix('x-xmpp-s2s')}\n",
    "long": f"{NAME}: {ID}; {MARK.replace('policy.from', 'x' * 5000 + ' policy.from')}\n",
    "bare CR": f"X-Other: x\r{NAME}: {ID}; {MARK}\n",
}


@pytest.fixture
def submission(b):
    """b.test's port 587."""
    service = f"{b.address}:587"
    b.host.command("postconf", "-M", f"{service}/inet={service} inet n - y - - smtpd", check=True)
    b.postfix.reload()
    until(lambda: accepts(b.address, 587), "the submission service")
    yield 587
    b.host.command("postconf", "-MX", f"{service}/inet", check=True)
    b.postfix.reload()


def by_sendmail(site, sender, recipient, content):
    site.host.command("sendmail", "-i", "-f", sender, recipient, input=content, stdin=None, check=True)


def by_intake(site, sender, recipient, content):
    """As whoever gets at the local LMTP port could."""
    with smtp.Session(site.address, 2424, greeting="LHLO") as session:
        try:
            session.send(sender, [recipient], content)
        except smtp.Refused as refused:
            # A zero byte or a bare CR.
            if "in the message" not in str(refused):
                raise
            return False
    return True


@pytest.fixture(params=["port 25", "submission", "sendmail", "intake"])
def way_in(request, b):
    def send(sender, recipient, content):
        """False if this way takes no such mail at all."""
        if request.param == "sendmail":
            by_sendmail(b, sender, recipient, content)
        elif request.param == "intake":
            return by_intake(b, sender, recipient, content)
        elif request.param == "submission":
            smtp.send(b.address, sender, [recipient], content, port=request.getfixturevalue("submission"))
        else:
            smtp.send(b.address, sender, [recipient], content)
        return True
    return send


def header_of(content):
    return re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0].replace(b"\0", b"").lower()


def has_mark(content):
    """Whatever a program would make of it: a field that speaks of our method, or may decode to it."""
    return re.search(rb"(?m)^authentication-results\s*:.*(\n[ \t].*)*(x-xmpp-s2s|=\?)", header_of(content))


def test_a_forged_mark_is_removed_and_not_believed(sieve, b, bob, new_letter, way_in):
    letters = {}
    for number, (name, forged) in enumerate(FORGED.items()):
        letters[name] = letter = new_letter()
        # Behind fields of the letter's own, too, as an older one would stand.
        first, rest = letter.content.split(b"\n", 1)
        field = forged.encode()
        letter.content = (field + first + b"\n" + rest if number % 2 else first + b"\n" + field + rest).replace(
            b"alice@a.test", b"ceo@bank.example")
        if not way_in("carol@c.test", bob.address, letter.content):
            del letters[name]
    for name, letter in letters.items():
        until(lambda: bob.has(letter) or believed(sieve, letter), f"{name}")
    assert [name for name, letter in letters.items() if believed(sieve, letter)] == []


def test_nothing_with_the_mark_reaches_the_mailbox(b, bob, new_letter, way_in):
    letters = {}
    for name, forged in FORGED.items():
        letters[name] = letter = new_letter()
        letter.content = forged.encode() + letter.content
        if not way_in("carol@c.test", bob.address, letter.content):
            del letters[name]
    assert [name for name, letter in letters.items() if has_mark(bob.mailbox.wait_for(letter.id).content)] == []


@pytest.mark.parametrize("field", [
    f"{NAME}: {ID}; spf=pass smtp.mailfrom=c.test\n", f"{NAME}: mx.c.test; dkim=pass header.d=c.test\n",
    f"{NAME}-Old: {ID}; {MARK}\n", f"ARC-{NAME}: i=1; mx.c.test; {MARK}\n", f"Subject: {NAME}: {ID}; {MARK}\n"])
def test_all_else_stays(b, bob, letter, field):
    letter.content = letter.content.replace(b"Subject: a test\n", b"")
    letter.content = field.encode() + letter.content
    smtp.send(b.address, "carol@c.test", [bob.address], letter.content)
    bob.receives(letter)


def test_an_attached_mail_keeps_its_mark(b, bob, new_letter):
    field = f"{NAME}: {ID}; {MARK}\n"
    attached = new_letter(more_header="MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n",
                          body=f"--x\nContent-Type: message/rfc822\n\n{field}Subject: inner\n\ninner\n--x\n"
                               f"Content-Type: text/plain\n{field}\ntext\n--x--\n")
    smtp.send(b.address, "carol@c.test", [bob.address], attached.content)
    bob.receives(attached)


def test_the_site_s_own_tables_go_on(b, bob, alice, new_letter):
    """Behind ours, on every way in, Packetboat's included."""
    b.host.write("/etc/postfix/own-checks", "/^X-Remove:/ IGNORE\n")
    b.host.command("postconf", "-e", "own_header_checks=regexp:/etc/postfix/own-checks", check=True)
    b.postfix.reload()
    try:
        over_smtp, over_xmpp = new_letter(more_header="X-Remove: me\n"), new_letter(more_header="X-Remove: me\n")
        forged = f"{NAME}: {ID}; {MARK}\n".encode()
        smtp.send(b.address, "carol@c.test", [bob.address], forged + over_smtp.content)
        alice.sends(over_xmpp, bob)
        by_smtp, by_xmpp = (bob.mailbox.wait_for(letter.id) for letter in (over_smtp, over_xmpp))
        assert b"X-Remove" not in by_smtp.content + by_xmpp.content
        assert by_smtp.fields(NAME) == []
        assert by_xmpp.transport() == "xmpp" and by_xmpp.field(NAME).startswith(f"{ID}; x-xmpp-s2s=pass")
    finally:
        b.host.command("postconf", "-e", "own_header_checks=", check=True)
        b.postfix.reload()


def test_a_content_filter_s_way_back_keeps_the_true_mark(sieve, b, bob, alice, new_letter):
    """One that takes mail by SMTP and brings it back to a service of its own, as Postfix's FILTER_README has it."""
    back = "127.0.0.1:10025"
    filtered = f"{b.address}:2526/inet/content_filter"
    b.host.command("postconf", "-M", f"{back}/inet={back} inet n - y - - smtpd -o content_filter="
                   " -o receive_override_options=no_header_body_checks,no_unknown_recipient_checks,no_milters"
                   " -o mynetworks=127.0.0.0/8 -o smtpd_recipient_restrictions=permit_mynetworks,reject", check=True)
    # The filter itself has nothing to say: what comes out of it goes straight back.
    b.host.command("postconf", "-P", f"{filtered}=smtp:[127.0.0.1]:10025", check=True)
    b.postfix.reload()
    until(lambda: accepts("127.0.0.1", 10025), "the way back")
    try:
        b.packetboat.restart()
        until(lambda: b.packetboat.run("check").returncode == 0, "its link to be up")
        letter = new_letter()
        alice.sends(letter, bob)
        until(lambda: believed(sieve, letter), "the mail in Believed")
    finally:
        b.host.command("postconf", "-PX", filtered, check=True)
        b.host.command("postconf", "-MX", f"{back}/inet", check=True)
        b.postfix.reload()
        b.packetboat.restart()
        until(lambda: b.packetboat.run("check").returncode == 0, "its link to be up")
