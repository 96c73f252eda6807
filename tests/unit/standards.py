#!/usr/bin/env python3
"""Makes docs/standards.md: which sections of which standards the program implements, where, and by which test.

usage: standards.py [--self-test] ROOT    says what is wrong, one fault a line; then the exit status is 1
       standards.py --write ROOT          writes docs/standards.md anew

It is made from what stands in the sources: a comment or the name of a test names a section as `RFC 5321 4.5.3.1.10` or
`XEP-0114 3`, and in no other form; a standard as a whole is `RFC 5321`. What is below tests/ verifies, all else
implements. docs/standards.txt has the titles, and the sections that are a MUST for us; what it does not know may not be
named. With --self-test, the cases in standards_test.py run first.
"""
import os
import pathlib
import re
import sys

import self_test

DOCUMENT = "docs/standards.md"
TITLES = "docs/standards.txt"
SUFFIXES = (".hpp", ".cpp", ".c", ".py", ".sql", ".xsd", ".lua")
# Not sources; and what has samples of references that are none.
LEFT_OUT = re.compile(r"^(\..*|build.*|docs|xep|__pycache__|standards(_test)?\.py)$")
RENEW = "python3 tests/unit/standards.py --write ."

# A space, or the end of a comment's line.
GAP = r"(?:[ \t]+|[ \t]*\n[ \t]*(?:///?|#|--)?[ \t]*)"
REFERENCE = re.compile(rf"\b(RFC{GAP}\d+|XEP-\d{{4}})(?:{GAP}(\d+(?:\.\d+)*)(?![\w+-]))?")
OTHER_FORM = re.compile(rf"\b[Ss]ections?{GAP}\d|\bRFC-?\d{{4}}|\bXEP{GAP}?\d{{4}}")

CPP_TEST = re.compile(r'^TEST_CASE(?:_METHOD)?\((?:[\w:]+,\s*)?((?:"(?:[^"\\\n]|\\.)*"\s*)+)', re.MULTILINE)
PYTHON_TEST = re.compile(r"^( *)(?:async )?def (test_\w+)", re.MULTILINE)
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
# What may stand between a comment and the test below it.
JUST_ABOVE = re.compile(r"[^\n]*\n(?:[ \t]*(?://|#|@)[^\n]*\n)*[ \t]*")


class Section:
    """A section of a standard, or ("") all of it: its title, what of it is a MUST for us, and who names it."""

    def __init__(self, title="", must=""):
        self.title, self.must = title, must
        self.where, self.tests = {}, {}  # path -> names of tests, which are a set


class Standard:
    def __init__(self, title):
        self.title, self.sections = title, {"": Section()}


def read_titles(text):
    """docs/standards.txt: standards by name, and what is wrong with it."""
    standards, faults, standard = {}, [], None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            found = re.fullmatch(r"(RFC \d+|XEP-\d{4}) (\S.*)", line)
            if found and found[1] not in standards:
                standard = standards[found[1]] = Standard(found[2])
                continue
        else:
            found = re.fullmatch(r" +(\d+(?:\.\d+)*) ([^|]*[^|\s])(?: *\| *(\S.*))?", line)
            if found and standard and found[1] not in standard.sections:
                standard.sections[found[1]] = Section(found[2], found[3] or "")
                continue
        faults.append(f"{TITLES}:{number}: twice, or no line of its form")
    return standards, faults


def source_files(root):
    """All that may name a standard, by its path below the root."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not LEFT_OUT.match(name))
        for name in sorted(files):
            path = pathlib.Path(folder, name)
            if path.suffix in SUFFIXES and not LEFT_OUT.match(name):
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def tests_of(path, text):
    """(begin, end, name) of each test of a file; a comment just above it belongs to it."""
    tests = []
    for found in (CPP_TEST if path.endswith("pp") else PYTHON_TEST).finditer(text):
        if path.endswith("pp"):
            name = "".join(LITERAL.findall(found[1])).replace('\\"', '"')
            last = re.compile(r"^\}", re.MULTILINE).search(text, found.end())
        else:
            name = found[2]
            last = re.compile(rf"^ {{0,{len(found[1])}}}\S", re.MULTILINE).search(text, found.end())
        tests.append((found.start(), last.start() if last else len(text), name))
    return tests


def test_at(tests, text, at):
    """The name of the test that verifies what is named at `at`; nothing if that belongs to the whole file."""
    for begin, end, name in tests:
        if begin <= at < end or (at < begin and JUST_ABOVE.fullmatch(text, at, begin)):
            return name
    return None


def collect(standards, files):
    """Enters what the files name; what is wrong with it."""
    faults = []
    for path, text in files.items():
        line = lambda at: f"{path}:{text.count(chr(10), 0, at) + 1}"
        for found in OTHER_FORM.finditer(text):
            faults.append(f"{line(found.start())}: write `RFC 5321 4.5.3.1.10` or `XEP-0114 3`, not \"{found[0]}\"")
        tests = None
        for found in REFERENCE.finditer(text):
            name, number = re.sub(r"RFC\D+", "RFC ", found[1]), found[2] or ""
            section = standards[name].sections.get(number) if name in standards else None
            if section is None:
                faults.append(f"{line(found.start())}: {TITLES} has no {name} {number}".rstrip())
            elif not path.startswith("tests/"):
                section.where[path] = ()
            else:
                tests = tests_of(path, text) if tests is None else tests
                test = test_at(tests, text, found.start())
                section.tests.setdefault(path, {}).update({test: None} if test else {})
    for name, standard in standards.items():
        for number, section in standard.sections.items():
            if number and not (section.must or section.where or section.tests):
                faults.append(f"{TITLES}: nothing names {name} {number}")
        if not any(s.must or s.where or s.tests for s in standard.sections.values()):
            faults.append(f"{TITLES}: nothing names {name}")
    return faults


def link(standard, number):
    if standard.startswith("XEP"):
        return f"[{number}](https://xmpp.org/extensions/{standard.lower()}.html)"
    return f"[{number}](https://www.rfc-editor.org/rfc/{standard.lower().replace(' ', '')}#section-{number})"


def files_cell(files):
    """Files with the names of their tests, for a cell of a table."""
    cells = []
    for path, names in sorted(files.items()):
        listed = "; ".join(f"“{name}”" for name in names).replace("|", "\\|").replace("<", "&lt;")
        cells.append(f"[{path}](../{path})" + (f": {listed}" if listed else ""))
    return "<br>".join(cells)


def in_order(number):
    return [int(part) for part in number.split(".") if part]


def document(standards):
    """docs/standards.md."""
    musts = [(name, number, section) for name, standard in standards.items()
             for number, section in sorted(standard.sections.items(), key=lambda s: in_order(s[0])) if section.must]
    untested = [(name, number, section) for name, number, section in musts if not section.tests]
    out = ["# Standards", "",
           "Which sections of which standards the program implements, where, and by which test that is verified. Made from the "
           "comments in",
           f"the sources and the names of the tests by `{RENEW}`;",
           "[standards.txt](standards.txt) says what is a MUST for us. A test keeps it in step.", "",
           f"{len(standards)} standards; {len(musts)} sections are a MUST for us, and {len(untested)} of them are named by no "
           "test:", ""]
    for name, number, section in untested:
        nowhere = "" if section.where else " (named nowhere)"
        out.append(f"- {name} {link(name, number)}: {section.must}{nowhere}")
    for name, standard in standards.items():
        out += ["", f"## {name}: {standard.title}", "", "| section | where | by which test |", "| --- | --- | --- |"]
        for number, section in sorted(standard.sections.items(), key=lambda s: in_order(s[0])):
            if not (section.must or section.where or section.tests):
                continue
            what = f"{link(name, number)} {section.title}" if number else "as a whole"
            must = f"; MUST: {section.must}" if section.must else ""
            out.append(f"| {what}{must} | {files_cell(section.where)} | {files_cell(section.tests)} |")
    return "\n".join(out) + "\n"


def check(files, titles):
    """What is wrong with the files, and the document that they make."""
    standards, faults = read_titles(titles)
    return faults + collect(standards, files), document(standards)


def main(arguments):
    if arguments[:1] == ["--self-test"]:
        if not self_test.passes("standards_test"):
            return 1
        arguments = arguments[1:]
    write = arguments[:1] == ["--write"]
    if len(arguments) != 1 + write:
        print(__doc__.strip().split("\n\n")[1], file=sys.stderr)
        return 2
    root = pathlib.Path(arguments[-1])
    faults, made = check(dict(source_files(root)), (root / TITLES).read_text(encoding="utf-8"))
    if write:
        (root / DOCUMENT).write_text(made, encoding="utf-8")
    elif not (root / DOCUMENT).exists() or (root / DOCUMENT).read_text(encoding="utf-8") != made:
        faults.append(f"{DOCUMENT} is not what the sources say; this renews it: {RENEW}")
    for fault in faults:
        print(fault)
    if faults:
        print(f"standards: {len(faults)} faults")
        return 1
    print(f"standards: {DOCUMENT} says what the sources say")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
