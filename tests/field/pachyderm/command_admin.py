"""version, extract, restore and what else asks pachd about itself."""

import sys
import uuid
from typing import Any, Iterator

import grpc
from client import COLUMN, Client, Flags, print_pfs, print_pps, release, seconds_of
from contexts import Contexts
from google.protobuf.empty_pb2 import Empty
from protocol import Refused, module, parse_release, pfs

WARNING = ("WARNING: Your cluster might be in an invalid state--consider deleting partially-restored data before "
           "continuing")
TOKEN_SINCE = (1, 11, 9)


def version(_: list[str], flags: Flags) -> None:
    own = release()
    major, minor, micro = parse_release(own)
    message = module("version").Version(major=major, minor=minor, micro=micro)
    if flags.is_set("client-only"):
        print_pfs([message]) if flags.is_set("raw") else print(own)
        return
    print_pfs([message]) if flags.is_set("raw") else _rows(("COMPONENT", "VERSION"), ("pachctl", own))
    sys.stdout.flush()
    timeout = flags.text("timeout")
    found = Client(seconds_of(timeout) if timeout else None).version.GetVersion(Empty())
    if flags.is_set("raw"):
        print_pfs([found])
    else:
        _rows(("pachd", f"{found.major}.{found.minor}.{found.micro}"))


def _rows(*rows: tuple[str, ...]) -> None:
    for row in rows:
        print("".join(cell.ljust(COLUMN) for cell in row))


def inspect_cluster(_: list[str], flags: Flags) -> None:
    print(Client().admin.InspectCluster(Empty()).id)


def extract(_: list[str], flags: Flags) -> None:
    """To stdout. With a URL, only the URL is sent, as in every release: --no-objects is lost."""
    _refuse_later_flags(flags)
    client = Client()
    if flags.text("url"):
        for _op in client.admin.Extract(module("admin").ExtractRequest(URL=flags.text("url"))):
            pass
        return
    import stream
    request = module("admin").ExtractRequest(no_objects=flags.is_set("no-objects"), no_auth=flags.is_set("no-auth"),
                                   no_enterprise=flags.is_set("no-enterprise"))
    stream.write(sys.stdout.buffer, client.admin.Extract(request))
    sys.stdout.buffer.flush()


def _refuse_later_flags(flags: Flags) -> None:
    """These came in late 1.11."""
    for name in ("no-auth", "no-enterprise", "no-token"):
        if name in flags and parse_release(release()) < TOKEN_SINCE:
            raise Refused(f"unknown flag: --{name}")


def extract_pipeline(arguments: list[str], flags: Flags) -> None:
    request = module("admin").ExtractPipelineRequest(pipeline=module("pps").Pipeline(name=arguments[0]))
    op = Client().admin.ExtractPipeline(request)
    [(_, union)] = op.ListFields()
    print_pps([union.pipeline])


def restore(_: list[str], flags: Flags) -> None:
    _refuse_later_flags(flags)
    client = Client()
    if parse_release(release()) >= TOKEN_SINCE and not flags.is_set("no-token"):
        _keep_token()
    broken: list[Exception] = []
    requests = iter([module("admin").RestoreRequest(URL=flags.text("url"))]) if flags.text("url") else _requests(broken)
    try:
        client.admin.Restore(requests)
    except grpc.RpcError as error:
        raise Refused(f"{broken[0] if broken else error.details()}\n{WARNING}") from error  # type: ignore[attr-defined]
    if broken:
        raise Refused(f"{broken[0]}\n{WARNING}")


def _requests(broken: list[Exception]) -> Iterator[Any]:
    """The requests of the stream on stdin, up to the place where it is broken."""
    import stream
    try:
        for op in stream.ops(sys.stdin.buffer):
            yield module("admin").RestoreRequest(op=op)
    except stream.Broken as error:
        broken.append(error)


def _keep_token() -> None:
    """A root token in the context. It is only printed if authentication came up, which the double does not have."""
    contexts = Contexts()
    contexts.all[contexts.active]["session_token"] = uuid.uuid4().hex
    contexts.write()


def delete_all(_: list[str], flags: Flags) -> None:
    client = Client()
    print("All ACLs, repos, commits, files, pipelines and jobs will be deleted.")
    names = [info.repo.name for info in client.pfs.ListRepo(pfs.ListRepoRequest()).repo_info]
    if names:
        print(f"Repos to delete: {', '.join(names)}")
    if confirmed():
        client.pps.DeleteAll(Empty())
        client.pfs.DeleteAll(Empty())


def confirmed() -> bool:
    """Whether a person says yes; anything else is a no, and no answer is an error."""
    print("Are you sure you want to do this? (y/n):", flush=True)
    line = sys.stdin.readline()
    if not line.endswith("\n"):
        raise Refused("EOF")
    return line[0] in "yY"
