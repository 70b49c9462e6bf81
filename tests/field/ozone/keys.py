"""Keys whose content follows from their names: to write, and to compare byte for byte."""

import hashlib

import cluster
from client import Refused

COUNT = 5
VOLUME, BUCKET = "vol1", "buck1"


def content(name: str, number: int) -> bytes:
    """From 32 bytes to some kilobytes."""
    return hashlib.sha256(f"{name}/{number}".encode()).digest() * (1 + 100 * number)


def put(made: cluster.Cluster, name: str, volume: str = VOLUME, bucket: str = BUCKET) -> None:
    """Writes COUNT keys, making volume and bucket if they are not there."""
    for make in (lambda: made.client.volume(volume), lambda: made.client.bucket(volume, bucket)):
        try:
            make()
        except Refused as refused:
            if not refused.code.endswith("_ALREADY_EXISTS"):
                raise
    for number in range(COUNT):
        made.client.put(volume, bucket, f"{name}-{number}", content(name, number))


def wrong(made: cluster.Cluster, name: str, volume: str = VOLUME, bucket: str = BUCKET) \
        -> list[str]:
    """Those of the COUNT keys that are missing or not what was written."""
    found = []
    for number in range(COUNT):
        try:
            if made.client.get(volume, bucket, f"{name}-{number}") != content(name, number):
                found.append(f"{name}-{number} differs")
        except Refused as refused:
            found.append(f"{name}-{number}: {refused}")
    return found
