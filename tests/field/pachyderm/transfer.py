"""Extract and restore of the double, in the order and with the errors of pachd's admin server."""

from typing import Any, Callable, Iterable, Iterator

import history
from files import Files
from metadata import BRANCHES, REPOS, Metadata
from pipelines import JOB_FIELDS, SAME_FIELDS, Pipelines, copy_fields, inputs
from protocol import MESSAGE_BYTES_MAX, SPEC_REPO, Refused, commit_of, module, now, pfs

admin, pps = module("admin"), module("pps")
MINORS = (9, 10, 11, 12, 13)  # of the ops that are read and written here
TIMES_SINCE = (1, 10, 3)  # from then on, a commit's times are in the stream, and open commits are finished
ORIGIN_SINCE = (1, 11, 0)


class Transfer:
    def __init__(self, release: tuple[int, int, int], metadata: Metadata, files: Files, pipelines: Pipelines):
        self.release, self.metadata, self.files, self.pipelines = release, metadata, files, pipelines

    # Extract

    def extract(self, request: Any) -> Iterator[Any]:
        """The ops, in pachd's order."""
        if not request.no_objects:
            yield from self._contents()
        if not request.no_repos:
            yield from self._repos()
        if not request.no_pipelines:
            yield from self._pipelines()

    def op(self, kind: str, request: Any) -> Any:
        """An op of this release; what its version does not know is left out."""
        made = admin.Op()
        union = getattr(made, f"op1_{self.release[1]}")
        target = getattr(union, kind)
        target.SetInParent()
        target.ParseFromString(request.SerializeToString())
        made.DiscardUnknownFields()
        return made

    def _contents(self) -> Iterator[Any]:
        objects = self.files.objects
        for block in objects.names("block"):
            content, half = objects.get_block(block), MESSAGE_BYTES_MAX // 2
            first = True
            for start in range(0, len(content), half):
                yield self.op("block", pfs.PutBlockRequest(block=pfs.Block(hash=block) if first else None,
                                                           value=content[start:start + half]))
                first = False
            yield self.op("block", pfs.PutBlockRequest(block=pfs.Block(hash=block) if first else None))
        for name in objects.names("object"):
            yield self.op("create_object", pfs.CreateObjectRequest(object=pfs.Object(hash=name),
                                                                   block_ref=objects.inspect(name)))
        for tag in objects.names("tag"):
            yield self.op("tag", pfs.TagObjectRequest(object=pfs.Object(hash=objects.of_tag(tag)),
                                                      tags=[pfs.Tag(name=tag)]))

    def _repos(self) -> Iterator[Any]:
        with self.metadata.look() as change:
            repos = [change.get(REPOS, name) for name in change.names(REPOS) if name != SPEC_REPO]
            commits = list(reversed(history.commits_of(change, "")))
            branches = [change.get(BRANCHES, name) for name in change.names(BRANCHES)]
        yield self.op("repo", pfs.CreateRepoRequest(repo=pfs.Repo(name=SPEC_REPO)))
        for info in repos:
            yield self.op("repo", pfs.CreateRepoRequest(repo=info.repo, description=info.description))
        for info in commits:
            yield self.op("commit", self._commit(info))
        for info in branches:
            request = pfs.CreateBranchRequest(branch=info.branch, provenance=info.direct_provenance)
            if info.head.id:
                request.head.CopyFrom(info.head)
            yield self.op("branch", request)

    def _commit(self, info: Any) -> Any:
        made = pfs.BuildCommitRequest(parent=info.parent_commit if info.parent_commit.id else
                                      commit_of(info.commit.repo.name, ""), ID=info.commit.id)
        copy_fields(("tree", "size_bytes"), info, made)
        made.provenance.extend(info.provenance)
        if self.release >= TIMES_SINCE:
            copy_fields(("started", "finished"), info, made)
            if not info.HasField("finished"):
                print(f'Commit "{info.commit.id}" is not finished, so its data cannot be extracted, and any data it contains '
                      "will not be restored", flush=True)
                made.finished.CopyFrom(now())
        if self.release >= ORIGIN_SINCE:
            copy_fields(("origin",), info, made)
        return made

    def _pipelines(self) -> Iterator[Any]:
        for info in _sorted(self.pipelines.all()):
            request = self.request_of(info)
            request.spec_commit.CopyFrom(info.spec_commit)
            yield self.op("pipeline", request)
            for job in self.pipelines.jobs(info.pipeline.name):
                yield self.op("job", copy_fields(JOB_FIELDS, job, pps.CreateJobRequest()))

    def request_of(self, info: Any) -> Any:
        """The request that makes a pipeline again; whether it is stopped is not in it."""
        return copy_fields((*SAME_FIELDS, "pipeline"), info, pps.CreatePipelineRequest())

    # Restore

    def restore(self, every: Iterable[Any]) -> None:
        """Applies ops one after another. An error comes only after the rest of the stream was read; what was made stays."""
        ops = iter(every)
        try:
            self._apply_all(ops)
        finally:
            for _ in ops:
                pass

    def _apply_all(self, ops: Iterator[Any]) -> None:
        version = ""
        block, parts = "", []
        for op in ops:
            [(union, request)] = op.ListFields() or [(None, None)]
            name = union.name.replace("op", "").replace("_", ".") if union else "undefined"
            if version and name != version:
                raise Refused("cannot mix different versions of pachd operation within a metadata dumps "
                              f"(found both {name} and {version})")
            version = name
            if name == "undefined" or int(name[2:]) not in MINORS or int(name[2:]) > self.release[1]:
                raise Refused(f"unrecognized stream version: {name}")
            [(kind, body)] = request.ListFields()
            if kind.name == "block":
                block, parts = body.block.hash or block, [*parts, body.value]
                if not body.value:
                    self.files.objects.put_block(block, b"".join(parts))
                    block, parts = "", []
            else:
                self._apply(kind.name, body)

    def _apply(self, kind: str, body: Any) -> None:
        apply: dict[str, tuple[str, Callable[[Any], Any]]] = {
            "create_object": ("creating object", self._create_object), "tag": ("tagging object", self._tag),
            "repo": ("creating repo", self._create_repo), "commit": ("creating commit", self._build_commit),
            "branch": ("creating branch", self._create_branch), "pipeline": ("creating pipeline", self._create_pipeline),
            "job": ("creating job", self._create_job)}
        if kind not in apply:
            raise Refused(f"the double of pachd has no {kind}")
        what, step = apply[kind]
        try:
            step(body)
        except Refused as error:
            if "already exists" not in str(error):
                raise Refused(f"error {what}: {error}") from error

    def _create_object(self, body: Any) -> None:
        self.files.objects.create(body.object.hash, pfs.BlockRef.FromString(body.block_ref.SerializeToString()))

    def _tag(self, body: Any) -> None:
        if not self.files.objects.exists(body.object.hash):
            raise Refused(f"object {body.object.hash} does not exist")
        self.files.objects.tag(body.object.hash, *(tag.name for tag in body.tags))

    def _create_repo(self, body: Any) -> None:
        with self.metadata.change() as change:
            history.create_repo(change, body.repo.name, body.description)

    def _build_commit(self, body: Any) -> None:
        request = pfs.BuildCommitRequest.FromString(body.SerializeToString())
        started = request.started if request.HasField("started") else None
        finished = request.finished if request.HasField("finished") else None
        if not finished and self.release >= TIMES_SINCE:
            finished = now()
        with self.metadata.change() as change:
            history.make_commit(change, request, started, finished)

    def _create_branch(self, body: Any) -> None:
        request = pfs.CreateBranchRequest.FromString(body.SerializeToString())
        with self.metadata.change() as change:
            history.create_branch(change, request.branch, request.head, request.provenance)

    def _create_pipeline(self, body: Any) -> None:
        self.pipelines.create(pps.CreatePipelineRequest.FromString(body.SerializeToString()))

    def _create_job(self, body: Any) -> None:
        self.pipelines.create_job(pps.CreateJobRequest.FromString(body.SerializeToString()))


def _sorted(infos: list[Any]) -> list[Any]:
    """Each pipeline behind those it reads from."""
    waiting = {info.pipeline.name: info for info in infos}
    found: list[Any] = []

    def add(name: str) -> None:
        info = waiting.pop(name, None)
        if info:
            for one in inputs(info.input):
                add(one.repo)
            found.append(info)

    for info in infos:
        add(info.pipeline.name)
    return found
