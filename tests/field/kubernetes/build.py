"""A real Kubernetes API server, built once from the Go module proxy and kept outside the repository.

`ensure()` builds ./server, whose go.sum says what every module must be, and answers the folder

    <cache>/1.33.13/{kube-apiserver,kube-controller-manager,kubectl}    links to one program

The first build takes less than five minutes on two idle cores and 3 GB of Go's own caches; a second call
only looks at the links. A machine without Go 1.24 gets one into the cache first (../common/go_toolchain.py).
Several processes may call it at once.
"""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import tempfile

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "common"))

import go_toolchain  # noqa: E402  (in ../common, like the next one)
from limits import scaled  # noqa: E402

PARTS = ("kube-apiserver", "kube-controller-manager", "kubectl")
SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "server")
BUILD_SECONDS_MAX = scaled(1400)
# No function is inlined, and nothing is written for a debugger: half of the compiler's time (6.9 s instead of 13.9 s for three
# large packages), 107 MB instead of 121, and a server that is ready as soon and answers the tests as quickly.
CHEAP = "all=-l -dwarf=false"


class Unavailable(Exception):
    """The program is neither cached nor can it be built; the text says why and what helps."""


def version() -> str:
    return _in_go_mod(r"k8s\.io/kubernetes v(\S+)", "version of k8s.io/kubernetes")


def folder() -> str:
    """Where the program is kept, shared by all clones of one user whose sources are the same."""
    top = os.environ.get("DRYDOCK_CACHE") or os.environ.get("XDG_CACHE_HOME")
    top = os.path.abspath(top or os.path.expanduser("~/.cache"))
    return os.path.join(top, "drydock", "kubernetes", f"{version()}-{_digest()}")


def is_cached() -> bool:
    return all(os.access(os.path.join(folder(), part), os.X_OK) for part in PARTS)


def ensure(may_build: bool = True) -> str:
    """The folder of the programs; builds them if they are missing and it may. Raises Unavailable."""
    if is_cached():
        return folder()
    if not may_build:
        raise Unavailable("it is not built yet, which takes minutes.\n  Build it once: "
                          "tests/field/kubernetes/prepare_cache, or ./dev test kubernetes-full.")
    os.makedirs(os.path.dirname(folder()), exist_ok=True)
    with open(os.path.join(os.path.dirname(folder()), "build.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_cached():
            _build()
    return folder()


def _in_go_mod(pattern: str, what: str) -> str:
    with open(os.path.join(SERVER, "go.mod")) as file:
        found = re.search(pattern, file.read(), re.MULTILINE)
    if not found:
        raise Unavailable(f"{SERVER}/go.mod names no {what}.")
    return found[1]


def _go() -> str:
    try:
        return go_toolchain.ensure(_in_go_mod(r"^go (\S+)$", "version of Go"))
    except go_toolchain.Unavailable as error:
        raise Unavailable(str(error)) from error


def _digest() -> str:
    """Of the sources, so that a changed one is built anew."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        with open(os.path.join(SERVER, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()[:12]


def _build() -> None:
    go = _go()
    print(f"kubernetes {version()}: building, which takes minutes ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="part-", dir=os.path.dirname(folder())) as work:
        made = os.path.join(work, "made")
        os.mkdir(made)
        _run([go, "build", "-trimpath", "-buildvcs=false", "-mod=readonly", f"-gcflags={CHEAP}", "-ldflags",
              f"-s -w -X k8s.io/component-base/version.gitVersion=v{version()}",
              "-o", os.path.join(made, "kubernetes"), "."])
        for part in PARTS:
            os.symlink("kubernetes", os.path.join(made, part))
        os.rename(made, folder())


def _run(command: list[str]) -> None:
    # GOGC: memory for the compiler, of which two run at a time, against its time.
    environment = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOGC": "200"}
    try:
        done = subprocess.run(["nice", "-n", "10", *command], cwd=SERVER, capture_output=True,
                              text=True, timeout=BUILD_SECONDS_MAX, env=environment)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the build took over {BUILD_SECONDS_MAX} s.\n  Try again: what was "
                          "compiled is kept.") from None
    if done.returncode != 0:
        raise Unavailable(f"the build failed:\n  {done.stderr.strip()[-1500:]}\n"
                          "  Check that the module proxy that `go env GOPROXY` names is reachable.")


def main() -> int:
    try:
        print(ensure())
    except Unavailable as error:
        print(f"The API server is not to be had: {error}", file=sys.stderr)
        return 0 if "--if-possible" in sys.argv else 1  # the tests are then skipped, with the reason
    return 0
