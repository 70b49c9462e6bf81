"""Class data archives: Java's classes, loaded and laid out once, so that a start takes half as long.

What a role loads is written down while it runs (`recording()` in its environment), and dumped later
into an archive for each release; that takes 20 s and 80 MB each. Releases name their archives in
their arguments; where one is missing Java starts as it does without.
"""

import contextlib
import glob
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import releases

AT_ONCE = 2


def missing(*names: str) -> bool:
    """Whether a release has no archives for its jars yet."""
    return any(_read(_mark(name)) != _jars(name) for name in names)


def recording(folder: str, role: str, number: int) -> dict[str, str]:
    """The environment of a process that writes the classes it loads into a folder."""
    return {"JDK_JAVA_OPTIONS": f"-XX:DumpLoadedClassList={folder}/{role}.{number}.classes"}


def make(folder: str, *names: str) -> None:
    """Makes the releases' archives from what was recorded in a folder."""
    print("ozone: making class data archives ...", file=sys.stderr, flush=True)
    roles = [role for role in releases.ROLES if glob.glob(f"{folder}/{role}.*.classes")]
    for role in roles:
        _merge(sorted(glob.glob(f"{folder}/{role}.*.classes")), os.path.join(folder, role))
    for name in names:
        os.makedirs(os.path.dirname(_mark(name)), exist_ok=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda one: _dump(folder, *one),
                      [(role, name) for role in roles for name in names]))
    for name in names:
        with open(_mark(name), "w") as file:
            file.write(_jars(name))


def _mark(name: str) -> str:
    return os.path.join(os.path.dirname(releases.archive(name, "cli")), "made")


def _jars(name: str) -> str:
    """What Java compares: the jars of all roles, by their places, times and sizes."""
    paths = dict.fromkeys(path for role in releases.ROLES
                          for path in releases.class_path(name, role))
    return "".join(f"{path} {int(status.st_mtime)} {status.st_size}\n" for path in paths
                   if (status := os.stat(path)))


def _read(path: str) -> str:
    with contextlib.suppress(OSError), open(path) as file:
        return file.read()
    return ""


def _merge(files: list[str], into: str) -> None:
    lines: dict[str, None] = {}
    for path in files:
        with open(path) as file:
            lines |= dict.fromkeys(file)
    with open(into, "w") as file:
        file.writelines(lines)


def _dump(folder: str, role: str, name: str) -> None:
    archive = releases.archive(name, role)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(archive)
    flags = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(archive))), name,
                         f"{role}.flags")
    done = subprocess.run(
        ["java", f"@{flags}", "-Xshare:dump", "-Xmx1g", f"-XX:SharedClassListFile={folder}/{role}",
         f"-XX:SharedArchiveFile={archive}.new", "-cp", ":".join(releases.class_path(name, role))],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"the archive of {name} {role}: {done.stdout[-1000:]}")
    os.rename(archive + ".new", archive)
