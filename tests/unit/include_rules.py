#!/usr/bin/env python3
"""Checks what the rooms of the source tree, and their sub-rooms, include, by the tables in ARCHITECTURE.md.

usage: include_rules.py [--self-test] ROOT

Each violation is one line; the exit status is 1 if there is any. With --self-test, the cases in
include_rules_test.py run first.
"""
import pathlib
import re
import sys

import self_test

# Room -> the rooms it may include, itself aside.
ROOMS = {
    "base": (),
    "mail": ("base",),
    "queue": ("base", "mail"),
    "component": ("base", "mail", "queue"),
    "smtp-bridge": ("base", "mail", "queue"),
    "app": ("base", "mail", "queue", "component", "smtp-bridge"),
}
# Room -> its sub-rooms -> the others that each may include. All of them see what stands in the room itself, and that sees
# none of them. Tests see the whole of their room.
SUBROOMS = {
    "queue": {
        "ledger": (),
        "disk": (),
        "delivery": ("ledger",),
        "intake": ("ledger",),
        "peers": ("ledger",),
        "sqlite/store": ("ledger", "disk"),
        "sqlite/notify": ("ledger", "sqlite/store"),
        "sqlite/delivery": ("ledger", "delivery", "sqlite/store", "sqlite/notify"),
        "sqlite/intake": ("ledger", "intake", "sqlite/store", "sqlite/delivery"),
        "sqlite/admin": ("ledger", "disk", "sqlite/store", "sqlite/notify", "sqlite/delivery", "sqlite/intake"),
        "sqlite/recovery": ("disk", "sqlite/store", "sqlite/delivery", "sqlite/intake", "sqlite/admin"),
        "sqlite": ("ledger", "disk", "sqlite/store", "sqlite/notify", "sqlite/delivery", "sqlite/intake", "sqlite/admin"),
    },
    "component": {
        "xml": (),
        "protocol": ("xml",),
        "stream": ("xml", "protocol"),
        "discovery": ("xml", "stream"),
        "outgoing": ("protocol", "stream", "discovery"),
        "incoming": ("xml", "protocol", "stream", "discovery"),
    },
    "smtp-bridge": {
        "wire": (),
        "client": ("wire",),
        "server": ("wire",),
        "lookup": ("wire",),
    },
    "app": {
        "config": (),
        "servers": (),
        "daemon": ("config",),
        "check": ("config", "servers", "daemon"),
        "setup": ("config", "servers", "check"),
        "command-line": ("config", "servers", "daemon", "check", "setup"),
    },
}
# Of the queue, the bridges see only its ports, and the values that these are made of.
PORTS = (
    "queue/ports.hpp", "queue/destination.hpp", "queue/queue_id.hpp", "queue/route_table.hpp",
    "queue/owner_lookup.hpp", "queue/sender_counts.hpp", "queue/complaint.hpp", "queue/peer_lists.hpp", "queue/peer_promise.hpp",
)
BRIDGES = ("component", "smtp-bridge")
# SQLite is for these folders of the queue only; what stands in front of the ledger knows no database.
DATABASE = re.compile(r"SQLiteCpp/|sqlite3(ext)?\.h$")
IN_DATABASE = "queue/sqlite/"
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
# Headers that need no test: they are numbers and names.
UNTESTED = ("base/limits.hpp", "base/precompiled.hpp", "base/thread_name.hpp", "app/version.hpp")
TESTS = "tests/unit"
HELPERS = "tests/unit/support"  # what tests share: of a room in a folder of its name
SUFFIXES = (".cpp", ".hpp")
MOST_LINES = 700
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.MULTILINE)
PRAGMA_ONCE = re.compile(r"^#pragma once$", re.MULTILINE)


def room_of(path):
    """The room a file of the tree belongs to: a test belongs to the room that it tests, and so do its helpers."""
    inner = path
    for folder in (HELPERS, TESTS):
        inner = inner.removeprefix(folder + "/")
    first = inner.split("/")[0]
    return first if first in ROOMS else None


def sub_room_of(path):
    """The folder in its room that a source stands in (`sqlite/store`); None if it stands in the room itself."""
    return "/".join(path.split("/")[1:-1]) or None


def unit_of(path):
    """What a file is a part of: its path without the suffix."""
    return path.rsplit(".", 1)[0]


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
        if DATABASE.match(name) and room == "queue" and not path.startswith((IN_DATABASE, TESTS + "/")):
            return f"{path}: includes <{name}>, but SQLite is for {IN_DATABASE} only"
        if name.split("/")[0] in ROOMS and name not in ("queue/migrations.inc", "app/examples.inc"):
            return f'{path}: includes "{name}", which is no file of the tree'
        return None
    if target.startswith(TESTS + "/") and not path.startswith(TESTS + "/"):
        return f'{path}: includes "{name}", which belongs to the tests'
    if target.startswith(TESTS + "/") and not target.startswith(HELPERS + "/"):
        return f'{path}: includes "{name}", but what tests share stands in {HELPERS}'
    other = room_of(target)
    if room in BRIDGES and other == "queue" and target not in PORTS:
        return f'{path}: includes "{name}", but of the queue {room} sees only its ports'
    if room == other and room in SUBROOMS and not path.startswith(TESTS + "/"):
        return check_order(path, name, target)
    if room is None or other is None or room == other or other in ROOMS[room]:
        return None
    return f'{path}: includes "{name}", but {room} must not see {other}'


def check_order(path, name, target):
    """The violation in `path` including the file `target` of its room, by the order of the sub-rooms."""
    room, own, other = room_of(path), sub_room_of(path), sub_room_of(target)
    if other in (None, own):
        return None
    if own is not None and other in SUBROOMS[room].get(own, ()):
        return None
    return f'{path}: includes "{name}", but {"/".join(filter(None, (room, own)))} must not see {room}/{other}'


def check_places(files):
    """Each sub-room is one that the table knows; and a test stands where what it is named after does."""
    violations, homes = [], {}
    for path in files:
        room, folder = room_of(path), sub_room_of(path)
        if room in SUBROOMS and not path.startswith("tests/"):
            homes[room, unit_of(path).rsplit("/", 1)[1]] = path.rsplit("/", 1)[0]
            if folder is not None and folder not in SUBROOMS[room]:
                violations.append(f"{path}: {room} has no sub-room {folder}")
    for path in files:
        folder, file = path.rsplit("/", 1)
        home = homes.get((room_of(path), file.removesuffix("_test.cpp")))
        if path.startswith(TESTS + "/") and home and folder != f"{TESTS}/{home}":
            violations.append(f"{path}: tests {home}/{file.removesuffix('_test.cpp')}, and belongs to {TESTS}/{home}")
    return violations


def check_tested(files, is_there):
    """Each unit has a test of its name, or its header says where it is tested: `// Tested by tests/...`."""
    violations = []
    for path, text in files.items():
        test = f"{TESTS}/{unit_of(path)}_test.cpp"
        if path.startswith(TESTS + "/") or not path.endswith(".hpp") or path in UNTESTED or is_there(test):
            continue
        comment = " ".join(line.removeprefix("//").strip() for line in text.split("#pragma once")[0].splitlines())
        named = re.findall(r"tests/[\w/.-]*\w", comment.partition("Tested by ")[2])
        if not named:
            violations.append(f"{path}: there is no {test}, and it does not say what it is tested by")
        violations += [f"{path}: is tested by {name}, it says, which is not there" for name in named if not is_there(name)]
    return violations


def check_document(text):
    """ARCHITECTURE.md has the sub-rooms, and what each may include, as they are here."""
    row = re.compile(r"^\| `([\w-]+)/([\w/-]+)` \|[^|]*\|([^|]*)\|$", re.MULTILINE)
    told = {(room, folder): {name.strip() for name in seen.split(",")} - {""} for room, folder, seen in row.findall(text)}
    kept = {(room, folder): set(seen) for room, folders in SUBROOMS.items() for folder, seen in folders.items()}
    return [f"ARCHITECTURE.md: {room}/{folder} is not as include_rules.py has it"
            for room, folder in sorted(told.keys() | kept.keys()) if told.get((room, folder)) != kept.get((room, folder))]


def find_cycles(includes):
    """Each circle of units that include each other, once, as one line; a unit is a header and the source of its name."""
    units, violations, done, trail = {}, [], set(), []
    for path, targets in includes.items():
        unit = unit_of(path)
        units.setdefault(unit, {}).update((unit_of(target), None) for target in targets if unit_of(target) != unit)

    def visit(unit):
        if unit in trail:
            violations.append("includes in a circle: " + " -> ".join([*trail[trail.index(unit):], unit]))
            return
        if unit in done:
            return
        trail.append(unit)
        for target in units[unit]:
            visit(target)
        trail.pop()
        done.add(unit)

    for unit in units:
        visit(unit)
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
    return violations + check_places(files) + find_cycles(includes), count


def main(arguments):
    if arguments[:1] == ["--self-test"]:
        if not self_test.passes("include_rules_test"):
            return 1
        arguments = arguments[1:]
    if len(arguments) != 1:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    root = pathlib.Path(arguments[0])
    files = dict(source_files(root))
    if not files:
        print(f"include rules: no sources below {arguments[0]}", file=sys.stderr)
        return 2
    violations, count = check(files)
    violations += check_tested(files, lambda name: (root / name).is_file())
    violations += check_document((root / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    for violation in violations:
        print(violation)
    if violations:
        print(f"include rules: {len(violations)} broken")
        return 1
    print(f"include rules: {count} includes in {len(files)} files are as they should be")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
