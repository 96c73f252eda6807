"""Each subcommand and option that `packetboat --help` prints is in the completion of each shell."""

import pathlib
import re
import shutil
import subprocess

import pytest

COMPLETION = pathlib.Path(__file__).resolve().parents[2] / "packaging/completion"


@pytest.fixture(scope="module")
def help_text(unpacked):
    return subprocess.run([unpacked / "usr/bin/packetboat", "--help"], check=True, capture_output=True, text=True).stdout


def commands(text):
    """{command: its second words}, from `usage: packetboat [options] queue hold|release ID...`."""
    found = {}
    for line in re.findall(r"^(?:usage:| +) packetboat (?:\[options\] )?(.*)", text, re.MULTILINE):
        first, second = (line.split() + [""])[:2]
        for command in first.split("|"):
            found.setdefault(command, set()).update(re.findall(r"\b[a-z]+\b", second) if re.fullmatch(r"[a-z|\[\]]+", second) else ())
    return found


def options(text):
    return set(re.findall(r"--([a-z][a-z-]*)", text))


@pytest.mark.parametrize("name", ["packetboat.bash", "_packetboat", "packetboat.fish"])
def test_all_words_of_the_help_are_completed(name, help_text):
    # Comments aside.
    text = "\n".join(line for line in (COMPLETION / name).read_text().splitlines() if not re.match(r"\s*#", line))
    found = commands(help_text)
    assert {"serve", "queue", "peers", "version"} <= found.keys() and {"hold", "list"} <= found["queue"]
    words = set(re.findall(r"(?<![\w-])[a-z]+(?![\w-])", text))
    assert found.keys() | set().union(*found.values()) <= words
    written = set(re.findall(r"(?<!set) -l ([a-z-]+)", text)) if name.endswith(".fish") else options(text)
    assert len(options(help_text)) > 15
    assert written == options(help_text)


def bash(line):
    """What bash offers for a line whose last word is being written."""
    words = line.split(" ")
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; '
              '_packetboat; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", COMPLETION / "packetboat.bash", *words], check=True, capture_output=True,
                          text=True)
    return set(done.stdout.split())


def test_bash_offers_what_can_come_next(help_text):
    found = commands(help_text)
    assert bash("packetboat ") == found.keys()
    for command, second in found.items():
        if second:
            assert bash(f"packetboat {command} ") == second
            assert bash(f"packetboat --config file {command} ") == second
    assert bash("packetboat queue hold --dom") == {"--domain"}
    assert bash("packetboat queue list --lane ") == {"xmpp", "local", "relay", "report"}
    assert bash("packetboat queue verify --rep") == {"--repair"}
    assert "--all" not in bash("packetboat peers --")


@pytest.mark.parametrize("shell, name", [("bash", "packetboat.bash"), ("zsh", "_packetboat"), ("fish", "packetboat.fish")])
def test_the_shell_can_read_it(shell, name):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    subprocess.run([shell, "-n", COMPLETION / name], check=True)
