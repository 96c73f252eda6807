#!/usr/bin/env python3
"""Compares SYNOPSIS and OPTIONS of the manual's pages with the program's help, which is made of its command table.

usage: manual.py [--write] [PROGRAM]    says what is wrong, one fault a line; then the exit status is 1

A page docs/man/packetboat-*.8 says in a comment of which commands it is (`commands: off on`); packetboat.8 has all others. With
--write, SYNOPSIS is written anew, and of each option how it is said and its first line; what stands behind that line stays.
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
OVERVIEW = "packetboat.8"
ANY_COMMAND = ".Nm packetboat\n.Op Ar options\n.Ar command\n.Op Ar argument ...\n"


def program():
    """The one that the environment names, or else the newest that is built; None."""
    if "PACKETBOAT" in os.environ:
        return pathlib.Path(os.environ["PACKETBOAT"])
    built = [path for path in (ROOT / "build/packetboat", ROOT / "build/asan/packetboat", ROOT / "build/debug/packetboat") if path.exists()]
    return max(built, key=lambda path: path.stat().st_mtime, default=None)


# ---- the help

def usages(text):
    """What stands behind `packetboat [options]` in each line of the usage."""
    return re.findall(r"^(?:usage:|      ) packetboat \[options\] (.+)$", text, re.MULTILINE)


def options(text):
    """{name: (letter, argument, default, description)}"""
    found, last = {}, None
    for line in text.splitlines():
        if option := re.match(r"  (?:-(\w) \[ )?--([\w-]+)(?: \])?(?: ([A-Z]+))?(?: \(=(.*?)\))?(?: +(\S.*))?$", line):
            last = option[2]
            found[last] = (option[1], option[3], option[4], (option[5] or "").strip())
        elif last and re.match(r" {20,}\S", line):
            found[last] = (*found[last][:3], f"{found[last][3]} {line.strip()}".strip())
        else:
            last = None
    return found


class Help:
    """What the program says of each command, by its first word."""

    def __init__(self, ask):
        """ask(*words) is the text of `packetboat help words`."""
        whole = ask()
        names = [name for usage in usages(whole) for name in usage.split()[0].split("|")]
        self.usages, self.options = {}, {}
        for name in dict.fromkeys(names):
            text = ask(name)
            self.usages[name], self.options[name] = usages(text), options(text)
        own = set().union(*self.options.values())
        self.of_all = {name: rest for name, rest in options(whole).items() if name not in own}


def help_of(path):
    return Help(lambda *words: subprocess.run([path, "help", *words], check=True, capture_output=True, text=True).stdout)


# ---- as mdoc

def word_as_mdoc(word):
    """A word of a usage, which may be several with bars between them."""
    parts = []
    for part in word.split("|"):
        if part.startswith("--"):
            kind, said = "Fl", part[1:]
        elif re.fullmatch("[a-z-]+", part) and part != "filters":
            kind, said = "Cm", part
        else:
            kind, said = "Ar", part.lower().replace("...", " ...")
        parts.append(said if parts and parts[-1][0] == kind else f"{kind} {said}")
        parts[-1] = (kind, parts[-1])
    return " | ".join(said for _, said in parts)


def usage_as_mdoc(usage):
    lines = [".Nm packetboat", ".Op Ar options"]
    for group, word in re.findall(r"\[([^\]]+)\]|(\S+)", usage):
        if group:
            lines.append(".Op " + " ".join(word_as_mdoc(each) for each in group.split()))
        elif word == "<":
            lines.append(".Li \\*(Lt")
        elif lines[-1].startswith(".Cm ") and re.fullmatch("[a-z|-]+", word):
            lines[-1] += " " + word_as_mdoc(word).removeprefix("Cm ")
        else:
            lines.append("." + word_as_mdoc(word))
    return "\n".join(lines) + "\n"


def option_as_mdoc(name, option):
    """How it is said, and its first line."""
    letter, argument, default, text = option
    if of := re.fullmatch(r"([a-z]+(?: [a-z]+)?): (.*)", text):
        text = f"With {of[1]}: {of[2]}"
    if default:
        text += f"; {default} by default"
    # Values, with commas between them, are as they are written.
    text = text if re.match(r"[a-z]+,", text) else text[:1].upper() + text[1:]
    return (".It " + (f"Fl {letter} , " if letter else "") + f"Fl -{name}" + (f" Ar {argument.lower()}" if argument else "") +
            f"\n{text}.\n")


# ---- the pages

def section(page, name):
    """(begin, end) of what stands below a heading; None."""
    found = re.search(rf"^\.Sh {name}\n(.*?)(?=^\.Sh |\Z)", page, re.MULTILINE | re.DOTALL)
    return found and found.span(1)


def commands_of(pages, known):
    """{page: the commands that it is of}"""
    of = {name: re.search(r'^\.\\" commands: (.*)$', text, re.MULTILINE)[1].split() for name, text in pages.items() if name != OVERVIEW}
    told = {command for commands in of.values() for command in commands}
    return {OVERVIEW: [command for command in known if command not in told], **of}


def refreshed(page, commands, options_of_page, usages_of_command, head):
    """The page as it should be; `head` is what its synopsis begins with."""
    begin, end = section(page, "SYNOPSIS")
    lines = dict.fromkeys(usage for command in commands for usage in usages_of_command[command])
    page = page[:begin] + head + "".join(map(usage_as_mdoc, lines)) + page[end:]
    if not options_of_page:
        return page
    begin, end = section(page, "OPTIONS")
    before, after = re.fullmatch(r"(.*?^\.Bl .*?\n).*?(^\.El\n.*)", page[begin:end], re.MULTILINE | re.DOTALL).groups()
    more = dict(re.findall(r"^\.It (?:Fl \w , )?Fl -([\w-]+).*\n.*\n((?:(?!\.It |\.El).*\n)*)", page[begin:end], re.MULTILINE))
    items = "".join(option_as_mdoc(name, option) + more.get(name, "") for name, option in options_of_page.items())
    return page[:begin] + before + items + after + page[end:]


def faults_of_overview(page, of):
    """packetboat(8) has a row for each command, which names the page that it is told in."""
    begin, end = section(page, "COMMANDS")
    rows = dict(re.findall(r"^\.It Cm ([a-z]+)\n((?:(?!\.It |\.El).*\n)*)", page[begin:end].split(".El\n")[0] + ".El\n", re.MULTILINE))
    faults = [f"{OVERVIEW}: COMMANDS has {name}, which is none" for name in rows.keys() - {each for known in of.values() for each in known}]
    for name, commands in of.items():
        for command in commands:
            if command not in rows:
                faults.append(f"{OVERVIEW}: COMMANDS lacks {command}")
            elif name != OVERVIEW and f".Xr {name.removesuffix('.8')} 8\n" not in rows[command]:
                faults.append(f"{OVERVIEW}: COMMANDS does not name {name} with {command}")
    return faults


def compare(pages, said):
    """(the pages as they should be, what is wrong otherwise), of pages, {name: text}, and a Help."""
    of, faults, wanted = commands_of(pages, said.usages), [], {}
    for name, commands in of.items():
        if gone := [command for command in commands if command not in said.usages]:
            faults.append(f"{name}: there is no command {' '.join(gone)}")
            continue
        own = {option: rest for command in commands for option, rest in said.options[command].items()}
        if name == OVERVIEW:
            own = {**said.of_all, **own}
        if bool(own) != bool(section(pages[name], "OPTIONS")):
            faults.append(f"{name}: OPTIONS " + ("is missing" if own else "is there, and there are none"))
            continue
        wanted[name] = refreshed(pages[name], commands, own, said.usages, ANY_COMMAND if name == OVERVIEW else "")
    return wanted, faults + faults_of_overview(pages[OVERVIEW], of)


def read_pages(root=ROOT):
    return {path.name: path.read_text() for path in sorted((root / "docs/man").glob("*.8"))}


def main(arguments):
    write = "--write" in arguments
    named = [argument for argument in arguments if argument != "--write"]
    path = pathlib.Path(named[0]) if named else program()
    if path is None:
        sys.exit("there is no program: ./run build")
    pages = read_pages()
    wanted, faults = compare(pages, help_of(path))
    for name, text in wanted.items():
        if text == pages[name]:
            continue
        if write:
            (ROOT / "docs/man" / name).write_text(text)
        else:
            faults.append(f"{name}: it is not as the help: python3 tests/docs/manual.py --write")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
