"""What is in the package, and that `cmake --install` puts the same."""

import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOC = "usr/share/doc/packetboat"
# What debhelper and lintian want beside the program's own files.
OF_DEBIAN = {f"{DOC}/changelog", f"{DOC}/copyright", "usr/share/lintian/overrides/packetboat"}


def files(folder):
    """{path: mode} of all files below a folder, as they were before debhelper compressed some."""
    return {path.relative_to(folder).as_posix().removesuffix(".gz"): oct(path.lstat().st_mode & 0o7777)
            for path in folder.rglob("*") if not path.is_dir() and "DEBIAN" not in path.parts}


def test_the_package_has_what_it_should(unpacked):
    found = files(unpacked)
    for path in ["usr/bin/packetboat", "lib/systemd/system/packetboat.service", "lib/systemd/system/packetboat.socket",
                 "etc/packetboat/packetboat.conf", "usr/share/man/man8/packetboat.8", "usr/share/man/man8/packetboat-queue.8",
                 "usr/share/man/man5/packetboat.conf.5",
                 "usr/share/bash-completion/completions/packetboat", "usr/share/zsh/vendor-completions/_packetboat",
                 "usr/share/fish/vendor_completions.d/packetboat.fish", f"{DOC}/README.md", f"{DOC}/CHANGELOG.md",
                 f"{DOC}/docs/closed-lane.md", f"{DOC}/examples/postfix/main.cf", f"{DOC}/examples/prosody/packetboat.cfg.lua"]:
        assert path in found
    programs = {"usr/bin/packetboat", f"{DOC}/examples/opensmtpd/unmark"}
    for path, mode in found.items():
        wanted = "0o640" if path == "etc/packetboat/packetboat.conf" else "0o755" if path in programs else "0o644"
        assert mode == wanted, path
    assert (unpacked / "DEBIAN/conffiles").read_text().split() == ["/etc/packetboat/packetboat.conf"]


def test_all_of_it_is_roots(deb):
    listing = subprocess.run(["dpkg-deb", "-c", deb], check=True, capture_output=True, text=True).stdout.splitlines()
    assert listing
    assert {line.split()[1] for line in listing} == {"root/root"}


def test_cmake_installs_the_same(unpacked, tmp_path):
    build, there = tmp_path / "build", tmp_path / "there"
    subprocess.run(["cmake", "-G", "Ninja", "-S", ROOT, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-DPACKETBOAT_TESTS=OFF"],
                   check=True, capture_output=True)
    # It was built once already.
    (build / "packetboat").write_bytes((unpacked / "usr/bin/packetboat").read_bytes())
    install = ["cmake", "--install", build]
    environment = {**os.environ, "DESTDIR": str(there)}
    subprocess.run(install, env=environment, check=True, capture_output=True)
    package = {path: mode for path, mode in files(unpacked).items() if path not in OF_DEBIAN}
    assert files(there) == package
    # What the administrator has written stays.
    configuration = there / "etc/packetboat/packetboat.conf"
    configuration.write_text("mine")
    subprocess.run(install, env=environment, check=True, capture_output=True)
    assert configuration.read_text() == "mine"


def test_units_and_configuration_are_those_of_the_examples(unpacked):
    for path, example in [("lib/systemd/system/packetboat.service", "systemd/packetboat.service"),
                          ("lib/systemd/system/packetboat.socket", "systemd/packetboat.socket"),
                          ("etc/packetboat/packetboat.conf", "packetboat.conf")]:
        assert (unpacked / path).read_bytes() == (ROOT / "examples" / example).read_bytes()


def test_the_sandbox_is_tight(unpacked):
    """An exposure of 1.5 at most, of 10."""
    unit = unpacked / "lib/systemd/system/packetboat.service"
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", unit], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_versions_agree(unpacked, deb):
    version = re.search(r"^project\(packetboat VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]
    said = subprocess.run([unpacked / "usr/bin/packetboat", "version"], check=True, capture_output=True, text=True).stdout
    assert version in said.split()
    assert subprocess.run(["dpkg-deb", "-f", deb, "Version"], check=True, capture_output=True, text=True).stdout.strip() == version


def test_debug_symbols_are_in_a_package_of_their_own(unpacked, deb):
    symbols = list(deb.parent.glob("packetboat-dbgsym_*.deb"))
    assert len(symbols) == 1
    notes = subprocess.run(["readelf", "-n", unpacked / "usr/bin/packetboat"], check=True, capture_output=True, text=True).stdout
    build_id = re.search(r"Build ID: ([0-9a-f]+)", notes)[1]
    listing = subprocess.run(["dpkg-deb", "-c", symbols[0]], check=True, capture_output=True, text=True).stdout
    assert f"/usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug" in listing
    sections = subprocess.run(["readelf", "-S", unpacked / "usr/bin/packetboat"], check=True, capture_output=True, text=True).stdout
    assert ".text" in sections and ".debug_info" not in sections


def test_what_it_is_built_from_is_said_in_both_places():
    """debian/control, and `build_packages` in the script `run`."""
    control = (ROOT / "debian/control").read_text()
    debian = set(re.findall(r"[a-z][a-z0-9.+-]+", re.search(r"^Build-Depends: (.*?)^\S", control, re.MULTILINE | re.DOTALL)[1]))
    of_run = set(re.search(r"^build_packages=\((.*?)\)", (ROOT / "run").read_text(), re.MULTILINE | re.DOTALL)[1].split())
    # g++ is there wherever packages are built; the cache is a convenience.
    assert debian - {"debhelper-compat"} == of_run - {"g++", "ccache"}
