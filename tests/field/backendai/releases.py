"""Real Backend.AI releases side by side, for tests and the demo, without touching the system.

The wheels come from the index that pip is configured for, in the versions of pins/<release>.txt, once,
into the cache folder. Virtual environments are made from there offline: uv, which is a wheel too,
hard-links the files, so a second release costs seconds and few bytes.

    <cache>/wheels/*.whl            all wheels of all releases, 230 MB
    <cache>/venv/23.9.10/           a release with all servers and its pinned dependencies
    <cache>/bare/23.3.12/           the dependencies of a release without itself
    <cache>/alone/23.3.3/           a release's own four packages (3 MB), run on a neighbour's dependencies

A release's pins are what makes it work today: the newest versions that its own metadata allows start,
answer, and fail on the first real call (packs/backendai/README.md).
"""

import contextlib
import fcntl
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
SERVERS = ("23.3.11", "23.3.12", "23.9.0", "23.9.8", "23.9.10")  # oldest first
PYTHON = {"24.3": "3.12", "24.9": "3.12"}  # series -> interpreter; 3.11 for the rest
NEIGHBOURS = {"22.9.23": "23.3.12", "23.3.3": "23.3.12"}  # releases that have no pins of their own
PARTS = ("manager", "common", "cli", "plugin")  # what alembic and `backend.ai mgr` load
OWN = re.compile(r"backend[.-]ai-")
PIP_SECONDS_MAX = 900


class Unavailable(Exception):
    """A release is neither cached nor to be had; the text says why and what helps."""


@dataclass(frozen=True)
class Environment:
    """A release that can be run: an interpreter, and folders that go before its own packages."""

    release: str
    folder: str
    alone: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def python(self) -> str:
        return os.path.join(self.folder, "bin", "python")

    def alembic(self, *words: str) -> list[str]:
        return [self.python, "-m", "alembic", *words]

    def manager(self, *words: str) -> list[str]:
        return [self.python, "-m", "ai.backend.cli", "mgr", *words]

    def variables(self) -> dict[str, str]:
        """The process environment that its programs need."""
        alone = {"PYTHONPATH": self.alone} if self.alone else {}
        return os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | alone | self.settings


def cache_folder() -> str:
    """Where wheels, environments and saved clusters are kept, shared by all clones of one user."""
    top = os.environ.get("DRYDOCK_CACHE") or os.environ.get("XDG_CACHE_HOME")
    return os.path.join(os.path.abspath(top or os.path.expanduser("~/.cache")), "drydock", "backendai")


def spelled(release: str) -> str:
    """A release as its makers write it: 23.9.0 of the index is 23.09.0."""
    year, month, patch = release.split(".")
    return f"{year}.{int(month):02}.{patch}"


def interpreter(version: str) -> str:
    """A working Python of that version ("3.12"). Raises Unavailable."""
    series = os.path.expanduser(f"~/.pyenv/versions/{version}.*/bin/python{version}")
    named = [f"/usr/bin/python{version}", shutil.which(f"python{version}") or "", *glob.glob(series)]
    for path in named:
        if path and _answer([path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]) == version:
            return os.path.realpath(path)
    raise Unavailable(f"no Python {version} on this machine.\n  Debian 12 has 3.11; install another "
                      "one beside it")


def ensure(release: str) -> Environment:
    """A release with its pinned dependencies; made from the cached wheels. Raises Unavailable."""
    if release in NEIGHBOURS:
        return _alone(release)
    return Environment(release, _installed(release, "venv", _pins(release)))


def wheel(release: str) -> str:
    """The path of a release's manager wheel, as `drydock chain` reads it. Raises Unavailable."""
    with _locked():
        return _wheel(f"backend.ai-manager=={release}", PYTHON.get(_series(release), "3.11"))


def _alone(release: str) -> Environment:
    """A release's own packages, before the dependencies of a neighbour."""
    neighbour = NEIGHBOURS[release]
    others = [line for line in _pins(neighbour).splitlines() if not OWN.match(line)]
    below = _installed(neighbour, "bare", "\n".join(others) + "\n")
    folder = os.path.join(cache_folder(), "alone", release)
    with _locked():
        if not os.path.isdir(folder):
            _unpack(release, folder)
    return Environment(release, below, folder)


def _installed(release: str, kind: str, pins: str) -> str:
    """The folder of an environment with these pins, made if it is not there or of other pins."""
    folder = os.path.join(cache_folder(), kind, release)
    with _locked():
        if _read(os.path.join(folder, "made-from")) != pins:
            _fetch(release)
            _make(release, folder, pins)
    return folder


def _unpack(release: str, folder: str) -> None:
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="part-", dir=cache_folder()) as work:
        for part in PARTS:
            with zipfile.ZipFile(_wheel(f"backend.ai-{part}=={release}", "3.11")) as archive:
                archive.extractall(os.path.join(work, "all"))
        os.rename(os.path.join(work, "all"), folder)


def _series(release: str) -> str:
    return release.rpartition(".")[0]


def _pins_file(release: str) -> str:
    return os.path.join(HERE, "pins", release + ".txt")


def _pins(release: str) -> str:
    with open(_pins_file(release)) as file:
        return file.read()


def _read(path: str) -> str:
    with contextlib.suppress(OSError), open(path) as file:
        return file.read()
    return ""


@contextlib.contextmanager
def _locked():  # type: ignore[no-untyped-def]
    os.makedirs(wheels_folder(), exist_ok=True)
    with open(os.path.join(cache_folder(), "releases.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wheels_folder() -> str:
    return os.path.join(cache_folder(), "wheels")


def _fetch(release: str) -> None:
    """Puts the wheels of a release's pins into the cache; sdists among them are built."""
    print(f"backend.ai {release}: fetching what {os.path.basename(_pins_file(release))} names ...",
          file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="part-", dir=cache_folder()) as work:
        python = os.path.join(work, "venv", "bin", "python")
        _run([interpreter(_python_of(release)), "-m", "venv", os.path.join(work, "venv")])
        _pip(python, "install", "wheel", "setuptools<80")
        _pip(python, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels_folder(), "--find-links",
             wheels_folder(), "-r", _pins_file(release))


def _python_of(release: str) -> str:
    return PYTHON.get(_series(release), "3.11")


def _make(release: str, folder: str, pins: str) -> None:
    """An environment cannot be renamed: its scripts name its interpreter. So the mark comes last."""
    uv = _uv()
    shutil.rmtree(folder, ignore_errors=True)
    settings = {"UV_CACHE_DIR": os.path.join(cache_folder(), "uv-cache")}
    _run([uv, "venv", "-q", "--python", interpreter(_python_of(release)), folder], settings)
    _run([uv, "pip", "install", "-q", "--python", os.path.join(folder, "bin", "python"), "--offline",
          "--no-index", "--find-links", wheels_folder(), "--no-deps", "--link-mode", "hardlink",
          "--compile-bytecode", *pins.split()], settings)
    with open(os.path.join(folder, "made-from"), "w") as file:
        file.write(pins)


def _uv() -> str:
    """The program uv, out of its wheel."""
    path = os.path.join(cache_folder(), "uv")
    if not os.access(path, os.X_OK):
        with zipfile.ZipFile(_wheel("uv", "3.11")) as archive:
            name = next(name for name in archive.namelist() if name.endswith("/scripts/uv"))
            with open(path + ".new", "wb") as file:
                file.write(archive.read(name))
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)
    return path


def _wheel(requirement: str, python: str) -> str:
    """One wheel without its dependencies, for an interpreter that need not be here."""
    name, _, version = requirement.partition("==")
    names = [name.replace(".", "_"), name.replace(".", "?").replace("-", "_")]
    for attempt in range(2):
        found = [path for one in names
                 for path in glob.glob(os.path.join(wheels_folder(), f"{one}-{version or '*'}-*.whl"))]
        if found:
            return max(found)
        if attempt == 0:
            _pip(sys.executable, "download", "--no-deps", "--ignore-requires-python", "-d",
                 wheels_folder(), requirement)
    raise Unavailable(f"pip fetched {requirement}, and no such wheel is there")


def _pip(python: str, *words: str) -> None:
    _run([python, "-m", "pip", "-q", "--disable-pip-version-check", *words])


def _run(command: list[str], settings: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS_MAX,
                              env=os.environ | (settings or {}))
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"`{' '.join(command[:6])} ...`: {error}") from None
    if done.returncode != 0:
        lines = (done.stderr.strip() or "no message").splitlines()
        raise Unavailable(f"`{' '.join(command[:6])} ...` failed:\n  " + "\n  ".join(lines[-5:])
                          + "\n  The index is the one of pip's own configuration.")


def _answer(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def main() -> int:
    try:
        for release in SERVERS:
            print(ensure(release).folder)
    except Unavailable as error:
        print(f"The Backend.AI releases are not to be had: {error}", file=sys.stderr)
        return 1
    return 0

