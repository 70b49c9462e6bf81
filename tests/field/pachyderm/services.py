"""The gRPC services of the double: each call's request and answer, around what the other files do."""

import functools
import io
import threading
from typing import Any, Callable, Iterable, Iterator
from urllib.parse import urlsplit

import garbage
import grpc
import history
import stream
from bucket import Bucket
from files import Files, clean
from google.protobuf.empty_pb2 import Empty
from google.protobuf.wrappers_pb2 import BytesValue
from metadata import BRANCHES, REPOS, Metadata
from pipelines import Pipelines
from protocol import SPEC_REPO, Refused, commit_of, module, parse_release, pfs
from transfer import Transfer

admin, pps, version = module("admin"), module("pps"), module("version")
admin_grpc, pfs_grpc, pps_grpc, version_grpc = (module(f"{name}_grpc") for name in ("admin", "pfs", "pps", "version"))
PIECE = 1 << 20  # bytes of a file in one message


def refusing(call: Callable[..., Any]) -> Callable[..., Any]:
    """A call whose Refused becomes gRPC's UNKNOWN with the text, as errors of Go do."""
    @functools.wraps(call)
    def wrapped(self: Any, request: Any, context: Any) -> Any:
        try:
            return call(self, request, context)
        except Refused as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return wrapped


def refusing_stream(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def wrapped(self: Any, request: Any, context: Any) -> Iterator[Any]:
        try:
            yield from call(self, request, context)
        except Refused as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return wrapped


class Versions(version_grpc.APIServicer):
    def __init__(self, release: str):
        self.release = parse_release(release)

    def GetVersion(self, request: Any, context: Any) -> Any:
        major, minor, micro = self.release
        return version.Version(major=major, minor=minor, micro=micro)


class Repositories(pfs_grpc.APIServicer):
    """PFS."""

    def __init__(self, metadata: Metadata, files: Files):
        self.metadata, self.files = metadata, files

    @refusing
    def CreateRepo(self, request: Any, context: Any) -> Any:
        with self.metadata.change() as change:
            history.create_repo(change, request.repo.name, request.description, request.update)
        return Empty()

    @refusing
    def InspectRepo(self, request: Any, context: Any) -> Any:
        with self.metadata.look() as change:
            return change.copy(REPOS, request.repo.name)

    @refusing
    def ListRepo(self, request: Any, context: Any) -> Any:
        with self.metadata.look() as change:
            names = [name for name in reversed(change.names(REPOS)) if name != SPEC_REPO]
            return pfs.ListRepoResponse(repo_info=[change.get(REPOS, name) for name in names])

    @refusing
    def DeleteRepo(self, request: Any, context: Any) -> Any:
        with self.metadata.change() as change:
            names = [request.repo.name]
            if request.all:
                names = [name for name in change.names(REPOS) if name != SPEC_REPO]
            for name in names:
                history.delete_repo(change, name, request.force or request.all)
        return Empty()

    @refusing
    def StartCommit(self, request: Any, context: Any) -> Any:
        return self.files.start(request)

    @refusing
    def FinishCommit(self, request: Any, context: Any) -> Any:
        self.files.finish(request.commit, request.tree.hash, request.size_bytes, request.empty)
        return Empty()

    @refusing
    def InspectCommit(self, request: Any, context: Any) -> Any:
        with self.metadata.look() as change:
            return history.resolve(change, request.commit)

    @refusing
    def ListCommit(self, request: Any, context: Any) -> Any:
        return pfs.CommitInfos(commit_info=self._commits(request))

    @refusing_stream
    def ListCommitStream(self, request: Any, context: Any) -> Iterator[Any]:
        yield from self._commits(request)

    def _commits(self, request: Any) -> list[Any]:
        with self.metadata.look() as change:
            after = getattr(request, "from").id
            found = history.commits_of(change, request.repo.name, request.to.id, after)
        found = found[:request.number] if request.number else found
        return found[::-1] if request.reverse else found

    @refusing
    def DeleteCommit(self, request: Any, context: Any) -> Any:
        with self.metadata.change() as change:
            history.delete_commit(change, request.commit)
        return Empty()

    @refusing
    def BuildCommit(self, request: Any, context: Any) -> Any:
        with self.metadata.change() as change:
            identity = history.make_commit(change, request, request.started if request.HasField("started") else None,
                                           request.finished if request.HasField("finished") else None)
        return commit_of(request.parent.repo.name, identity)

    @refusing
    def CreateBranch(self, request: Any, context: Any) -> Any:
        with self.metadata.change() as change:
            history.create_branch(change, request.branch, request.head, request.provenance)
        return Empty()

    @refusing
    def InspectBranch(self, request: Any, context: Any) -> Any:
        with self.metadata.look() as change:
            return change.copy(BRANCHES, f"{request.branch.repo.name}/{request.branch.name}")

    @refusing
    def ListBranch(self, request: Any, context: Any) -> Any:
        repo = request.repo.name
        with self.metadata.look() as change:
            if repo:
                change.copy(REPOS, repo)
            names = change.names(BRANCHES, repo + "/" if repo else "")
            found = [change.get(BRANCHES, name) for name in names]
        return pfs.BranchInfos(branch_info=found if request.reverse else found[::-1])

    @refusing
    def DeleteBranch(self, request: Any, context: Any) -> Any:
        with self.metadata.change() as change:
            history.delete_branch(change, request.branch, request.force)
        return Empty()

    @refusing
    def PutFile(self, requests: Iterable[Any], context: Any) -> Any:
        self.files.put(requests)
        return Empty()

    @refusing
    def DeleteFile(self, request: Any, context: Any) -> Any:
        self.files.put([pfs.PutFileRequest(file=request.file, delete=True)])
        return Empty()

    @refusing_stream
    def GetFile(self, request: Any, context: Any) -> Iterator[Any]:
        content = b"".join(self.files.content(request.file))[request.offset_bytes:]
        content = content[:request.size_bytes] if request.size_bytes else content
        for start in range(0, len(content), PIECE):
            yield BytesValue(value=content[start:start + PIECE])

    @refusing
    def InspectFile(self, request: Any, context: Any) -> Any:
        path = clean(request.file.path)
        found = self.files.infos(request.file.commit, pattern=path)
        if not found:
            raise Refused(f"file {path} not found in repo {request.file.commit.repo.name} at commit {request.file.commit.id}")
        return found[0]

    @refusing
    def ListFile(self, request: Any, context: Any) -> Any:
        return pfs.FileInfos(file_info=self.files.infos(request.file.commit, under=clean(request.file.path)))

    @refusing_stream
    def ListFileStream(self, request: Any, context: Any) -> Iterator[Any]:
        yield from self.files.infos(request.file.commit, under=clean(request.file.path))

    @refusing
    def GlobFile(self, request: Any, context: Any) -> Any:
        return pfs.FileInfos(file_info=self.files.infos(request.commit, pattern=request.pattern))

    @refusing_stream
    def GlobFileStream(self, request: Any, context: Any) -> Iterator[Any]:
        yield from self.files.infos(request.commit, pattern=request.pattern)

    @refusing
    def DeleteAll(self, request: Any, context: Any) -> Any:
        with self.metadata.change() as change:
            for name in change.names(REPOS):
                history.delete_repo(change, name, True)
            history.ensure_spec_repo(change)
        return Empty()

    @refusing_stream
    def Fsck(self, request: Any, context: Any) -> Iterator[Any]:
        with self.metadata.look() as change:
            found = list(history.problems(change))
        for text in found:
            yield pfs.FsckResponse(error=text)


class Processing(pps_grpc.APIServicer):
    """PPS."""

    def __init__(self, pipelines: Pipelines):
        self.pipelines = pipelines

    @refusing
    def CreatePipeline(self, request: Any, context: Any) -> Any:
        self.pipelines.create(request)
        return Empty()

    @refusing
    def InspectPipeline(self, request: Any, context: Any) -> Any:
        return self.pipelines.inspect(request.pipeline.name)

    @refusing
    def ListPipeline(self, request: Any, context: Any) -> Any:
        wanted = request.pipeline.name
        return pps.PipelineInfos(pipeline_info=[self.pipelines.inspect(wanted)] if wanted else self.pipelines.all())

    @refusing
    def DeletePipeline(self, request: Any, context: Any) -> Any:
        for name in ([info.pipeline.name for info in self.pipelines.all()] if request.all else [request.pipeline.name]):
            self.pipelines.delete(name, request.keep_repo, request.force or request.all)
        return Empty()

    @refusing
    def StartPipeline(self, request: Any, context: Any) -> Any:
        self.pipelines.set_stopped(request.pipeline.name, False)
        return Empty()

    @refusing
    def StopPipeline(self, request: Any, context: Any) -> Any:
        self.pipelines.set_stopped(request.pipeline.name, True)
        return Empty()

    @refusing
    def CreateJob(self, request: Any, context: Any) -> Any:
        return self.pipelines.create_job(request)

    @refusing
    def InspectJob(self, request: Any, context: Any) -> Any:
        for job in self.pipelines.jobs(output=request.output_commit.id, full=True):
            if request.job.id in ("", job.job.id):
                return job
        raise Refused(f"jobs/{request.job.id or request.output_commit.id} not found")

    @refusing
    def ListJob(self, request: Any, context: Any) -> Any:
        return pps.JobInfos(job_info=self.pipelines.jobs(request.pipeline.name, request.output_commit.id, request.full))

    @refusing_stream
    def ListJobStream(self, request: Any, context: Any) -> Iterator[Any]:
        yield from self.pipelines.jobs(request.pipeline.name, request.output_commit.id, request.full)

    @refusing
    def GarbageCollect(self, request: Any, context: Any) -> Any:
        objects, tags = garbage.collect(self.pipelines)
        print(f"garbage collection: {objects} objects and {tags} tags deleted", flush=True)
        return pps.GarbageCollectResponse()

    @refusing
    def DeleteAll(self, request: Any, context: Any) -> Any:
        for info in self.pipelines.all():
            self.pipelines.delete(info.pipeline.name, False, True)
        return Empty()


class Administration(admin_grpc.APIServicer):
    def __init__(self, identity: str, transfer: Transfer, bucket: Bucket):
        self.identity, self.transfer, self.bucket = identity, transfer, bucket
        self._one_restore = threading.Lock()

    @refusing
    def InspectCluster(self, request: Any, context: Any) -> Any:
        return admin.ClusterInfo(id=self.identity, deployment_id=self.identity)

    @refusing_stream
    def Extract(self, request: Any, context: Any) -> Iterator[Any]:
        if not request.URL:
            yield from self.transfer.extract(request)
            return
        bucket, name = self._place(request.URL)
        data = io.BytesIO()
        stream.write(data, self.transfer.extract(request))
        bucket.put(name, data.getvalue())

    @refusing
    def ExtractPipeline(self, request: Any, context: Any) -> Any:
        info = self.transfer.pipelines.inspect(request.pipeline.name)
        return self.transfer.op("pipeline", self.transfer.request_of(info))

    @refusing
    def Restore(self, requests: Iterator[Any], context: Any) -> Any:
        first = next(requests, None)
        if first is None:
            return Empty()
        with self._one_restore:
            if first.URL:
                bucket, name = self._place(first.URL)
                self.transfer.restore(stream.ops(io.BytesIO(bucket.get(name))))
            else:
                self.transfer.restore(_ops(first, requests))
        return Empty()

    def _place(self, url: str) -> tuple[Bucket, str]:
        """The bucket of an URL, read and written with pachd's own keys, and the object's name."""
        parts = urlsplit(url)
        name = parts.path.lstrip("/")
        if not name:
            raise Refused(f"URL must be <svc>://<bucket>/<object> (no object in {url})")
        return self.bucket.beside(parts.netloc), name


def _ops(first: Any, requests: Iterator[Any]) -> Iterator[Any]:
    yield first.op
    for request in requests:
        yield request.op


def add_all(server: Any, release: str, identity: str, metadata: Metadata, files: Files, pipelines: Pipelines) -> None:
    transfer = Transfer(parse_release(release), metadata, files, pipelines)
    version_grpc.add_APIServicer_to_server(Versions(release), server)
    pfs_grpc.add_APIServicer_to_server(Repositories(metadata, files), server)
    pps_grpc.add_APIServicer_to_server(Processing(pipelines), server)
    admin_grpc.add_APIServicer_to_server(Administration(identity, transfer, files.objects.bucket), server)
