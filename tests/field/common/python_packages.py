"""Packages of the Python index in a virtual environment that is made once and kept outside the repository.

    python = python_packages.ensure("backy2", PACKAGES)    # its interpreter; raises Unavailable

The environment is named after what it is made from, so that two clones do not remake it for each other. Several
processes may call this at once. Nobody may change what was made.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import venv
from collections.abc import Iterator, Sequence

from limits import scaled

INSTALL_SECONDS_MAX = scaled(240)


class Unavailable(Exception):
    """The packages are neither installed nor to be had; the text says why."""


def ensure(system: str, packages: Sequence[str]) -> str:
    """The interpreter of an environment with these packages; installs them if they are missing. Raises Unavailable."""
    top = os.environ.get("DRYDOCK_CACHE") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    parent = os.path.join(os.path.abspath(top), "drydock", system)
    folder = os.path.join(parent, "venv-" + hashlib.sha256("\n".join(packages).encode()).hexdigest()[:12])
    if not _is_whole(folder):
        with _locked(parent):
            if not _is_whole(folder):
                _install(folder, packages)
    return os.path.join(folder, "bin", "python")


@contextlib.contextmanager
def _locked(parent: str) -> Iterator[None]:
    os.makedirs(parent, exist_ok=True)
    with open(os.path.join(parent, "lock"), "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_whole(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "made-from"))


def _install(folder: str, packages: Sequence[str]) -> None:
    """An environment cannot be renamed: its scripts name its interpreter. So the mark comes last."""
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    done = subprocess.run([os.path.join(folder, "bin", "pip"), "install", "--quiet", "--retries", "1", "--timeout", "20", *packages],
                          capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS_MAX)
    if done.returncode != 0:
        raise Unavailable(f"pip cannot install {packages[0]}: {done.stderr.strip()[-300:]}")
    with open(os.path.join(folder, "made-from"), "w", encoding="utf-8") as file:
        file.write("\n".join(packages))
