"""Ports on loopback, waiting, and the ends of logs: what a cluster on one machine needs."""

import contextlib
import fcntl
import os
import random
import socket
import tempfile
import time
from typing import Callable

PORT_MIN = 20000  # to the kernel's range for outgoing connections, which would take a port any time
RESERVED: list[int] = []  # open locks of ports


def wait_until(condition: Callable[[], bool], within: float, otherwise: Callable[[], str],
               every: float = 0.005) -> None:
    """Polls until the condition holds; TimeoutError with the text of `otherwise` if it never does."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {within:g} s: {otherwise()}")
        time.sleep(every)


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody listens on, below those the kernel gives to connections.

    They stay this process's until it ends: a test beside it does not take the port of a member that is down for a moment.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        end = int(file.read().split()[0])
    candidates = range(PORT_MIN, end) if end > PORT_MIN + 2000 else range(PORT_MIN, 30000)
    found: list[int] = []
    for port in random.sample(candidates, len(candidates)):
        if is_free(port) and reserve(port):
            found.append(port)
            if len(found) == count:
                return found
    raise LookupError(f"no {count} free ports from {PORT_MIN} on")


def reserve(port: int) -> bool:
    """Whether the port is this process's now: no other test on this machine has its lock."""
    folder = os.path.join(tempfile.gettempdir(), "drydock-ports")
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder)
        os.chmod(folder, 0o1777)  # tests of several users share it
    try:
        lock = os.open(os.path.join(folder, str(port)), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        return False  # another user's
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    RESERVED.append(lock)
    return True


def is_free(port: int, address: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers themselves listen
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


def tail(path: str, lines: int = 5) -> list[str]:
    with contextlib.suppress(OSError), open(path, errors="replace") as file:
        return file.readlines()[-lines:]
    return []
