"""A real Kubernetes API server, built once from the Go module proxy and kept outside the repository.

`ensure()` builds ./server, whose go.sum says what every module must be, and answers the folder

    <cache>/1.33.13/{kube-apiserver,kube-controller-manager,kubectl}    links to one program

The first build takes about five minutes on two cores and 3 GB of Go's own caches; a second call only
looks at the links. Several processes may call it at once.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "common"))

from limits import scaled  # noqa: E402  (in ../common)

PARTS = ("kube-apiserver", "kube-controller-manager", "kubectl")
SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "server")
BUILD_SECONDS_MAX = scaled(1400)  # 300 s on an idle machine


class Unavailable(Exception):
    """The program is neither cached nor can it be built; the text says why and what helps."""


def version() -> str:
    with open(os.path.join(SERVER, "go.mod")) as file:
        found = re.search(r"k8s\.io/kubernetes v(\S+)", file.read())
    if not found:
        raise Unavailable(f"{SERVER}/go.mod names no version of k8s.io/kubernetes.")
    return found[1]


def folder() -> str:
    """Where the program is kept, shared by all clones of one user whose sources are the same."""
    top = os.environ.get("DRYDOCK_CACHE") or os.environ.get("XDG_CACHE_HOME")
    top = os.path.abspath(top or os.path.expanduser("~/.cache"))
    return os.path.join(top, "drydock", "kubernetes", f"{version()}-{_digest()}")


def is_cached() -> bool:
    return all(os.access(os.path.join(folder(), part), os.X_OK) for part in PARTS)


def ensure() -> str:
    """The folder of the programs; builds them if they are missing. Raises Unavailable."""
    if is_cached():
        return folder()
    os.makedirs(os.path.dirname(folder()), exist_ok=True)
    with open(os.path.join(os.path.dirname(folder()), "build.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_cached():
            _build()
    return folder()


def _digest() -> str:
    """Of the sources, so that a changed one is built anew."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        with open(os.path.join(SERVER, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()[:12]


def _build() -> None:
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if not go:
        raise Unavailable("there is no Go on this machine.\n  Install Go 1.24 or later.")
    print(f"kubernetes {version()}: building, some five minutes ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="part-", dir=os.path.dirname(folder())) as work:
        made = os.path.join(work, "made")
        os.mkdir(made)
        _run([go, "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags",
              f"-s -w -X k8s.io/component-base/version.gitVersion=v{version()}",
              "-o", os.path.join(made, "kubernetes"), "."])
        for part in PARTS:
            os.symlink("kubernetes", os.path.join(made, part))
        os.rename(made, folder())


def _run(command: list[str]) -> None:
    environment = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    try:
        done = subprocess.run(["nice", "-n", "19", *command], cwd=SERVER, capture_output=True,
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
