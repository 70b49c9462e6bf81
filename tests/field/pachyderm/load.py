#!/usr/bin/env python3
"""Load for an installation of Pachyderm 1.x, by Pachyderm's own Python client: it judges the double, and shares no code with it.

    load.py fill ADDRESS [--files N] [--pipelines N]     repos `images`, `texts`; pipelines `edges`, `edges-2`, ... in a chain
    load.py write ADDRESS-FILE LOG [--whole] [--pause S]  commits to the repo `loads` until it is told to end (SIGTERM);
                                                          with --whole each in one call, so that none stays open
    load.py replay ADDRESS LOG [--source ADDRESS]         plays the writes of the log back that an installation lacks, and those
                                                          that the source has and never acknowledged
    load.py verify ADDRESS LOG [--content]                which acknowledged commit or file is missing or differs; exit code 1;
                                                          with --content files alone: what was replayed has other commits
    load.py state ADDRESS                                 all that must be equal on both sides of a migration, as JSON

`write` reads the address anew for each commit, so that a test moves its clients by writing that file. It logs a commit only
after it was acknowledged; the log is flushed to disk. It goes on in the interpreter of tests/extract/pachyderm.py.
"""

import argparse
import base64
import hashlib
import importlib.util
import json
import os
import signal
import sys
import time
from typing import Any, Iterator

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

if not importlib.util.find_spec("python_pachyderm"):
    import double
    double.hand_over(__file__)

import grpc  # noqa: E402
import python_pachyderm  # noqa: E402
from python_pachyderm.proto.pfs import pfs_pb2 as pfs  # noqa: E402
from python_pachyderm.proto.pps import pps_pb2 as pps  # noqa: E402

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "common"))

from limits import scaled  # noqa: E402  (in ../common)

REPO, BRANCH = "loads", "master"
FILES_A_COMMIT = 250
PAUSE_SECONDS = 0.05
READY_SECONDS_MAX = scaled(75)


def connect(address: str) -> Any:
    host, _, port = address.strip().rpartition(":")
    return python_pachyderm.Client(host=host, port=int(port))


# Filling


def fill(client: Any, files: int, pipelines: int) -> None:
    """Commits of `files` small files in all, and a chain of pipelines that has worked through them."""
    for repo in ("images", "texts"):
        client.create_repo(repo, description=f"made by the load: {repo}")
    for number in range(pipelines):
        client.create_pipeline(_pipeline(number), pps.Transform(image="image:1", cmd=["sh"]),
                               input=pps.Input(pfs=pps.PFSInput(repo=_pipeline(number - 1) if number else "images",
                                                                glob="/*")))
    for first in range(0, files, FILES_A_COMMIT):
        with client.commit("images", BRANCH) as commit, client.put_file_client() as put:
            for number in range(first, min(files, first + FILES_A_COMMIT)):
                put.put_file_from_bytes(commit, f"/image-{number:05}", content_of("image", number))
    client.put_file_bytes(("texts", BRANCH), "/of/a/folder", b"some text")
    wait_idle(client, pipelines)


def _pipeline(number: int) -> str:
    return f"edges-{number + 1}" if number else "edges"


def content_of(kind: str, number: int) -> bytes:
    return f"{kind} {number}\n".encode() * (1 + number % 50)


def wait_idle(client: Any, pipelines: int) -> None:
    """Until every pipeline's output comes from the head of `images`."""
    end = time.monotonic() + READY_SECONDS_MAX
    wanted = client.inspect_branch("images", BRANCH).head.id
    while any(not _has_output(client, _pipeline(number), wanted) for number in range(pipelines)):
        if time.monotonic() > end:
            raise TimeoutError("the pipelines do not come to an end")
        time.sleep(PAUSE_SECONDS)


def _has_output(client: Any, pipeline: str, source: str) -> bool:
    return any(info.HasField("finished") and any(one.commit.id == source for one in info.provenance)
               for info in client.list_commit(pipeline))


# Writing


class Writer:
    def __init__(self, address_file: str, log: str, is_whole: bool = False, pause: float = 0):
        """`pause` is in seconds, between two writes."""
        self.address_file, self.log, self.is_whole, self.pause = address_file, log, is_whole, pause
        self.ends = False
        self._clients: dict[str, Any] = {}

    def run(self) -> None:
        """Writes until this process is told to end."""
        signal.signal(signal.SIGTERM, self._end)
        self.work()

    def work(self) -> None:
        number = len(list(entries(self.log)))
        while not self.ends:
            try:
                self._write(number)
                number += 1
                time.sleep(self.pause)
            except (grpc.RpcError, OSError, ValueError):
                self._clients.clear()
                time.sleep(PAUSE_SECONDS)  # not acknowledged, perhaps done: the same name is written again

    def _end(self, *_: Any) -> None:
        self.ends = True

    def _write(self, number: int) -> None:
        """One file in a commit of its own: in one call, each fourth time in three unless all are to be whole."""
        with open(self.address_file, encoding="utf-8") as file:
            address = file.read()
        client = self._client(address)
        content, path = content_of("load", number), f"/{number:06}"
        self._close_own(client)
        if self.is_whole or number % 4:
            client.put_file_bytes((REPO, BRANCH), path, content, overwrite_index=0)
        else:
            with client.commit(REPO, BRANCH) as commit:
                client.put_file_bytes(commit, path, content, overwrite_index=0)
        self._acknowledge({"path": path, "sha512": hashlib.sha512(content).hexdigest(), "address": address.strip(), "at": time.time(),
                           "commit": client.inspect_branch(REPO, BRANCH).head.id})

    def _client(self, address: str) -> Any:
        if address not in self._clients:
            client = connect(address)
            if REPO not in [info.repo.name for info in client.list_repo()]:
                client.create_repo(REPO)
            self._clients[address] = client
        return self._clients[address]

    def _close_own(self, client: Any) -> None:
        """Deletes the commit that an attempt left open."""
        for info in client.list_commit(REPO, to_commit=(REPO, BRANCH), number=1) if self._has_branch(client) else []:
            if not info.HasField("finished"):
                client.delete_commit(info.commit)

    def _has_branch(self, client: Any) -> bool:
        return any(info.branch.name == BRANCH and info.head.id for info in client.list_branch(REPO))

    def _acknowledge(self, entry: dict[str, Any]) -> None:
        with open(self.log, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())


def entries(log: str) -> Iterator[dict[str, Any]]:
    """What was acknowledged, as the log has it."""
    if os.path.exists(log):
        with open(log, encoding="utf-8") as file:
            yield from (json.loads(line) for line in file if line.endswith("\n"))


def replay(client: Any, log: str, source: Any) -> dict[str, Any]:
    """Writes what the log or the source has and the installation lacks, in one commit; how many writes there were."""
    wanted = {entry["path"] for entry in entries(log)} | (_paths(source) if source else set())
    lacking = sorted(wanted - _paths(client))
    if lacking:
        with client.commit(REPO, BRANCH) as commit, client.put_file_client() as put:
            for path in lacking:
                put.put_file_from_bytes(commit, path, content_of("load", int(path.strip("/"))))
    return {"replayed": len(lacking)}


def _paths(client: Any) -> set[str]:
    """The files at the head of the load's branch."""
    if not any(info.branch.name == BRANCH and info.head.id for info in client.list_branch(REPO)):
        return set()
    return {info.file.path for info in client.list_file((REPO, BRANCH), "/")}


# Comparing


def verify(client: Any, log: str, is_content: bool) -> dict[str, Any]:
    """Counts what was acknowledged, and names what of it is missing or has other bytes. Every file is read."""
    every = list(entries(log))
    commits = {info.commit.id for info in client.list_commit(REPO)} if every else set()
    files = _paths(client) if every else set()
    missing = [entry for entry in every if entry["path"] not in files or not (is_content or entry["commit"] in commits)]
    different = [entry for entry in every if entry["path"] in files
                 and _read(client, (REPO, BRANCH), entry["path"]) != entry["sha512"]]
    return {"acknowledged": len(every), "missing": missing, "different": different}


def _read(client: Any, commit: Any, path: str) -> str:
    """The SHA-512 of a file as it is read, or why it cannot be."""
    try:
        return hashlib.sha512(b"".join(client.get_file(commit, path))).hexdigest()
    except grpc.RpcError as error:
        return str(error.details())  # type: ignore[attr-defined]


def state(client: Any) -> dict[str, Any]:
    """Repos with commits, branches and the files of heads; pipelines with the counts of their jobs."""
    repos = {info.repo.name: {"commits": sorted(_commit(one) for one in client.list_commit(info.repo.name)),
                              "branches": {one.branch.name: one.head.id for one in client.list_branch(info.repo.name)},
                              "files": _files(client, info.repo.name)} for info in client.list_repo()}
    pipelines = {info.pipeline.name: {"salt": info.salt, "version": info.version, "image": info.transform.image}
                 for info in client.list_pipeline().pipeline_info}
    jobs: dict[str, int] = {}
    for job in client.list_job():
        jobs[job.pipeline.name] = jobs.get(job.pipeline.name, 0) + 1
    return {"repos": repos, "pipelines": pipelines, "jobs": jobs}


def _commit(info: Any) -> list[Any]:
    return [info.commit.id, info.parent_commit.id, info.size_bytes, info.HasField("finished")]


def _files(client: Any, repo: str) -> dict[str, list[Any]]:
    heads = [one.head for one in client.list_branch(repo) if one.head.id]
    return {f"{head.id}:{info.file.path}": [info.size_bytes, base64.b64encode(info.hash).decode()]
            for head in heads for info in client.glob_file(head, "/**") if info.file_type == pfs.FILE}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=("fill", "write", "replay", "verify", "state"))
    parser.add_argument("address", help="HOST:PORT; for `write` a file with it")
    parser.add_argument("log", nargs="?", default="")
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--pipelines", type=int, default=2)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--content", action="store_true")
    parser.add_argument("--source", default="")
    parser.add_argument("--pause", type=float, default=0)
    options = parser.parse_args()
    if options.command == "write":
        Writer(options.address, options.log, options.whole, options.pause).run()
        return 0
    client = connect(options.address)
    if options.command == "fill":
        fill(client, options.files, options.pipelines)
        return 0
    try:
        found = answer(client, options)
    except grpc.RpcError as error:
        where = " or ".join(filter(None, (options.address, options.source)))
        sys.exit(f"pachd at {where}: {error.details()}")  # type: ignore[attr-defined]
    print(json.dumps(found, indent=1))
    return 1 if found.get("missing") or found.get("different") else 0


def answer(client: Any, options: argparse.Namespace) -> dict[str, Any]:
    if options.command == "replay":
        return replay(client, options.log, connect(options.source) if options.source else None)
    return verify(client, options.log, options.content) if options.command == "verify" else state(client)


if __name__ == "__main__":
    sys.exit(main())
