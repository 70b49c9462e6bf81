"""Repos, commits, branches and files."""

import contextlib
import os
import sys
from typing import Any, Iterable, Iterator

from client import Client, Flags, parse_branch, parse_commit, parse_file, print_pfs, print_table, when
from protocol import Refused, commit_of, pfs

PIECE = 1 << 20


def create_repo(arguments: list[str], flags: Flags) -> None:
    _make_repo(arguments[0], flags, False)


def update_repo(arguments: list[str], flags: Flags) -> None:
    _make_repo(arguments[0], flags, True)


def _make_repo(name: str, flags: Flags, update: bool) -> None:
    Client().pfs.CreateRepo(pfs.CreateRepoRequest(repo=pfs.Repo(name=name), description=flags.text("description"),
                                                  update=update))


def delete_repo(arguments: list[str], flags: Flags) -> None:
    if arguments and flags.is_set("all"):
        raise Refused("cannot use the --all flag with an argument")
    if not arguments and not flags.is_set("all"):
        raise Refused("either a repo name or the --all flag needs to be provided")
    request = pfs.DeleteRepoRequest(force=flags.is_set("force"), all=flags.is_set("all"))
    if arguments:
        request.repo.name = arguments[0]
    Client().pfs.DeleteRepo(request)


def _show(messages: Iterable[Any], flags: Flags, header: str, row: Any) -> None:
    if flags.is_set("raw"):
        print_pfs(messages)
    else:
        print_table(header, (row(message) for message in messages))


def _repo_row(info: Any) -> tuple[str, ...]:
    return info.repo.name, when(info.created), str(info.size_bytes), info.description


def list_repo(arguments: list[str], flags: Flags) -> None:
    _show(Client().pfs.ListRepo(pfs.ListRepoRequest()).repo_info, flags, "NAME|CREATED|SIZE (MASTER)|DESCRIPTION", _repo_row)


def inspect_repo(arguments: list[str], flags: Flags) -> None:
    info = Client().pfs.InspectRepo(pfs.InspectRepoRequest(repo=pfs.Repo(name=arguments[0])))
    _show([info], flags, "NAME|CREATED|SIZE (MASTER)|DESCRIPTION", _repo_row)


def start_commit(arguments: list[str], flags: Flags) -> None:
    branch = parse_branch(arguments[0])
    print(Client().pfs.StartCommit(pfs.StartCommitRequest(
        branch=branch.name, parent=commit_of(branch.repo.name, flags.text("parent")),
        description=flags.text("message") or flags.text("description"))).id)


def finish_commit(arguments: list[str], flags: Flags) -> None:
    Client().pfs.FinishCommit(pfs.FinishCommitRequest(commit=parse_commit(arguments[0])))


def delete_commit(arguments: list[str], flags: Flags) -> None:
    Client().pfs.DeleteCommit(pfs.DeleteCommitRequest(commit=parse_commit(arguments[0])))


def _commit_row(info: Any) -> tuple[str, ...]:
    return (info.commit.repo.name, info.branch.name, info.commit.id, when(info.finished), str(info.size_bytes),
            info.description)


def inspect_commit(arguments: list[str], flags: Flags) -> None:
    info = Client().pfs.InspectCommit(pfs.InspectCommitRequest(commit=parse_commit(arguments[0])))
    _show([info], flags, "REPO|BRANCH|COMMIT|FINISHED|SIZE|DESCRIPTION", _commit_row)


def list_commit(arguments: list[str], flags: Flags) -> None:
    branch = parse_branch(arguments[0])
    request = pfs.ListCommitRequest(repo=branch.repo, number=int(flags.text("number") or 0))
    if branch.name:
        request.to.CopyFrom(commit_of(branch.repo.name, branch.name))
    if flags.text("from"):
        getattr(request, "from").CopyFrom(commit_of(branch.repo.name, flags.text("from")))
    _show(Client().pfs.ListCommitStream(request), flags, "REPO|BRANCH|COMMIT|FINISHED|SIZE|DESCRIPTION", _commit_row)


def create_branch(arguments: list[str], flags: Flags) -> None:
    branch = parse_branch(arguments[0])
    request = pfs.CreateBranchRequest(branch=branch, provenance=[parse_branch(one) for one in flags.get("provenance", [])])
    if flags.text("head"):
        request.head.CopyFrom(commit_of(branch.repo.name, flags.text("head")))
    Client().pfs.CreateBranch(request)


def delete_branch(arguments: list[str], flags: Flags) -> None:
    Client().pfs.DeleteBranch(pfs.DeleteBranchRequest(branch=parse_branch(arguments[0]), force=flags.is_set("force")))


def _branch_row(info: Any) -> tuple[str, ...]:
    return info.branch.name, info.head.id or "-"


def inspect_branch(arguments: list[str], flags: Flags) -> None:
    info = Client().pfs.InspectBranch(pfs.InspectBranchRequest(branch=parse_branch(arguments[0])))
    _show([info], flags, "BRANCH|HEAD", _branch_row)


def list_branch(arguments: list[str], flags: Flags) -> None:
    found = Client().pfs.ListBranch(pfs.ListBranchRequest(repo=pfs.Repo(name=arguments[0])))
    _show(found.branch_info, flags, "BRANCH|HEAD", _branch_row)


def put_file(arguments: list[str], flags: Flags) -> None:
    Client().pfs.PutFile(_puts(parse_file(arguments[0]), flags))


def _puts(target: Any, flags: Flags) -> Iterator[Any]:
    for source in flags.get("file", ["-"]):
        if source == "-":
            yield from _pieces(target, sys.stdin.buffer, flags)
        elif flags.is_set("recursive"):
            for folder, _, names in sorted(os.walk(source)):
                for name in sorted(names):
                    path = os.path.join(folder, name)
                    place = os.path.join(target.path or "/", os.path.relpath(path, source))
                    with open(path, "rb") as file:
                        yield from _pieces(pfs.File(commit=target.commit, path=place), file, flags)
        else:
            place = target.path or os.path.basename(source)
            place = os.path.join(place, os.path.basename(source)) if place.endswith("/") else place
            with open(source, "rb") as file:
                yield from _pieces(pfs.File(commit=target.commit, path=place), file, flags)


def _pieces(target: Any, file: Any, flags: Flags) -> Iterator[Any]:
    request = pfs.PutFileRequest(file=target, value=file.read(PIECE))
    if flags.is_set("overwrite"):
        request.overwrite_index.index = 0
        request.overwrite_index.SetInParent()
    yield request
    while piece := file.read(PIECE):
        yield pfs.PutFileRequest(value=piece)


def get_file(arguments: list[str], flags: Flags) -> None:
    found = Client().pfs.GetFile(pfs.GetFileRequest(file=parse_file(arguments[0])))
    output = flags.text("output")
    with open(output, "wb") if output else contextlib.nullcontext(sys.stdout.buffer) as file:
        for piece in found:
            file.write(piece.value)


def delete_file(arguments: list[str], flags: Flags) -> None:
    Client().pfs.DeleteFile(pfs.DeleteFileRequest(file=parse_file(arguments[0])))


def _file_row(info: Any) -> tuple[str, ...]:
    return info.file.path, {pfs.FILE: "file", pfs.DIR: "dir"}[info.file_type], str(info.size_bytes)


def inspect_file(arguments: list[str], flags: Flags) -> None:
    info = Client().pfs.InspectFile(pfs.InspectFileRequest(file=parse_file(arguments[0])))
    _show([info], flags, "NAME|TYPE|SIZE", _file_row)


def list_file(arguments: list[str], flags: Flags) -> None:
    _show(Client().pfs.ListFileStream(pfs.ListFileRequest(file=parse_file(arguments[0]))), flags, "NAME|TYPE|SIZE", _file_row)


def glob_file(arguments: list[str], flags: Flags) -> None:
    found = parse_file(arguments[0])
    _show(Client().pfs.GlobFileStream(pfs.GlobFileRequest(commit=found.commit, pattern=found.path)), flags, "NAME|TYPE|SIZE",
          _file_row)


def fsck(arguments: list[str], flags: Flags) -> None:
    """Exits with 0 also when it finds errors, as the real one."""
    errors = [found.error for found in Client().pfs.Fsck(pfs.FsckRequest(fix=flags.is_set("fix")))]
    for error in errors:
        print(f"Error: {error}")
    if not errors:
        print("No errors found.")
