"""A writer that goes on all the time, and knows exactly which keys Ozone acknowledged.

    writer = Load(made)          # writes until stop(), also while the cluster is down or prepared
    writer.wait_for(10)
    ...
    print(writer.stop())         # {"acknowledged": 812, "refused": {...}, "pauses": [...]}
    writer.wrong()               # those that are missing or differ

A write that failed may still have landed; only acknowledged ones count.
"""

import hashlib
import os
import threading
import time
from collections import Counter
from typing import Any

import client
import cluster
import settings
from client import Refused
from limits import scaled
from machine import wait_until

VOLUME, BUCKET = "load", "load"
PAUSE_SECONDS = 1.0  # between two acknowledged writes: shorter ones are Ozone's own

# A write fails at once and is tried again here, so that pauses are measured as they are.
IMPATIENT = {"ozone.client.failover.max.attempts": "1",
             "ozone.client.wait.between.retries.millis": "100",
             "ipc.client.connect.max.retries": "0"}


class Load:
    def __init__(self, made: cluster.Cluster, every: float = 0.1):
        """Begins to write a key each `every` seconds."""
        folder = os.path.join(made.base, "load")
        os.makedirs(os.path.join(folder, "tmp"), exist_ok=True)
        members = list(made.members.values())
        settings.write_conf(os.path.join(folder, "conf"), settings.of_cluster(members) | IMPATIENT,
                            members, "OFF")
        self._client = client.Client(folder)
        self._every = every
        self._stopped = threading.Event()
        self._acknowledged: list[tuple[str, float]] = []  # the key, and when
        self._refused: Counter[str] = Counter()
        for make in (lambda: self._client.volume(VOLUME),
                     lambda: self._client.bucket(VOLUME, BUCKET)):
            try:
                make()
            except Refused as refused:
                if not refused.code.endswith("_ALREADY_EXISTS"):
                    raise
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def acknowledged(self) -> int:
        return len(self._acknowledged)

    def wait_for(self, more: int, within: float = scaled(60)) -> None:
        """Until so many more writes are acknowledged."""
        goal = self.acknowledged() + more
        wait_until(lambda: self.acknowledged() >= goal, within,
                   lambda: f"{self.acknowledged()} of {goal} writes; refused {self._refused}")

    def longest_pause(self, since: float = 0) -> float:
        """The longest time between two acknowledged writes, in seconds, of those that ended after a
        moment of time.monotonic()."""
        times = [when for _, when in self._acknowledged]
        return max((later - when for when, later in zip(times, times[1:]) if later > since),
                   default=0)

    def stop(self) -> dict[str, Any]:
        """Ends the writing. `pauses` are the longest ones, in seconds, longest first."""
        self._stopped.set()
        self._thread.join()
        times = [when for _, when in self._acknowledged]
        gaps = sorted((later - when for when, later in zip(times, times[1:])), reverse=True)
        return {"acknowledged": self.acknowledged(), "refused": dict(self._refused),
                "pauses": [round(gap, 1) for gap in gaps if gap >= PAUSE_SECONDS]}

    def wrong(self) -> list[str]:
        """The acknowledged keys that are missing or not what was written. After stop()."""
        found = []
        for key, _ in self._acknowledged:
            try:
                if self._client.get(VOLUME, BUCKET, key) != _content(key):
                    found.append(f"{key} differs")
            except Refused as refused:
                found.append(f"{key}: {refused}")
        return found

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._client.close()

    def _write(self) -> None:
        number = 0
        while not self._stopped.wait(self._every):
            number += 1
            key = f"load-{time.time_ns()}-{number}"
            try:
                self._client.put(VOLUME, BUCKET, key, _content(key))
                self._acknowledged.append((key, time.monotonic()))
            except Refused as refused:
                self._refused[refused.code] += 1


def _content(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest() * 32
