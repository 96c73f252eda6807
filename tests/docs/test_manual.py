"""The manual: its pages say of the command line what the program's help says, name each other rightly, and are in order."""

import os
import re
import shutil
import subprocess

import manual
import pytest

HELP = """usage: packetboat [options] serve
       packetboat [options] queue list [ID...] [filters] [--limit N]
       packetboat [options] off|on [--until 2h|TIME] < MAIL
       packetboat [options] queue hold|drop ID...|--all

options:
  --config FILE (=/etc/a.conf)
                                        the
                                        configuration
  --until WHEN                          off: a time
  -V [ --version ]                      print
                                        the version

filters:
  --limit N                             so many
  --all                                 everything
  --lane LANE                           xmpp, local
"""
OPTIONS_OF = {"queue": ["limit", "all", "lane"], "off": ["until"], "on": ["until"], "serve": []}


def sample(whole=HELP):
    def ask(*words):
        if not words:
            return whole
        lines = [line for line in whole.splitlines() if re.search(rf"\] (?:\w+\|)?{words[0]}\b", line)]
        chosen = [line for line in whole.splitlines() if any(f"--{name} " in line for name in OPTIONS_OF[words[0]])]
        return re.sub("^ +packetboat", "usage: packetboat", "\n".join(lines)) + "\n\noptions:\n" + "\n".join(chosen) + "\n"
    return manual.Help(ask)


def page(commands=None, body=""):
    return (f'.\\" commands: {commands}\n' if commands else "") + f".Sh SYNOPSIS\n.Sh DESCRIPTION\nText.\n{body}.Sh SEE ALSO\n"


OPTIONS = ".Sh OPTIONS\nBefore.\n.Bl -tag -width Ds\n.It Fl -all\nX\nMore of it.\n.Pp\nAnd more.\n.El\nBehind.\n"
ROWS = ".Sh COMMANDS\n.Bl -tag\n" + "".join(f".It Cm {name}\nWords.\n" for name in ("serve", "off", "on")) + \
       ".It Cm queue\nWords.\n.Xr packetboat-queue 8\n.El\n"


def sample_pages(queue="queue", rows=ROWS):
    return {"packetboat.8": page(body=rows + OPTIONS), "packetboat-queue.8": page(queue, OPTIONS)}


def test_synopsis_and_options_are_made_of_the_help():
    wanted, faults = manual.compare(sample_pages(), sample())
    assert faults == []
    text = wanted["packetboat-queue.8"]
    assert (".Nm packetboat\n.Op Ar options\n.Cm queue list\n.Op Ar id ...\n.Op Ar filters\n.Op Fl -limit Ar n\n"
            ".Nm packetboat\n.Op Ar options\n.Cm queue hold | drop\n.Ar id ... | Fl -all\n.Sh DESCRIPTION\n") in text
    # What a person wrote behind the first line stays.
    assert (".Sh OPTIONS\nBefore.\n.Bl -tag -width Ds\n.It Fl -limit Ar n\nSo many.\n.It Fl -all\nEverything.\nMore of it.\n.Pp\nAnd more.\n"
            ".It Fl -lane Ar lane\nxmpp, local.\n.El\nBehind.\n") in text
    assert ".Cm off | on\n.Op Fl -until Ar 2h | time\n.Li \\*(Lt\n.Ar mail\n" in wanted["packetboat.8"]
    for option in (".It Fl -config Ar file\nThe configuration; /etc/a.conf by default.\n", ".It Fl V , Fl -version\nPrint the version.\n",
                   ".It Fl -until Ar when\nWith off: a time.\n"):
        assert option in wanted["packetboat.8"]
    assert ".It Fl -all" not in wanted["packetboat.8"]
    # Once written, it stays so.
    assert manual.compare(wanted, sample()) == (wanted, [])


@pytest.mark.parametrize("pages, fault", [
    (sample_pages("queue drop"), "packetboat-queue.8: there is no command drop"),
    ({**sample_pages(), "packetboat-queue.8": page("queue")}, "packetboat-queue.8: OPTIONS is missing"),
    (sample_pages(rows=ROWS.replace(".It Cm serve\nWords.\n", "")), "packetboat.8: COMMANDS lacks serve"),
    (sample_pages(rows=ROWS.replace("Cm on", "Cm own")), "packetboat.8: COMMANDS has own, which is none"),
    (sample_pages(rows=ROWS.replace(".Xr packetboat-queue 8\n", "")), "packetboat.8: COMMANDS does not name packetboat-queue.8 with queue"),
])
def test_a_page_that_lacks_something_is_found(pages, fault):
    assert fault in manual.compare(pages, sample())[1]


def test_the_pages_are_as_the_help():
    program = manual.program()
    if program is None:
        pytest.skip("there is no program: ./run build")
    said, pages = manual.help_of(program), manual.read_pages()
    assert len(said.usages) > 15 and "json" in said.options["queue"] and "config" in said.of_all
    wanted, faults = manual.compare(pages, said)
    assert faults == []
    assert [name for name, text in wanted.items() if text != pages[name]] == [], "python3 tests/docs/manual.py --write"


PAGES = sorted((manual.ROOT / "docs/man").iterdir())


def test_pages_name_each_other():
    there = {tuple(path.name.rsplit(".", 1)) for path in PAGES}
    for path in PAGES:
        named = re.findall(r"\bXr (packetboat\S*) (\d)", path.read_text())
        assert set(named) <= there, path.name
    for path in [manual.ROOT / "README.md", *sorted((manual.ROOT / "docs").glob("*.md")), *sorted(manual.ROOT.glob("examples/**/*.*"))]:
        if path.is_file():
            assert set(re.findall(r"\b(packetboat[\w.-]*)\((\d)\)", path.read_text(errors="replace"))) <= there, path


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_is_in_order(path):
    text = path.read_text()
    title, section = re.search(r"^\.Dt (\S+) (\d)$", text, re.MULTILINE).groups()
    assert (title.lower(), section) == (path.name.rsplit(".", 1)[0], path.suffix[1:])
    name = re.search(r"^\.Sh NAME\n\.Nm (\S+)\n\.Nd ", text, re.MULTILINE)
    assert name[1] == title.lower()
    for tool in (["man", "--warnings", "-E", "UTF-8", "-l"], ["mandoc", "-Tlint", "-Wwarning"]):
        if shutil.which(tool[0]):
            done = subprocess.run([*tool, path], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
            assert (done.stderr, done.stdout if tool[0] == "mandoc" else "") == ("", ""), tool[0]
