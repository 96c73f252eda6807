"""Cuts the links between XMPP servers, without touching a server: as when the network between two sites is gone."""

import contextlib
import subprocess


@contextlib.contextmanager
def no_server_links(how="reject with tcp reset"):
    """While it lasts nothing gets to or from a server-to-server port: connections are reset, or with "drop" packets vanish."""
    rules = f"""table inet cut {{
        chain in {{
            type filter hook input priority 0;
            tcp dport 5269 {how}
            tcp sport 5269 {how}
        }}
    }}"""
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    try:
        yield
    finally:
        subprocess.run(["nft", "delete", "table", "inet", "cut"], check=True)
