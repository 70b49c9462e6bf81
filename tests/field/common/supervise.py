#!/usr/bin/env python3
"""Runs a Python test, and ends with it whatever it started: supervise.py TEST [WORD...]

ctest runs each Python test through this program. Three processes take part:

    launcher    the process that ctest knows; ctest kills it (-9) at the test's time limit
    watcher     in a session of its own; the reaper of all processes below it
    test        a child of the watcher

A pipe tells the watcher that the launcher is gone. The watcher then kills all its descendants. A
daemon that loses its parent becomes a child of the watcher (PR_SET_CHILD_SUBREAPER), so a new
session, a new process group or an empty environment hides nothing. Nothing else is killed.

The launcher dies with its own parent: a killed ctest takes its tests with it. A test that ends by
itself may leave processes that are about to end; after GRACE_SECONDS the rest is named and killed.
"""

import ctypes
import os
import resource
import select
import shlex
import signal
import sys
import time

import processes

GRACE_SECONDS = 3.0
END_SECONDS_MAX = 30.0
POLL_SECONDS = 0.01
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def main(words: list[str]) -> None:
    if not words:
        sys.exit("usage: supervise.py TEST [WORD...]")
    end_like(supervise([sys.executable, *words]))


def supervise(command: list[str]) -> int:
    """Runs the command below a watcher; returns its exit code, negative for a signal."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    alive_read, alive_write = os.pipe()
    status_read, status_write = os.pipe()
    if os.fork() == 0:
        os.close(alive_write)
        os.close(status_read)
        os._exit(Watcher(alive_read, status_write).run(command))
    os.close(alive_read)
    os.close(status_write)
    with open(status_read, encoding="ascii") as file:
        status = file.read()  # ends with the watcher
    return int(status) if status else 1


def end_like(code: int) -> None:
    """Ends this process as the test ended: by exit code or by signal."""
    sys.stdout.flush()
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def die_with_parent() -> None:
    parent = os.getppid()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


class Watcher:
    """The parent of the test, and of every process that loses its parent below it."""

    def __init__(self, alive: int, status: int):
        os.setsid()
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        self._alive, self._status = alive, status
        self._ended: dict[int, int] = {}  # by pid: exit code
        self._has_children = True

    def run(self, command: list[str]) -> int:
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write)
        test = os.posix_spawn(command[0], command, os.environ, setsid=True)
        while test not in self._ended:
            ready, _, _ = select.select([self._alive, wake_read], [], [])
            if self._alive in ready:
                return self._kill_all()
            os.read(wake_read, 4096)
            self._reap()
        os.write(self._status, str(self._ended[test]).encode())
        return self._end_the_rest()

    def _reap(self) -> None:
        """Collects the children that ended; at once, as init would."""
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0] != 0:
                self._ended[ended[0]] = os.waitstatus_to_exitcode(ended[1])
        except ChildProcessError:
            self._has_children = False

    def _end_the_rest(self) -> int:
        deadline = time.monotonic() + GRACE_SECONDS
        self._reap()
        while self._has_children and time.monotonic() < deadline and not self._is_alone():
            time.sleep(POLL_SECONDS)
            self._reap()
        for pid in processes.descendants(os.getpid()) if self._has_children else []:
            if words := processes.command_line(pid):
                print(f"supervise: ended what the test left running: {pid} {shlex.join(words)[:200]}", file=sys.stderr,
                      flush=True)
        return self._kill_all()

    def _is_alone(self) -> bool:
        """True if the launcher is gone."""
        return bool(select.select([self._alive], [], [], 0)[0])

    def _kill_all(self) -> int:
        """Kills descendants until there is none. No descendant survives its last child."""
        deadline = time.monotonic() + END_SECONDS_MAX
        self._reap()
        while self._has_children:
            if time.monotonic() > deadline:
                print(f"supervise: do not end: {processes.descendants(os.getpid())}", file=sys.stderr, flush=True)
                return 1
            for pid in processes.descendants(os.getpid()):
                try:
                    processes.send(pid, signal.SIGKILL)
                except PermissionError:  # another user's; its parent is ended, and often it ends with it
                    pass
            time.sleep(POLL_SECONDS)
            self._reap()
        return 0


if __name__ == "__main__":
    main(sys.argv[1:])
