"""The benchmark: Postfix to Postfix against Packetboat to Packetboat, in one run, on one machine.

Run by `./run bench`. Every chain ends in the same sink, each mail is another, and every transport in between has a mail
on the disk before it says so.
"""

import argparse
import os
import pathlib
import sys

import parts
import plot
import profiling
from ground import ROOT, Ground
from results import Results


def arguments():
    parser = argparse.ArgumentParser(prog="./run bench")
    parser.add_argument("--quick", action="store_true", help="fewer messages, and each once: a look, not a figure")
    parser.add_argument("--json", type=pathlib.Path, help="where the rows go")
    parser.add_argument("--markdown", type=pathlib.Path, help="where they go as a table for people")
    parser.add_argument("--plot", type=pathlib.Path, help="where a picture of the curves goes (SVG)")
    parser.add_argument("--only", default=" ".join(parts.ALL), help="parts: " + " ".join(parts.ALL))
    parser.add_argument("--profile", type=pathlib.Path, help="in place of all others: where our daemons' time goes, into a folder")
    parser.add_argument("--servers", default="prosody ejabberd")
    parsed = parser.parse_args()
    unknown = [name for name in parsed.only.split() if name not in parts.ALL]
    unknown += [name for name in parsed.servers.split() if name not in ("prosody", "ejabberd")]
    if unknown:
        parser.error(f"there is no {' '.join(unknown)}")
    return parsed


def main():
    parsed = arguments()
    ground = Ground(parsed.servers.split())
    ground.start()
    results = Results()
    run = parts.Run(ground, results, parsed.quick)
    try:
        if parsed.profile:
            profiling.profile(ground, parsed.profile)
        else:
            for name, part in parts.ALL.items():
                if name in parsed.only.split():
                    results.attempt(name, lambda: part(run))
    finally:
        ground.world.keep_logs(ROOT / "build/bench-logs")
    print(results.table())
    if parsed.json:
        results.write(parsed.json)
    if parsed.markdown:
        parsed.markdown.write_text(results.markdown() + "\n")
    if parsed.plot and results.curves:
        parsed.plot.write_text(plot.draw(results.curves))
    # Nothing needs a goodbye: the namespace takes all servers along.
    sys.stdout.flush()
    os._exit(1 if results.failed else 0)


if __name__ == "__main__":
    main()
