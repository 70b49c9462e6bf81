"""A client that works through the manager's signed API while the cluster is upgraded.

It makes folders, users and keypairs, one after the other. Each that the manager acknowledged is a line
of <base>/acknowledged, on the disk before the next call. `wrong()` says which of them are not there:
in the database, in the API's own list, and for a folder on the volume.
"""

import http.client
import itertools
import json
import os
import threading
import time
import uuid
from typing import IO

import settings
from cluster import DATABASE, Cluster
from limits import scaled

PAUSE_SECONDS = 0.1
MAKE_USER = """mutation($e: String!, $n: String!, $g: [String]) { create_user(email: $e, props: {
  username: $n, password: "fieldpw-2", need_password_change: false, full_name: $n, description: "",
  is_active: true, domain_name: "default", role: "user", group_ids: $g}) { ok msg user { uuid email } } }"""
MAKE_KEYPAIR = """mutation($e: String!) { create_keypair(user_id: $e, props: {is_active: true,
  is_admin: false, resource_policy: "default", concurrency_limit: 0, rate_limit: 1000}) {
  ok msg keypair { access_key } } }"""


class Load:
    """One writer in a thread of its own."""

    def __init__(self, cluster: Cluster):
        self.cluster = cluster
        self.file = cluster.path("acknowledged")
        self.acknowledged: list[tuple[str, str]] = []  # kind, id
        self.pauses: list[float] = []  # seconds between two acknowledged writes
        self.refused = 0
        self._last = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait_for(self, count: int, within: float = scaled(60)) -> None:
        """Waits until so many more writes are acknowledged."""
        wanted, deadline = len(self.acknowledged) + count, time.monotonic() + within
        while len(self.acknowledged) < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {count} writes within {within:g} s")
            time.sleep(0.05)

    def stop(self) -> dict[str, float]:
        """Ends the writer; how much it did and its longest pause in seconds."""
        self._stop.set()
        self._thread.join(60)
        return {"acknowledged": len(self.acknowledged), "refused": self.refused,
                "longest_pause": round(max(self.pauses, default=0.0), 1)}

    def wrong(self) -> list[str]:
        """What was acknowledged and is not there, each with where it is missed."""
        acknowledged = list(self.acknowledged)  # before the rest is read: the writer may go on
        status, text = self.cluster.call("GET", "/folders")
        if status != 200:
            return [f"GET /folders: {status} {text[:200]}"]
        there = {"folder": {one["id"] for one in json.loads(text)} & self._column("vfolders", "id"),
                 "user": self._column("users", "email"),
                 "keypair": self._column("keypairs", "access_key")}
        lost = [f"{kind} {name.split()[0]}" for kind, name in acknowledged
                if name.split()[0] not in there[kind]]
        return lost + [f"directory of folder {name}" for kind, name in acknowledged
                       if kind == "folder" and not os.path.isdir(self._directory(name))]

    def _column(self, table: str, column: str) -> set[str]:
        return {row[0].replace("-", "") if column == "id" else row[0] for row in
                self.cluster.server.rows(DATABASE, f"select {column} from {table}")}

    def _directory(self, name: str) -> str:
        folder, scope = name.split()
        return self.cluster.path(f"volume/{scope}/{folder[:2]}/{folder[2:4]}/{folder[4:]}")

    def _run(self) -> None:
        with open(self.file, "a") as file:
            for number in itertools.count():
                if self._stop.wait(PAUSE_SECONDS):
                    return
                try:
                    self._note(self._write(number), file)
                except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
                    self.refused += 1  # nobody answers, or what answers is no whole answer

    def _note(self, made: tuple[str, str], file: IO[str]) -> None:
        file.write(" ".join(made) + "\n")
        file.flush()
        os.fsync(file.fileno())
        now = time.monotonic()
        self.pauses.append(now - self._last)
        self._last = now
        self.acknowledged.append(made)

    def _write(self, number: int) -> tuple[str, str]:
        """One write; KeyError or TypeError if the answer has not what was asked for."""
        name = "w" + uuid.uuid4().hex[:12]
        if number % 5 == 3:
            answer = self._ask(MAKE_KEYPAIR, e="user@example.org")
            return "keypair", answer["create_keypair"]["keypair"]["access_key"]
        if number % 5 == 4:
            answer = self._ask(MAKE_USER, e=f"{name}@example.org", n=name, g=[settings.GROUP])
            return "user", answer["create_user"]["user"]["email"]
        status, text = self.cluster.call("POST", "/folders", {"name": name, "host": "local:volume1"})
        if status != 201:
            raise ValueError(text)
        made = json.loads(text)
        return "folder", f"{made['id']} {made['quota_scope_id'].split(':')[1].replace('-', '')}"

    def _ask(self, query: str, **values: object) -> dict:
        """The data of a GraphQL answer; an error comes with status 200 too."""
        _, text = self.cluster.call("POST", "/admin/gql", {"query": query, "variables": values})
        return json.loads(text)["data"]
