"""Runs the fuzz targets that are built in build/fuzz, two at a time.

    fuzz.py --seconds N [TARGET..]   N seconds each, from the seeds alone: what `./run test long` does
    fuzz.py --minutes N [TARGET..]   N minutes in all; the corpus is kept in build/fuzz/corpus

Ends with one line a target. A finding is kept in build/fuzz/crashes, and its replay is printed;
then the exit code is 1.
"""

import argparse
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "fuzz"
CRASHES = BUILD / "crashes"
AT_ONCE = 2
DICTIONARIES = {"xml_stream": "xml", "transfer": "xml", "disco": "xml", "smtp": "mail",
                "header": "mail", "address": "mail"}
# Bytes. Long enough for every bound that a target is to reach: the smaller, the faster.
MAX_LENGTHS = {"address": 2048, "smtp": 16384, "header": 16384, "inflate": 16384}
MAX_LENGTH = 65536
ENVIRONMENT = os.environ | {"ASAN_SYMBOLIZER_PATH": shutil.which("llvm-symbolizer-14") or "",
                            "UBSAN_OPTIONS": "print_stacktrace=1"}


def seeds_of(target):
    """The target's folders of seeds; the XML ones have the protocol's examples as well."""
    folders = [HERE / "seeds" / target]
    if DICTIONARIES.get(target) == "xml":
        examples = BUILD / "examples" / target
        examples.mkdir(parents=True, exist_ok=True)
        document = (ROOT / "xep" / "xep-mail-transfer.xml").read_text()
        stanzas = re.findall(r"<!\[CDATA\[\n(<.*?)\]\]></example>", document, re.S)
        for i, stanza in enumerate(stanzas):
            inner = re.fullmatch(r"<iq[^>]*>(.*)</iq>", stanza, re.S)
            # The other two targets put what they get into an IQ.
            text = inner[1] if inner and target != "xml_stream" else stanza
            (examples / f"{i:02}.xml").write_text(text)
        folders.append(examples)
    return folders


def run(target, seconds, corpus):
    """The summary of one target, and whether it found something."""
    command = [BUILD / "tests" / "fuzz" / f"fuzz_{target}", f"-max_total_time={seconds}",
               f"-max_len={MAX_LENGTHS.get(target, MAX_LENGTH)}", "-rss_limit_mb=1024",
               "-timeout=10", "-print_final_stats=1", f"-artifact_prefix={CRASHES}/{target}-"]
    if target in DICTIONARIES:
        command.append(f"-dict={HERE / DICTIONARIES[target]}.dict")
    start = time.monotonic()
    done = subprocess.run([*command, corpus, *seeds_of(target)], env=ENVIRONMENT, cwd=BUILD,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    log = done.stderr.decode(errors="replace")
    (BUILD / "logs").mkdir(exist_ok=True)
    (BUILD / "logs" / f"{target}.log").write_text(log)
    progress = re.findall(r"^#(\d+)\s.*?cov: (\d+) ft: (\d+)", log, re.M) or [("0", "0", "0")]
    runs, cov, ft = progress[-1]
    runs = (re.findall(r"number_of_executed_units: (\d+)", log) or [runs])[-1]
    minutes = (time.monotonic() - start) / 60
    summary = f"{target:12}{runs:>10} runs   cov {cov} ft {ft}   {minutes:.1f} min"
    if done.returncode == 0:
        return summary + "   no findings", False
    what = re.findall(r"^BROKEN PROPERTY: .*|.*runtime error: .*|^SUMMARY: .*", log, re.M)
    kept = re.findall(r"Test unit written to (\S+)", log)
    replay = f"{command[0]} {kept[-1]}" if kept else f"see {BUILD}/logs/{target}.log"
    return f"{summary}   FOUND: {what[0] if what else 'an error'}\n    {replay}", True


def main():
    programs = sorted((BUILD / "tests" / "fuzz").glob("fuzz_*"))
    known = [p.name.removeprefix("fuzz_") for p in programs if p.suffix == ""]
    parser = argparse.ArgumentParser(prog="./run fuzz")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=10, help="in all (default: 10)")
    length.add_argument("--seconds", type=int, help="of each target, from the seeds alone")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(known))
    arguments = parser.parse_args()
    targets = arguments.targets or known
    if unknown := set(targets) - set(known):
        parser.error(f"no such target: {', '.join(sorted(unknown))} (there are {', '.join(known)})")

    rounds = math.ceil(len(targets) / AT_ONCE)
    # 0 would mean for ever to libFuzzer.
    seconds = arguments.seconds or max(1, int(arguments.minutes * 60 / rounds))
    CRASHES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(AT_ONCE) as pool:
        corpora = Path(scratch) if arguments.seconds else BUILD / "corpus"
        for target in targets:
            (corpora / target).mkdir(parents=True, exist_ok=True)
        results = list(pool.map(lambda t: run(t, seconds, corpora / t), targets))
    for summary, _ in results:
        print(summary)
    return 1 if any(found for _, found in results) else 0


if __name__ == "__main__":
    sys.exit(main())
