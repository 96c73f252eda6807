"""Proves the blocks of README.md and docs/*.md: what somebody may copy out of them works, or at least is what it seems to be.

A block is one of the kinds below, by what it begins with, and a kind has its proof. What is none of them is commands for a shell, a line
each. Their files are copied, moved and removed for real, in a folder that has what `cmake --install` puts on a machine, beside the
configuration of other programs; a document's `cd` lasts until its end. What can't be done in a folder is looked at: by the built program,
by Postfix, OpenSSL, journalctl and others as far as they are on this machine, and by the files that they name. A command that has no rule
in RULES, and a block that is of no use to a machine and is not in PICTURES, is a fault.
"""

import fnmatch
import functools
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import textwrap

import manual

ROOT = manual.ROOT
EXAMPLES = ROOT / "examples"
DOC = "/usr/share/doc/packetboat"
STATE = "/var/lib/packetboat"
# What begins so is for people, by reason.
PICTURES = {
    "alice@a.test   ": "the way of a mail, drawn",
    "Postfix  --loopback or a unix socket-->": "who trusts whom, drawn",
}
# Accounts that other packages make.
OF_OTHERS = {"root", "ejabberd", "postfix"}


class Fault(Exception):
    """What is wrong with a line, for who wrote it."""


# ---- the blocks

def blocks_of(text):
    """Each block of code, indented or fenced, without its indentation."""
    blocks, block, fenced, blank = [], None, False, True
    for line in text.splitlines():
        fence = line.lstrip().startswith("```")
        if fence:
            fenced = not fenced
            if fenced:
                block = []
                blocks.append(block)
            else:
                block = None
        elif fenced or (line.startswith("    ") and (blank or block is not None)):
            if block is None:
                block = []
                blocks.append(block)
            block.append(line)
        elif not line.strip() and block is not None:
            block.append("")
        else:
            block = None
        blank = not line.strip()
    return [textwrap.dedent("\n".join(block)).strip("\n") for block in blocks]


def documents():
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}


def picture_of(block):
    return next((begin for begin in PICTURES if block.startswith(begin)), None)


def kind_of(block):
    first = block.split("\n")[0]
    for kind, begin in (("configuration", r"\[[a-z-]+( [^\]]+)?\]$"), ("zone", r"\S+\s+SRV\s"), ("services", r"\S+\s+(inet|unix)\s+[yn-]\s"),
                        ("lua", r'(VirtualHost|Component) "|[a-z_0-9]+ = [{"]|-- '), ("parameters", r"[a-z_0-9]+ =( |$)"),
                        ("yaml", r"[a-z_0-9]+:( |$)|- \S+$")):
        if re.match(begin, first):
            return kind
    return "picture" if picture_of(block) else "shell"


# ---- a shell's lines

def without_comment(line):
    """A `#` between quotes is none."""
    quote = None
    for at, char in enumerate(line):
        if quote:
            quote = None if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at].rstrip()
    return line.rstrip()


def shell_lines(block):
    """Its lines without comments, those together that go on."""
    joined = ""
    for line in map(without_comment, block.split("\n")):
        joined = f"{joined} {line.strip()}".strip()
        if joined and not joined.endswith(("|", "\\", "&&")):
            yield joined
        if not joined.endswith(("|", "\\", "&&")):
            joined = ""
        joined = joined.removesuffix("\\").rstrip()
    if joined:
        yield joined


def put_in(words):
    """What a command between $( and ) prints."""
    if words[0] != "date":
        raise Fault(f"no rule says what {words[0]} prints")
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def pipelines(line):
    """Of a line, the commands that run one after the other, each a list of commands (words, redirections) with pipes between them."""
    line = re.sub(r"\$\(([^()]*)\)", lambda inner: put_in(shlex.split(inner[1])), line)
    found, words, redirections = [[]], [], []

    def end():
        if words or redirections:
            found[-1].append((words[:], redirections[:]))
        words.clear()
        redirections.clear()
    rest = shlex.split(line)
    while rest:
        word = rest.pop(0)
        if word in ("&&", ";", "|"):
            end()
            if word != "|":
                found.append([])
        elif redirection := re.match(r"(2?>>?|<)(.*)$", word):
            redirections.append((redirection[1], redirection[2] or rest.pop(0)))
        else:
            words.append(word)
    end()
    return found


# ---- the folder

def is_built_of(root, build):
    """A build takes its files from where it was configured."""
    return f"CMAKE_HOME_DIRECTORY:INTERNAL={root}\n" in text_of(build / "CMakeCache.txt")


def installed(folder, build):
    """The files that `cmake --install` puts on a machine; the program itself is an empty one."""
    subprocess.run(["cmake", "--install", build], env={"DESTDIR": str(folder), "PATH": "/usr/bin:/bin"}, check=True, capture_output=True)
    (folder / "usr/bin/packetboat").write_text("")
    return folder


def text_of(*paths):
    """The first of these files that can be read; or nothing."""
    for path in map(pathlib.Path, paths):
        try:
            return path.read_text()
        except (FileNotFoundError, PermissionError):
            continue
    return ""


def furnish(folder):
    """What else is on a machine when somebody reads the documents: others' configuration, with our examples in it, and a queue."""
    files = {
        "etc/postfix/main.cf": text_of("/usr/share/postfix/main.cf.debian") +
                               # So that it does not ask the DNS for it.
                               "\nmyhostname = mx.example.org\n" + (EXAMPLES / "postfix/main.cf").read_text(),
        "etc/postfix/master.cf": text_of("/usr/share/postfix/master.cf.dist") + (EXAMPLES / "postfix/master.cf").read_text(),
        "etc/postfix/packetboat-header-checks": (EXAMPLES / "postfix/packetboat-header-checks").read_text(),
        "etc/postfix/own-domains": (EXAMPLES / "postfix/own-domains").read_text(),
        "etc/prosody/prosody.cfg.lua": text_of("/etc/prosody/prosody.cfg.lua"),
        "etc/prosody/conf.d/packetboat.cfg.lua": (EXAMPLES / "prosody/packetboat.cfg.lua").read_text(),
        "etc/ejabberd/ejabberd.yml": text_of("/etc/ejabberd/ejabberd.yml", EXAMPLES / "ejabberd/packetboat.yml"),
        "etc/ejabberd/packetboat.yml": (EXAMPLES / "ejabberd/packetboat.yml").read_text(),
        **{f"{STATE[1:]}/{name}": "" for name in ("queue.db", "queue.db-wal", "queue.db-shm", "queue.db.vN")},
        route_table()[1:]: "",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def route_table():
    return re.search(r"^\[route-table\]\nfile = (\S+)$", (EXAMPLES / "packetboat.conf").read_text(), re.MULTILINE)[1]


class Here:
    """Where a document's lines are run: a machine's files below `root`, and the folder that it has gone to."""

    def __init__(self, root, program, others=""):
        """`others`: text in which files are named that an administrator may have made."""
        self.root, self.program, self.others, self.folder = root, program, others, None

    def path(self, named):
        """Where a file is that the document names. Without a `cd`, who reads it is in the source tree."""
        if named.startswith("/"):
            return self.root / named[1:]
        return (self.root / self.folder[1:] if self.folder else ROOT) / named

    def ask(self, *words, text=None):
        """Runs a program of this machine; the result has returncode, stdout and stderr."""
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, input=text or "",
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"})

    def ask_postconf(self, *words):
        """Of the folder's Postfix. It would wait for a file that was written just now to become old."""
        folder = self.path("/etc/postfix")
        os.utime(folder / "main.cf", (0, 0))
        return self.ask("postconf", "-c", folder, *words)

    def change(self, *words):
        """Runs a program that changes files; it has to succeed, and does so only below the root."""
        inside = [f"{self.path(word)}{'/' if word.endswith('/') else ''}"
                  if not word.startswith("-") and ("/" in word or self.path(word).exists()) else word for word in words]
        for word, there in zip(words[1:], inside[1:]):
            if there != word and not pathlib.Path(os.path.normpath(there)).is_relative_to(self.root):
                raise Fault(f"{word} would be in the source tree: there is no `cd` before it")
        done = subprocess.run(inside, cwd=self.path(self.folder or "/"), capture_output=True, text=True)
        if done.returncode != 0:
            raise Fault(done.stderr.strip().replace(str(self.root), ""))

    def run(self, line):
        for commands in pipelines(line):
            text = ""
            for words, redirections in commands:
                for sign, name in redirections:
                    if sign == ">>" and not self.path(name).is_file():
                        raise Fault(f"{name} is not there, to add to")
                rule = RULES.get(words[0]) or (RULES["build/"] if words[0].startswith("build/") else None)
                if rule is None:
                    raise Fault(f"no rule says how {words[0]} is proven")
                text = rule(self, words[1:] if RULES.get(words[0]) else words, text) or ""
                for sign, name in redirections:
                    if sign == ">>":
                        with open(self.path(name), "a", encoding="utf-8") as file:
                            file.write(text)


# ---- rules, a program each: rule(here, words, text) of the words behind its name, and of what comes by a pipe; what it prints

@functools.cache
def unit_text(name):
    return (EXAMPLES / "systemd" / name).read_text()


def account():
    return re.search(r"^User=(.*)$", unit_text("packetboat.service"), re.MULTILINE)[1]


def is_account(name):
    if name not in OF_OTHERS | {account()}:
        raise Fault(f"there is no account {name}")


def unit_of(name):
    """The text of a unit that is there; nothing of one whose program is not on this machine."""
    name = name if "." in name else f"{name}.service"
    if (EXAMPLES / "systemd" / name).exists():
        return unit_text(name)
    of = name.split(".")[0]
    if name.endswith(".service") and of in packages_of_run():
        if not shutil.which(of, path="/usr/sbin:/usr/bin") and not shutil.which(f"{of}ctl", path="/usr/sbin:/usr/bin"):
            return None
        if any(pathlib.Path(folder, name).exists() for folder in ("/lib/systemd/system", "/usr/lib/systemd/system")):
            return None
    raise Fault(f"there is no unit {name}")


@functools.cache
def packages_of_run():
    """What `./run` installs: packages of Debian 12, as it would fail otherwise."""
    arrays = re.findall(r"^[a-z_0-9]+=\((.*?)\)", (ROOT / "run").read_text(), re.MULTILINE | re.DOTALL)
    return {word for array in arrays for word in array.split()}


def spelled_out(words):
    """Each command that is meant by words of which some are alternatives."""
    for index, word in enumerate(words[:2]):
        if "|" in word and not word.startswith("-"):
            return [each for way in word.split("|") for each in spelled_out([*words[:index], way, *words[index + 1:]])]
    return [words]


def said(words):
    """The commands that are meant by `queue hold|release [ID ...]`: what is between brackets is there, or not."""
    text = " ".join(words)
    texts = {re.sub(r"\[[^\]]*\]", "", text), re.sub(r"[\[\]]", "", text)}
    return [each for text in sorted(texts) for each in spelled_out([word for word in text.split() if word != "..."])]


def packetboat(here, words, _):
    """Its command line is understood: it then says that the configuration is not there."""
    for command in said(words):
        done = here.ask(here.program, *command, "--config", "/nonexistent/packetboat.conf")
        if done.returncode == 2 or (done.returncode == 1 and "/nonexistent/packetboat.conf" not in done.stderr):
            raise Fault(done.stderr.strip())


def systemctl(_, words, __):
    verb, *units = [word for word in words if not word.startswith("-")]
    if verb == "daemon-reload":
        if units:
            raise Fault("daemon-reload takes no unit")
        return
    for unit in units:
        text = unit_of(unit)
        needs = {"enable": "[Install]", "disable": "[Install]", "reload": "ExecReload=", "start": "", "stop": "", "restart": ""}.get(verb)
        if needs is None:
            raise Fault(f"no rule says how systemctl {verb} is proven")
        if text is not None and needs not in text:
            raise Fault(f"{unit} has no {needs}")
    if not units:
        raise Fault(f"systemctl {verb} of what?")


def journalctl(here, words, _):
    """Each event of the log, a line each."""
    if "-u" not in words:
        raise Fault("journalctl without a unit is all of the machine's log")
    unit_of(words[words.index("-u") + 1])
    if shutil.which("journalctl"):
        (here.root / "journal").mkdir(exist_ok=True)
        done = here.ask("journalctl", "-D", here.root / "journal", *words)
        if done.returncode != 0:
            raise Fault(done.stderr.strip())
    return "".join(f"event={name}\n" for name in re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs/events.md").read_text(), re.MULTILINE))


def grep(here, words, text):
    """It finds something, by each alternative of its pattern."""
    flags = [word for word in words if word.startswith("-")]
    pattern, *files = [word for word in words if not word.startswith("-")]
    for each in re.split(r"\|" if "-E" in flags else r"\\\|", pattern):
        done = here.ask("grep", *flags, "--", each, *(here.path(file) for file in files), text=text)
        if done.returncode != 0 and not known_to_prosody(each):
            raise Fault(f"grep finds no {each!r} in {' '.join(files) or 'what comes by the pipe'}")


def known_to_prosody(name):
    """For options that only its own files have; true if it is not on this machine."""
    folder = pathlib.Path("/usr/lib/prosody")
    if not name.startswith("s2s_"):
        return False
    return not folder.is_dir() or subprocess.run(["grep", "-rqw", name, folder], check=False).returncode == 0


def postconf(here, words, _):
    """By Postfix, on a machine with our examples; what is taken out has to be there."""
    names = [word for word in words if not word.startswith("-")]
    if not shutil.which("postconf", path="/usr/sbin:/usr/bin"):
        examples = "".join(path.read_text() for path in (EXAMPLES / "postfix").iterdir())
        if lacks := [name for name in names if name.split("/")[0] not in examples]:
            raise Fault(f"no example has {' '.join(lacks)}")
        return "lmdb\n"
    if "-X" in words or "-MX" in words:
        for name in names:
            look = here.ask_postconf("-M", name) if "-MX" in words else here.ask_postconf("-n", name)
            if not look.stdout.strip():
                raise Fault(f"{name} does not stand in what our examples add to Postfix")
    done = here.ask_postconf(*words)
    if done.returncode != 0 or "unknown" in done.stderr:
        raise Fault(done.stderr.strip())
    if words == ["-m"] and "postfix-lmdb" in packages_of_run() and "lmdb" not in done.stdout:
        return "lmdb\n"  # the package is not on this machine
    return done.stdout


def postmap(_, words, __):
    """It asks the route table for a domain."""
    table = f"lmdb:{route_table().removesuffix('.lmdb')}"
    if len(words) != 3 or words[0] != "-q" or words[2] != table:
        raise Fault(f"the route table is {table}")


def postfix(_, words, __):
    script = text_of("/etc/postfix/postfix-script", "/usr/lib/postfix/sbin/postfix-script")
    known = re.findall(r"^([a-z-]+)\)$", script, re.MULTILINE) if script else ["check", "reload", "start", "stop"]
    if len(words) != 1 or words[0] not in known:
        raise Fault(f"postfix has no {' '.join(words)}")


def prosodyctl(_, words, __):
    """By its sources: it speaks to nobody who may not read Prosody's configuration."""
    command, *rest = [word for word in words if not word.startswith("-")]
    if not shutil.which("prosodyctl"):
        if command not in ("check", "cert"):
            raise Fault(f"no rule says how prosodyctl {command} is proven")
        return
    code = text_of(f"/usr/lib/prosody/util/prosodyctl/{command}.lua")
    if not code and not re.search(rf"\bcommands\.{command}\b", text_of(shutil.which("prosodyctl"))):
        raise Fault(f"prosodyctl has no {command}")
    if rest and not re.search(rf"""["'.]{rest[0]}\b""", code):
        raise Fault(f"prosodyctl {command} has no {rest[0]}")


def openssl(here, words, text):
    if words[0] == "s_client":
        if not re.search(r"-connect \S+:5269 -starttls xmpp-server -xmpphost \S+", " ".join(words)):
            raise Fault("it does not speak to an XMPP server of other servers")
        # Nobody listens there; it reads its options first.
        words = [*words]
        words[words.index("-connect") + 1] = "127.0.0.1:1"
        done = here.ask("openssl", *words)
        if "connect" not in done.stderr or "Unknown option" in done.stderr:
            raise Fault(done.stderr.strip())
        return here.ask("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout",
                        "/dev/null", "-addext", "subjectAltName=DNS:x").stdout
    done = here.ask("openssl", *words, text=text)
    if done.returncode != 0:
        raise Fault(done.stderr.strip())
    return done.stdout


@functools.cache
def debian_has(name):
    """As far as this machine has lists of packages."""
    return subprocess.run(["apt-cache", "show", name], check=False, capture_output=True).stdout != b""


def apt(_, words, __):
    verb, *names = [word for word in words if not word.startswith("-")]
    if verb not in ("install", "purge") or not names:
        raise Fault(f"no rule says how apt {verb} is proven")
    ours = re.findall(r"^Package: (\S+)$", (ROOT / "debian/control").read_text(), re.MULTILINE)
    for name in names:
        if name.endswith(".deb"):
            # As `./run package` names it, or as one that was got elsewhere.
            if not re.fullmatch(rf"\./(build/package/)?({'|'.join(ours)})_(\*|[A-Z]+_amd64)\.deb", name):
                raise Fault(f"no package is named {name}")
        elif name not in (ours if verb == "purge" else packages_of_run()):
            raise Fault(f"no package {name} is used by our tests")
        elif verb == "install" and debian_has("dpkg") and not debian_has(name):
            raise Fault(f"Debian has no package {name}")


def adduser(_, words, __):
    """As the package does it."""
    package = re.search(r"^ *adduser (.*)$", (ROOT / "debian/packetboat.postinst").read_text(), re.MULTILINE)[1].split()
    if words[-1] != package[-1] or not set(words) <= set(package):
        raise Fault(f"the package says: adduser {' '.join(package)}")


def deluser(_, words, __):
    if words != ["--system", account()]:
        raise Fault(f"the account is {account()}")


def runuser(here, words, _):
    if words[0] != "-u" or words[2] != "--":
        raise Fault("no rule says how that is proven")
    is_account(words[1])
    here.run(shlex.join(words[3:]))


def change_owner(here, words, _):
    owner, *files = words
    for name in owner.split(":"):
        is_account(name)
    for file in files:
        if not here.path(file).exists():
            raise Fault(f"{file} is not there")


def change_folder(here, words, _):
    here.folder = words[0] if words[0].startswith("/") else f"{here.folder}/{words[0]}"
    if not here.path(here.folder).is_dir():
        raise Fault(f"there is no folder {here.folder}")


def install(here, words, _):
    words = [*words]
    for flag in ("-o", "-g"):
        if flag in words:
            at = words.index(flag)
            is_account(words[at + 1])
            del words[at:at + 2]
    if "-d" in words and here.path(words[-1]).exists():
        raise Fault(f"{words[-1]} is there already")
    here.change("install", *words)


def remove(here, words, _):
    """Each is there, or the documents or examples say that somebody may have made it."""
    flags = [word for word in words if word.startswith("-")]
    for name in words[len(flags):]:
        path = here.path(name)
        found = [each for each in path.parent.glob("*") if fnmatch.fnmatch(each.name, path.name)]
        edited = re.fullmatch(r"/etc/systemd/system/(\S+)\.d", name)
        if edited:
            unit_of(edited[1])  # `systemctl edit` makes it
        elif not found and not re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w-])", here.others):
            raise Fault(f"{name} is nowhere")
        if found:
            here.change("rm", *flags, *(f"/{each.relative_to(here.root)}" for each in found))


def show(here, words, _):
    name = words[-1]
    if not here.path(name).exists():
        raise Fault(f"{name} is not there")


def concatenate(here, words, _):
    if lacks := [name for name in words if not here.path(name).is_file()]:
        raise Fault(f"{' '.join(lacks)} is not there")
    return "".join(here.path(name).read_text() for name in words)


def run_script(here, words, _):
    """A command of the script `run`, with options that stand in its usage or in what it calls."""
    verb, *rest = re.sub(r"[\[\]]", "", " ".join(words)).split()
    usage = [line for line in here.ask(ROOT / "run", "help").stdout.split("./run ") if re.match(rf"{verb}\b", line)]
    if not usage:
        raise Fault(f"./run has no {verb}")
    called = "".join(path.read_text() for path in ROOT.glob(f"tests/{verb}/{verb}.py"))
    for word in rest:
        if word.startswith("--") and word not in "".join(usage) and f'"{word}"' not in called:
            raise Fault(f"./run {verb} has no {word}")
    if verb == "test" and rest and not any(line.startswith(f"test {rest[0]}") for line in usage):
        raise Fault(f"./run test has no {rest[0]}")


def cmake(_, words, __):
    if words != ["--install", "build"]:
        raise Fault("no rule says how that is proven")


def built(_, words, __):
    """A program that is built for the tests."""
    folder, name = pathlib.PurePath(words[0]).parent, pathlib.PurePath(words[0]).name
    lists = ROOT / folder.relative_to("build") / "CMakeLists.txt"
    if f"add_executable({name} " not in text_of(lists):
        raise Fault(f"{lists.relative_to(ROOT)} makes no {name}")


RULES = {
    "packetboat": packetboat, "systemctl": systemctl, "journalctl": journalctl, "grep": grep, "postconf": postconf, "postmap": postmap,
    "postfix": postfix, "prosodyctl": prosodyctl, "openssl": openssl, "apt": apt, "adduser": adduser, "deluser": deluser, "runuser": runuser,
    "chown": change_owner, "chgrp": change_owner, "cd": change_folder, "install": install, "rm": remove, "ls": show, "cat": concatenate,
    "cp": lambda here, words, _: here.change("cp", *words), "mv": lambda here, words, _: here.change("mv", *words),
    "chmod": lambda here, words, _: here.change("chmod", *words), "./run": run_script, "cmake": cmake, "build/": built,
}


# ---- the other kinds

def sections(text):
    """{heading: its lines}, in order."""
    found, heading = {}, ""
    for line in text.splitlines():
        if re.fullmatch(r"\[[^\]]+\]", line):
            heading = line
            found.setdefault(heading, [])
        elif heading and line and not line.startswith("#"):
            found[heading].append(line)
    return found


def merged(configuration, block):
    """The configuration with what the block says in place of, or beside, what it has."""
    for heading, lines in sections(block).items():
        keys = {line.split(" = ")[0] for line in lines}
        configuration.setdefault(heading, [])
        configuration[heading] = [line for line in configuration[heading] if line.split(" = ")[0] not in keys] + lines
    return configuration


def check_configuration(here, configuration):
    file, state = here.root / "packetboat.conf", here.root / "state"
    file.write_text("".join(f"{heading}\n" + "\n".join(lines) + "\n\n" for heading, lines in configuration.items()))
    file.chmod(0o600)
    state.mkdir(exist_ok=True)
    # It has read it when it looks for the queue.
    done = here.ask(here.program, "--config", file, "--control-socket", here.root / "none", "--state-directory", state, "queue", "verify")
    if "there is no queue" not in done.stderr:
        line = re.match(r"packetboat: \S+?:(\d+): ", done.stderr)
        raise Fault(done.stderr.strip() + (f": {file.read_text().splitlines()[int(line[1]) - 1]}" if line else ""))


LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"


def check_zone(block):
    for line in block.split("\n"):
        if not re.fullmatch(rf"_xmpp-(server|client)\._tcp\.({LABEL}\.)+ +SRV +\d+ +\d+ +\d+ +({LABEL}\.)+", line):
            raise Fault(f"no record: {line}")


def check_services(here, block):
    """Of master.cf. The line in parentheses stands for those of the example's service of that port."""
    first = block.split("\n")[0].split()
    if len(first) != 8:
        raise Fault("a service has eight columns")
    example = (EXAMPLES / "postfix/master.cf").read_text()
    port = first[0].rsplit(":")[-1]
    ours = re.search(rf"^\S*:{port} .*\n((?:\s+-o .*\n|#.*\n)*)", example, re.MULTILINE)
    if "(the lines of master.cf)" in block and not ours:
        raise Fault(f"the example has no service {port}")
    if not shutil.which("postconf", path="/usr/sbin:/usr/bin"):
        return
    text = re.sub(r"^ *\(the lines of master.cf\)\n", lambda _: ours[1], block, flags=re.MULTILINE)
    folder = here.path("/etc/postfix")
    (folder / "master.cf").write_text(text + "\n")
    done = here.ask_postconf("-M", f"{first[0]}/{first[1]}")
    options, named = here.ask_postconf("-P").stdout, set(re.findall(r"^\s+-o (?:\{ *)?(\w+)", text, re.MULTILINE))
    unused = [line for line in here.ask_postconf("-n").stderr.splitlines() if "unused" in line and "master.cf" in line]
    if done.returncode != 0 or not done.stdout or options.count("\n") < len(named) or unused:
        raise Fault(done.stderr.strip() or " ".join(unused) or "Postfix does not read it so")


def check_parameters(here, block):
    """Of main.cf."""
    if not shutil.which("postconf", path="/usr/sbin:/usr/bin"):
        return
    folder = here.path("/etc/postfix")
    with open(folder / "main.cf", "a", encoding="utf-8") as file:
        file.write(f"\n{block}\n")
    done = here.ask_postconf("-n")
    for name in re.findall(r"^([a-z_0-9]+) =", block, re.MULTILINE):
        if f"{name}=" in done.stderr:
            raise Fault(f"Postfix has no {name}")


def check_yaml(block):
    """Of ejabberd."""
    known = text_of("/etc/ejabberd/ejabberd.yml") + (EXAMPLES / "ejabberd/packetboat.yml").read_text()
    for line in block.split("\n"):
        found = re.fullmatch(r"([a-z_0-9]+):(?: (\S.*))?|  ?- (\S+)", line)
        if not found:
            raise Fault(f"no YAML that ejabberd reads: {line}")
        if found[1] and not re.search(rf"^[ #]*{found[1]}:", known, re.MULTILINE):
            raise Fault(f"no configuration of ejabberd has {found[1]}")
        if found[3] and found[3] not in known:
            raise Fault(f"{found[3]} is nowhere")


def check_lua(here, block):
    if luac := shutil.which("luac") or shutil.which("luac5.4"):
        done = here.ask(luac, "-p", "-", text=block)
        if done.returncode != 0:
            raise Fault(done.stderr.strip())


def prove(document, text, pristine, scratch, program, others=""):
    """What is wrong with the blocks of a document, a line each. `pristine` is a folder made by installed() and furnish()."""
    faults, folder, configuration = [], None, sections((EXAMPLES / "packetboat.conf").read_text())
    for number, block in enumerate(blocks_of(text)):
        root = scratch / f"{document.replace('/', '-')}-{number}"
        shutil.copytree(pristine, root, symlinks=True)
        here = Here(root, program, others)
        here.folder = folder
        kind = kind_of(block)
        whole = {"configuration": lambda: check_configuration(here, merged(configuration, block)), "zone": lambda: check_zone(block),
                 "services": lambda: check_services(here, block), "parameters": lambda: check_parameters(here, block),
                 "yaml": lambda: check_yaml(block), "lua": lambda: check_lua(here, block), "picture": lambda: None}
        parts = [(block.split("\n")[0], whole[kind])] if kind in whole else \
            [(line, functools.partial(here.run, line)) for line in shell_lines(block)]
        for said_so, check in parts:
            try:
                check()
            except (Fault, ValueError, IndexError, OSError) as fault:
                faults.append(f"{document}: {said_so}: {fault}")
        folder = here.folder
        shutil.rmtree(root)
    return faults


def packetboat_lines(text):
    """The commands of a document's blocks that are the program's own, each as its words."""
    found = []
    for block in blocks_of(text):
        for line in shell_lines(block) if kind_of(block) == "shell" else ():
            for command, _ in (each for pipeline in pipelines(line) for each in pipeline):
                words = command[4:] if command[:1] == ["runuser"] else command
                if words[:1] == ["packetboat"]:
                    found.append(words[1:])
    return found
