"""Finding and ending the processes that belong to one scratch folder, by pid.

Members are started by the tests, by drydock, by its agents: nobody holds all the pids. What they
have in common is the scratch folder's path: in their command line, in the folder they run in, or in
DRYDOCK_SCRATCH of their environment. A Watch does the same clean-up when the test itself is killed.
"""

import os
import signal
import subprocess
import sys
import time

from limits import scaled

OURS = ("etcd", "etcdctl", "etcdutl", "etcd_load", "java", "drydock")
END_SECONDS_MAX = scaled(10)


def command_line(pid: int) -> list[str]:
    """The arguments of a process; empty when it is gone, a zombie or a kernel thread."""
    return [os.fsdecode(word) for word in _read(pid, "cmdline").split(b"\0")[:-1]]


def folder_of(pid: int) -> str:
    """The folder that a process runs in; empty when it is gone."""
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def running_in(folder: str, program: str) -> list[int]:
    """The processes of a program ("java") that run in a folder itself."""
    return [pid for pid in _all() if folder_of(pid) == folder
            and (words := command_line(pid)) and os.path.basename(words[0]) == program]


def holding(path: str) -> list[int]:
    """The processes with `path`, or something below it, in an argument (`--flag=path` counts)."""
    return [pid for pid in _all() if _names(command_line(pid), path)]


def of_scratch(base: str) -> list[int]:
    """Every process of a scratch folder and those below it, but for this one, those above it, and
    a Watch. Somebody's editor or `tail` on a file in there is spared: it has a terminal and is not
    ours."""
    spared = _ancestors()
    found = {pid for pid in _all() if pid not in spared and _belongs(pid, base)}
    parents = {pid: _parent(pid) for pid in _all() if command_line(pid)}
    while more := {pid for pid, parent in parents.items() if parent in found} - found - spared:
        found |= more
    return sorted(found)


def descendants(pid: int) -> list[int]:
    """The children of a process, their children, and so on; zombies too."""
    parents = {child: _parent(child) for child in _all()}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {pid})


def end_all(base: str) -> list[int]:
    """Kills (-9) every process of a scratch folder and waits until all are gone; their pids."""
    ended: set[int] = set()
    deadline = time.monotonic() + END_SECONDS_MAX
    while pids := of_scratch(base):
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {pids} of {base} do not end")
        for pid in pids:
            send(pid, signal.SIGKILL)
        ended.update(pids)
        time.sleep(0.005)
    return sorted(ended)


def send(pid: int, number: int) -> None:
    """Sends a signal; a process that is already gone is fine."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Watch:
    """A process that outlives this one and runs end_all(base) if this one dies without stop()."""

    def __init__(self, base: str):
        self._process = subprocess.Popen([sys.executable, __file__, base], stdin=subprocess.PIPE,
                                         start_new_session=True)

    def stop(self) -> None:
        if self._process.stdin and not self._process.stdin.closed:
            try:
                self._process.communicate(b"all is well")
            except BrokenPipeError:
                pass


def _all() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _read(pid: int, name: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return b""


def _names(words: list[str], path: str) -> bool:
    values = [word.split("=", 1)[-1] if word.startswith("-") else word for word in words]
    return any(_is_below(value, path) for value in values)


def _is_below(path: str, base: str) -> bool:
    return path == base or path.startswith(base + "/")


def _belongs(pid: int, base: str) -> bool:
    words = command_line(pid)
    if not words or __file__ in words:
        return False
    if f"DRYDOCK_SCRATCH={base}".encode() in _read(pid, "environ").split(b"\0"):
        return True
    ours = os.path.basename(words[0]) in OURS
    return (_names(words, base) or _is_below(folder_of(pid), base)) \
        and (ours or not _has_terminal(pid))


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if len(fields) > 1 else 0


def _stat(pid: int) -> list[bytes]:
    return _read(pid, "stat").rpartition(b")")[2].split()  # state, parent, group, session, tty


def _has_terminal(pid: int) -> bool:
    fields = _stat(pid)
    return len(fields) > 4 and fields[4] != b"0"


def _ancestors() -> set[int]:
    found, pid = {os.getpid()}, os.getppid()
    while pid > 0 and pid not in found:
        found.add(pid)
        pid = _parent(pid)
    return found


if __name__ == "__main__":  # the Watch
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not sys.stdin.buffer.read():
        end_all(sys.argv[1])
