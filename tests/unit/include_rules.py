#!/usr/bin/env python3
"""Checks what the rooms of the source tree include, by the table in ARCHITECTURE.md.

usage: include_rules.py [--self-test] ROOT

Each violation is one line; the exit status is 1 if there is any. With --self-test, the cases in
include_rules_test.py run first.
"""
import pathlib
import re
import sys
import unittest

# Room -> the rooms it may include, itself aside.
ROOMS = {
    "base": (),
    "mail": ("base",),
    "queue": ("base", "mail"),
    "component": ("base", "mail", "queue"),
    "smtp-bridge": ("base", "mail", "queue"),
    "app": ("base", "mail", "queue", "component", "smtp-bridge"),
}
# Of the queue, the bridges see only its ports, and the values that these are made of.
PORTS = ("queue/ports.hpp", "queue/destination.hpp", "queue/queue_id.hpp", "queue/route_table.hpp")
BRIDGES = ("component", "smtp-bridge")
# External header -> the only rooms that may include it.
EXTERNAL = (
    (re.compile(r"gloox/|gloox\.h$"), "gloox", ("component",)),
    (re.compile(r"expat(_\w+)?\.h$"), "expat", ("component",)),
    (re.compile(r"ares(_\w+)?\.h$"), "c-ares", ("component",)),
    (re.compile(r"libdeflate\.h$"), "libdeflate", ("component",)),
    (re.compile(r"isa-l/"), "ISA-L", ("component",)),
    (re.compile(r"SQLiteCpp/|sqlite3(ext)?\.h$"), "SQLite", ("queue",)),
    (re.compile(r"openssl/"), "OpenSSL", ("mail", "component", "smtp-bridge", "app")),
    (re.compile(r"lmdb\.h$"), "LMDB", ("smtp-bridge",)),
    (re.compile(r"libpsl\.h$"), "libpsl", ("mail",)),
    (re.compile(r"idn2\.h$"), "libidn2", ("mail",)),
    (re.compile(r"boost/asio"), "Boost.Asio", ("base", "queue", "component", "smtp-bridge", "app")),
    (re.compile(r"boost/program_options"), "Boost.Program_options", ("app",)),
    (re.compile(r"boost/json"), "Boost.JSON", ("app",)),
    (re.compile(r"systemd/"), "libsystemd", ("app",)),
    (re.compile(r"yaml-cpp/"), "yaml-cpp", ("app",)),
)
# Headers that are the same for all, in the place of those that they stand for.
SHARED = ("base/precompiled.hpp",)
TESTS = "tests/unit"
SUFFIXES = (".cpp", ".hpp")
MOST_LINES = 700
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.MULTILINE)
PRAGMA_ONCE = re.compile(r"^#pragma once$", re.MULTILINE)


def room_of(path):
    """The room a file of the tree belongs to: a test belongs to the room that it tests."""
    inner = path[len(TESTS) + 1:] if path.startswith(TESTS + "/") else path
    first = inner.split("/")[0]
    return first if first in ROOMS else None


def source_files(root):
    """All sources of the rooms and of their tests, by their path below the root."""
    for folder in (*ROOMS, TESTS):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def resolve(includer, name, files):
    """The file of the tree that an include names, or None for one from outside."""
    folder = includer.rsplit("/", 1)[0]
    for candidate in (name, f"{TESTS}/{name}", f"{folder}/{name}"):
        if candidate in files:
            return candidate
    return None


def check_include(path, name, target):
    """The violation in `path` including `name`, which is the tree's file `target` or from outside."""
    room = room_of(path)
    if target is None:
        for pattern, library, allowed in EXTERNAL:
            if pattern.match(name) and room is not None and room not in allowed:
                return f"{path}: includes <{name}>, but {library} is for {', '.join(allowed)} only"
        if name.split("/")[0] in ROOMS and name != "queue/migrations.inc":
            return f'{path}: includes "{name}", which is no file of the tree'
        return None
    if target.startswith(TESTS + "/") and not path.startswith(TESTS + "/"):
        return f'{path}: includes "{name}", which belongs to the tests'
    other = room_of(target)
    if room in BRIDGES and other == "queue" and target not in PORTS:
        return f'{path}: includes "{name}", but of the queue {room} sees only its ports'
    if room is None or other is None or room == other or other in ROOMS[room]:
        return None
    return f'{path}: includes "{name}", but {room} must not see {other}'


def find_cycles(includes):
    """Each cycle of files that include each other, once, as one line."""
    violations, done, trail = [], set(), []

    def visit(path):
        if path in trail:
            violations.append("includes in a circle: " + " -> ".join([*trail[trail.index(path):], path]))
            return
        if path in done:
            return
        trail.append(path)
        for target in includes[path]:
            visit(target)
        trail.pop()
        done.add(path)

    for path in includes:
        visit(path)
    return violations


def check(files):
    """All violations in `files` (path -> text), and the number of includes that were looked at."""
    violations, includes, count = [], {}, 0
    for path, text in files.items():
        targets = includes[path] = []
        if path.endswith(".hpp") and not PRAGMA_ONCE.search(text):
            violations.append(f"{path}: has no #pragma once")
        lines = len(text.splitlines())
        if lines > MOST_LINES:
            violations.append(f"{path}: has {lines} lines, and {MOST_LINES} are the most; split it")
        for quoted, angled in INCLUDE.findall(text):
            count += 1
            target = resolve(path, quoted, files) if quoted else None
            if target is not None:
                targets.append(target)
            if path not in SHARED:
                violation = check_include(path, quoted or angled, target)
                if violation:
                    violations.append(violation)
    return violations + find_cycles(includes), count


def self_test():
    import include_rules_test
    suite = unittest.defaultTestLoader.loadTestsFromModule(include_rules_test)
    return unittest.TextTestRunner(verbosity=0).run(suite).wasSuccessful()


def main(arguments):
    if arguments[:1] == ["--self-test"]:
        if not self_test():
            return 1
        arguments = arguments[1:]
    if len(arguments) != 1:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    files = dict(source_files(pathlib.Path(arguments[0])))
    if not files:
        print(f"include rules: no sources below {arguments[0]}", file=sys.stderr)
        return 2
    violations, count = check(files)
    for violation in violations:
        print(violation)
    if violations:
        print(f"include rules: {len(violations)} broken")
        return 1
    print(f"include rules: {count} includes in {len(files)} files are as they should be")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
