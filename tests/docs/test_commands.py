"""Each block of README.md and docs/*.md works, or is what it seems to be: commands.py has how that is proven."""

import re
import shutil

import commands
import manual
import pytest

PROGRAM = manual.program()
pytestmark = pytest.mark.skipif(PROGRAM is None or not commands.is_built_of(manual.ROOT, PROGRAM.parent),
                                reason="there is no build of this folder to install from: ./run build")
DOCUMENTS = commands.documents()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What `cmake --install` puts on a machine."""
    return commands.installed(tmp_path_factory.mktemp("installed"), PROGRAM.parent)


@pytest.fixture(scope="module")
def pristine(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("machine") / "root"
    shutil.copytree(files, folder, symlinks=True)
    commands.furnish(folder)
    return folder


def others(document):
    """What the other documents and the examples say, and this one beside its blocks."""
    text = DOCUMENTS[document]
    for block in commands.blocks_of(text):
        for line in block.split("\n"):
            text = text.replace(line, "")
    rest = [text for name, text in DOCUMENTS.items() if name != document]
    return "\n".join([text, *rest, *(path.read_text(errors="replace") for path in sorted(commands.EXAMPLES.rglob("*")) if path.is_file())])


@pytest.mark.parametrize("document", [name for name, text in DOCUMENTS.items() if commands.blocks_of(text)])
def test_what_stands_in_blocks_works(document, pristine, tmp_path):
    assert commands.prove(document, DOCUMENTS[document], pristine, tmp_path, PROGRAM, others(document)) == []


def test_each_picture_is_somewhere():
    blocks = [block for text in DOCUMENTS.values() for block in commands.blocks_of(text)]
    assert len(blocks) > 45
    assert {commands.picture_of(block) for block in blocks} - {None} == set(commands.PICTURES)


def uninstalling(here, *programs):
    """Runs the commands of these programs that stand in the document's part on that."""
    for block in commands.blocks_of(DOCUMENTS["docs/upgrading.md"].split("## Uninstall")[1]):
        for line in commands.shell_lines(block):
            if line.split()[0] in programs:
                here.run(line)


def test_what_was_installed_by_hand_is_gone_in_the_end(files, tmp_path):
    there = tmp_path / "root"
    shutil.copytree(files, there, symlinks=True)
    here = commands.Here(there, PROGRAM, others("docs/upgrading.md") + DOCUMENTS["docs/upgrading.md"])
    uninstalling(here, "rm")
    assert [path for path in there.rglob("*") if not path.is_dir()] == []


@pytest.mark.skipif(not shutil.which("postconf", path="/usr/sbin:/usr/bin"), reason="needs Postfix")
def test_what_was_added_to_postfix_is_gone_in_the_end(pristine, tmp_path):
    there = tmp_path / "root"
    shutil.copytree(pristine, there, symlinks=True)
    uninstalling(commands.Here(there, PROGRAM), "postconf")
    names = re.findall(r"^([a-z_]+) =", (commands.EXAMPLES / "postfix/main.cf").read_text(), re.MULTILINE)
    left = (there / "etc/postfix/main.cf").read_text()
    still = {name for name in names if re.search(rf"^{name} =", left, re.MULTILINE)}
    # What is said of in a sentence may stay.
    assert {name for name in still if f"`{name}`" not in DOCUMENTS["docs/upgrading.md"]} == set()
    assert not re.search(r"^\S*(2526|2527|packetboat)", (there / "etc/postfix/master.cf").read_text(), re.MULTILINE)


def block(text):
    return "So:\n\n" + "".join(f"    {line}\n" if line else "\n" for line in text.split("\n"))


@pytest.mark.parametrize("text", [
    "packetboat queue list [--json]   # what waits", "packetboat queue hold|release --domain b.example ...", "packetboat complaint < MAIL",
    "runuser -u packetboat -- packetboat backup x-$(date +%F)", "cd /usr/share/doc/packetboat/examples\ncp prosody/packetboat.cfg.lua /etc/prosody/conf.d/",
    "journalctl -u packetboat | grep -E 'transfer-refused|class-limit'", "[domain example.org]\nfallback-after = 6h",
    "_xmpp-server._tcp.example.org. SRV 0 5 5269 xmpp.example.org.", 'VirtualHost "example.org"\n    modules_enabled = { "disco" }',
    "transport_maps = lmdb:/var/lib/packetboat/routes", "packetboat on && packetboat off --until 2h",
])
def test_what_is_right_is_let_through(text, pristine, tmp_path):
    assert commands.prove("a.md", block(text), pristine, tmp_path, PROGRAM) == []


@pytest.mark.parametrize("text, fault", [
    ("packetboat queue lsit", "did you mean"), ("packetboat queue hold|drop ID", "queue drop"), ("packetboat backup", "too few words"),
    ("packetboat off --untill 2h", "--untill"), ("runuser -u packetboot -- packetboat check", "no account packetboot"),
    ("runuser -u packetboat -- packetboat chek", "chek"), ("packetboat check && packetboat chek", "chek"),
    ("frobnicate /etc", "no rule says how frobnicate"), ("systemctl enable packetbot", "no unit packetbot.service"),
    ("systemctl reload packetboat.socket", "no ExecReload="), ("systemctl mask packetboat", "no rule"), ("journalctl --since today", "without a unit"),
    ("journalctl -u packetboat | grep -E 'transfer-refused|class-limits'", "class-limits"), ("grep -rn 'nagles' /etc/prosody/", "nagles"),
    ("cp prosody/packetboat.cfg.lua /etc/prosody/conf.d/", "prosody/packetboat.cfg.lua"),
    ("cd /usr/share/doc/packetboat/examples\ncp prosody/packetboat.lua /etc/prosody/conf.d/", "prosody/packetboat.lua"),
    ("cd /usr/share/doc/packetboat/examples\ncp prosody/packetboat.cfg.lua /etc/prosody/confd/", "/etc/prosody/confd/"),
    ("cd /usr/share/doc/packetboot", "no folder"), ("cat /etc/postfix/main.cf >>/etc/postfix/none.cf", "none.cf is not there"),
    ("rm -f /usr/share/man/man1/packetboat.1", "is nowhere"), ("chown root:nobody /etc/ejabberd/packetboat.yml", "no account nobody"),
    ("apt install prosodie", "prosodie"), ("apt install ./build/packetboat.deb", "no package is named"), ("postfix relaod", "relaod"),
    ("postmap -q b.example lmdb:/var/lib/packetboat/routs", "the route table is"), ("./run tests", "no tests"), ("./run bench --fast", "no --fast"),
    ("build/tests/bench/macro_benchmark", "makes no macro_benchmark"), ("adduser --system --shell x packetboat", "the package says"),
    ("openssl rand -hexx 32", "hexx"), ("openssl s_client -connect x:443 </dev/null", "does not speak"),
    ("[domain example.org]\nfallback-time = 6h", "fallback-time"), ("[queue]\npolicy = perhaps", "perhaps"), ("[quue]\npolicy = prefer", "quue"),
    ("_xmpp-server._tcp.example.org. SRV 0 5 xmpp.example.org.", "no record"), ("_xmpp-server._tcp.a.test. SRV 0 5 5269 xmpp.a.test", "no record"),
    ("192.0.2.2:2526 inet n - y - smtpd", "eight columns"), ("192.0.2.2:1234 inet n - y - - smtpd\n  (the lines of master.cf)", "no service 1234"),
    ("s2s_starttls: required", "s2s_starttls"), ("include_config_file:\n  - /etc/ejabberd/packetbot.yml", "is nowhere"),
    ("rm -rf ../docs", "is nowhere"), ("cd /usr/share\nmv ../../../../x y", "x"), ("mv README.md x", "no `cd`"), ("cp /usr/bin/packetboat docs/x", "no `cd`"),
    ("packetboat backup $(reboot)", "what reboot prints"),
    ("A picture -->  of something", "no rule says how A"),
])
def test_what_is_wrong_is_found(text, fault, pristine, tmp_path):
    found = commands.prove("a.md", block(text), pristine, tmp_path, PROGRAM)
    assert len(found) == 1 and fault in found[0]


@pytest.mark.skipif(not shutil.which("postconf", path="/usr/sbin:/usr/bin"), reason="needs Postfix")
@pytest.mark.parametrize("text, fault", [
    ("postconf transport_mapz", "transport_mapz"), ("postconf -X smtpd_milters", "smtpd_milters does not stand"),
    ("transport_mapz = x", "no transport_mapz"), ("192.0.2.2:2526 inet n - y - - smtpd\n  -o mynetwork=x", "mynetwork"),
])
def test_what_postfix_does_not_know_is_found(text, fault, pristine, tmp_path):
    found = commands.prove("a.md", block(text), pristine, tmp_path, PROGRAM)
    assert len(found) == 1 and fault in found[0]


@pytest.mark.skipif(not shutil.which("prosodyctl"), reason="needs Prosody")
@pytest.mark.parametrize("said", ["prosodyctl chek config", "prosodyctl check configs", "prosodyctl --root cert imported mail.example.org /etc"])
def test_what_prosody_does_not_know_is_found(said, pristine, tmp_path):
    found = commands.prove("a.md", block(said), pristine, tmp_path, PROGRAM)
    assert len(found) == 1 and "has no" in found[0]


@pytest.mark.skipif(not shutil.which("journalctl"), reason="needs journalctl")
def test_an_option_that_the_journal_does_not_know_is_found(pristine, tmp_path):
    found = commands.prove("a.md", block("journalctl -u packetboat --sins x"), pristine, tmp_path, PROGRAM)
    assert len(found) == 1 and "--sins" in found[0]


@pytest.mark.skipif(not (shutil.which("luac") or shutil.which("luac5.4")), reason="needs Lua")
def test_lua_that_is_none_is_found(pristine, tmp_path):
    assert len(commands.prove("a.md", block('VirtualHost "a"\n    x = { '), pristine, tmp_path, PROGRAM)) == 1
