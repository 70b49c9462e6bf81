"""The drydock that is tested: running it, and killing it."""

import os
import subprocess
import sys
import tempfile
import unittest
from typing import IO, NamedTuple

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.append(os.path.join(ROOT, "tests", "field", "common"))

from limits import scaled  # noqa: E402  (found by the line above)

RUN_SECONDS_MAX = scaled(120)

os.environ.setdefault("DRYDOCK_TRUST", "1")  # these tests wrote their cluster files themselves
os.environ.setdefault("DRYDOCK_SYSLOG", "off")  # the machine's log is not theirs

DONE, NO, USAGE, WAITS, HALTED, MOVED = range(6)  # drydock's exit codes
KILLED = -9


class Run(NamedTuple):
    """What a run of drydock gave: its exit code (negative: the signal that ended it) and output."""

    code: int
    stdout: str
    stderr: str

    def text(self) -> str:
        return f"exit {self.code}\n{self.stdout}{self.stderr}"


def program() -> str:
    """The drydock that is tested: $DRYDOCK, else build/drydock."""
    return os.environ.get("DRYDOCK") or os.path.join(ROOT, "build", "drydock")


def require_program() -> None:
    """Skips the tests that need it where it was not built."""
    if not os.access(program(), os.X_OK):
        raise unittest.SkipTest(f"{program()} is not built; ./dev build makes it")


class Running:
    """A drydock that runs: wait() for it, or kill() it."""

    def __init__(self, args: list[str], scratch: str, env: dict[str, str] | None = None):
        """Starts it in its own session, marked as belonging to `scratch`, which is its folder."""
        self.args = args
        # Files, not pipes: what drydock leaves running on purpose may hold its output open.
        self._output, self._errors = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [program(), *args], cwd=scratch, stdin=subprocess.DEVNULL, stdout=self._output,
            stderr=self._errors, start_new_session=True,
            env=os.environ | {"DRYDOCK_SCRATCH": scratch, "NO_COLOR": "1"} | (env or {}))

    def wait(self, timeout: float = RUN_SECONDS_MAX) -> Run:
        """Its exit code and output, once; one that hangs is killed and fails the test."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"drydock {' '.join(self.args)} did not end in {timeout:g} s; "
                                 + self.kill().text()) from None
        return Run(self.process.returncode, _whole(self._output), _whole(self._errors))

    def kill(self) -> Run:
        """kill -9 of this process alone, not of what it started."""
        self.process.kill()
        self.process.wait()
        return Run(self.process.returncode, _whole(self._output), _whole(self._errors))


def _whole(file: IO[str]) -> str:
    with file:
        file.seek(0)
        return file.read()


def run_drydock(args: list[str], scratch: str, env: dict[str, str] | None = None,
                timeout: float = RUN_SECONDS_MAX) -> Run:
    """Runs drydock to its end."""
    return Running(args, scratch, env).wait(timeout)
