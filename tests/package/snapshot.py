"""What a machine's configuration is: each file of it, with owner, mode and content."""

import hashlib
import os
import stat

FOLDERS = ("/etc", "/usr/local/lib/prosody")


def snapshot(machine):
    """{path: what is there}, and what Postfix makes of its own part."""
    found = {}
    for folder in FOLDERS:
        for parent, folders, files in os.walk(machine.path(folder)):
            for name in [".", *folders, *files]:
                file = os.path.normpath(os.path.join(parent, name))
                found["/" + os.path.relpath(file, machine.tree)] = _what_is_there(file)
    for command in (("postconf", "-n"), ("postconf", "-M"), ("postconf", "-P")):
        found[" ".join(command)] = tuple(machine.must(*command).splitlines())
    return found


def difference(old, new):
    """What differs, for people: empty if nothing does."""
    found = []
    for what in sorted({*old, *new}):
        if what.startswith("postconf"):
            found += [f"{what}: no longer {line}" for line in old[what] if line not in new[what]]
            found += [f"{what}: now {line}" for line in new[what] if line not in old[what]]
        elif old.get(what) != new.get(what):
            found.append(f"{what}: {old.get(what, 'nothing')} -> {new.get(what, 'nothing')}")
    return found


def _what_is_there(file):
    status = os.lstat(file)
    if stat.S_ISLNK(status.st_mode):
        content = os.readlink(file)
    elif stat.S_ISREG(status.st_mode):
        with open(file, "rb") as opened:
            content = hashlib.sha256(opened.read()).hexdigest()
    else:
        content = ""
    return (stat.filemode(status.st_mode), status.st_uid, status.st_gid, content)
