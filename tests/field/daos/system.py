"""One DAOS system of the double: its state in a file under a lock, and what becomes of it. Start here.

    system = System("/tmp/x")          # a folder; `state.json` and the data of the containers lie in it
    with system.change() as state:     # read, change, write back: one command at a time
        state["pools"]

A release is a text such as 2.0.3. The double knows a release by its series only, as the rules of DAOS do.
"""

import contextlib
import fcntl
import json
import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

State = dict[str, Any]
# Of each series: the generation of the storage's format, and the global version of its pools. Those of 1.x have none.
SERIES = {"1.0": ("1.0", None), "1.2": ("1.2", None), "2.0": ("2", 0), "2.2": ("2", 1), "2.4": ("2", 2), "2.6": ("2", 3), "2.8": ("2", 4)}
NOT_STARTED, IN_PROGRESS, COMPLETED, FAILED = "not started", "in progress", "completed", "failed"


class Refused(Exception):
    """DAOS says no. The text is what its commands print behind ERROR."""


def own_release() -> str:
    """The release whose folder this file is in, as install.py put it there."""
    return os.path.basename(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


def series(release: str) -> str:
    return ".".join(release.split(".")[:2])


def storage_format(release: str) -> str:
    return SERIES[series(release)][0]


def global_version(release: str) -> int | None:
    return SERIES[series(release)][1]


def config_values(path: str) -> dict[str, str]:
    """The `key: value` lines of a configuration file. The double's own are `system` (a folder) and `rank`."""
    with open(path, encoding="utf-8") as file:
        return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in file) if value.strip()}


class System:
    def __init__(self, folder: str):
        self.folder = folder

    @staticmethod
    def make(folder: str, ranks: int, upgrade_seconds: float = 0.5) -> "System":
        """A system of servers that never ran. A pool upgrade takes so many seconds."""
        os.makedirs(os.path.join(folder, "data"), exist_ok=True)
        os.makedirs(os.path.join(folder, "servers"), exist_ok=True)
        rows = [{"rank": rank, "uuid": str(uuid.uuid4()), "state": "Stopped", "reason": ""} for rank in range(ranks)]
        system = System(folder)
        system._write({"format": None, "ranks": rows, "pools": [], "upgrade_seconds": upgrade_seconds, "fail_upgrades": 0})
        return system

    @contextlib.contextmanager
    def change(self) -> Iterator[State]:
        with open(os.path.join(self.folder, "lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with open(os.path.join(self.folder, "state.json"), encoding="utf-8") as file:
                state = json.load(file)
            self._advance(state)
            yield state
            self._write(state)

    def running(self) -> dict[int, str]:
        """The rank of each daos_server that runs, with its release."""
        found = {}
        for name in os.listdir(os.path.join(self.folder, "servers")):
            with open(os.path.join(self.folder, "servers", name), encoding="utf-8") as file:
                if _is_locked(file.fileno()):
                    found[int(name)] = file.read().strip()
        return found

    def data(self, pool: State, container: State) -> str:
        return os.path.join(self.folder, "data", pool["uuid"], container["uuid"])

    # Inside

    def _write(self, state: State) -> None:
        path = os.path.join(self.folder, "state.json")
        with open(path + ".part", "w", encoding="utf-8") as file:
            json.dump(state, file, indent=1)
        os.replace(path + ".part", path)

    def _advance(self, state: State) -> None:
        """Upgrades go on by themselves, but only while somebody serves: a leader that was restarted resumes."""
        running = self.running()
        for row in state["ranks"]:
            if row["state"] == "Joined" and row["rank"] not in running:
                row.update(state="Unresponsive", reason="")
        joined = any(row["state"] == "Joined" for row in state["ranks"])
        for pool in state["pools"]:
            if joined and pool["upgrade_status"] == IN_PROGRESS and time.time() >= pool["ready_at"]:
                _finish_upgrade(state, pool)


def _finish_upgrade(state: State, pool: State) -> None:
    if state["fail_upgrades"]:
        state["fail_upgrades"] -= 1
        pool["upgrade_status"] = FAILED
        return
    pool["global_version"] = pool["upgrade_global_version"]
    pool["upgrade_status"] = COMPLETED


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: those who ask do not see each other
    except BlockingIOError:
        return True
    return False


# Pools and containers

def find(entries: list[State], name: str, what: str) -> State:
    """By label or UUID."""
    for one in entries:
        if name and name in (one["label"], one["uuid"]):
            return one
    raise Refused(f"unable to find {what} with label or UUID {name!r}: DER_NONEXIST(-1005): The specified entity does not exist")


def new_pool(release: str, label: str, owner: str, group: str) -> State:
    version = global_version(release)
    return {"label": label, "uuid": str(uuid.uuid4()), "owner": owner, "group": group, "size": "3.0 GB",
            "acl": ["A::OWNER@:rw", "A:G:GROUP@:rw"], "properties": {}, "attributes": {}, "containers": [],
            "global_version": version, "upgrade_global_version": version, "upgrade_status": NOT_STARTED, "ready_at": 0, "evicted": 0}


def new_container(label: str, kind: str, owner: str, group: str) -> State:
    return {"label": label, "uuid": str(uuid.uuid4()), "type": kind, "owner": owner, "group": group,
            "acl": ["A::OWNER@:rwdtTaAo", "A:G:GROUP@:rwtT"], "properties": {}, "attributes": {}}


def require_pool(state: State, release: str, name: str) -> State:
    """A pool that can be connected to. While it is upgraded nobody can, nor behind an upgrade that failed."""
    pool = find(state["pools"], name, "pool")
    own = global_version(release)
    if pool["global_version"] is not None and own is not None and pool["global_version"] > own:
        raise Refused("client supported pool layout version is lower than the pool's: try to upgrade client firstly")
    if pool["upgrade_status"] in (IN_PROGRESS, FAILED):
        raise Refused("DER_BUSY(-1012): Device or resource busy")
    return pool


def begin_upgrade(state: State, pool: State, release: str) -> None:
    """What `dmg pool upgrade` asks the pool for. Nothing if it is there already."""
    own, found = global_version(release), pool["global_version"]
    if own is None:
        raise Refused("unknown command `upgrade'")
    if pool["upgrade_status"] == IN_PROGRESS:
        raise Refused("pool upgrade failed: DER_INPROGRESS(-2024): Operation in progress")
    if found > own:
        raise Refused("pool upgrade failed: downgrading pool is unsupported: DER_NOTSUPPORTED(-1020): Operation not supported")
    if found + 1 < own:
        raise Refused(f"pool upgrade failed: upgrading pool {found} -> {own} is unsupported, upgrade to {found + 1} first: "
                      "DER_NOTSUPPORTED(-1020): Operation not supported")
    if found == own:
        return
    pool.update(upgrade_global_version=own, upgrade_status=IN_PROGRESS, ready_at=time.time() + state["upgrade_seconds"])
