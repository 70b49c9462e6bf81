"""Objects in a bucket of S3, by the names that Pachyderm gives them.

With `reverse`, which is Pachyderm's default, every key is stored backwards, and a list has no prefix.
"""

import concurrent.futures
import http.client
import os
import re
import sys
import threading
import time
import xml.etree.ElementTree
from typing import Iterator
from urllib.parse import quote, unquote

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "s3"))

import signed  # noqa: E402  (in ../s3)
from protocol import Refused  # noqa: E402  (finds the next, too)
from limits import scaled  # noqa: E402

CALL_SECONDS_MAX, OUTAGE_SECONDS_MAX = scaled(15), scaled(15)
WORKERS = 8


class Missing(Refused):
    """There is no such object."""


class Bucket:
    """One bucket. Safe for several threads."""

    def __init__(self, endpoint: str, name: str, access_key: str, secret_key: str, reverse: bool = False):
        self.endpoint, self.name, self.reverse = endpoint, name, reverse
        self._keys = (access_key, secret_key)
        self._local = threading.local()
        self.pool = concurrent.futures.ThreadPoolExecutor(WORKERS)

    def put(self, name: str, body: bytes) -> None:
        self._ask("PUT", self._path(name), body)

    def get(self, name: str, lower: int = 0, upper: int = 0) -> bytes:
        """The object, or the bytes of it from `lower` to below `upper`. Raises Missing."""
        if lower == upper:
            return b"" if lower else self._ask("GET", self._path(name))
        return self._ask("GET", self._path(name), headers={"Range": f"bytes={lower}-{upper - 1}"})

    def exists(self, name: str) -> bool:
        try:
            self._ask("HEAD", self._path(name))
        except Missing:
            return False
        return True

    def delete(self, name: str) -> None:
        """Whether it is there or not."""
        try:
            self._ask("DELETE", self._path(name))
        except Missing:
            pass

    def names(self, start: str) -> Iterator[str]:
        """The names that begin so."""
        prefix = "" if self.reverse else start
        token = ""
        while True:
            query = {"list-type": "2", "encoding-type": "url", "prefix": prefix}
            query |= {"continuation-token": token} if token else {}
            text = "&".join(f"{name}={quote(query[name], safe='')}" for name in sorted(query))
            answer = xml.etree.ElementTree.fromstring(self._ask("GET", f"/{self.name}?{text}"))
            for key in (self._turned(unquote(key)) for key in _texts(answer, "Key")):
                if key.startswith(start):
                    yield key
            token = "".join(_texts(answer, "NextContinuationToken"))
            if not token:
                return

    def beside(self, name: str) -> "Bucket":
        """Another bucket of this server, with the same keys; its names are never turned."""
        return Bucket(self.endpoint, name, *self._keys)

    def make(self) -> None:
        """Makes the bucket; one that is there stays as it is."""
        self._ask("PUT", f"/{self.name}")

    def _turned(self, key: str) -> str:
        return key[::-1] if self.reverse else key

    def _path(self, name: str) -> str:
        return f"/{self.name}/{quote(self._turned(name))}"

    def _ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
        """The body of an answer. Tries again while the server is away: every call may be made twice."""
        end = time.monotonic() + OUTAGE_SECONDS_MAX
        while True:
            try:
                status, _, content = self._connection().request(method, path, body, headers)
                told = f"{method} {path}: {status} {content[:300]!r}"
            except (OSError, http.client.HTTPException) as error:
                self._local.connection = None
                status, told = 503, f"{method} {path}: {error}"
            if status == 404:
                raise Missing(f"{method} {path}: NotFound")
            if status < 300:
                return content
            if status < 500 or time.monotonic() > end:
                raise Refused(told)
            time.sleep(0.2)

    def _connection(self) -> signed.Connection:
        if getattr(self._local, "connection", None) is None:
            self._local.connection = signed.Connection(self.endpoint, *self._keys, CALL_SECONDS_MAX)
        return self._local.connection


def _texts(answer: xml.etree.ElementTree.Element, tag: str) -> list[str]:
    return [found.text or "" for found in answer.iter() if re.sub(r"^\{.*\}", "", found.tag) == tag]
