#!/usr/bin/env python3
"""Checks that docs/events.md lists the events of the log, and no others, with the level and the fields that they have.

usage: events.py [--self-test] ROOT    says what is wrong, one fault a line; then the exit status is 1
       events.py --list ROOT           prints the events as the sources have them

Events are written in each room's log.cpp: `Line("name")`, or a helper that begins with `Line line(event)` and is given the
name (base/async.cpp has one, too). If its caller is in another file, that one says `const char* const event = ...` of the names. Nothing else uses Line.
With --self-test, the cases in events_test.py run first.
"""
import pathlib
import re
import sys

import self_test

DOCUMENT = "docs/events.md"
ROOMS = ("base", "mail", "queue", "component", "smtp-bridge", "app")
# Where lines are written, beside each room's log.cpp: a broken invariant ends the process on the spot.
ALSO = ("base/async.cpp",)
NAME = r'"([a-z][a-z-]*)"'
COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
FIELD = re.compile(r'\bwith\(\s*"([\w-]+)"')
LEVEL = re.compile(r"\b(debug|info|warning|error)\(\)")
# A function that makes the line of an event that it is told.
HELPER = re.compile(r"\b(\w+)\([^()]*\bevent\b[^()]*\)\s*\{")
TOLD = re.compile(r"const char\* const event =([^;]*);")
USES_LINE = re.compile(r"\bbase::log::Line\b|\blog::Line\(")
ROW = re.compile(r"^\| `([a-z-]+)` \| (\w+) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)


class Event:
    def __init__(self, level, fields):
        self.level, self.fields = level, list(fields)

    def add(self, other, name, faults):
        """The same event, where it is written a second time."""
        self.fields += [field for field in other.fields if field not in self.fields]
        if self.level != other.level:
            faults.append(f"{name}: has two levels, {self.level} and {other.level}")


def events_of(files):
    """The events by name, from the text of the sources by path; and what is wrong with them."""
    events, faults = {}, []

    def add(name, level, fields):
        if level is None:
            faults.append(f"{name}: has no level")
        elif name in events:
            events[name].add(Event(level, fields), name, faults)
        else:
            events[name] = Event(level, fields)

    told = [name for path, text in files.items() for names in TOLD.findall(text) for name in re.findall(NAME, names)]
    for path, text in files.items():
        text = COMMENT.sub("", text)
        if not path.endswith("log.cpp") and path not in ALSO:
            if USES_LINE.search(text) and path != "base/log.hpp":
                faults.append(f"{path}: uses Line, which is for a room's log.cpp")
            continue
        helpers, functions = {}, re.split(r"\n\}\n", text)
        for function in functions:
            found = HELPER.search(function)
            if found and "Line line(event)" in function:
                level = LEVEL.search(function[found.end():])
                helpers[found[1]] = FIELD.findall(function)
                for name in told if level else ():
                    add(name, level[1], helpers[found[1]])
        makers = "|".join(["Line", "Line line", *helpers])
        start = re.compile(rf"\b({makers})\((?:limiter,)?\s*(?:\w+ \? {NAME} : )?{NAME}")
        for function in functions:
            begins = list(start.finditer(function))
            for begin, after in zip(begins, begins[1:] + [None]):
                text = function[begin.end():after.start() if after else None]
                level = LEVEL.search(text)
                for name in filter(None, begin.groups()[1:]):
                    add(name, level and level[1], helpers.get(begin[1], []) + FIELD.findall(text))
    return events, faults


def check(files, document):
    """What does not fit, one line each, and the number of events."""
    events, faults = events_of(files)
    listed = {}
    for name, level, fields, meaning, remedy in ROW.findall(document):
        if name in listed:
            faults.append(f"{name}: is listed twice")
        if not meaning.strip() or not remedy.strip():
            faults.append(f"{name}: says nothing of what it means, or what to do")
        listed[name] = (level, re.findall(r"`([\w-]+)`", fields))
    for name in sorted(events.keys() - listed.keys()):
        faults.append(f"{name}: is not in {DOCUMENT}")
    for name in sorted(listed.keys() - events.keys()):
        faults.append(f"{name}: no source has this event")
    for name in sorted(events.keys() & listed.keys()):
        level, fields = listed[name]
        if level != events[name].level:
            faults.append(f"{name}: is {level} in {DOCUMENT}, and {events[name].level} in the sources")
        for field in sorted(set(fields) ^ set(events[name].fields)):
            where = "only in the document" if field in fields else "not in the document"
            faults.append(f"{name}: the field {field} is {where}")
    return faults, len(events)


def sources(root):
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
            for room in ROOMS for path in sorted((root / room).rglob("*")) if path.suffix in (".cpp", ".hpp")}


def main(arguments):
    if arguments[:1] == ["--self-test"]:
        if not self_test.passes("events_test"):
            return 1
        arguments = arguments[1:]
    wants_list = arguments[:1] == ["--list"]
    arguments = arguments[1:] if wants_list else arguments
    if len(arguments) != 1:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    root = pathlib.Path(arguments[0])
    if wants_list:
        for name, event in events_of(sources(root))[0].items():
            print(f"| `{name}` | {event.level} | {' '.join(f'`{field}`' for field in event.fields)} |")
        return 0
    faults, count = check(sources(root), (root / DOCUMENT).read_text(encoding="utf-8"))
    for fault in faults:
        print(fault)
    if faults or not count:
        print(f"events: {len(faults)} faults")
        return 1
    print(f"events: {count} are as {DOCUMENT} says")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
