"""Saved clusters: made once in two minutes, restored and running in ten seconds.

A saved cluster is what its members' data folders hold when they are stopped, 4 MB, at one of these
moments, each with the keys "golden" of keys.py in it:

    initialised     on A, stopped as it ran
    prepared        on A, its OMs prepared for an upgrade
    pre-finalized   on B, on A's layouts, out of prepare mode; also the keys "golden-new", by B

    <cache>/golden/<shape>/<moment>/<member>     and known.json: what they were made with
    <cache>/golden/<shape>/work                  where they run: their data know this path

There is one such place, so tests that want one wait for each other. Making them records which
classes Java loads, for the archives of both releases.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from typing import IO, Any

import archives
import cluster
import keys
import releases
from cluster import Shape, wait_until
from limits import scaled

MOMENTS = ("initialised", "prepared", "pre-finalized")
FREE_SECONDS_MAX = scaled(20)
FILES = ("golden.py", "keys.py", "settings.py")  # what the data depend on


def golden(moment: str = "initialised", shape: Shape = Shape(), start: bool = True) \
        -> cluster.Cluster:
    """A cluster at a saved moment, ready (or stopped, with start=False); it is the caller's until it
    is closed. What else is in its folder is gone at the next call."""
    if moment not in MOMENTS:
        raise LookupError(f'no saved moment "{moment}"; there are {", ".join(MOMENTS)}')
    releases.ensure()
    lock = _take()
    try:
        made = _restore(moment, shape)
        try:
            if start:
                made.start()
                made.wait_ready()
        except BaseException:
            made.close()
            raise
    except BaseException:
        lock.close()
        raise
    made.on_close.callback(lock.close)
    return made


def release_of(moment: str) -> str:
    return releases.NEW if moment == "pre-finalized" else releases.OLD


def _restore(moment: str, shape: Shape) -> cluster.Cluster:
    known = _known(shape)
    if known.get("digest") != _digest() or not _gets_free(known):
        known = _make(shape)
    made = _cluster(shape, known)
    made.install(release_of(moment))
    for name, member in made.members.items():
        shutil.rmtree(member.below("data"))
        _copy(os.path.join(_folder(shape), moment, name), member.below("data"))
    return made


def _cluster(shape: Shape, known: dict[str, Any]) -> cluster.Cluster:
    work = os.path.join(_folder(shape), "work")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    return cluster.Cluster(work, shape, known["ports"], known["prefix"])


def _make(shape: Shape) -> dict[str, Any]:
    """Makes all moments; known.json comes last and makes them complete."""
    print(f"ozone: preparing saved clusters {shape} ...", file=sys.stderr, flush=True)
    shutil.rmtree(_folder(shape), ignore_errors=True)
    known = {"digest": _digest(), "prefix": cluster.free_prefix(),
             "ports": cluster.free_ports(shape.ports())}
    classes = os.path.join(releases.cache_folder(), "classes")
    record = archives.missing(releases.OLD, releases.NEW)
    with _cluster(shape, known) as made:
        if record:
            shutil.rmtree(classes, ignore_errors=True)
            os.makedirs(classes)
            made.record = classes
        _through_the_moments(made, shape)
        if record:
            _finalize(made)
    if record:
        archives.make(classes, releases.OLD, releases.NEW)
    with open(os.path.join(_folder(shape), "known.json"), "w") as file:
        json.dump(known, file)
    return known


def _through_the_moments(made: cluster.Cluster, shape: Shape) -> None:
    made.install(releases.OLD)
    made.initialise()
    made.wait_ready()
    keys.put(made, "golden")
    _save(made, shape, "initialised")

    made.start()
    made.wait_ready()
    done = made.prepare()
    if "All OMs are prepared" not in done.stdout:
        raise RuntimeError(f"prepare: {done.stdout}{done.stderr}")
    _save(made, shape, "prepared")

    made.install(releases.NEW)
    made.start(upgrade=True)
    made.wait_ready()
    keys.put(made, "golden-new")
    _save(made, shape, "pre-finalized")


def _finalize(made: cluster.Cluster) -> None:
    """Only to see which classes that takes."""
    made.start()
    made.wait_ready()
    for role in ("scm", "om"):
        made.finalize(role)
    made.ozone("sh", "volume", "list")
    made.stop()


def _save(made: cluster.Cluster, shape: Shape, moment: str) -> None:
    made.client.close()
    made.stop()
    for name, member in made.members.items():
        _copy(member.below("data"), os.path.join(_folder(shape), moment, name))


def _copy(source: str, to: str) -> None:
    os.makedirs(os.path.dirname(to), exist_ok=True)
    subprocess.run(["cp", "-a", "--sparse=always", source, to], check=True)


def _folder(shape: Shape) -> str:
    return os.path.join(releases.cache_folder(), "golden", str(shape))


def _known(shape: Shape) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError), \
            open(os.path.join(_folder(shape), "known.json")) as file:
        return json.load(file)
    return {}


def _gets_free(known: dict[str, Any]) -> bool:
    """A server that was ended a moment ago may still hold a port."""
    try:
        wait_until(lambda: _is_free(known), FREE_SECONDS_MAX, lambda: "", every=0.1)
    except TimeoutError:
        return False
    return True


def _is_free(known: dict[str, Any]) -> bool:
    return cluster.is_free_prefix(known["prefix"]) and all(map(cluster.is_free, known["ports"]))


def _digest() -> str:
    digest = hashlib.sha256(releases.digest().encode())
    for name in FILES:
        with open(os.path.join(releases.HERE, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def _take() -> IO[str]:
    """Waits for the place where saved clusters run."""
    os.makedirs(os.path.join(releases.cache_folder(), "golden"), exist_ok=True)
    lock = open(os.path.join(releases.cache_folder(), "golden", "lock"), "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def main() -> int:
    """Puts everything that tests need into the cache."""
    try:
        golden(start=False).close()
    except releases.Unavailable as error:
        print(f"The Ozone releases are not to be had: {error}", file=sys.stderr)
        return 1
    return 0
