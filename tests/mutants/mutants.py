"""Mutation testing: small faults are put into the program, one at a time, and its unit tests have to find each.

    mutants.py [--jobs N] [--only TEXT] [ROOM ...]   puts them in, and prints what survived
    mutants.py --check                               that each line of the lists still fits the source

The faults are data: `ROOM.txt` beside this file has one a line,

    FILE: OLD ~> NEW [~~ why it survives]

where OLD stands exactly once in FILE, and NEW takes its place (nothing, if it is empty: a dropped call). A mutant's file
is compiled by itself, and put in front of the room's library when its test program is linked: of two definitions the
first counts, so that neither the sources nor the build change, and the library may be built with several files as one.
It is killed when the tests fail, crash or don't end, or when it does not compile.

Exit status 1: fewer than 95 of 100 are killed, or there is a survivor without a reason, or a reason without a survivor.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ROOMS = ["base", "mail", "queue", "component", "smtp-bridge", "app"]
LEAST_KILLED = 0.95
# The tests' folders: nothing here is about a disk, and memory syncs at once.
MEMORY = "/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None
# A mutant that hangs: so many times as long as the sound program takes, and at least so many seconds.
HANGS_AFTER = 3
HANGS_AFTER_AT_LEAST = 60
# Nor may one take the machine's memory: so many bytes of addresses, far more than the sound program.
MEMORY_MOST = 4 << 30


@dataclass(frozen=True)
class Mutant:
    room: str
    line: int
    file: str
    old: str
    new: str
    reason: str

    def __str__(self) -> str:
        return f"{self.room}.txt:{self.line}: {self.file}: {self.old} ~> {self.new}"

    def places(self) -> int:
        return (ROOT / self.file).read_text().count(self.old)

    def source(self) -> str:
        """The file with the fault in it."""
        return (ROOT / self.file).read_text().replace(self.old, self.new)


def read_list(room: str) -> list[Mutant]:
    mutants = []
    for number, line in enumerate((HERE / f"{room}.txt").read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = re.fullmatch(r"(\S+\.[ch]pp): (.+?) ~>(.*?)(?: ~~ (.+))?", line)
        if not found:
            raise SystemExit(f"{room}.txt:{number}: not FILE: OLD ~> NEW")
        file, old, new, reason = found.groups()
        if not file.startswith(f"{room}/"):
            raise SystemExit(f"{room}.txt:{number}: {file} is in another room")
        mutants.append(Mutant(room, number, file, old, new.strip(), reason or ""))
    return mutants


class Build:
    """A preset's build, and how a room's files and its test program are made."""

    def __init__(self, folder: pathlib.Path, room: str):
        program = f"tests/unit/{room}_test"
        self.folder = folder
        units = json.loads((folder / "compile_commands.json").read_text())
        # All files of a room are compiled alike.
        self.compiling = next(shlex.split(unit["command"]) for unit in units
                              if f" -o CMakeFiles/{room}.dir/" in unit["command"] and "cmake_pch" not in unit["file"])
        commands = subprocess.run(["ninja", "-C", str(folder), "-t", "commands", program],
                                  check=True, capture_output=True, text=True).stdout
        made = f"-o {program} "
        links = [line for line in commands.splitlines() if made in line]
        if len(links) != 1:
            raise SystemExit(f"{program}: {len(links)} commands link it")
        # Without what CMake does before and after it (`: && ... && tests are listed`).
        step = next(part for part in links[0].split(" && ") if made in part)
        self.linking = shlex.split(step)

    def compile(self, source: pathlib.Path, to: pathlib.Path) -> bool:
        command = list(self.compiling)
        command[command.index("-o") + 1] = str(to)
        command[command.index("-c") + 1] = str(source)
        # A fault may leave a name unused. Quoted includes are found from the root, as always.
        return self.run(command + ["-w"])

    def link(self, in_front: list[pathlib.Path], to: pathlib.Path) -> None:
        command = list(self.linking)
        at = command.index("-o")
        command[at + 1] = str(to)
        command[at:at] = ["-Wl,--allow-multiple-definition", *map(str, in_front)]
        if not self.run(command):
            raise SystemExit(f"{to}: can't be linked")

    def run(self, command: list[str]) -> bool:
        return subprocess.run(command, cwd=self.folder, capture_output=True, check=False).returncode == 0


def run_tests(program: pathlib.Path, limit: float | None, folder: pathlib.Path, *words: str) -> tuple[str, float]:
    """What became of it: `passed`, or by what it was killed; and after how many seconds."""
    folder.chmod(0o755)  # as /tmp is: some tests ask who may read what is in it
    start = time.monotonic()
    tests = subprocess.Popen(["prlimit", f"--as={MEMORY_MOST}", str(program), "--abort", *words], cwd=folder,
                             env={**os.environ, "TMPDIR": str(folder)}, start_new_session=True,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        status = tests.wait(limit)
        end = "passed" if status == 0 else "crash" if status < 0 else "failure"
    except subprocess.TimeoutExpired:
        end = "hangs"
    # And whatever it has started, which a fault may leave behind.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(tests.pid, signal.SIGKILL)
    tests.wait()
    return end, time.monotonic() - start


def run_sound(build: Build, files: list[str], jobs: int) -> tuple[str, float]:
    """Of a program with all these files as they are in front: what kills a mutant has to be its fault."""
    with tempfile.TemporaryDirectory(prefix="mutant-", dir=MEMORY) as name, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        folder = pathlib.Path(name)
        objects = [folder / f"{i}.o" for i in range(len(files))]
        if not all(pool.map(lambda file, to: build.compile(ROOT / file, to), files, objects)):
            return "does not compile", 0.0
        build.link(objects, folder / "test")
        return run_tests(folder / "test", None, folder)


def judge(mutant: Mutant, build: Build, limit: float) -> str:
    with tempfile.TemporaryDirectory(prefix="mutant-", dir=MEMORY) as name:
        folder = pathlib.Path(name)
        source = folder / pathlib.Path(mutant.file).name
        source.write_text(mutant.source())
        if not build.compile(source, folder / "mutant.o"):
            return "does not compile"
        program = folder / "test"
        build.link([folder / "mutant.o"], program)
        # Most are found by the tests of their own unit, which are a few.
        unit = pathlib.Path(mutant.file).stem
        end = run_tests(program, limit, folder, "-#", f"[#{unit}],[#{unit}_test]")[0]
        return run_tests(program, limit, folder)[0] if end == "passed" else end


def try_room(room: str, mutants: list[Mutant], folder: pathlib.Path, jobs: int) -> list[Mutant]:
    """Prints what becomes of each, and returns those that survive."""
    build = Build(folder, room)
    end, seconds = run_sound(build, sorted({each.file for each in mutants}), jobs)
    if end != "passed":
        raise SystemExit(f"{room}: its tests end with {end} without any fault of ours")
    limit = max(HANGS_AFTER * seconds, HANGS_AFTER_AT_LEAST)
    survivors = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for mutant, end in zip(mutants, pool.map(lambda each: judge(each, build, limit), mutants)):
            print(f"{'SURVIVES' if end == 'passed' else end:16}  {mutant}", flush=True)
            if end == "passed":
                survivors.append(mutant)
    return survivors


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "mutants")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="those whose line has this text")
    parser.add_argument("rooms", nargs="*", metavar="ROOM")
    arguments = parser.parse_args()
    for room in arguments.rooms:
        if room not in ROOMS:
            parser.error(f"no such room: {room} ({', '.join(ROOMS)})")
    rooms = arguments.rooms or ROOMS
    mutants = {room: [each for each in read_list(room) if arguments.only in str(each)] for room in rooms}
    unfit = [each for of_room in mutants.values() for each in of_room if each.places() != 1]
    for each in unfit:
        print(f"{each}: stands {each.places()} times in the file, and has to stand there once", file=sys.stderr)
    if unfit:
        return 1
    count = sum(map(len, mutants.values()))
    if arguments.check:
        print(f"{count} mutants fit the source")
        return 0
    if count == 0:
        raise SystemExit("there is no such mutant")
    survivors = [each for room in rooms if mutants[room]
                 for each in try_room(room, mutants[room], arguments.build, arguments.jobs)]
    excused = [each for of_room in mutants.values() for each in of_room if each.reason]
    for each in survivors:
        print(f"survived: {each}\n    {each.reason or 'NO REASON IS GIVEN'}")
    wrongly = [each for each in excused if each not in survivors]
    for each in wrongly:
        print(f"killed, although it is said to survive: {each}")
    killed = count - len(survivors)
    print(f"{killed} of {count} mutants killed ({100 * killed / count:.1f}%), {len(survivors)} survived")
    sound = killed >= LEAST_KILLED * count and not wrongly and all(each.reason for each in survivors)
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
