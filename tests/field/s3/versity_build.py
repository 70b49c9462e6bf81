"""A real versitygw, built once from the Go module proxy and kept outside the repository.

`ensure()` builds ./versitygw, whose go.sum says what every module must be, and answers the path of the
program. Only a machine without Go 1.25 needs a Go first (../common/go_toolchain.py). Several processes
may call it at once.
"""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "common"))

import go_toolchain  # noqa: E402  (found by the line above)
from limits import scaled  # noqa: E402

MODULE = os.path.join(HERE, "versitygw")
PACKAGE = "github.com/versity/versitygw"
BUILD_SECONDS_MAX = scaled(400)


class Unavailable(Exception):
    """The program is neither cached nor can it be built; the text says why and what helps."""


def _in_go_mod(pattern: str) -> str:
    with open(os.path.join(MODULE, "go.mod"), encoding="utf-8") as file:
        found = re.search(pattern, file.read(), re.MULTILINE)
    if not found:
        raise Unavailable(f"{MODULE}/go.mod lacks {pattern}.")
    return found[1]


def version() -> str:
    return _in_go_mod(rf"{re.escape(PACKAGE)} v(\S+)")


def path() -> str:
    """Where the program is kept, shared by all clones of one user whose sources are the same."""
    top = os.environ.get("DRYDOCK_CACHE") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        with open(os.path.join(MODULE, name), "rb") as file:
            digest.update(file.read())
    return os.path.join(os.path.abspath(top), "drydock", "versitygw", f"{version()}-{digest.hexdigest()[:12]}", "versitygw")


def ensure(may_build: bool = True) -> str:
    """The path of the program; builds it if it is missing and it may. Raises Unavailable."""
    program = path()
    if os.access(program, os.X_OK):
        return program
    if not may_build:
        raise Unavailable("versitygw is not built yet, which takes minutes.\n  Build it once: "
                          "tests/field/s3/prepare_cache, or ./dev test store-full.")
    parent = os.path.dirname(os.path.dirname(program))
    os.makedirs(parent, exist_ok=True)
    with open(os.path.join(parent, "build.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.access(program, os.X_OK):
            _build(program)
    return program


def _build(program: str) -> None:
    try:
        go = go_toolchain.ensure(_in_go_mod(r"^go (\S+)$"))
    except go_toolchain.Unavailable as error:
        raise Unavailable(str(error)) from error
    print(f"versitygw {version()}: building, some two minutes ...", file=sys.stderr, flush=True)
    began = time.monotonic()
    folder = os.path.dirname(program)
    with tempfile.TemporaryDirectory(prefix="part-", dir=os.path.dirname(folder)) as work:
        made = os.path.join(work, "made")
        _run([go, "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", "-s -w", "-o",
              os.path.join(made, "versitygw"), PACKAGE + "/cmd/versitygw"])
        os.rename(made, folder)
    print(f"versitygw {version()}: built in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _run(command: list[str]) -> None:
    environment = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    try:
        done = subprocess.run(["nice", "-n", "19", *command], cwd=MODULE, capture_output=True, text=True,
                              timeout=BUILD_SECONDS_MAX, env=environment, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the build took over {BUILD_SECONDS_MAX:.0f} s.\n  Try again: what was compiled is "
                          "kept.") from None
    if done.returncode != 0:
        raise Unavailable(f"the build failed:\n  {done.stderr.strip()[-1500:]}\n"
                          "  Check that the module proxy that `go env GOPROXY` names is reachable.")


def main() -> int:
    try:
        print(ensure())
    except Unavailable as error:
        print(f"versitygw is not to be had: {error}", file=sys.stderr)
        return 0 if "--if-possible" in sys.argv else 1  # the tests are then skipped, with the reason
    return 0
