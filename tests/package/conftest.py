"""What the tests of the Debian package share: the package that `./run package` has made, and where its files are."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The folder in which Debian's trees are kept from one run to the next; without it, each run makes its own.
TREES = "PACKETBOAT_TREES"


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


@pytest.fixture(scope="session")
def trees(tmp_path_factory):
    """The folder for trees as they are before a test changes one."""
    if TREES in os.environ:
        yield pathlib.Path(os.environ[TREES])
        return
    folder = tmp_path_factory.mktemp("trees")
    yield folder
    shutil.rmtree(folder)
