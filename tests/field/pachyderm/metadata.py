"""The metadata of the double: Pachyderm's own messages in a real etcd, all of them also in memory.

    with metadata.change() as change:             # one transaction; nobody else changes anything meanwhile
        info = change.copy(COMMITS, "images/7f...")
        info.finished.GetCurrentTime()
        change.put(COMMITS, "images/7f...", info)

What is in memory is what etcd has confirmed, so that killing pachd at any moment loses nothing. As in Pachyderm there is one
writer: this process. Keys are PREFIX/COLLECTION/NAME with the prefixes of 1.x.
"""

import base64
import contextlib
import http.client
import json
import threading
import time
from typing import Any, Iterator

from protocol import Refused, module, pfs  # finds the next, too
from limits import scaled

pps = module("pps")

REPOS, COMMITS, BRANCHES = "pachyderm_pfs/repos", "pachyderm_pfs/commits", "pachyderm_pfs/branches"
OPEN_COMMITS, RECORDS = "pachyderm_pfs/openCommits", "pachyderm_pfs/putFileRecords"
PIPELINES, JOBS = "pachyderm_pps/pipelines", "pachyderm_pps/jobs"
CLUSTER_ID = "cluster-id"
KINDS = {REPOS: pfs.RepoInfo, COMMITS: pfs.CommitInfo, BRANCHES: pfs.BranchInfo, OPEN_COMMITS: pfs.Commit,
         RECORDS: pfs.PutFileRecords, PIPELINES: pps.EtcdPipelineInfo, JOBS: pps.EtcdJobInfo}
OPS_MAX = 100  # of one transaction; etcd takes 128
CALL_SECONDS_MAX, OUTAGE_SECONDS_MAX = scaled(5), scaled(8)


class Etcd:
    """The few calls of etcd's gateway, on one connection."""

    def __init__(self, address: str):
        self.address = address.removeprefix("http://")
        self._connection: http.client.HTTPConnection | None = None

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer. Tries again while etcd is away: all that is written here may be written twice."""
        end = time.monotonic() + OUTAGE_SECONDS_MAX
        while True:
            try:
                return self._once(path, json.dumps(body))
            except (OSError, http.client.HTTPException) as error:
                self._connection = None
                if time.monotonic() > end:
                    raise Refused(f"etcd at {self.address} does not answer: {error}") from error
                time.sleep(0.1)

    def _once(self, path: str, body: str) -> dict[str, Any]:
        if not self._connection:
            self._connection = http.client.HTTPConnection(self.address, timeout=CALL_SECONDS_MAX)
        self._connection.request("POST", path, body)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise http.client.HTTPException(f"{answer.status} {text[:300]!r}")
        return json.loads(text)


class Change:
    """One transaction being made: it reads what it wrote, and nothing is seen by others until it ends."""

    def __init__(self, rows: dict[str, dict[str, Any]]):
        self._rows = rows
        self.written: dict[tuple[str, str], Any] = {}

    def get(self, kind: str, name: str) -> Any:
        """The message, to be read only; None if there is none."""
        return self.written.get((kind, name)) if (kind, name) in self.written else self._rows[kind].get(name)

    def copy(self, kind: str, name: str) -> Any:
        """The message, to be changed and put back. Refused if there is none."""
        found = self.get(kind, name)
        if found is None:
            raise Refused(f"{kind.rpartition('/')[2]}/{name} not found")
        made = type(found)()
        made.CopyFrom(found)
        return made

    def put(self, kind: str, name: str, message: Any) -> None:
        self.written[kind, name] = message

    def delete(self, kind: str, name: str) -> None:
        self.written[kind, name] = None

    def names(self, kind: str, start: str = "") -> list[str]:
        """The names that begin so, oldest first."""
        fresh = [name for (of, name), message in self.written.items() if of == kind and message is not None
                 and name not in self._rows[kind]]
        kept = [name for name in self._rows[kind] if self.written.get((kind, name), self) is not None]
        return [name for name in kept + fresh if name.startswith(start)]


class Metadata:
    def __init__(self, etcd: str):
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self._etcd = Etcd(etcd)
        self._rows: dict[str, dict[str, Any]] = {kind: self._read(kind) for kind in KINDS}

    @contextlib.contextmanager
    def change(self) -> Iterator[Change]:
        """A transaction, written to etcd at the end of the block unless that raises."""
        with self.lock:
            made = Change(self._rows)
            yield made
            self._write(made)
            self.changed.notify_all()

    @contextlib.contextmanager
    def look(self) -> Iterator[Change]:
        """All of it at one moment, to be read only."""
        with self.lock:
            yield Change(self._rows)

    def cluster_id(self, fresh: str) -> str:
        """The id of the cluster; `fresh` becomes it if there is none."""
        found = self._etcd.call("/v3/kv/range", {"key": _encoded(CLUSTER_ID)}).get("kvs")
        if found:
            return base64.b64decode(found[0]["value"]).decode()
        self._etcd.call("/v3/kv/put", {"key": _encoded(CLUSTER_ID), "value": _encoded(fresh)})
        return fresh

    def _read(self, kind: str) -> dict[str, Any]:
        """The rows of a collection, oldest first."""
        start = kind + "/"
        answer = self._etcd.call("/v3/kv/range", {
            "key": _encoded(start), "range_end": _encoded(kind + "0"), "sort_target": "CREATE", "sort_order": "ASCEND"})
        return {base64.b64decode(pair["key"]).decode().removeprefix(start):
                KINDS[kind].FromString(base64.b64decode(pair.get("value", ""))) for pair in answer.get("kvs", [])}

    def _write(self, change: Change) -> None:
        requests = []
        for (kind, name), message in change.written.items():
            key = _encoded(f"{kind}/{name}")
            if message is None:
                requests.append({"request_delete_range": {"key": key}})
            else:
                value = base64.b64encode(message.SerializeToString()).decode()
                requests.append({"request_put": {"key": key, "value": value}})
        for start in range(0, len(requests), OPS_MAX):  # only the put files of one commit can be more than one of them
            self._etcd.call("/v3/kv/txn", {"success": requests[start:start + OPS_MAX]})
        for (kind, name), message in change.written.items():
            if message is None:
                self._rows[kind].pop(name, None)
            else:
                self._rows[kind][name] = message


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
