"""Where the time goes, by perf(1): `perf report -i FILE --no-children -g none --sort dso`."""

import contextlib
import os
import signal
import subprocess

from ground import SIDES


def profile(ground, folder):
    """A file for each of our daemons, and for each Prosody, of 10,000 mails of 4 KiB (or BENCH_SIZE bytes, fewer of them);
    with all that trust is made of, if BENCH_TRUST is set."""
    folder.mkdir(parents=True, exist_ok=True)
    size = int(os.environ.get("BENCH_SIZE", 4096))
    for name in ground.ours():
        sites = [ground.sites[site] for site in SIDES[name]]
        watched = {f"{name}-{site.domain}": site.packetboat for site in sites}
        if name == "prosody":
            watched |= {f"server-{site.domain}": site.xmpp for site in sites}
        recorders = []

        def record(watched=watched, recorders=recorders):
            for label, server in watched.items():
                recorders.append(subprocess.Popen(["perf", "record", "-q", "-F", "1999", "-g", "-o", folder / f"{label}.data",
                                                   "-p", str(server.process_id())]))
        with ground.trusting(name) if os.environ.get("BENCH_TRUST") else contextlib.nullcontext():
            ground.load(name, max(10, 41_000_000 // size), size, during=record)
        for recorder in recorders:
            recorder.send_signal(signal.SIGINT)
            recorder.wait()
