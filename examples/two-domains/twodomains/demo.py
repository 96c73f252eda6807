"""The demo: two domains with real servers, and mails from Alice in one to Bob in the other."""

import argparse
import os
import pathlib
import signal
import sys
import time

from twodomains import namespace
from twodomains.deliveries import Delivery
from twodomains.world import World

SAMPLES = pathlib.Path(__file__).resolve().parents[1] / "samples"
INSIDE = "--inside"  # this process is in the namespace already
WAIT_SECONDS = 60
RESULT = 130  # what Ctrl-C ends with: interrupted, until there is a result


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == [INSIDE]:
        return inside(options(arguments[1:]))
    options(arguments)  # says what is wrong with them before anything is started
    return namespace.run([sys.executable, "-m", "twodomains.demo", INSIDE, *arguments])


def options(arguments):
    parser = argparse.ArgumentParser(prog="./run demo", description="Sends mails from a.test to b.test over XMPP.")
    parser.add_argument("--exit", action="store_true", help="stop after the given mails, instead of staying up")
    parser.add_argument("files", metavar="FILE.eml", nargs="*", type=pathlib.Path, help="default: five samples")
    parsed = parser.parse_args(arguments)
    for file in parsed.files:
        try:
            file.open("rb").close()
        except OSError as error:
            print(f"./run demo: {file}: {error.strerror}", file=sys.stderr)
            sys.exit(2)
    return parsed


def inside(parsed):
    signal.signal(signal.SIGINT, stop_now)
    return demonstrate(parsed)


def stop_now(*_):
    """Nothing needs a goodbye: the namespace takes all servers along, and the caller removes the files."""
    print("\n-- stopping", flush=True)
    os._exit(RESULT)


def demonstrate(parsed):
    files = parsed.files or sorted(SAMPLES.glob("*.eml"))
    began = time.monotonic()
    say("starting two domains: DNS, and for each Prosody, Postfix, Dovecot and Packetboat")
    world = World()
    a = world.add_prosody_site("a.test", "127.0.1.1", ["alice@a.test", "juergen@a.test"],
                               aliases={"jürgen@a.test": "juergen@a.test"})
    b = world.add_prosody_site("b.test", "127.0.2.1", ["bob@b.test", "joerg@b.test"],
                               aliases={"jörg@b.test": "joerg@b.test"})
    world.start()
    say(f"up after {time.monotonic() - began:.1f} s")
    # Makes a.test's daemon look b.test up, so that the first mail need not wait for that.
    check = a.packetboat.run("check", "b.test")
    say("packetboat check b.test, at a.test:")
    print(indented(check.stdout + check.stderr), flush=True)

    say(f"sending {len(files)} mail{'s' * (len(files) != 1)} from alice@a.test to bob@b.test")
    deliveries = [Delivery(number, file, a, b) for number, file in enumerate(files, 1)]
    for delivery in deliveries:
        delivery.send()
    deadline = time.monotonic() + WAIT_SECONDS
    for delivery in deliveries:
        delivery.wait(deadline)
        print(flush=True)
        print(delivery.report(), flush=True)
    memory = ", ".join(f"{site.domain} {site.packetboat.memory() / 1e6:.0f} MB" for site in (a, b))
    print(f"\nmemory of the daemons: {memory}")
    identical = sum(delivery.identical for delivery in deliveries)
    print(f"{identical} of {len(deliveries)} arrived identical", flush=True)
    global RESULT
    RESULT = 0 if identical == len(deliveries) else 1
    if not parsed.exit:
        stay_up(world, b)
    return RESULT


def stay_up(world, b):
    a = world.sites["a.test"].packetboat
    enter = f"{'sudo ' if 'SUDO_UID' in os.environ else ''}{world.scratch}/enter"
    print(f"""
Both domains stay up until Ctrl-C. To send more, paste into another terminal:

  {enter} a.test swaks --server 127.0.1.1 --from alice@a.test --to bob@b.test
  printf 'Subject: hello\\n\\nfrom sendmail\\n' | {enter} a.test sendmail -f alice@a.test bob@b.test
  {enter} b.test swaks --server 127.0.2.1 --from bob@b.test --to alice@a.test

What has arrived:   ls {b.dovecot.maildir('bob@b.test')}/new
Where is it:        {enter} a.test {a.binary} --config {a.configuration} queue list
Logs:               {world.scratch}/a.test/var/log and {world.scratch}/b.test/var/log
                    (packetboat.log, mail.log, dovecot.log, prosody/prosody.log)
""", flush=True)
    while True:
        signal.pause()


def say(text):
    print(f"-- {text}", flush=True)


def indented(text):
    return "\n".join("   " + line for line in text.rstrip().splitlines())


if __name__ == "__main__":
    sys.exit(main())
