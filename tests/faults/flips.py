"""One wrong bit in the queue's database: what its repair has to give back, and what it has to name."""

import re
import shutil

FILE_HEADER = 100  # bytes; without them it is no database, and the program says so


def flip(queue, n):
    """Turns one bit of the database over, which `n` chooses; where it is, in bytes."""
    file = queue / "queue.db"
    at, bit = (n >> 3) % file.stat().st_size, 1 << (n & 7)
    with file.open("r+b") as opened:
        opened.seek(at)
        byte = opened.read(1)[0]
        opened.seek(at)
        opened.write(bytes([byte ^ bit]))
    return at


def excused(fault, ids, named, found):
    """Whether the report names what is missing, or the mail is held for somebody to look at."""
    number = re.search(r"(?:accepted|verdict) (\d+)|<(\d+)@", fault)
    if not number:
        return False
    number = int(number[1] or number[2])
    name = f"<{number}@a.test>"
    if any(line.startswith(f"message {name} 4 ") for line in found):
        return True
    return any(ids.get(name, "no id") in line or f"transfer{number:08d}" in line for line in named)


def run_flip(n, said, folder, ask, judge):
    """`said`: by the driver at work, whose queue is in `folder`. (what is wrong, whether it crashed, whether it was
    refused, whether a mail was altered that nobody could know of.)"""
    queue, other = folder / "queue", folder / "other"
    shutil.copytree(queue, other)
    ids = {line.split()[1]: line.split()[2] for line in ask("check", other)[1] if line.startswith("id ")}
    shutil.rmtree(other)
    at = flip(queue, n)
    # As the daemon starts on it: it may refuse, and must not fall over.
    shutil.copytree(queue, other)
    crashed = ask("check", other)[0] not in (0, 3)
    status, repaired = ask("repair", queue)
    if status == 3 and at < FILE_HEADER:
        return [], crashed, True, False
    if status != 0:
        return [f"lost: the queue can't be repaired: {repaired[-1:]}"], status != 3, False, False
    named = [line for line in repaired if line.startswith("named ")]
    status, found = ask("check", queue)
    if status != 0:
        return ["lost: the queue can't be opened after its repair"], status != 3, False, False
    wrong = [fault for fault in judge(said, found) if not excused(fault, ids, named, found)]
    # A letter of one mail: there is nothing to see it by.
    silent = [fault for fault in wrong if fault.startswith("lost: accepted") or fault.startswith("lost: verdict")
              or "verdict is forgotten" in fault]
    altered = bool(silent) and len({re.search(r"\d+", fault)[0] for fault in silent}) == 1
    if altered:
        wrong = [fault for fault in wrong if fault not in silent]
    return wrong, crashed, False, altered
