"""Waiting for conditions: polled until true, never slept for, and always with a deadline."""

import socket
import time


class Late(Exception):
    """A condition did not come true in time."""


def until(condition, what, seconds=30.0, interval=0.02):
    """Returns condition()'s first true value; raises Late, naming `what` (or what that says then), after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Late(f"{what() if callable(what) else what}: not within {seconds:g} s")
        time.sleep(interval)


def accepts(address, port):
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((address, port), timeout=2):
            return True
    except OSError:
        return False


def accepts_unix(path):
    """Whether something accepts connections on the unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        try:
            client.connect(str(path))
            return True
        except OSError:
            return False
