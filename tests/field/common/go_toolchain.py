"""A Go that is new enough: the machine's own, or one from the Go module proxy, kept in the cache.

`ensure("1.24.0")` answers the path of a `go` of that release or a later one. Debian 12 packages Go 1.19,
which can neither build what needs 1.24 or 1.25 nor fetch a newer Go by itself. The proxy serves whole
toolchains as modules. The sum below is the one of Go's checksum database; a download that has another
is refused. Several processes may call it at once.
"""

import base64
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

from limits import scaled

VERSION = "1.25.7"
MODULE = "golang.org/toolchain"
MODULE_VERSION = f"v0.0.1-go{VERSION}.linux-amd64"
SUM = "h1:Rn6vCeMS5u+S9P/orrxlLZKvBseZDeUz/S2Jyj+B1EQ="
OWN_PLACES = "/usr/local/go/bin"  # where Go's own installer puts it, outside PATH
DOWNLOAD_SECONDS_MAX = scaled(300)  # 80 MB
ZIP_BYTES_MAX = 200 << 20
PROGRAMS = ("bin/", "pkg/tool/")  # a module's zip keeps no modes


class Unavailable(Exception):
    """There is no such Go, and none can be had; the text says why and what helps."""


def ensure(wanted: str) -> str:
    """The path of a `go` of release `wanted` or later. Raises Unavailable."""
    own = shutil.which("go") or shutil.which("go", path=OWN_PLACES)
    if own and _is_enough(_version_of(own), wanted):
        return own
    if not _is_enough(VERSION, wanted) or platform.machine() != "x86_64" or sys.platform != "linux":
        raise Unavailable(f"there is no Go {wanted} on this machine.\n  Install Go {wanted} or later.")
    return _ensure_cached()


def _is_enough(version: str, wanted: str) -> bool:
    return _numbers(version) >= _numbers(wanted)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _said_by(go: str, *words: str) -> str:
    return subprocess.run([go, *words], capture_output=True, text=True, timeout=scaled(30),
                          env=os.environ | {"GOTOOLCHAIN": "local"}).stdout


def _version_of(go: str) -> str:
    found = re.search(r"\bgo([\d.]+)", _said_by(go, "version"))
    return found[1] if found else "0"


def _folder() -> str:
    top = os.environ.get("DRYDOCK_CACHE") or os.environ.get("XDG_CACHE_HOME")
    top = os.path.abspath(top or os.path.expanduser("~/.cache"))
    return os.path.join(top, "drydock", "go", VERSION)


def _ensure_cached() -> str:
    go = os.path.join(_folder(), "bin", "go")
    parent = os.path.dirname(_folder())
    os.makedirs(parent, exist_ok=True)
    with open(os.path.join(parent, "download.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.access(go, os.X_OK):
            print(f"Go {VERSION}: downloading 80 MB ...", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(prefix="part-", dir=parent) as work:
                _download(os.path.join(work, "zip"))
                os.rename(_unpack(os.path.join(work, "zip"), work), _folder())
    return go


def _proxies() -> list[str]:
    """The proxies that Go would ask, in its order; `direct` and `off` are none. An old Go knows its default."""
    own = shutil.which("go")
    listed = re.split(r"[,|]", os.environ.get("GOPROXY") or (_said_by(own, "env", "GOPROXY").strip() if own else ""))
    return [one.rstrip("/") for one in listed if one.startswith(("http://", "https://"))]


def _download(path: str) -> None:
    problems = []
    for proxy in _proxies():
        try:
            _fetch(f"{proxy}/{MODULE}/@v/{MODULE_VERSION}.zip", path)
            return
        except (OSError, ValueError) as problem:  # URLError is an OSError
            problems.append(f"{proxy}: {problem}")
    raise Unavailable(f"Go {VERSION} could not be downloaded: {'; '.join(problems) or 'GOPROXY names no proxy'}.\n"
                      "  Install Go 1.25 or later; or Debian's golang-go, which knows a proxy; or name one in GOPROXY.")


def _fetch(url: str, path: str) -> None:
    """By curl, which has a limit for the whole; urllib's is for each read."""
    done = subprocess.run(["curl", "-sSfL", "--max-time", str(int(DOWNLOAD_SECONDS_MAX)), "--max-filesize",
                           str(ZIP_BYTES_MAX), "-o", path, url], capture_output=True, text=True)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip() or f"curl ended with {done.returncode}")


def _sum_of(archive: zipfile.ZipFile) -> str:
    """Go's sum of a module: the SHA-256 of the list of its files with theirs."""
    listed = hashlib.sha256()
    for name in sorted(archive.namelist()):
        listed.update(f"{hashlib.sha256(archive.read(name)).hexdigest()}  {name}\n".encode())
    return "h1:" + base64.b64encode(listed.digest()).decode()


def _unpack(path: str, work: str) -> str:
    """The folder of the toolchain, with its modes and names as Go itself unpacks it."""
    with zipfile.ZipFile(path) as archive:
        if (found := _sum_of(archive)) != SUM:
            raise Unavailable(f"the downloaded Go has the sum {found}, not {SUM}.\n  Look what stands "
                              "between this machine and the module proxy.")
        archive.extractall(work)
    folder = os.path.join(work, f"{MODULE}@{MODULE_VERSION}")
    for parent, _, names in os.walk(folder):
        for name in names:
            file = os.path.join(parent, name)
            if os.path.relpath(file, folder).startswith(PROGRAMS):
                os.chmod(file, 0o755)
            if name == "_go.mod":  # a module cannot have modules inside
                os.rename(file, os.path.join(parent, "go.mod"))
    return folder
