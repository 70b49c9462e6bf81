"""Puts releases of the double in place: a folder for each, with bin/dmg, bin/daos, bin/dfuse and bin/daos_server."""

import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ("dmg", "daos", "dfuse", "daos_server")
PYTHON = "/usr/bin/python3"  # Debian's own: python3-pyfuse3 and python3-trio are for no other


def why_unable() -> str:
    """Why a container cannot be mounted here; nothing if it can."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse cannot be opened"
    if not shutil.which("fusermount3"):
        return "fuse3 is not installed"
    done = subprocess.run([PYTHON, "-c", "import pyfuse3, trio"], capture_output=True, check=False)
    return "python3-pyfuse3 is not installed" if done.returncode else ""


def install(folder: str, release: str) -> str:
    """The folder of the release below `folder`; made if it is not there."""
    made = os.path.join(folder, release)
    if os.path.isdir(made):
        return made
    os.makedirs(os.path.join(made, "bin"))
    os.mkdir(os.path.join(made, "lib"))
    for module in (*PROGRAMS, "system", "text"):  # of its own, so that a process tells its release by its file
        shutil.copy(os.path.join(HERE, f"{module}.py"), os.path.join(made, "lib"))
    for name in PROGRAMS:
        path = os.path.join(made, "bin", name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nPYTHONDONTWRITEBYTECODE=1 exec {PYTHON} {made}/lib/{name}.py \"$@\"\n")
        os.chmod(path, 0o755)
    return made
