"""What the documents say is so: their links, the commands in their blocks, the keys of the configuration, and the program's words.

The rules for who writes them:

- A link to a file of the tree leads to one, and its #anchor to a heading of that.
- `packetboat ...` in a block (indented or fenced) is a command of app/command-line/command_table.cpp, with its options and as many
  arguments as it takes. `a|b` is each of both, and [ ] are left out. In backticks in a sentence it may have fewer: it may be a name only.
- `key = value` in a block that has a [section], and each key with a hyphen in backticks, is one of packetboat.conf(5).
- In docs/troubleshooting.md what stands in backticks and begins with BAD, ok or event=, or has `…` in it, is the program's: each literal
  part between two `…` stands in the sources, in one string or in a few that are put together at a word's end. Words of other programs
  are in FOREIGN. A line of the log is `event=NAME key=value key="words"`.
"""

import pathlib
import posixpath
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("base", "mail", "queue", "component", "smtp-bridge", "app")
# Neither of the tree as it is checked out, nor ours.
LEFT_OUT = re.compile(r"(^|/)(\.|build|__pycache__)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
FOREIGN = re.compile(r'^(\d\d\d |lmdb:|connect to|network_settings|name = |Component |configuration error)')
GENERAL = {"config", "log-level", "state-directory", "control-socket", "json", "help"}
WITHOUT_VALUE = {"json", "all", "repair", "not-spam", "help", "version", "yes", "print", "undo", "force", "require-certificates"}
ANY = 1000
# Of strings that are put together: one in so many characters, or any words could be put together of any.
JOINT = 10


def documents():
    """The text of each document, by its path."""
    paths = (path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.md"))
    return {path: (ROOT / path).read_text() for path in paths if not LEFT_OUT.search(path)}


def for_administrators():
    return {path: text for path, text in documents().items() if path == "README.md" or re.match(r"docs/[^/]+\.md$", path)}


# ---- a document's parts

def blocks_of(text):
    """The lines of each block of code, and the text without them."""
    blocks, rest, block, fenced, blank = [], [], None, False, True
    for line in text.splitlines():
        fence = line.lstrip().startswith("```")
        indented = line.startswith("    ") and (blank or block is not None)
        if fenced or fence or indented:
            if block is None:
                block = []
                blocks.append(block)
            if fence:
                fenced = not fenced
                block = block if fenced else None
            else:
                block.append(line.strip())
        elif not line.strip() and block is not None:
            block.append("")
        else:
            block = None
            rest.append(line)
        blank = not line.strip()
    return blocks, "\n".join(rest)


def anchors_of(text):
    """The names that a reader of the document can be led to."""
    headings = re.findall(r"^#+ (.*)$", blocks_of(text)[1], re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# ---- links

def wrong_links(files, is_there):
    """Of files, {path: text}; is_there(path) says of others."""
    faults = []
    for path, text in files.items():
        for target in LINK.findall(blocks_of(text)[1]):
            if "://" in target or target.startswith("mailto:"):
                continue
            name, _, anchor = target.partition("#")
            leads_to = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) if name else path
            if not is_there(leads_to):
                faults.append(f"{path}: no {target}")
            elif anchor and leads_to.endswith(".md") and anchor not in anchors_of(files[leads_to]):
                faults.append(f"{path}: no heading {target}")
    return faults


def test_links_lead_somewhere():
    files = documents()
    assert sum(len(LINK.findall(text)) for text in files.values()) > 100
    assert wrong_links(files, lambda path: (ROOT / path).exists()) == []


@pytest.mark.parametrize("link, fault", [
    ("b.md", None), ("b.md#the-second-one", None), ("#first", None), ("https://a.test/c.md", None),
    ("c.md", "papers/a.md: no c.md"), ("b.md#third", "papers/a.md: no heading b.md#third"), ("#second", "papers/a.md: no heading #second"),
])
def test_a_link_that_leads_nowhere_is_found(link, fault):
    files = {"papers/a.md": f"# First\n\n[x]({link})\n\n    [y](nowhere.md)\n", "papers/b.md": "## The `second` one!\n"}
    assert wrong_links(files, files.__contains__) == ([fault] if fault else [])


# ---- commands

def command_table(source):
    """(first words, second words, may go without the second, least and most arguments, options) of each command."""
    row = re.compile(r'\{"([a-z|]+)",\s*"([a-z|]*)",\s*(true|false),\s*(\d+),\s*(\d+|Command::kAny),\s*"([^"]*)",\s*"[^"]*"')
    return [(first.split("|"), second.split("|") if second else [], default == "true", int(least),
             ANY if most == "Command::kAny" else int(most), set(options.split()))
            for first, second, default, least, most, options in row.findall(source)]


def spelled_out(words):
    """Each command that is meant by words of which some are alternatives."""
    for index, word in enumerate(words[:2]):
        if "|" in word and not word.startswith("--"):
            return [each for way in word.split("|") for each in spelled_out([*words[:index], way, *words[index + 1:]])]
    return [words]


def split_arguments(words):
    """(arguments, options); None if an option has no value."""
    arguments, options, rest = [], [], list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            arguments.append(word)
            continue
        name, _, value = word[2:].partition("=")
        options.append(name)
        if name not in WITHOUT_VALUE and not value:
            if not rest:
                return None
            rest.pop(0)
    return arguments, options


def is_command(words, table, whole=True):
    """`whole`: nothing is left out at its end."""
    split = split_arguments(words)
    if split is None:
        return False
    arguments, options = split
    if not arguments:
        return set(options) <= GENERAL | {"version"}
    for first, second, default, least, most, known in table:
        rest = arguments[1:]
        if arguments[0] not in first:
            continue
        if second and rest and rest[0] in second:
            rest = rest[1:]
        elif second and (rest or (whole and not default)):
            continue
        if (least if whole else 0) <= len(rest) <= most and set(options) <= known | GENERAL:
            return True
    return False


def commands_in(text):
    """(words, whether they are in a block) of what is said behind `packetboat`, in blocks and in backticks."""
    blocks, rest = blocks_of(text)
    lines = [(line, True) for block in blocks for line in block] + [(span, False) for span in SPAN.findall(rest)]
    for line, whole in lines:
        for found in re.findall(r"(?:^|&& |; |-- |sudo )packetboat (.+)", re.sub(r"\$\([^)]*\)", "X", line)):
            said = re.split(r"(?:\s|^)(?:#|\||>|<|;|&&|2>)(?:\s|$)", found)[0]
            yield [word for word in re.sub(r"[\[\]]", "", said).split() if word not in ("...", "…")], whole


def wrong_commands(files, table):
    return [f"{path}: packetboat {' '.join(words)}" for path, text in files.items()
            for each, whole in commands_in(text) for words in spelled_out(each) if not is_command(words, table, whole)]


def real_table():
    return command_table((ROOT / "app/command-line/command_table.cpp").read_text())


def test_commands_are_those_of_the_program():
    table = real_table()
    assert len(table) > 20 and all(any(name in first for first, *_ in table) for name in ("serve", "help", "resume"))
    assert sum(len(list(commands_in(text))) for text in for_administrators().values()) > 40
    assert wrong_commands(for_administrators(), table) == []


@pytest.mark.parametrize("said, good", [
    ("check b.example", True), ("queue hold|release --domain b.example ...", True), ("peers [show DOMAIN]   # what is known", True),
    ("off --until 2h", True), ("complaint < MAIL", True), ("backup x-$(date +%F)", True), ("--version", True),
    ("trace NAME [--json]", True),
    ("chek", False), ("queue drop ID", False), ("queue hold|drop ID", False), ("check --fast", False), ("backup a b", False),
    ("off --until", False),
])
def test_a_command_that_is_none_is_found(said, good):
    for text in (f"So:\n\n    packetboat {said}\n", f"```\nrunuser -u packetboat -- packetboat {said}\n```\n", f"Say `packetboat {said}`."):
        assert (wrong_commands({"a.md": text}, real_table()) == []) is good, text


@pytest.mark.parametrize("said", ["trace", "queue", "queue show", "peers block"])
def test_a_command_is_whole_in_a_block_only(said):
    assert wrong_commands({"a.md": f"Say `packetboat {said}`."}, real_table()) == []
    assert wrong_commands({"a.md": f"So:\n\n    packetboat {said}\n"}, real_table()) == [f"a.md: packetboat {said}"]


# ---- keys

def manual_keys(manual):
    """The keys of each kind of section."""
    keys, kind = {}, None
    for line in manual.splitlines():
        if found := re.match(r"\.Ss \[([a-z-]+)", line):
            kind = found[1]
            keys[kind] = set()
        elif kind and (found := re.match(r"\.It Ic (.*?)(?: Pq .*)?$", line)):
            keys[kind] |= set(re.findall(r"[a-z][a-z0-9-]*", found[1]))
    # "What is special about one sender: all of its keys but exempt."
    keys["sender"] |= keys["senders"] - {"exempt"}
    return keys


def wrong_keys(files, keys):
    faults, every = [], set().union(*keys.values())
    for path, text in files.items():
        blocks, rest = blocks_of(text)
        for block in blocks:
            kind = None
            for line in block:
                if found := re.match(r"\[([a-z-]+)( [^\]]+)?\]$", line):
                    kind = found[1]
                    if kind not in keys:
                        faults.append(f"{path}: there is no section {line}")
                elif kind in keys and (found := re.match(r"([\w-]+) = ", line)) and found[1] not in keys[kind]:
                    faults.append(f"{path}: [{kind}] has no {found[1]}")
        for span in SPAN.findall(rest):
            found = re.match(r"([a-z0-9]+(?:-[a-z0-9]+)+) = ", span)
            if found and found[1] not in every:
                faults.append(f"{path}: there is no {found[1]}")
    return faults


def real_keys():
    return manual_keys((ROOT / "docs/man/packetboat.conf.5").read_text())


def test_keys_are_those_of_the_manual():
    keys = real_keys()
    assert len(keys) > 10 and "hostname" in keys["daemon"] and "fallback-after" in keys["domain"] and "batch" in keys["complaints"]
    assert wrong_keys(for_administrators(), keys) == []


@pytest.mark.parametrize("text, good", [
    ("[daemon]\nhostname = a", True), ("[sender @a.example]\nburst = 1h", True), ("transport_maps = x", True),
    ("[daemon]\nhost-name = a", False), ("[daemon]\nresolver = a", False), ("[deamon]\nhostname = a", False),
    ("[sender a]\nexempt = b", False),
])
def test_a_key_that_is_none_is_found(text, good):
    block = "".join(f"    {line}\n" for line in text.splitlines())
    assert (wrong_keys({"a.md": f"So:\n\n{block}"}, real_keys()) == []) is good


def test_a_key_in_a_sentence_that_is_none_is_found():
    assert wrong_keys({"a.md": "`fallback-after = 6h`, `nested_header_checks = $x`"}, real_keys()) == []
    assert wrong_keys({"a.md": "`fallback-time = 6h`"}, real_keys()) == ["a.md: there is no fallback-time"]


# ---- the program's words

def literals(source):
    """The strings of a C++ source, those that stand one behind the other as one, cut where a value is put in."""
    string = r'"(?:[^"\\\n]|\\.)*"'
    code = re.sub(r"^\s*#include.*$", "", source, flags=re.MULTILINE)
    for found in re.findall(rf"{string}(?:\s*{string})*", code):
        text = "".join(each[1:-1] for each in re.findall(string, found))
        yield from re.split(r"\{[^{}]*\}", re.sub(r"\\(.)", r"\1", text))


class Words:
    """What the program can say."""

    def __init__(self, sources):
        pieces = {piece for source in sources for piece in literals(source)}
        self._text = "\0" + "\0".join(sorted(pieces)) + "\0"
        line = re.compile(r'\bLine(?: line)?\((?:\w+ \? )?"([a-z-]+)"(?: : "([a-z-]+)")?|\bcomplaint\(\w+, "([a-z-]+)"')
        self._events = {event for source in sources for found in line.findall(source) for event in found}
        self._fields = {field for source in sources for field in re.findall(r'\.with\("([\w-]+)"', source)}

    def say(self, part):
        """Is it in one string, or in a few put together?"""
        return part in self._text or self._joined(part, "", len(part) // JOINT)

    def _joined(self, part, before, joints):
        """`before` is what has to be in front: nothing at first, then a string's beginning."""
        if before + part in self._text:
            return True
        if joints == 0:
            return False
        ends = (end for end in range(1, len(part)) if not (part[end - 1].isalnum() and part[end].isalnum()))
        return any(before + part[:end] + "\0" in self._text and self._joined(part[end:], "\0", joints - 1) for end in ends)

    def missing(self, quote):
        """The parts of a quote that the program does not say."""
        if quote.startswith("event="):
            return self._missing_of_log(quote)
        parts = re.sub(r"^(BAD  |ok   )", "", quote).split("…")
        return [part for part in parts if part.strip() and not self.say(part)]

    def _missing_of_log(self, quote):
        lacks = []
        for key, value in re.findall(r'([\w-]+)=("[^"]*"|\S+)', quote):
            if key == "event":
                lacks += [] if value in self._events else [value]
            elif key not in self._fields:
                lacks.append(key)
            if value.startswith('"'):
                lacks += self.missing(value[1:-1])
        return lacks


def quotes_in(text):
    return [span for span in SPAN.findall(blocks_of(text)[1])
            if re.match(r"(BAD|ok) |event=", span) or ("…" in span and not FOREIGN.match(span))]


def wrong_quotes(text, words):
    return [f"{quote}: {part!r}" for quote in quotes_in(text) for part in words.missing(quote)]


def real_words():
    return Words([path.read_text() for room in ROOMS for path in sorted((ROOT / room).rglob("*.[ch]pp"))])


def test_the_program_says_what_troubleshooting_quotes():
    text = (ROOT / "docs/troubleshooting.md").read_text()
    assert len(quotes_in(text)) > 60
    assert wrong_quotes(text, real_words()) == []


SAMPLE = '''#include "app/nothing.hpp"
void f() {
    findings.add(false, fmt::format("component {}: the certificate at {}: {}", jid, where, why));
    return fmt::format("it names {} and not {}: peers "
                       "refuse such a link", names, name);
    Line("link-down").with("component", component).with("why", why).warning();
}
'''


@pytest.mark.parametrize("quote, good", [
    ("BAD  component …: the certificate at …: it names … and not …: peers refuse such a link", True),
    ("event=link-down … why=\"it names …\"", True), ("451 4.3.0 …: of Postfix", True), ("plain words", True),
    ("BAD  component …: the certificate at …: it shows …", False), ("ok   component …: a certificate", False),
    ("BAD  component …: the certficate at …", False), ("BAD  component …: the certificate at …: names …", False),
    ("event=link-gone", False), ("event=link-down reason=…", False), ("event=link-down why=\"it is …\"", False),
    ("… refuse such a line …", False), ("BAD  app/nothing.hpp", False),
])
def test_a_quote_that_nobody_says_is_found(quote, good):
    assert (wrong_quotes(f"It says `{quote}`.", Words([SAMPLE])) == []) is good
