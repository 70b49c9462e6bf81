"""Prepared clusters: made once, restored in a blink.

Bootstrapping a cluster takes seconds, starting a stopped one a tenth of a second. A golden copy is a
cleanly stopped three-member 3.4 cluster with some keys in it, kept sparse (about 1 MB) in
<cache>/golden/<version>/<slot>. The members' peer ports are stored in their data, so a slot has its
own ports for good; a slot whose ports are taken by something else is made anew.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from typing import IO

import cluster
import releases

KEYS = 200
SLOTS_MAX = 16  # clusters running at once on one machine, at 100 MB of memory each


def golden(base: str, slot: int | None = None, fast: bool = True) -> cluster.Cluster:
    """A healthy 3.4 cluster with KEYS keys (g/<number>) in `base`, restored from a slot.

    The slot (the first free one when None) is this cluster's until it is closed."""
    number, lock = _take(slot)
    try:
        made = _restore(base, number, fast)
    except BaseException:
        lock.close()
        raise
    made.on_close.callback(lock.close)
    return made


def _restore(base: str, slot: int, fast: bool) -> cluster.Cluster:
    folder = _folder(slot)
    ports = _ports(folder)
    if not ports or not all(map(cluster.is_free, ports)):
        ports = _make(folder)
    made = cluster.Cluster(base, fast=fast, ports=ports)
    try:
        made.install("3.4")
        for member in made.members.values():
            subprocess.run(["cp", "-a", "--sparse=always", os.path.join(folder, member.name),
                            member.data], check=True)
        made.start()
        made.wait_healthy()
    except BaseException:
        made.close()
        raise
    return made


def _make(folder: str) -> list[int]:
    """Prepares a slot; the rename at the end makes it complete or absent."""
    with contextlib.ExitStack() as cleanup:
        work = cleanup.enter_context(
            tempfile.TemporaryDirectory(prefix="part-", dir=os.path.dirname(folder)))
        fresh = cleanup.enter_context(cluster.Cluster(work, ports=_unused_ports()))
        fresh.install("3.4")
        fresh.start()
        fresh.wait_healthy()
        for number in range(KEYS):
            fresh.put(f"g/{number:04}", f"golden value {number}")
        cluster.wait_until(lambda: len(fresh.hashes()) == 1, 10, lambda: "the members differ")
        _stop_evenly(fresh)
        for member in fresh.members.values():
            subprocess.run(["cp", "-a", "--sparse=always", member.data,
                            os.path.join(work, "copy-" + member.name)], check=True)
        ports = [port for member in fresh.members.values()
                 for port in (member.client_port, member.peer_port)]
        _keep(work, list(fresh.members), ports, folder)
    return ports


def _stop_evenly(fresh: cluster.Cluster) -> None:
    """Stops all with the same raft term in their data. A follower left alone would campaign and
    raise its own: at the next start it then deposes the first leader, and a member whose first
    proposal is lost in that is not ready for 5 s. So: default (long) timeouts, leader last."""
    leader = fresh.leader()
    fresh.stop(*(name for name in fresh.members if name != leader))
    fresh.stop(leader)


def _keep(work: str, names: list[str], ports: list[int], folder: str) -> None:
    ready = os.path.join(work, "ready")
    os.mkdir(ready)
    for name in names:
        os.rename(os.path.join(work, "copy-" + name), os.path.join(ready, name))
    with open(os.path.join(ready, "ports.json"), "w") as file:
        json.dump(ports, file)
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(ready, folder)


def _folder(slot: int) -> str:
    version = releases.version_of(releases.ensure()["3.4"])
    return os.path.join(releases.cache_folder(), "golden", version, str(slot))


def _ports(folder: str) -> list[int]:
    with contextlib.suppress(OSError, ValueError), open(os.path.join(folder, "ports.json")) as file:
        return json.load(file)
    return []


def _unused_ports() -> list[int]:
    """Free ports that no other slot has claimed."""
    claimed = {port for slot in range(SLOTS_MAX) for port in _ports(_folder(slot))}
    return [port for port in cluster.free_ports(6 + len(claimed)) if port not in claimed][:6]


def _take(slot: int | None) -> tuple[int, IO[str]]:
    """Locks a slot; several test programs at once each get their own."""
    os.makedirs(os.path.dirname(_folder(0)), exist_ok=True)
    for number in range(SLOTS_MAX) if slot is None else [slot]:
        lock = open(_folder(number) + ".lock", "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (fcntl.LOCK_NB if slot is None else 0))
            return number, lock
        except BlockingIOError:
            lock.close()
    raise LookupError(f"all {SLOTS_MAX} slots for clusters are in use")
