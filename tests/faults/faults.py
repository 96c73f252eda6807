"""The queue on a disk that fails: at the Nth change or read, for every N, at a power cut there, and with a bit that has
turned over.

Each run is a process of its own with a shim preloaded; then a fresh process looks, on a sound disk, whether all that
was acknowledged is there. Ends with a line of figures, and with exit status 1 unless all but the first are 0.
"""

import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from flips import run_flip

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build/tests/faults"
DRIVER, SHIM = BUILD / "fault_driver", BUILD / "libfault_shim.so"
HANGS = 60  # seconds
SECTOR = 512  # octets that a disk writes as one
READS = 12  # of a seed's reads that fail, by chance
FLIPS = 15  # bits of a seed's database that turn over
CUT = 99  # exit status of a process whose power was cut
# After these, what was not synced is lost: all of it, or a random part.
SYNCED_ONLY = ("cut", "part", "lie")
ENDED = 3  # that of one which could not open its queue, and said so
ABORTED = -6  # a broken invariant: the process ends itself, for a restart


@dataclass
class Case:
    seed: int
    steps: int
    kind: str
    n: int = 0
    sticks: bool = False

    def __str__(self):
        at = {"read": "", "flip": " number"}.get(self.kind, " at change")
        return f"seed {self.seed}, {self.kind}{at} {self.n}{' and from then on' if self.sticks else ''}"


@dataclass
class Result:
    wrong: list
    hung: bool = False
    crashed: bool = False
    refused: bool = False
    altered: bool = False
    counts: tuple = (0, 0)  # of changes and of reads


def work(case, folder):
    """Runs the driver; returns its exit status (None: it hung), what it said, and the numbers of changes and reads."""
    queue, durable, count = folder / "queue", folder / "durable", folder / "count"
    queue.mkdir()
    for name in ("inodes", "folders"):
        (durable / name).mkdir(parents=True)
    environment = {"LD_PRELOAD": str(SHIM), "FAULT_DIR": str(queue), "FAULT_N": str(case.n), "FAULT_KIND": case.kind,
                   "FAULT_COUNT": str(count), "FAULT_STICKS": "1" if case.sticks else "",
                   "FAULT_DURABLE": str(durable) if case.kind in SYNCED_ONLY else ""}
    words = [str(DRIVER), "work", str(queue), str(case.seed), str(case.steps)]
    try:
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=HANGS)
    except subprocess.TimeoutExpired:
        return None, [], (0, 0)
    counts = tuple(map(int, count.read_text().split())) if count.exists() else (0, 0)
    return done.returncode, done.stdout.splitlines(), counts


def cut_power(folder, keeps=None):
    """The queue's folder as a disk has it that kept only what was synced; or, with the dice `keeps`, a random part of
    what was not: of each file's sectors, and of the entries of the folders."""
    durable, after = folder / "durable", folder / "after"
    after.mkdir()
    names = ["."]
    for name in names:
        listing = durable / "folders" / name.replace(".", "top")
        if not listing.is_file():
            continue
        entries = dict(line.rsplit(" ", 1) for line in listing.read_text().splitlines())
        if keeps:
            entries = some_entries(entries, folder / "queue" / name, keeps)
        for file, inode in entries.items():
            if file.endswith("-shm"):
                continue
            if file.endswith("/"):
                (after / name / file).mkdir()
                names.append(file.rstrip("/"))
                continue
            synced = durable / "inodes" / inode
            content = synced.read_bytes() if synced.exists() else b""
            if keeps:
                content = some_sectors(content, unsynced(folder / "queue" / name, inode), keeps)
            (after / name / file).write_bytes(content)
    return after


def some_entries(synced, folder, keeps):
    """Names and inodes: each as at the folder's last sync, or as at the end."""
    now = {entry.name: str(entry.inode()) for entry in os.scandir(folder) if entry.is_file()} if folder.is_dir() else {}
    kept = {}
    for name in sorted({*synced, *now}):
        inode = synced.get(name) if name.endswith("/") or keeps.random() < 0.5 else now.get(name)
        if inode is not None:
            kept[name] = inode
    return kept


def unsynced(folder, inode):
    """What the file with that inode holds, synced or not; None if it has no name there any more."""
    for entry in os.scandir(folder) if folder.is_dir() else ():
        if str(entry.inode()) == inode:
            return pathlib.Path(entry.path).read_bytes()
    return None


def some_sectors(synced, now, keeps):
    if now is None:
        return synced
    size = len(keeps.choice((synced, now)))
    sectors = [keeps.choice((synced, now))[at:at + SECTOR].ljust(SECTOR, b"\0") for at in range(0, size, SECTOR)]
    return b"".join(sectors)[:size]


def ask(verb, queue):
    """The exit status of a fresh process, and what it says of the queue."""
    done = subprocess.run([str(DRIVER), verb, str(queue)], capture_output=True, text=True, timeout=HANGS)
    return done.returncode, done.stdout.splitlines()


def look(queue):
    """What a fresh process finds; None if it can't open the queue."""
    status, lines = ask("check", queue)
    return lines if status == 0 else None


def judge(said, found):
    """Why what was found is not what was acknowledged: lines with lost or doubled in front."""
    faults = [f"lost: {line}" for line in found if line.startswith("fault ")]
    faults += [f"left: {line}" for line in said if line.startswith("orphan ")]
    messages = {}
    for line in found:
        if line.startswith("message "):
            _, name, state, whole, kind = line.rsplit(" ", 4)[-5:]
            messages.setdefault(name, []).append((int(state), whole, int(kind)))
    verdicts = {line.split()[1] for line in found if line.startswith("verdict ")}
    settled = {line.split()[1]: line.split()[2] for line in said if line.startswith("settled ")}
    unsettled = {line.split()[1] for line in said if line.startswith("unsettled ")}
    tried = sum(line.startswith("trying ") for line in said) > len(settled) + len(unsettled)
    for line in said:
        words = line.split()
        if words[0] not in ("accepted", "verdict"):
            continue
        name = f"<{words[1]}@a.test>"
        rows = [row for row in messages.get(name, []) if row[2] != 3]
        if not rows:
            faults.append(f"lost: {line}: no such message")
        elif len(rows) > 1:
            faults.append(f"doubled: {line}")
        elif rows[0][0] < 5 and rows[0][1] != "whole":
            faults.append(f"lost: {line}: its content is {rows[0][1]}")
        elif rows[0][0] >= 5 and name not in settled and name not in unsettled and not tried:
            faults.append(f"lost: {line}: it has ended, and nobody ended it")
        if name in settled and rows and rows[0][0] < 5:
            faults.append(f"doubled: {name} was settled, and waits again")
        if words[0] == "verdict" and f"transfer{int(words[1]):08d}" not in verdicts:
            faults.append(f"doubled: {line}: its verdict is forgotten")
    return faults


def run(case):
    """One case, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="packetboat-faults-") as name:
        folder = pathlib.Path(name)
        status, said, counts = work(case, folder)
        if status is None:
            return Result([], hung=True)
        if case.kind == "flip":
            try:
                wrong, crashed, refused, altered = run_flip(case.n, said, folder, ask, judge)
            except subprocess.TimeoutExpired:
                return Result([], hung=True)
            return Result(wrong, crashed=crashed, refused=refused, altered=altered)
        # A cut, a clean end, or an end by its own decision; anything else is a crash.
        crashed = status not in (0, CUT, ENDED, ABORTED)
        keeps = random.Random(f"{case.seed} {case.n}") if case.kind == "part" else None
        queue = cut_power(folder, keeps) if case.kind in SYNCED_ONLY else folder / "queue"
        found = look(queue)
        if found is None:
            # A queue that was never begun can't be opened from half of its first file; it holds nothing.
            nothing = not any(line.startswith(("accepted", "verdict")) for line in said)
            wrong = [] if nothing else ["lost: the queue can't be opened any more"]
            return Result(wrong, crashed=crashed, counts=counts)
        if case.sticks or (folder / "count.unlink").exists():
            said = [line for line in said if not line.startswith("orphan ")]
        return Result(judge(said, found), crashed=crashed, counts=counts)


def cases(seeds, steps, every, chance):
    for seed in seeds:
        changes, reads = run(Case(seed, steps, "none")).counts
        numbers = range(1, changes + 1)
        if every and changes > every:
            numbers = sorted(chance.sample(numbers, every))
        for n in numbers:
            for kind in ("eio", "enospc", "short"):
                yield Case(seed, steps, kind, n)
            yield Case(seed, steps, "eio", n, sticks=True)
            yield Case(seed, steps, "enospc", n, sticks=True)
            yield Case(seed, steps, "cut", n)
            yield Case(seed, steps, "part", n)
        for n in sorted(chance.sample(range(1, reads + 1), min(READS, reads))):
            yield Case(seed, steps, "read", n)
            yield Case(seed, steps, "read", n, sticks=True)
        for _ in range(FLIPS):
            yield Case(seed, steps, "flip", chance.randrange(1 << 30))


def lies_are_found():
    """A disk that syncs nothing, whatever it says: the check is worth something only if it finds that."""
    return bool(run(Case(1, 12, "lie")).wrong)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20, help="different sequences of things")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--every", type=int, default=0, help="so many of the changes of each, by chance; 0: all")
    options = parser.parse_args()
    if not lies_are_found():
        print("-- a disk that syncs nothing was not found out")
        return 1
    seeds = [options.seed] if options.seed else range(1, options.seeds + 1)
    lost = doubled = left = hung = crashed = 0
    kinds, special = Counter(), Counter()
    with ThreadPoolExecutor(2) as pool:
        todo = list(cases(seeds, options.steps, options.every, random.Random(1)))
        for case, result in zip(todo, pool.map(run, todo)):
            kinds[case.kind] += 1
            special.update(refused=result.refused, altered=result.altered)
            hung += result.hung
            crashed += result.crashed
            lost += any(line.startswith("lost") for line in result.wrong)
            doubled += any(line.startswith("doubled") for line in result.wrong)
            left += any(line.startswith("left") for line in result.wrong)
            if result.wrong or result.hung or result.crashed:
                what = "hung" if result.hung else "crashed" if result.crashed else result.wrong[0]
                print(f"-- {case}: {what}")
    print(", ".join(f"{kind} {count}" for kind, count in kinds.items()))
    print(f"of the flips, {special['refused']} made it no database, and {special['altered']} altered a mail unseen")
    print(f"faults {kinds.total()}: lost {lost}, doubled {doubled}, files left {left}, hung {hung}, crashed {crashed}")
    return 1 if lost or doubled or left or hung or crashed else 0


if __name__ == "__main__":
    sys.exit(main())
