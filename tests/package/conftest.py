"""What the tests of the Debian package share: the package that `./run package` has made, and where its files are."""

import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def deb():
    """The package, without the one that has its debug symbols."""
    found = list((ROOT / "build/package").glob("packetboat_*.deb"))
    assert len(found) == 1, "`./run package` makes it"
    return found[0]


@pytest.fixture(scope="session")
def unpacked(deb, tmp_path_factory):
    """A folder with the package's files in it, and its control files in DEBIAN."""
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg-deb", "-R", deb, folder], check=True)
    return folder
