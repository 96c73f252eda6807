"""Fills the example configurations in: the names a real site would change, and nothing else."""

import pathlib

EXAMPLES = pathlib.Path(__file__).resolve().parents[2]

# What stands in the examples for each thing that differs from site to site.
PLACEHOLDERS = {
    "domain": "example.org",
    "pattern": r"example\.org",
    "regex": "example[.]org",
    "second": "second.example",
    "address": "127.0.0.1",
    "secret": "change-me",
    "state": "/var/lib/packetboat",
    "modules": "/usr/local/lib/prosody/modules",
    "certificate": "/etc/ssl/ejabberd/example.org.pem",
}


def fill(example, **names):
    """The text of examples/<example>, with the placeholders that are named here replaced.

    A placeholder that the file does not contain is an error, so that none can rot unseen."""
    text = (EXAMPLES / example).read_text()
    # Longest first: a path may contain a domain.
    for name in sorted(names, key=lambda name: -len(PLACEHOLDERS[name])):
        if PLACEHOLDERS[name] not in text:
            raise ValueError(f"{example} has no {PLACEHOLDERS[name]!r} to replace")
        text = text.replace(PLACEHOLDERS[name], names[name])
    return text
