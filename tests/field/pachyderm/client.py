"""What the commands of pachctl share: the connection to pachd, and how answers are printed."""

import json
import os
import re
import sys
from typing import Any, Iterable

import grpc
from contexts import Contexts, parse_address
from google.protobuf.json_format import MessageToDict
from protocol import OPTIONS, Refused, commit_of, module, pfs

COLUMN = 20


class Flags(dict[str, Any]):
    """The flags of a command; one that was not given is empty."""

    def text(self, name: str) -> str:
        return str(self.get(name, ""))

    def is_set(self, name: str) -> bool:
        return bool(self.get(name, False))


class Client:
    """The stubs of one pachd. Refused if it cannot be reached in time."""

    def __init__(self, seconds: float | None = None):
        seconds = dial_seconds() if seconds is None else seconds
        self.address = _address()
        channel = grpc.insecure_channel(self.address, options=OPTIONS)
        try:
            grpc.channel_ready_future(channel).result(timeout=seconds or None)
        except grpc.FutureTimeoutError as error:
            raise Refused("context deadline exceeded") from error
        self._channel = channel

    def __getattr__(self, name: str) -> Any:
        """The stub of "pfs", "pps", "admin" or "version"."""
        return module(f"{name}_grpc").APIStub(self._channel)


def _address() -> str:
    text = os.environ.get("PACHD_ADDRESS")
    if text is None:
        return Contexts().address()
    print("WARNING: 'PACHD_ADDRESS' is deprecated and will be removed in a future release, use Pachyderm contexts instead.",
          file=sys.stderr)
    return parse_address(text).removeprefix("grpc://")


def dial_seconds() -> float:
    """How long a command tries to reach pachd. Pachyderm's default is 30."""
    return float(os.environ.get("PACHCTL_DIAL_SECONDS", "30"))


def release() -> str:
    """The release that this client is."""
    return os.environ.get("PACHCTL_RELEASE", "1.10.5")


# What is meant by REPO@BRANCH:PATH


def parse_commit(text: str) -> Any:
    """The Commit of "repo@branch-or-commit"."""
    repo, sign, name = text.partition("@")
    if not repo or (sign and not name):
        raise Refused(f'invalid format "{text}": expected <repo>@<branch-or-commit>')
    return commit_of(repo, name)


def parse_branch(text: str) -> Any:
    found = parse_commit(text)
    return pfs.Branch(repo=found.repo, name=found.id)


def parse_file(text: str) -> Any:
    place, _, path = text.partition(":")
    return pfs.File(commit=parse_commit(place), path=path)


# Printing


def print_pfs(messages: Iterable[Any]) -> None:
    """As PFS commands print --raw: camelCase, indented, and nothing between two values."""
    for message in messages:
        sys.stdout.write(json.dumps(MessageToDict(message), indent=2))


def print_pps(messages: Iterable[Any]) -> None:
    """As PPS commands print --raw: names of the protocol, sorted, and a newline behind each."""
    for message in messages:
        print(json.dumps(MessageToDict(message, preserving_proto_field_name=True), indent=2, sort_keys=True))


def print_table(header: str, rows: Iterable[Iterable[str]]) -> None:
    """Columns as wide as their longest cell, as a person reads them."""
    table = [header.split("|"), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        print(" ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() + " ")


def when(stamp: Any) -> str:
    return stamp.ToJsonString() if stamp.seconds else "-"


def seconds_of(text: str) -> float:
    """Of a duration of Go such as "300ms" or "1m30s"."""
    units = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
    if text == "0":
        return 0.0
    if not re.fullmatch(r"(\d+(\.\d+)?(ns|us|ms|s|m|h))+", text):
        raise Refused(f'could not parse timeout duration "{text}": time: invalid duration {text}')
    return sum(float(number) * units[unit] for number, _, unit in re.findall(r"(\d+(\.\d+)?)(ns|us|ms|s|m|h)", text))
