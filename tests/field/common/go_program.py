"""A program built once from the Go module proxy and kept outside the repository.

    program = Program("versitygw", folder, module="github.com/versity/versitygw", ...)
    program.ensure()                        # the folder with its parts; raises Unavailable

The folder of the sources has a go.mod that names the release of the module, and a go.sum that says what
every module must be. Only a machine without a Go that is new enough needs one first (go_toolchain.py).
Several processes may call it at once.
"""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import go_toolchain


# No function is inlined, and nothing is written for a debugger: half of the compiler's time (for three large packages of
# Kubernetes 6.9 s instead of 13.9 s), smaller programs, and servers that answer the tests as quickly.
CHEAP = "-gcflags=all=-l -dwarf=false"


class Unavailable(Exception):
    """The program is neither cached nor can it be built; the text says why and what helps."""


@dataclass(frozen=True)
class Program:
    """What is built, and how. `parts` are the names under which it is called."""

    name: str
    sources: str  # the folder with go.mod and go.sum
    module: str  # whose release is that of the program
    package: str  # as `go build` takes it
    parts: Sequence[str]
    seconds_max: float
    how_to_build: str
    flags: Sequence[str] = ()  # of `go build`, besides those of all
    linker_flags: str = ""  # besides those of all; {version} is the release
    environment: dict[str, str] = field(default_factory=dict)

    def version(self) -> str:
        return self._in_go_mod(rf"{re.escape(self.module)} v(\S+)", f"version of {self.module}")

    def folder(self) -> str:
        """Where it is kept, shared by all clones of one user whose sources are the same."""
        top = os.environ.get("DRYDOCK_CACHE") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        return os.path.join(os.path.abspath(top), "drydock", self.name, f"{self.version()}-{self._digest()}")

    def is_cached(self) -> bool:
        return all(os.access(os.path.join(self.folder(), part), os.X_OK) for part in self.parts)

    def ensure(self, may_build: bool = True) -> str:
        """The folder of the parts; builds them if they are missing and it may. Raises Unavailable."""
        if self.is_cached():
            return self.folder()
        if not may_build:
            raise Unavailable(f"{self.name} is not built yet, which takes minutes.\n  Build it once: {self.how_to_build}.")
        parent = os.path.dirname(self.folder())
        os.makedirs(parent, exist_ok=True)
        with open(os.path.join(parent, "build.lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.is_cached():
                self._build()
        return self.folder()

    def main(self) -> int:
        """Builds it and prints its folder; with --if-possible its lack is no failure: the tests are then skipped."""
        try:
            print(self.ensure())
        except Unavailable as error:
            print(f"{self.name} is not to be had: {error}", file=sys.stderr)
            return 0 if "--if-possible" in sys.argv else 1
        return 0

    def _in_go_mod(self, pattern: str, what: str) -> str:
        path = os.path.join(self.sources, "go.mod")
        with open(path, encoding="utf-8") as file:
            found = re.search(pattern, file.read(), re.MULTILINE)
        if not found:
            raise Unavailable(f"{path} names no {what}.")
        return found[1]

    def _digest(self) -> str:
        """Of the sources, so that a changed one is built anew."""
        digest = hashlib.sha256()
        for name in ("go.mod", "go.sum", "main.go"):
            if os.path.exists(os.path.join(self.sources, name)):
                with open(os.path.join(self.sources, name), "rb") as file:
                    digest.update(file.read())
        return digest.hexdigest()[:12]

    def _build(self) -> None:
        try:
            go = go_toolchain.ensure(self._in_go_mod(r"^go (\S+)$", "version of Go"))
        except go_toolchain.Unavailable as error:
            raise Unavailable(str(error)) from error
        print(f"{self.name} {self.version()}: building, which takes minutes ...", file=sys.stderr, flush=True)
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="part-", dir=os.path.dirname(self.folder())) as work:
            made = os.path.join(work, "made")
            os.mkdir(made)
            linker = f"-s -w {self.linker_flags.format(version=self.version())}".strip()
            self._run([go, "build", "-trimpath", "-buildvcs=false", "-mod=readonly", *self.flags, "-ldflags", linker,
                       "-o", os.path.join(made, self.name), self.package])
            for part in self.parts:
                if part != self.name:
                    os.symlink(self.name, os.path.join(made, part))
            os.rename(made, self.folder())
        print(f"{self.name} {self.version()}: built in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    def _run(self, command: list[str]) -> None:
        environment = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""} | self.environment
        try:
            done = subprocess.run(["nice", "-n", "10", *command], cwd=self.sources, capture_output=True, text=True,
                                  timeout=self.seconds_max, env=environment, check=False)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"the build took over {self.seconds_max:.0f} s.\n  Try again: what was compiled is "
                              "kept.") from None
        if done.returncode != 0:
            raise Unavailable(f"the build failed:\n  {done.stderr.strip()[-1500:]}\n"
                              "  Check that the module proxy that `go env GOPROXY` names is reachable.")
