"""Pipelines and jobs."""

import json
import sys
from typing import Any, Iterator

import grpc
from client import Client, Flags, print_pps, print_table, when
from google.protobuf.json_format import ParseDict, ParseError
from protocol import Refused, module

pps = module("pps")
SPEC_FIELDS = {field.name for field in pps.CreatePipelineRequest.DESCRIPTOR.fields}


def create_pipeline(arguments: list[str], flags: Flags) -> None:
    for request in _requests(flags.text("file") or "-"):
        Client().pps.CreatePipeline(request)


def update_pipeline(arguments: list[str], flags: Flags) -> None:
    for request in _requests(flags.text("file") or "-"):
        request.update, request.reprocess = True, flags.is_set("reprocess")
        Client().pps.CreatePipeline(request)


def _requests(path: str) -> Iterator[Any]:
    """Specs of a file: JSON values one after another, or a list of them."""
    try:
        with sys.stdin if path == "-" else open(path, encoding="utf-8") as file:
            text = file.read().strip()
    except OSError as error:
        raise Refused(f"open {path}: {error.strerror}") from error
    decoder, position = json.JSONDecoder(), 0
    try:
        while position < len(text):
            value, position = decoder.raw_decode(text, position)
            for one in value if isinstance(value, list) else [value]:
                yield ParseDict(one, pps.CreatePipelineRequest())
            position += len(text[position:]) - len(text[position:].lstrip())
    except (ValueError, ParseError) as error:
        raise Refused(f"malformed pipeline spec: {error}") from error


def delete_pipeline(arguments: list[str], flags: Flags) -> None:
    if bool(arguments) == flags.is_set("all"):
        raise Refused("either a pipeline name or the --all flag needs to be provided")
    request = pps.DeletePipelineRequest(all=flags.is_set("all"), force=flags.is_set("force"),
                                        keep_repo=flags.is_set("keep-repo"))
    if arguments:
        request.pipeline.name = arguments[0]
    Client().pps.DeletePipeline(request)


def _state(info: Any) -> str:
    return pps.PipelineState.Name(info.state).removeprefix("PIPELINE_").lower()


def list_pipeline(arguments: list[str], flags: Flags) -> None:
    if flags.is_set("raw") and flags.is_set("spec"):
        raise Refused("cannot set both --raw and --spec")
    request = pps.ListPipelineRequest()
    if arguments:
        request.pipeline.name = arguments[0]
    found = Client().pps.ListPipeline(request).pipeline_info
    if flags.is_set("raw"):
        print_pps(found)
    elif flags.is_set("spec"):
        print_pps(_spec(info) for info in found)
    else:
        print_table("NAME|VERSION|INPUT|CREATED|STATE / LAST JOB", (
            (info.pipeline.name, str(info.version), f"{info.input.pfs.repo}:{info.input.pfs.glob}", when(info.created_at),
             f"{_state(info)} / {pps.JobState.Name(info.last_job_state).removeprefix('JOB_').lower()}") for info in found))


def _spec(info: Any) -> Any:
    made = pps.CreatePipelineRequest()
    for field, value in info.ListFields():
        if field.name in SPEC_FIELDS and field.name not in ("spec_commit", "update", "reprocess"):
            if field.message_type:
                getattr(made, field.name).CopyFrom(value)
            else:
                setattr(made, field.name, value)
    return made


def inspect_pipeline(arguments: list[str], flags: Flags) -> None:
    info = Client().pps.InspectPipeline(pps.InspectPipelineRequest(pipeline=pps.Pipeline(name=arguments[0])))
    if flags.is_set("raw"):
        print_pps([info])
        return
    print(f"Name: {info.pipeline.name}\nCreated: {when(info.created_at)}\nState: {_state(info)}\nReason: {info.reason}")


def start_pipeline(arguments: list[str], flags: Flags) -> None:
    try:
        Client().pps.StartPipeline(pps.StartPipelineRequest(pipeline=pps.Pipeline(name=arguments[0])))
    except grpc.RpcError as error:
        raise Refused(f"error from StartPipeline: {error.details()}") from error  # type: ignore[attr-defined]


def stop_pipeline(arguments: list[str], flags: Flags) -> None:
    try:
        Client().pps.StopPipeline(pps.StopPipelineRequest(pipeline=pps.Pipeline(name=arguments[0])))
    except grpc.RpcError as error:
        raise Refused(f"error from StopPipeline: {error.details()}") from error  # type: ignore[attr-defined]


def list_job(arguments: list[str], flags: Flags) -> None:
    request = pps.ListJobRequest(full=flags.is_set("raw"))
    if flags.text("pipeline"):
        request.pipeline.name = flags.text("pipeline")
    found = Client().pps.ListJobStream(request)
    if flags.is_set("raw"):
        print_pps(found)
        return
    print_table("ID|PIPELINE|STARTED|PROGRESS|STATE", (
        (info.job.id, info.pipeline.name, when(info.started),
         f"{info.data_processed} + {info.data_skipped} / {info.data_total}",
         pps.JobState.Name(info.state).removeprefix("JOB_").lower()) for info in found))


def inspect_job(arguments: list[str], flags: Flags) -> None:
    info = Client().pps.InspectJob(pps.InspectJobRequest(job=pps.Job(id=arguments[0])))
    if flags.is_set("raw"):
        print_pps([info])
    else:
        print(f"ID: {info.job.id}\nPipeline: {info.pipeline.name}\nState: {pps.JobState.Name(info.state)}")


def garbage_collect(arguments: list[str], flags: Flags) -> None:
    Client().pps.GarbageCollect(pps.GarbageCollectRequest())
