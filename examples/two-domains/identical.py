#!/usr/bin/env python3
"""Did a mail arrive as it left?  identical.py SENT ARRIVED

Says yes (exit status 0) if the sent file's bytes are the exact tail of the arrived file's, both with
their lines ended by CRLF, and if what stands in front is header fields only: the trace that each hop
prepends. SMTP ends a mail's last line, so a sent file without a last line end is given one.

It is a program of its own, with nothing of Packetboat's in it, to be run by hand on any two files.
"""

import re
import sys

# A field's name, or a continuation line (RFC 5322 2.2).
TRACE_LINE = re.compile(rb"[!-9;-~]+[ \t]*:|[ \t]")


def with_crlf(content):
    """The bytes with each line end, LF or CRLF, as CRLF. A bare CR is no line end, and stays."""
    return re.sub(rb"\r?\n", b"\r\n", content)


def difference(sent, arrived):
    """None if identical, else one line on what is not."""
    sent, arrived = with_crlf(sent), with_crlf(arrived)
    if not sent.endswith(b"\r\n"):
        sent += b"\r\n"
    if not arrived.endswith(sent):
        common = 0
        while common < min(len(sent), len(arrived)) and sent[-1 - common] == arrived[-1 - common]:
            common += 1
        return f"only the last {common} of {len(sent)} bytes are the same"
    trace = arrived[:len(arrived) - len(sent)]
    if trace and not trace.endswith(b"\r\n"):
        return "something stands in front of the first line"
    for line in trace.split(b"\r\n")[:-1]:
        if not TRACE_LINE.match(line):
            return f"a line that is no trace field stands in front: {line[:60]!r}"
    return None


def main():
    if len(sys.argv) != 3:
        print("usage: identical.py SENT ARRIVED", file=sys.stderr)
        return 2
    sent, arrived = (open(name, "rb").read() for name in sys.argv[1:])
    found = difference(sent, arrived)
    print(f"not identical: {found}" if found else "identical")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
