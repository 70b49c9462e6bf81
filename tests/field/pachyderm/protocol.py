"""Pachyderm's generated classes, without the rest of its package: that takes a second to import, and pachctl runs often.

Runs in the environment that tests/extract/pachyderm.py makes.
"""

import importlib
import importlib.util
import os
import sys
import types
from typing import Any

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "common"))  # limits.py

if "python_pachyderm" not in sys.modules:
    found = importlib.util.find_spec("python_pachyderm")
    if not found or not found.origin:
        raise ImportError("Pachyderm's classes are not here: run this with the interpreter of tests/extract/pachyderm.py")
    package = types.ModuleType("python_pachyderm")
    package.__path__ = [os.path.dirname(found.origin)]
    sys.modules["python_pachyderm"] = package

from python_pachyderm.proto.pfs import pfs_pb2 as pfs  # noqa: E402

SPEC_REPO = "__spec__"
MESSAGE_BYTES_MAX = 20 * 1024 * 1024  # of gRPC, as in pachd
OPTIONS = [("grpc.so_reuseport", 0), ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
           ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX)]


def module(name: str) -> Any:
    """One of the generated modules: "admin", "pps", "version", or "pfs_grpc" and the like. Those of `admin` take the longest."""
    part = name.removesuffix("_grpc")
    folder = "version.versionpb" if part == "version" else part
    return importlib.import_module(f"python_pachyderm.proto.{folder}.{part}_pb2" + name.removeprefix(part))


class Refused(Exception):
    """What pachd answers in place of a result; the text is Pachyderm's own where its sources have one."""


def parse_release(text: str) -> tuple[int, int, int]:
    major, minor, micro = (int(part) for part in text.split("."))
    return major, minor, micro


def commit_of(repo: str, identity: str) -> Any:
    return pfs.Commit(repo=pfs.Repo(name=repo), id=identity)


def branch_of(repo: str, name: str) -> Any:
    return pfs.Branch(repo=pfs.Repo(name=repo), name=name)


def now() -> Any:
    stamp = pfs.CommitInfo().started
    stamp.GetCurrentTime()
    return stamp
