"""Pachyderm's own classes from PyPI (python-pachyderm 6.2.0, the API of 1.x), gRPC, and an independent implementation of
snappy.

They are installed once into a virtual environment in the cache folder, and run there: streams.py, and the double of pachd
(tests/field/pachyderm).
"""

import json
import os
import subprocess
import sys
from typing import Any

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "field", "common"))

import python_packages  # noqa: E402  (found by the line above)
from limits import scaled  # noqa: E402
from python_packages import Unavailable  # noqa: E402,F401

PACKAGES = ("python-pachyderm==6.2.0", "protobuf==3.20.3", "python-snappy==0.7.3", "cramjam==2.14.0",
            "grpcio==1.85.3", "setuptools<70")
TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "streams.py")
TOOL_SECONDS_MAX = scaled(120)


def python() -> str:
    """The interpreter that has the classes. Raises Unavailable."""
    if sys.version_info < (3, 7) or sys.version_info >= (3, 13):
        raise Unavailable("the classes of python-pachyderm 6.2.0 are tried with Python 3.11")
    return python_packages.ensure("pachyderm", PACKAGES)


def batch(*commands: list[str]) -> list[Any]:
    """Runs commands of streams.py with the classes, in one process, as its start takes longest; what each answered."""
    done = subprocess.run([python(), TOOL, "batch"], input=json.dumps(commands).encode(), stdout=subprocess.PIPE, check=True,
                          timeout=TOOL_SECONDS_MAX)
    answers: list[Any] = json.loads(done.stdout)
    return answers
