"""Files of the double: which objects each has, in a tree that is an object itself (JSON, in place of Pachyderm's hash tree)."""

import fnmatch
import hashlib
import json
import posixpath
from typing import Any, Iterable, Iterator

import history
from metadata import BRANCHES, COMMITS, RECORDS, REPOS, Metadata
from objects import Objects
from protocol import SPEC_REPO, Refused, commit_of, pfs

Tree = dict[str, dict[str, Any]]  # path -> {"objects": [hash, ...], "size": bytes}
TREES_MAX = 64  # kept in memory


def clean(path: str) -> str:
    return posixpath.normpath("/" + path.strip("/"))


class Files:
    def __init__(self, metadata: Metadata, objects: Objects):
        self.metadata, self.objects = metadata, objects
        self._trees: dict[str, Tree] = {}

    # Writing

    def start(self, request: Any) -> Any:
        """Starts a commit from a StartCommitRequest."""
        built = pfs.BuildCommitRequest(parent=request.parent, branch=request.branch, provenance=request.provenance)
        with self.metadata.change() as change:
            identity = history.make_commit(change, built)
            name = f"{request.parent.repo.name}/{identity}"
            if request.description:
                info = change.copy(COMMITS, name)
                info.description = request.description
                change.put(COMMITS, name, info)
        return commit_of(request.parent.repo.name, identity)

    def finish(self, commit: Any, tree: str = "", size: int = 0, empty: bool = False) -> None:
        """Finishes a commit with what was put into it, or with a tree that was made elsewhere."""
        with self.metadata.look() as change:
            info = history.resolve(change, commit)
        repo, identity = info.commit.repo.name, info.commit.id
        if not tree and not empty:
            tree, size = self._write(self._with_records(info))
        with self.metadata.change() as change:
            history.finish_commit(change, repo, identity, tree, size)

    def put(self, requests: Iterable[Any]) -> None:
        """Puts files from a stream of PutFileRequests: their objects first, then all of them at once into their commits."""
        pieces = [(file, value, request) for file, value, request in _joined(requests)]
        names = self.objects.put_all(value for _, value, _ in pieces)
        puts: dict[tuple[str, str], list[tuple[str, Any]]] = {}
        for (file, value, request), name in zip(pieces, names):
            entry = pfs.PutFileRecords(tombstone=request.delete or request.HasField("overwrite_index"))
            if not request.delete:
                entry.records.add(size_bytes=len(value), object_hash=name)
            puts.setdefault((file.commit.repo.name, file.commit.id), []).append((clean(file.path), entry))
        for (repo, identity), entries in puts.items():
            self._put_into(commit_of(repo, identity), entries)

    def _put_into(self, commit: Any, entries: list[tuple[str, Any]]) -> None:
        with self.metadata.change() as change:
            target = self._target(change, commit)
            if target:
                for path, entry in entries:
                    _add_record(change, target + path, entry)
                return
        self._put_alone(commit, entries)

    def _target(self, change: Any, commit: Any) -> str:
        """The open commit that files go to; "" if they make one of their own on a branch."""
        repo = commit.repo.name
        change.copy(REPOS, repo)
        info = change.get(COMMITS, f"{repo}/{commit.id}")
        if info and info.HasField("finished"):
            raise Refused(f"commit {commit.id} in repo {repo} has already finished")
        branch = change.get(BRANCHES, f"{repo}/{commit.id}")
        info = info or (branch and change.get(COMMITS, f"{repo}/{branch.head.id}"))
        return str(info.commit.id) if info and not info.HasField("finished") else ""

    def _put_alone(self, branch: Any, entries: list[tuple[str, Any]]) -> None:
        """A commit of its own on a branch, finished at once."""
        with self.metadata.look() as change:
            found = change.get(BRANCHES, f"{branch.repo.name}/{branch.id}")
            head = found.head.id if found else ""
        tree = dict(self.tree(commit_of(branch.repo.name, head))) if head else {}
        for path, entry in entries:
            _apply(tree, path, entry)
        name, size = self._write(tree)
        built = pfs.BuildCommitRequest(parent=commit_of(branch.repo.name, head), branch=branch.id, size_bytes=size,
                                       tree=pfs.Object(hash=name))
        with self.metadata.change() as change:
            found = change.get(BRANCHES, f"{branch.repo.name}/{branch.id}")
            if (found.head.id if found else "") != head:
                raise Refused(f"the branch {branch.id} of {branch.repo.name} was moved meanwhile; put the file again")
            if found and any(source.repo.name != SPEC_REPO for source in found.provenance):
                raise Refused("cannot start a commit on an output branch")
            history.make_commit(change, built)

    def put_tree(self, tree: Tree) -> tuple[str, int]:
        """Writes a tree; its hash and the bytes of its files."""
        return self._write(tree)

    def _write(self, tree: Tree) -> tuple[str, int]:
        data = json.dumps({"files": tree}, sort_keys=True).encode()
        name = self.objects.put(data)
        return name, sum(int(file["size"]) for file in tree.values())

    # Reading

    def tree(self, commit: Any) -> Tree:
        """The files of a commit, also of one that is open."""
        with self.metadata.look() as change:
            info = history.resolve(change, commit)
        return self._with_records(info) if not info.HasField("finished") else self._stored(info)

    def _stored(self, info: Any) -> Tree:
        name = info.tree.hash
        if not name:
            return {}
        if name not in self._trees:
            while len(self._trees) >= TREES_MAX:
                self._trees.pop(next(iter(self._trees)), None)
            self._trees[name] = json.loads(self.objects.get(name))["files"]
        return self._trees[name]

    def _with_records(self, info: Any) -> Tree:
        """The tree of the last ancestor that has one, with what was put into an open commit."""
        with self.metadata.look() as change:
            parent = change.get(COMMITS, f"{info.commit.repo.name}/{info.parent_commit.id}")
            while parent and not parent.tree.hash and parent.parent_commit.id:
                parent = change.get(COMMITS, f"{info.commit.repo.name}/{parent.parent_commit.id}")
            start = info.commit.id + "/"
            records = [("/" + name.removeprefix(start), change.get(RECORDS, name)) for name in change.names(RECORDS, start)]
        tree = dict(self._stored(parent)) if parent else {}
        for path, entry in records:
            _apply(tree, path, entry)
        return tree

    def content(self, file: Any) -> Iterator[bytes]:
        path = clean(file.path)
        tree = self.tree(file.commit)
        if path not in tree:
            raise Refused(f"file {path} not found in repo {file.commit.repo.name} at commit {file.commit.id}")
        for name in tree[path]["objects"]:
            yield self.objects.get(name)

    def infos(self, commit: Any, pattern: str = "", under: str = "") -> list[Any]:
        """FileInfos of the files and folders that match a pattern, or lie right below a path. Folders are not stored."""
        tree = self.tree(commit)
        with self.metadata.look() as change:
            found = history.resolve(change, commit)
        if under and under != "/" and under not in tree and not any(path.startswith(under + "/") for path in tree):
            raise Refused(f"file {under} not found in repo {commit.repo.name} at commit {commit.id}")
        folders = {parent for path in tree for parent in _parents(path)}
        return [_info(found.commit, path, tree) for path in sorted({*tree, *folders})
                if (matches(path, pattern) if pattern else _is_listed(path, under, tree))]


def _is_listed(path: str, under: str, tree: Tree) -> bool:
    """Whether a path lies right below another one, or is that one and a file."""
    return path in tree if path == under else posixpath.dirname(path) == under


def _joined(requests: Iterable[Any]) -> Iterator[tuple[Any, bytes, Any]]:
    """(file, all of its bytes, its first request): a large file comes in several."""
    first, parts = None, []
    for request in requests:
        starts = request.HasField("file") and (first is None or request.file != first.file or request.delete
                                               or request.HasField("overwrite_index"))
        if starts and first is not None:
            yield first.file, b"".join(parts), first
        if starts:
            first, parts = request, []
        if request.url:
            raise Refused("the double of pachd puts no files from a URL")
        parts.append(request.value)
    if first is not None:
        yield first.file, b"".join(parts), first


def _add_record(change: Any, name: str, entry: Any) -> None:
    found = change.get(RECORDS, name)
    if found and not entry.tombstone:
        entry = pfs.PutFileRecords(tombstone=found.tombstone, records=[*found.records, *entry.records])
    change.put(RECORDS, name, entry)


def _apply(tree: Tree, path: str, entry: Any) -> None:
    before = {"objects": [], "size": 0} if entry.tombstone else tree.get(path, {"objects": [], "size": 0})
    tree.pop(path, None)
    if entry.tombstone and not entry.records:
        for below in [name for name in tree if name.startswith(path + "/")]:
            del tree[below]
        return
    tree[path] = {"objects": before["objects"] + [record.object_hash for record in entry.records],
                  "size": before["size"] + sum(record.size_bytes for record in entry.records)}


def _parents(path: str) -> Iterator[str]:
    while path != "/":
        path = posixpath.dirname(path)
        yield path


def matches(path: str, pattern: str) -> bool:
    """As Pachyderm's globs: `*` stops at a slash, `**` does not."""
    words, parts = clean(pattern).split("/"), path.split("/")
    if "**" in pattern:
        return fnmatch.fnmatchcase(path, clean(pattern))
    return len(words) == len(parts) and all(fnmatch.fnmatchcase(part, word) for part, word in zip(parts, words))


def _info(commit: Any, path: str, tree: Tree) -> Any:
    made = pfs.FileInfo(file=pfs.File(commit=commit, path=path))
    members = [path] if path in tree else [name for name in tree if path == "/" or name.startswith(path + "/")]
    made.file_type = pfs.FILE if path in tree else pfs.DIR
    made.size_bytes = sum(int(tree[name]["size"]) for name in members)
    if path in tree:
        made.objects.extend(pfs.Object(hash=name) for name in tree[path]["objects"])
    words = "".join(f"{name}\0{' '.join(tree[name]['objects'])}\0" for name in sorted(members))
    made.hash = hashlib.sha256(words.encode()).digest()
    return made

