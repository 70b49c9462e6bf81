"""Puts releases of the double in place: a folder for each, with bin/dmg, bin/daos, bin/dfuse and bin/daos_server."""

import ctypes
import os
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ("dmg", "daos", "dfuse", "daos_server")
MNT_DETACH = 2
PYTHON = "/usr/bin/python3"  # Debian's own: python3-pyfuse3 and python3-trio are for no other


def why_unable() -> str:
    """Why a container cannot be mounted here; nothing if it can."""
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        return f"/dev/fuse cannot be opened: {error.strerror}"
    try:
        if os.geteuid() == 0 and (reason := why_unable_to_mount(device)):
            return reason
    finally:
        os.close(device)
    if not shutil.which("fusermount3"):
        return "fuse3 is not installed"
    done = subprocess.run([PYTHON, "-c", "import pyfuse3, trio"], capture_output=True, check=False)
    return "python3-pyfuse3 is not installed" if done.returncode else ""


def why_unable_to_mount(device: int) -> str:
    """Mounts an empty folder for a moment: a container may have the device, and not the right to use it."""
    libc = ctypes.CDLL(None, use_errno=True)
    with tempfile.TemporaryDirectory(prefix="drydock-fuse-") as folder:
        place = folder.encode()
        options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
        if libc.mount(b"trial", place, b"fuse", 0, options) != 0:
            return f"no FUSE file system may be mounted: {os.strerror(ctypes.get_errno())}"
        libc.umount2(place, MNT_DETACH)
    return ""


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
