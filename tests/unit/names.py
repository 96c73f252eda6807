#!/usr/bin/env python3
"""Checks that what documents and comments name is there: files, units, presets, commands, and the program's own words.

usage: names.py [--self-test] ROOT

- A path below one of our folders, in a document or a comment, is a file or folder of the tree, or (`queue/sqlite/store/store`) a unit: a
  file without its ending. Capitals stand for anything (`tests/mutants/ROOM.txt`).
- What a document links to is there.
- `--preset NAME`, and a preset that is named in backticks, is one of CMakePresets.json; `./run NAME` is a case in `run`.
- In README.md, ARCHITECTURE.md and CONTRIBUTING.md each word in backticks stands somewhere in the sources.

Each that is not there is one line; the exit status is 1 if there is any. With --self-test, the cases in names_test.py run
first.
"""
import fnmatch
import json
import os
import pathlib
import posixpath
import re
import sys

import self_test

COMMENT = {".hpp": "//", ".cpp": "//", ".c": "//", ".py": "#", ".cmake": "#", ".txt": "#"}
# Not in the tree as it is checked out, or no text; a document of what was, and one that is made; samples.
LEFT_OUT = re.compile(r"^(\..*|build.*|__pycache__|seeds)$")
HISTORY = ("CHANGELOG.md", "docs/standards.md")
SAMPLES = ("_test.py", "/names.py")
WORDS_OF = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")
MADE = ("queue/migrations.inc",)

LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
PRESET = re.compile(r"--preset ([a-z]\w*)|\bpresets? `(\w+)`")
RUN = re.compile(r"\./run ([a-z]+)")
IN_BACKTICKS = re.compile(r"`([^`\n]+)`")
WORD = re.compile(r"[A-Za-z_]\w*")


def tree(root):
    """The text of each file of the tree, by its path below the root."""
    files = {}
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not LEFT_OUT.match(name))
        for name in sorted(names):
            path = pathlib.Path(folder, name)
            files[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8", errors="replace")
    return files


class Names:
    def __init__(self, files):
        self.files = files
        self.folders = {path.rsplit("/", up)[0] for path in files for up in range(1, path.count("/") + 1)}
        self.units = {posixpath.splitext(path)[0] for path in files}
        tops = "|".join(sorted(re.escape(folder) for folder in self.folders if "/" not in folder))
        self.path = re.compile(rf"(?<![\w./~-])((?:{tops})/[\w*./-]*\w[\w*]*)") if tops else None

    def has(self, path):
        if path in self.files or path in self.folders or path in self.units or path in MADE:
            return True
        if re.search(r"(?<![a-z])[A-Z]{2,}(?![a-z])", path):
            path = re.sub(r"(?<![a-z])[A-Z]{2,}(?![a-z])", "*", path)
        return "*" in path and bool(fnmatch.filter(self.files, path))

    def paths(self, text):
        return self.path.findall(text) if self.path else []


def prose(path, text):
    """(line, text) of what is read by people: a document, or the comments of a source."""
    mark = COMMENT.get(posixpath.splitext(path)[1])
    for number, line in enumerate(text.splitlines(), 1):
        if path.endswith(".md"):
            yield number, line
        elif mark and mark in line and "include" not in line:
            yield number, line[line.index(mark):]


def check(files):
    """All that is named and not there, and the number of names that were looked at."""
    names, faults, count = Names(files), [], 0
    presets = {each["name"] for each in json.loads(files.get("CMakePresets.json", "{}")).get("configurePresets", ())}
    commands = set(re.findall(r"^([a-z]+)(?: \|.*?)?\)", files.get("run", ""), re.MULTILINE))
    words = set()
    for path, text in files.items():
        if not path.endswith(".md"):
            words.update(WORD.findall(text), WORD.findall(path))
    for path, text in files.items():
        if path in HISTORY or path.endswith(SAMPLES):
            continue
        for number, line in prose(path, text):
            missing = [name for name in names.paths(line) if not names.has(name)]
            count += len(names.paths(line))
            for found in PRESET.finditer(line):
                missing += [f"preset {name}" for name in found.groups() if name and name not in presets]
            missing += [f"./run {name}" for name in RUN.findall(line) if name not in commands]
            if path.endswith(".md"):
                targets = [target for target in LINK.findall(line) if "://" not in target]
                missing += [target for target in targets
                            if posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) not in names.files.keys() |
                            names.folders]
            if path in WORDS_OF:
                shown = [word for span in IN_BACKTICKS.findall(line) for word in WORD.findall(span)]
                count += len(shown)
                missing += [word for word in shown if word not in words and not word.isupper()]
            faults += [f"{path}:{number}: names {name}, which is not there" for name in missing]
    return faults, count


def main(arguments):
    if arguments[:1] == ["--self-test"]:
        if not self_test.passes("names_test"):
            return 1
        arguments = arguments[1:]
    if len(arguments) != 1:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    faults, count = check(tree(pathlib.Path(arguments[0])))
    for fault in faults:
        print(fault)
    if faults or not count:
        print(f"names: {len(faults)} are not there")
        return 1
    print(f"names: {count} are there")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
