"""Pachyderm's objects in a bucket: `object/<SHA-512>` holds a BlockRef, `block/<id>` the bytes, `tag/<name>` an index of one."""

import hashlib
import os
import uuid
from typing import Any, Iterable, Iterator

from bucket import Bucket, Missing
from protocol import Refused, pfs


class Objects:
    def __init__(self, bucket: Bucket, root: str):
        self.bucket, self.root = bucket, root
        self._known: set[str] = set()  # objects that were seen in the bucket and not deleted since

    def put(self, content: bytes, *tags: str) -> str:
        """Writes an object, unless it is there already; its hash."""
        name = hashlib.sha512(content).hexdigest()
        if not self.exists(name):
            block = uuid.uuid4().hex
            self.bucket.put(self._path("block", block), content)
            self.create(name, _block_ref(block, 0, len(content)))
        self.tag(name, *tags)
        return name

    def put_all(self, contents: Iterable[bytes]) -> list[str]:
        return list(self.bucket.pool.map(self.put, contents))

    def create(self, name: str, block_ref: Any) -> None:
        self.bucket.put(self._path("object", name), block_ref.SerializeToString())
        self._known.add(name)

    def exists(self, name: str) -> bool:
        if name not in self._known and self.bucket.exists(self._path("object", name)):
            self._known.add(name)
        return name in self._known

    def get(self, name: str) -> bytes:
        """The bytes of an object. Refused if it is not whole."""
        found = self.inspect(name)
        lower, upper = found.range.lower, found.range.upper
        content = self.bucket.get(self._path("block", found.block.hash), lower, upper) if upper > lower else b""
        if len(content) != upper - lower:
            raise Refused("undersized object (this is likely a bug)")
        return content

    def inspect(self, name: str) -> Any:
        """Where an object is: a BlockRef."""
        try:
            return pfs.BlockRef.FromString(self.bucket.get(self._path("object", name)))
        except Missing as error:
            raise Refused(f"objectInfoGetter: object {name} not found") from error

    def tag(self, name: str, *tags: str) -> None:
        for tag in tags:
            index = pfs.ObjectIndex()
            index.tags[tag].hash = name
            self.bucket.put(self._path("tag", tag), index.SerializeToString())

    def has_tag(self, tag: str) -> bool:
        return self.bucket.exists(self._path("tag", tag))

    def put_block(self, block: str, content: bytes) -> None:
        self.bucket.put(self._path("block", block), content)

    def get_block(self, block: str) -> bytes:
        return self.bucket.get(self._path("block", block))

    def names(self, kind: str) -> Iterator[str]:
        """All names of a kind: "block", "object" or "tag"."""
        for path in self.bucket.names(self._path(kind, "")):
            yield path.rpartition("/")[2]

    def of_tag(self, tag: str) -> str:
        """The hash of a tagged object."""
        return pfs.ObjectIndex.FromString(self.bucket.get(self._path("tag", tag))).tags[tag].hash

    def delete(self, names: Iterable[str]) -> None:
        """Deletes objects, and the block of each."""
        list(self.bucket.pool.map(self._delete_one, names))

    def delete_tag(self, tag: str) -> None:
        self.bucket.delete(self._path("tag", tag))

    def _delete_one(self, name: str) -> None:
        self._known.discard(name)
        try:
            block = self.inspect(name).block.hash
        except Refused:
            block = ""
        self.bucket.delete(self._path("object", name))
        if block:
            self.bucket.delete(self._path("block", block))

    def _path(self, kind: str, name: str) -> str:
        return os.path.join(self.root, kind, name).lstrip("/")


def _block_ref(block: str, lower: int, upper: int) -> Any:
    return pfs.BlockRef(block=pfs.Block(hash=block), range=pfs.ByteRange(lower=lower, upper=upper))
