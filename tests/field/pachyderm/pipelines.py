"""Pipelines and jobs of the double: specs in `__spec__`, a worker that copies files, and garbage collection.

A pipeline's worker is a thread's loop in pachd. For each finished commit of the pipeline's first PFS input that no output
commit comes from it makes a job, which copies the files that match the glob. As in Pachyderm, a new commit of the spec makes
one more output of the input's head: so does stopping and starting. Its files are then skipped, as their tags are there.
"""

import hashlib
import os
import threading
import uuid
from typing import Any, Iterator

import history
from files import Files, Tree, matches
from metadata import BRANCHES, COMMITS, JOBS, PIPELINES, REPOS, Metadata
from protocol import SPEC_REPO, Refused, branch_of, commit_of, module, now, pfs

pps = module("pps")

SPEC_FILE = "/spec"
SAME_FIELDS = ("transform", "parallelism_spec", "hashtree_spec", "egress", "s3_out", "resource_requests", "resource_limits",
               "sidecar_resource_limits", "input", "description", "cache_size", "enable_stats", "max_queue_size", "service",
               "spout", "chunk_spec", "datum_timeout", "job_timeout", "salt", "standby", "datum_tries", "scheduling_spec",
               "pod_spec", "pod_patch", "output_branch", "metadata")
JOB_FIELDS = ("restart", "data_processed", "data_skipped", "data_total", "data_failed", "data_recovered", "stats",
              "stats_commit", "state", "reason", "started", "finished", "pipeline", "output_commit")
GLANCE_SECONDS = 0.5


def copy_fields(names: tuple[str, ...], source: Any, target: Any) -> Any:
    """Copies those fields that are set."""
    for field, value in source.ListFields():
        if field.name in names:
            if field.message_type:
                getattr(target, field.name).CopyFrom(value)
            else:
                setattr(target, field.name, value)
    return target


def tag_start(salt: str) -> str:
    """How the tags of a pipeline's datums begin."""
    return salt[:24]


def inputs(found: Any) -> Iterator[Any]:
    """The PFS inputs below an input."""
    if found.HasField("pfs"):
        yield found.pfs
    for group in (found.cross, found.union, found.join, found.group):
        for one in group:
            yield from inputs(one)


class Pipelines:
    def __init__(self, metadata: Metadata, files: Files, job_seconds: float, restored_start: bool,
                 no_workers_file: str):
        self.metadata, self.files, self.job_seconds = metadata, files, job_seconds
        self.restored_start, self.no_workers_file = restored_start, no_workers_file
        self._specs: dict[str, Any] = {}  # spec commit -> PipelineInfo

    def run(self) -> None:
        """Starts the worker of all pipelines."""
        threading.Thread(target=self._work, daemon=True, name="worker").start()

    # Pipelines

    def create(self, request: Any) -> None:
        name = request.pipeline.name
        with self.metadata.look() as change:
            before = change.get(PIPELINES, name)
            missing = [one.repo for one in inputs(request.input) if not change.get(REPOS, one.repo)]
            self._check(request, before, missing, change)
        info = self._info_of(request, self.inspect(name) if before else None)
        self._make_repos(info)
        spec = request.spec_commit if request.HasField("spec_commit") else self._write_spec(info)
        with self.metadata.change() as change:
            made = change.copy(PIPELINES, name) if before else pps.EtcdPipelineInfo()
            made.spec_commit.CopyFrom(spec)
            made.state = pps.PIPELINE_STARTING
            change.put(PIPELINES, name, made)
            self._set_provenance(change, info, True)
        if self.restored_start and request.HasField("spec_commit") and self.inspect(name).stopped:
            self.set_stopped(name, False)

    def _check(self, request: Any, before: Any, missing: list[str], change: Any) -> None:
        name = request.pipeline.name
        if not name:
            raise Refused("invalid pipeline spec: request.Pipeline.Name cannot be empty")
        if before and not request.update:
            raise Refused(f"pipeline {name} already exists")
        if request.update and not before:
            raise Refused(f'pipeline "{name}" not found')
        if missing:
            raise Refused(f"pipeline input repo {missing[0]} does not exist")
        if request.HasField("spec_commit"):
            spec = request.spec_commit
            try:
                history.resolve(change, spec)
            except Refused as error:
                raise Refused(f'error inspecting commit: "{spec.repo.name}/{spec.id}": {error}') from error

    def _info_of(self, request: Any, before: Any) -> Any:
        made = copy_fields(SAME_FIELDS, request, pps.PipelineInfo(pipeline=request.pipeline, created_at=now()))
        made.version = before.version + 1 if before else 1
        made.output_branch = made.output_branch or "master"
        keeps = before and not request.reprocess
        made.salt = request.salt or (before.salt if keeps else uuid.uuid4().hex)
        for one in inputs(made.input):
            one.branch = one.branch or "master"
            one.name = one.name or one.repo
        return made

    def _make_repos(self, info: Any) -> None:
        name = info.pipeline.name
        with self.metadata.change() as change:
            if not change.get(REPOS, name):
                history.create_repo(change, name, f"Output repo for pipeline {name}.")
            for one in inputs(info.input):
                if not change.get(BRANCHES, f"{one.repo}/{one.branch}"):
                    history.create_branch(change, branch_of(one.repo, one.branch), None, [])

    def _write_spec(self, info: Any) -> Any:
        """A commit in `__spec__` with the info; the commit."""
        name = info.pipeline.name
        content = self.files.objects.put(info.SerializeToString())
        tree, size = self.files.put_tree({SPEC_FILE: {"objects": [content], "size": info.ByteSize()}})
        built = pfs.BuildCommitRequest(parent=commit_of(SPEC_REPO, ""), branch=name, tree=pfs.Object(hash=tree),
                                       size_bytes=size)
        with self.metadata.change() as change:
            return commit_of(SPEC_REPO, history.make_commit(change, built))

    def _set_provenance(self, change: Any, info: Any, runs: bool) -> None:
        """Whether the output branch has the provenance of the pipeline; its head stays."""
        name = info.pipeline.name
        provenance = [branch_of(one.repo, one.branch) for one in inputs(info.input)] + [branch_of(SPEC_REPO, name)]
        history.create_branch(change, branch_of(name, info.output_branch), self._head(change, info),
                              provenance if runs else [])

    def _head(self, change: Any, info: Any) -> Any:
        found = change.get(BRANCHES, f"{info.pipeline.name}/{info.output_branch}")
        return commit_of(info.pipeline.name, info.output_branch) if found and found.head.id else None

    def _spec(self, found: Any) -> Any:
        """The PipelineInfo of a spec commit, out of the bucket."""
        commit = found.spec_commit
        if commit.id not in self._specs:
            data = b"".join(self.files.content(pfs.File(commit=commit, path=SPEC_FILE)))
            self._specs[commit.id] = pps.PipelineInfo.FromString(data)
        made = pps.PipelineInfo()
        made.CopyFrom(self._specs[commit.id])
        return made

    def inspect(self, name: str) -> Any:
        with self.metadata.look() as change:
            found = change.get(PIPELINES, name)
        if not found:
            raise Refused(f'pipeline "{name}" not found')
        made = self._spec(found)
        made.spec_commit.CopyFrom(found.spec_commit)
        made.state, made.reason, made.last_job_state = found.state, found.reason, found.last_job_state
        for state, count in found.job_counts.items():
            made.job_counts[state] = count
        return made

    def all(self) -> list[Any]:
        """All of them, newest first."""
        with self.metadata.look() as change:
            names = change.names(PIPELINES)
        return [self.inspect(name) for name in reversed(names)]

    def set_stopped(self, name: str, stopped: bool) -> None:
        """Stops or starts: the provenance of the output branch, and a new commit of the spec. The state follows later."""
        info = self.inspect(name)
        with self.metadata.change() as change:
            self._set_provenance(change, info, not stopped)
        info.stopped = stopped
        for field in ("spec_commit", "state", "reason", "last_job_state", "job_counts"):
            info.ClearField(field)
        spec = self._write_spec(info)
        with self.metadata.change() as change:
            made = change.copy(PIPELINES, name)
            made.spec_commit.CopyFrom(spec)
            change.put(PIPELINES, name, made)

    def delete(self, name: str, keep_repo: bool, force: bool) -> None:
        with self.metadata.change() as change:
            change.copy(PIPELINES, name)
            for job in change.names(JOBS):
                if change.get(JOBS, job).pipeline.name == name:
                    change.delete(JOBS, job)
            change.delete(PIPELINES, name)
            if not keep_repo and change.get(REPOS, name):
                history.delete_repo(change, name, force)
            if change.get(BRANCHES, f"{SPEC_REPO}/{name}"):
                history.delete_branch(change, branch_of(SPEC_REPO, name), True)

    # Jobs

    def create_job(self, request: Any) -> Any:
        """A job out of a stream of restore. It gets a new id, so that a stream that is restored twice makes two."""
        made = copy_fields(JOB_FIELDS, request, pps.EtcdJobInfo(job=pps.Job(id=uuid.uuid4().hex)))
        with self.metadata.change() as change:
            self._put_job(change, made)
        return made.job

    def _put_job(self, change: Any, job: Any) -> None:
        before = change.get(JOBS, job.job.id)
        pipeline = change.copy(PIPELINES, job.pipeline.name)
        if before:
            pipeline.job_counts[before.state] -= 1
        pipeline.job_counts[job.state] += 1
        pipeline.last_job_state = job.state
        change.put(PIPELINES, job.pipeline.name, pipeline)
        change.put(JOBS, job.job.id, job)

    def jobs(self, pipeline: str = "", output: str = "", full: bool = False) -> list[Any]:
        """JobInfos, newest first."""
        with self.metadata.look() as change:
            found = [change.get(JOBS, name) for name in reversed(change.names(JOBS))]
        return [self._job_info(job, full) for job in found
                if pipeline in ("", job.pipeline.name) and output in ("", job.output_commit.id)]

    def _job_info(self, job: Any, full: bool) -> Any:
        made = copy_fields((*JOB_FIELDS, "job"), job, pps.JobInfo())
        spec = self.inspect(job.pipeline.name)
        made.output_repo.name = job.pipeline.name
        made.output_branch, made.spec_commit.id = spec.output_branch, spec.spec_commit.id
        made.spec_commit.repo.name, made.pipeline_version = SPEC_REPO, spec.version
        if full:
            copy_fields(("transform", "input", "salt"), spec, made)
        return made

    # The worker

    def _work(self) -> None:
        while True:
            with self.metadata.look() as change:
                self.metadata.changed.wait(GLANCE_SECONDS)
                names = change.names(PIPELINES)
            for name in names:
                try:
                    self._work_for(name)
                except Refused as error:
                    print(f"pipeline {name}: {error}", flush=True)

    def _work_for(self, name: str) -> None:
        info = self.inspect(name)
        state = pps.PIPELINE_PAUSED if info.stopped else pps.PIPELINE_RUNNING
        if not info.stopped and not os.path.exists(self.no_workers_file):
            for commit in self._waiting(info):
                self._do(info, commit)
        if info.state != state:
            with self.metadata.change() as change:
                made = change.copy(PIPELINES, name)
                made.state = state
                change.put(PIPELINES, name, made)

    def _waiting(self, info: Any) -> list[Any]:
        """Finished commits of the input that have no output, oldest first; its head also if that output has another spec."""
        source = next(inputs(info.input), None)
        if not source:
            return []
        with self.metadata.look() as change:
            branch = change.get(BRANCHES, f"{source.repo}/{source.branch}")
            if not branch or not branch.head.id:
                return []
            made = [{one.commit.id for one in commit.provenance} for commit in history.commits_of(change, info.pipeline.name)
                    if commit.HasField("finished")]
            found = history.commits_of(change, source.repo, source.branch)
        head = {found[0].commit.id, info.spec_commit.id}
        return [one for one in reversed(found) if one.HasField("finished") and not any(
            one.commit.id in ids and (one is not found[0] or head <= ids) for ids in made)]

    def _do(self, info: Any, source: Any) -> None:
        """One job: opens an output commit (or finds the one that a killed pachd left), copies, finishes it."""
        name, wanted = info.pipeline.name, next(inputs(info.input))
        job, output = self._begin(info, source, wanted)
        threading.Event().wait(self.job_seconds)
        tree = {path: file for path, file in self.files.tree(source.commit).items() if matches(path, wanted.glob)}
        skipped = sum(self.files.objects.bucket.pool.map(lambda item: self._tag(info, *item), tree.items()))
        self._end(job, output, tree, skipped)
        print(f"pipeline {name}: job {job} has made {output.id} of {source.commit.id}", flush=True)

    def _tag(self, info: Any, path: str, file: dict[str, Any]) -> bool:
        """Tags the result of one datum; whether it had the tag already, which means that it is not computed again."""
        word = f"{info.salt}{path}{file['objects']}"
        tag = tag_start(info.salt) + hashlib.sha256(word.encode()).hexdigest()[:40]
        if self.files.objects.has_tag(tag):
            return True
        self.files.objects.tag(file["objects"][0], tag)
        return False

    def _begin(self, info: Any, source: Any, wanted: Any) -> tuple[str, Any]:
        name = info.pipeline.name
        with self.metadata.change() as change:
            for left in change.names(JOBS):
                found = change.get(JOBS, left)
                if found.state == pps.JOB_RUNNING and found.pipeline.name == name and _comes_from(change, found, source):
                    return left, found.output_commit
            built = pfs.BuildCommitRequest(parent=commit_of(name, ""), branch=info.output_branch)
            built.provenance.add(commit=source.commit, branch=branch_of(wanted.repo, wanted.branch))
            built.provenance.add(commit=info.spec_commit, branch=branch_of(SPEC_REPO, name))
            output = commit_of(name, history.make_commit(change, built))
            made = pps.EtcdJobInfo(job=pps.Job(id=uuid.uuid4().hex), pipeline=info.pipeline, output_commit=output,
                                   state=pps.JOB_RUNNING, started=now())
            self._put_job(change, made)
            return made.job.id, output

    def _end(self, job: str, output: Any, tree: Tree, skipped: int) -> None:
        name, size = self.files.put_tree(tree)
        with self.metadata.change() as change:
            history.finish_commit(change, output.repo.name, output.id, name, size)
            made = change.copy(JOBS, job)
            made.state, made.data_total = pps.JOB_SUCCESS, len(tree)
            made.data_processed, made.data_skipped = len(tree) - skipped, skipped
            made.finished.CopyFrom(now())
            self._put_job(change, made)


def _comes_from(change: Any, job: Any, source: Any) -> bool:
    output = change.get(COMMITS, f"{job.pipeline.name}/{job.output_commit.id}")
    return output is not None and any(one.commit.id == source.commit.id for one in output.provenance)
