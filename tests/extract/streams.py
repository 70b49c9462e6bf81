"""Writes and counts extract streams with Pachyderm's own classes. Run by pachyderm.py in its environment.

    streams.py write FILE MINOR COMMITS SEED [objects] [defects]
    streams.py count FILE
    streams.py cut FILE OPS TARGET          the first ops of a file, as a whole stream
    streams.py batch                         such commands as lists of a JSON list on stdin; answers a list

`write` makes up a cluster with repos, commits with parents and provenance, branches, pipelines and jobs, in the order of
pachd. `objects` adds blocks and objects, `defects` leaves some things out. `count` tells what `drydock extract inspect
--json` tells, from what the classes parse.
"""

import collections
import hashlib
import json
import random
import struct
import sys
from typing import Any, Iterator

import snappy
from python_pachyderm.proto.admin import admin_pb2

CHUNK = 65536
MINOR_WITH_JOBS, MINOR_WITH_TIMES, MINOR_WITH_AUTH = 9, 11, 11
FIRST_OF_A_DAY = 1_600_000_000


def identity(dice: random.Random) -> str:
    return f"{dice.getrandbits(128):032x}"


class Writer:
    """Makes ops of one version."""

    def __init__(self, minor: int, seed: int, defects: bool):
        self.minor, self.defects = minor, defects
        self.dice = random.Random(seed)
        self.hashes: list[str] = []
        self.commits: dict[str, list[str]] = {}

    def op(self, kind: str) -> tuple[Any, Any]:
        """An op, and its request to be filled in."""
        op = admin_pb2.Op()
        request = getattr(getattr(op, f"op1_{self.minor}"), kind)
        request.SetInParent()
        return op, request

    def breaks(self) -> bool:
        return self.defects and self.dice.random() < 0.02

    def object_hash(self) -> str:
        return self.dice.choice(self.hashes) if self.hashes else hashlib.sha512(self.dice.randbytes(8)).hexdigest()

    def contents(self) -> Iterator[Any]:
        for _ in range(self.dice.randrange(2, 9)):
            parts = [self.dice.randbytes(self.dice.choice((1, 100, 70_000))) for _ in range(self.dice.randrange(1, 4))]
            yield from self.old_object(parts) if self.minor < 9 else self.block(parts)
        if self.minor >= 9 and self.hashes:
            op, tag = self.op("tag")
            tag.object.hash = self.object_hash()
            tag.tags.add().name = "a tag"
            yield op

    def old_object(self, parts: list[bytes]) -> Iterator[Any]:
        for part in [*parts, b""]:
            op, request = self.op("object")
            request.value = part
            yield op
        self.hashes.append(hashlib.sha512(b"".join(parts)).hexdigest())

    def block(self, parts: list[bytes]) -> Iterator[Any]:
        name = identity(self.dice)
        for part in [*parts, b""]:
            op, request = self.op("block")
            request.block.hash = name
            request.value = part
            yield op
        op, request = self.op("create_object")
        self.hashes.append(hashlib.sha512(b"".join(parts)).hexdigest())
        request.object.hash = self.hashes[-1]
        request.block_ref.block.hash = "gone" if self.breaks() else name
        request.block_ref.range.upper = 10
        yield op

    def repo(self, name: str) -> Any:
        self.commits[name] = []
        op, request = self.op("repo")
        request.repo.name = name
        request.description = "drawn at random" * self.dice.randrange(3)
        return op

    def commit(self, name: str) -> Any:
        op, request = self.op("commit")
        before = self.commits[name]
        request.parent.repo.name = name
        request.parent.id = "gone" if self.breaks() else before[-1] if before else ""
        request.ID = identity(self.dice)
        self.add_provenance(request, name)
        self.add_tree(request)
        if "started" in request.DESCRIPTOR.fields_by_name:
            request.started.seconds = FIRST_OF_A_DAY
            if not self.breaks():
                request.finished.seconds = FIRST_OF_A_DAY + 1
        before.append(request.ID)
        return op

    def add_provenance(self, request: Any, name: str) -> None:
        others = [other for other in self.commits if other != name and self.commits[other]]
        for other in self.dice.sample(others, min(len(others), self.dice.randrange(3))):
            source = request.provenance.add()
            if self.minor >= 9:
                source.branch.name = "master"
                source.branch.repo.name = other
                source = source.commit
            source.repo.name = other
            source.id = "gone" if self.breaks() else self.dice.choice(self.commits[other])

    def add_tree(self, request: Any) -> None:
        if self.dice.random() < 0.1:
            return  # a commit without data
        if self.minor >= 9 and self.dice.random() < 0.5:
            for _ in range(self.dice.randrange(1, 4)):
                request.trees.add().hash = self.object_hash()
            request.datums.hash = self.object_hash()
            request.size_bytes = self.dice.getrandbits(40)
        else:
            request.tree.hash = "absent" if self.breaks() else self.object_hash()

    def branch(self, name: str) -> Any:
        op, request = self.op("branch")
        request.branch.repo.name, request.branch.name = name, "master"
        if self.commits[name]:
            request.head.repo.name = name
            request.head.id = "gone" if self.breaks() else self.commits[name][-1]
        return op

    def pipeline(self, name: str) -> Any:
        op, request = self.op("pipeline")
        request.pipeline.name = name
        request.transform.image = "image:1"
        request.transform.cmd.extend(["sh", "-c", "x" * self.dice.randrange(300)])
        request.transform.env["A"] = "b"
        request.salt = identity(self.dice)
        source = request.input.atom if self.minor == 7 else request.input.pfs
        source.repo, source.glob = "images", "/*"
        return op

    def job(self, name: str) -> Any:
        op, request = self.op("job")
        request.pipeline.name = "gone" if self.breaks() else name
        request.output_commit.repo.name, request.output_commit.id = name, identity(self.dice)
        request.data_total = self.dice.randrange(1000)
        return op

    def stream(self, commits: int, with_objects: bool) -> Iterator[Any]:
        if with_objects:
            yield from self.contents()
        names = ["__spec__", "images", *(f"repo-{number}" for number in range(self.dice.randrange(1, 6)))]
        for name in names:
            yield self.repo(name)
        for _ in range(commits):
            yield self.commit(self.dice.choice(names))
        for name in names:
            yield self.branch(name)
        for name in names[2:]:
            yield self.pipeline(name)
            for _ in range(self.dice.randrange(4) if self.minor >= MINOR_WITH_JOBS else 0):
                yield self.job(name)
        if self.minor >= MINOR_WITH_AUTH:
            op, request = self.op("set_acl")
            request.repo = "images"
            request.entries.add().username = "somebody"
            yield op


def write(path: str, minor: str, commits: str, seed: str, *options: str) -> dict[str, Any]:
    writer = Writer(int(minor), int(seed), "defects" in options)
    compressor = snappy.StreamCompressor()
    waiting = bytearray()
    with open(path, "wb") as file:
        for op in writer.stream(int(commits), "objects" in options):
            data = op.SerializeToString()
            waiting += struct.pack("<q", len(data)) + data
            while len(waiting) >= CHUNK:
                file.write(compressor.compress(bytes(waiting[:CHUNK])))
                del waiting[:CHUNK]
        file.write(compressor.compress(bytes(waiting)))
    return {}


def cut(path: str, ops: str, target: str) -> dict[str, Any]:
    records = list(records_of(path))[:int(ops)]
    data = b"".join(struct.pack("<q", len(record)) + record for record in records)
    with open(target, "wb") as file:
        compressor = snappy.StreamCompressor()
        for start in range(0, len(data), CHUNK):
            file.write(compressor.compress(data[start:start + CHUNK]))
    return {}


def records_of(path: str) -> Iterator[bytes]:
    """The records of a file: it must be whole."""
    decompressor = snappy.StreamDecompressor()
    data, position = bytearray(), 0
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            del data[:position]
            position = 0
            data += decompressor.decompress(piece)
            while len(data) - position >= 8:
                size = struct.unpack_from("<q", data, position)[0]
                if len(data) - position - 8 < size:
                    break
                yield bytes(data[position + 8:position + 8 + size])
                position += 8 + size
    if position != len(data):
        raise ValueError("the file does not end with a record")


class Counter:
    """What the classes find, by the names of `drydock extract inspect --json`."""

    def __init__(self) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self.versions: collections.Counter[str] = collections.Counter()
        self.findings: collections.Counter[str] = collections.Counter()
        self.repos: dict[str, dict[str, int]] = {}
        self.jobs: dict[str, int] = {}
        self.commits: set[tuple[str, str]] = set()
        self.without_tree = 0
        self.made: set[str] = set()
        self.referenced: set[str] = set()
        self.blocks: set[str] = set()
        self.needed_blocks: set[str] = set()
        self.part = bytearray()
        self.contents = {"block": [0, 0], "object": [0, 0]}

    def add(self, record: bytes) -> None:
        op = admin_pb2.Op()
        op.ParseFromString(record)
        [(version, union)] = op.ListFields()
        self.versions[version.name[2:].replace("_", ".")] += 1
        [(kind, request)] = union.ListFields()
        self.counts[kind.name] += 1
        if handler := getattr(self, f"add_{kind.name}", None):
            handler(request, int(version.name[4:]))

    def add_object(self, request: Any, _: int) -> None:
        self.add_part("object", request.value)
        if not request.value:
            self.made.add(hashlib.sha512(self.part).hexdigest())
            self.part.clear()

    def add_block(self, request: Any, _: int) -> None:
        self.add_part("block", request.value)
        if not request.value:
            self.blocks.add(request.block.hash)
            self.part.clear()

    def add_part(self, kind: str, value: bytes) -> None:
        self.part += value
        self.contents[kind][0] += 0 if value else 1
        self.contents[kind][1] += len(value)

    def add_create_object(self, request: Any, _: int) -> None:
        self.made.add(request.object.hash)
        self.needed_blocks.add(request.block_ref.block.hash)

    def add_tag(self, request: Any, _: int) -> None:
        self.referenced.add(request.object.hash)

    def add_repo(self, request: Any, _: int) -> None:
        self.repos[request.repo.name] = {"commits": 0, "branches": 0}

    def add_commit(self, request: Any, minor: int) -> None:
        name = request.parent.repo.name
        sources = [source.commit if minor >= 9 else source for source in request.provenance]
        self.findings["missing_parent"] += request.parent.id != "" and (name, request.parent.id) not in self.commits
        self.findings["missing_provenance"] += sum((source.repo.name, source.id) not in self.commits for source in sources)
        self.findings["missing_repo"] += name not in self.repos
        has_times = "started" in request.DESCRIPTOR.fields_by_name
        self.findings["open_commit"] += has_times and not request.HasField("finished")
        trees = [request.tree.hash] if request.HasField("tree") else []
        trees += [tree.hash for tree in request.trees] if minor >= 9 else []
        self.without_tree += not trees
        self.referenced.update(trees)
        if minor >= 9 and request.datums.hash:
            self.referenced.add(request.datums.hash)
        self.commits.add((name, request.ID))
        self.repos[name]["commits"] += 1

    def add_branch(self, request: Any, _: int) -> None:
        head = (request.head.repo.name, request.head.id)
        self.findings["missing_head"] += request.head.id != "" and head not in self.commits
        self.repos[request.branch.repo.name]["branches"] += 1

    def add_pipeline(self, request: Any, _: int) -> None:
        self.jobs.setdefault(request.pipeline.name, 0)

    def add_job(self, request: Any, _: int) -> None:
        if request.pipeline.name in self.jobs:
            self.jobs[request.pipeline.name] += 1
        else:
            self.findings["missing_pipeline"] += 1

    def answer(self) -> dict[str, Any]:
        has_objects = bool(self.made or self.blocks)
        self.findings["missing_object"] = len(self.referenced - self.made) if has_objects else 0
        self.findings["missing_block"] = len(self.needed_blocks - self.blocks) if has_objects else 0
        return {"ops": sum(self.counts.values()), "counts": self.counts, "op_versions": self.versions, "repos": self.repos,
                "jobs": self.jobs, "findings": self.findings, "objects_referenced": len(self.referenced),
                "has_objects": has_objects, "without_tree": self.without_tree, "contents": self.contents}


def count(path: str) -> dict[str, Any]:
    counter = Counter()
    for record in records_of(path):
        counter.add(record)
    return counter.answer()


COMMANDS = {"write": write, "count": count, "cut": cut}
if sys.argv[1] == "batch":
    print(json.dumps([COMMANDS[name](*words) for name, *words in json.load(sys.stdin)]))
else:
    print(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))
