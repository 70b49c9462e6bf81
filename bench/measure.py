"""What the benches of whole runs share: the release build, golden clusters, medians."""

import json
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "field", "etcd"))

import cluster  # noqa: E402  (found by the line above)
import golden  # noqa: E402
import releases  # noqa: E402
import yardstick  # noqa: E402

DRYDOCK = os.environ.get("DRYDOCK") or os.path.join(ROOT, "build/release/src/cli/drydock")
GATE = "point-of-no-return"


def build() -> None:
    """The release build of drydock, unless DRYDOCK names a program."""
    os.chdir(ROOT)
    if "DRYDOCK" not in os.environ:
        subprocess.run(["./dev", "build", "drydock"], check=True,
                       env=os.environ | {"DRYDOCK_PRESET": "release"})


def scratch() -> "tempfile.TemporaryDirectory[str]":
    os.makedirs("build", exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="bench-", dir=os.path.abspath("build"))


def prepared(base: str) -> cluster.Cluster:
    """Three healthy members of 3.4 with etcd's own timeouts, from a golden copy, all following one
    leader; and their cluster file."""
    made = golden.golden(base, fast=False)
    cluster.wait_until(lambda: len({made.status(name).get("leader") for name in made.members}) == 1,
                       10, lambda: "the members do not agree on a leader")
    made.write_cluster_file()
    return made


def new_version() -> str:
    return releases.version_of(releases.ensure()["3.5"])


def plan(made: cluster.Cluster) -> str:
    """Makes the plan; its path."""
    path = os.path.join(made.base, "plan.json")
    drydock("plan", "-c", made.cluster_file, "--to", new_version(), "-o", path)
    return path


def drydock(*words: str) -> float:
    """Runs it to its end, which must be code 0; seconds."""
    return timed([DRYDOCK, *words])


def timed(command: list[str]) -> float:
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    seconds = time.monotonic() - began
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n"
                           f"{done.stdout}{done.stderr}")
    return seconds


def check(made: cluster.Cluster) -> None:
    """Every member runs the new release at its level, with the same data."""
    wanted = (new_version(), ".".join(new_version().split(".")[:2]) + ".0")
    for name in made.members:
        if made.versions(name) != wanted:
            raise RuntimeError(f"{name} is at {made.versions(name)}, expected {wanted}")
    if len(made.hashes()) != 1:
        raise RuntimeError("the members' data differ")


def show(figures: dict[str, object]) -> None:
    print(json.dumps(yardstick.context() | figures))
