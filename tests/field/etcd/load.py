"""Runs etcd_load against a cluster: a write load, and afterwards the proof that nothing was lost."""

import glob
import json
import os
import subprocess
from typing import Any

import api
import cluster
from limits import scaled

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
STOP_SECONDS_MAX = scaled(15)
VERIFY_SECONDS_MAX = scaled(60)


def program() -> str:
    """The built etcd_load: $ETCD_LOAD, else the newest below build/."""
    built = glob.glob(os.path.join(ROOT, "build", "**", "etcd_load"), recursive=True)
    found = os.environ.get("ETCD_LOAD") or max(built, key=os.path.getmtime, default="")
    if not found:
        raise FileNotFoundError("etcd_load is not built; build it with: ./dev build")
    return found


class Load:
    """Writers on a cluster, from now until stop(); every write is recorded in `file`."""

    def __init__(self, on: cluster.Cluster, writers: int = 3, rate: float = 0, name: str = "writes"):
        """`rate`: writes per second and writer; 0 is as fast as it goes."""
        self.file = os.path.join(on.base, name)
        self._process = subprocess.Popen(
            [program(), "write", "--endpoints", on.endpoints, "--writers", str(writers),
             "--rate", str(rate), "--out", self.file],
            stdout=subprocess.PIPE, text=True, start_new_session=True)

    def acknowledged(self) -> int:
        """How many writes were acknowledged so far (the file is at most 50 ms behind)."""
        try:
            with open(self.file) as file:
                return sum(line.startswith("ok ") for line in file)
        except FileNotFoundError:
            return 0

    def wait_for(self, more: int, within: float = scaled(20)) -> None:
        """Waits until `more` further writes are acknowledged."""
        goal = self.acknowledged() + more
        cluster.wait_until(lambda: self.acknowledged() >= goal, within,
                           lambda: f"{self.acknowledged()} of {goal} writes acknowledged")

    def stop(self) -> dict[str, Any]:
        """Ends the writers; {acknowledged, unknown, worst_gap_ms: [one for each writer]}."""
        self._process.terminate()
        text, _ = self._process.communicate(timeout=STOP_SECONDS_MAX)
        if self._process.returncode != 0:
            raise RuntimeError(f"etcd_load ended with {self._process.returncode}")
        return json.loads(text)

    def verify(self, on: cluster.Cluster, name: str = "m1") -> dict[str, int]:
        """{acknowledged, lost, moved, unknown_landed}, as read through one member. An election
        may turn the reader away on a busy machine: then all is read again."""
        words = [program(), "verify", "--endpoint", on.members[name].client_url,
                 "--in", self.file, "--out-lost", self.file + ".lost"]
        done = api.outlast_election(
            lambda: subprocess.run(words, capture_output=True, text=True,
                                   timeout=VERIFY_SECONDS_MAX),
            lambda run: run.returncode not in (0, 1) and ": 503 " in run.stderr)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"etcd_load verify: {done.stderr.strip()}")
        return json.loads(done.stdout)
