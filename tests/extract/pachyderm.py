"""Pachyderm's own classes from PyPI (python-pachyderm 6.2.0, the API of 1.x), gRPC, and an independent implementation of
snappy.

They are installed once into a virtual environment in the cache folder, and run there: streams.py, and the double of pachd
(tests/field/pachyderm). The environment is named after what it is made from, so that two clones do not remake it for each other.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from typing import Any, Iterator

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "field", "common"))

from limits import scaled  # noqa: E402  (found by the line above)

PACKAGES = ("python-pachyderm==6.2.0", "protobuf==3.20.3", "python-snappy==0.7.3", "cramjam==2.14.0",
            "grpcio==1.85.3", "setuptools<70")
TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "streams.py")
INSTALL_SECONDS_MAX = scaled(240)
TOOL_SECONDS_MAX = scaled(120)


class Unavailable(Exception):
    """The classes are neither installed nor to be had; the text says why."""


def python() -> str:
    """The interpreter that has the classes. Raises Unavailable."""
    if sys.version_info < (3, 7) or sys.version_info >= (3, 13):
        raise Unavailable("the classes of python-pachyderm 6.2.0 are tried with Python 3.11")
    name = "venv-" + hashlib.sha256("\n".join(PACKAGES).encode()).hexdigest()[:12]
    folder = os.path.join(_cache_folder(), name)
    if not _is_whole(folder):
        with _locked():
            if not _is_whole(folder):
                _install(folder)
    return os.path.join(folder, "bin", "python")


def batch(*commands: list[str]) -> list[Any]:
    """Runs commands of streams.py with the classes, in one process, as its start takes longest; what each answered."""
    done = subprocess.run([python(), TOOL, "batch"], input=json.dumps(commands).encode(), stdout=subprocess.PIPE, check=True,
                          timeout=TOOL_SECONDS_MAX)
    answers: list[Any] = json.loads(done.stdout)
    return answers


def _cache_folder() -> str:
    top = os.environ.get("DRYDOCK_CACHE") or os.environ.get("XDG_CACHE_HOME")
    return os.path.join(os.path.abspath(top or os.path.expanduser("~/.cache")), "drydock", "pachyderm")


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    os.makedirs(_cache_folder(), exist_ok=True)
    with open(os.path.join(_cache_folder(), "lock"), "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_whole(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "made-from"))


def _install(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    done = subprocess.run(
        [os.path.join(folder, "bin", "pip"), "install", "--quiet", "--retries", "1", "--timeout", "20", *PACKAGES],
        capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS_MAX)
    if done.returncode != 0:
        raise Unavailable(f"pip cannot install {PACKAGES[0]}: {done.stderr.strip()[-300:]}")
    with open(os.path.join(folder, "made-from"), "w", encoding="utf-8") as file:
        file.write("\n".join(PACKAGES))
