"""Is the chaos any good? Programs that are broken on purpose, which it has to find out.

`./run chaos --broken [--minutes N]`. Each of BREAKS is compiled into a program of its own, and played for a short while;
exit status 1 if one of them passes for sound, or is found for another reason than the one that it is broken for.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/mutants"))
from mutants import Build  # noqa: E402  (the path comes first)


@dataclass(frozen=True)
class Break:
    what: str
    file: str
    changes: tuple  # of (old, new): each old stands once in the file
    found: str  # what the run has to say, as a regular expression

    def source(self):
        text = (ROOT / self.file).read_text()
        for old, new in self.changes:
            if text.count(old) != 1:
                raise SystemExit(f"{self.file}: {old!r} stands {text.count(old)} times in it")
            text = text.replace(old, new)
        return text


LOST = r"lost [1-9]\d*, doubled"
DOUBLED = r"doubled [1-9]\d*$"
STUCK = r"(?m)^-- .*empty queues"

BREAKS = [
    Break("a commit is answered before it is on the disk", "queue/sqlite/sqlite_ledger.cpp", (
        ('store_->database().execute("BEGIN IMMEDIATE"_sql);',
         'if (!store_->database().in_transaction()) store_->database().execute("BEGIN IMMEDIATE"_sql);'),
        ('store_->database().execute("COMMIT"_sql);',
         'static int commits = 0; if (++commits % 20 == 0) store_->database().execute("COMMIT"_sql);')), LOST),
    Break("a verdict is forgotten", "queue/sqlite/intake/arrivals.cpp", (
        ("insert_verdict(store, *arrival.transfer, receipt.id);", ""),), DOUBLED),
    Break("a lease is not undone at the start", "queue/sqlite/store/under_way.cpp", (
        ("SELECT DISTINCT message FROM recipient WHERE state = {leased}", "SELECT DISTINCT message FROM recipient WHERE state = 99"),),
        STUCK),
]


def build(broken, folder):
    """The program with that fault in it: its file compiled anew, in front of the library that has the sound one."""
    source = folder / pathlib.Path(broken.file).name
    source.write_text(broken.source())
    sound = Build(ROOT / "build/asan", "packetboat")
    if not sound.compile(source, broken.file, folder / "broken.o"):
        raise SystemExit(f"{broken.what}: it does not compile")
    sound.link(folder / "broken.o", folder / "packetboat")
    return folder / "packetboat"


def play(broken, minutes, seed):
    """What the run printed, and its exit status."""
    with tempfile.TemporaryDirectory(prefix="broken-") as name:
        program = build(broken, pathlib.Path(name))
        words = ["/usr/bin/python3", "-m", "twodomains.namespace", "/usr/bin/python3", ROOT / "tests/chaos/chaos.py", "--minutes", minutes,
                 "--seed", seed, "--patience", 60]
        ran = subprocess.run([str(word) for word in words], env={**os.environ, "PACKETBOAT": str(program)}, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return ran.stdout, ran.returncode


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=1.5, help="of each")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    missed = 0
    for broken in BREAKS:
        text, status = play(broken, options.minutes, options.seed)
        is_found = status != 0 and re.search(broken.found, text, re.M) is not None
        missed += not is_found
        last = next((line for line in reversed(text.splitlines()) if line.startswith("messages ")), "it came to no end")
        print(f"-- {broken.what}: {'found' if is_found else 'NOT FOUND'} ({last})", flush=True)
        if not is_found:
            print(text[-4000:], flush=True)
    print(f"broken programs {len(BREAKS)}: found {len(BREAKS) - missed}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
