#!/usr/bin/env python3
"""Python names that are not there, and calls that do not fit: found here, not after an hour of tests that need a cluster.

mypy reads each folder of Python files with the folders that it puts on its path. Of what mypy says only what ends a
program counts (FATAL): a module's name that is not there, arguments that a function does not take. The rest is taste.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The folders that a folder's files put on sys.path, nearest first; those of these follow.
PATHS = {
    "bench": ["tests/field/etcd"],
    "tests/chain": ["tests/field/common"],
    "tests/core": ["tests/e2e"],
    "tests/e2e": ["tests/field/etcd", "tests/fake_etcd", "tests/field/common"],
    "tests/e2e/ozone_": ["tests/field/ozone", "tests/field/common"],  # its files of this name have another cluster.py
    "tests/examples": ["tests/e2e"],
    "tests/extract": ["tests/field/common"],
    "tests/fake_etcd": ["tests/field/common"],
    "tests/field/backendai": ["tests/field/common", "tests/e2e"],
    "tests/field/etcd": ["tests/field/common"],
    "tests/field/hosts": ["tests/field/common", "tests/field/etcd"],
    "tests/field/kubernetes": ["tests/field/common", "tests/field/etcd"],
    "tests/field/ozone": ["tests/field/common"],
    "tests/field/pachyderm": ["tests/e2e", "tests/field/kubernetes", "tests/field/s3", "tests/extract"],
    "tests/field/s3": ["tests/store", "tests/field/common"],
    "tests/formats": ["tests/core"],
    "tests/hostile": ["tests/core"],
    "tests/hosts": ["tests/field/hosts", "tests/e2e"],
    "tests/packs": ["tests/field/common"],
    "tests/store": ["tests/e2e"],
    "tests/vfolders": ["tests/field/common"],
}
FATAL = re.compile(r"error: (Module has no attribute|Module \S+ has no attribute|Name \"\w+\" is not defined"
                   r"|.*\[(call-arg|syntax)\]$)")
TAKES_ANY = re.compile(r' for "add(Class)?Cleanup" of ')  # passes its arguments on
MYPY = ["--ignore-missing-imports", "--no-error-summary", "--explicit-package-bases", "--no-site-packages",
        "--check-untyped-defs", "--hide-error-context", "--soft-error-limit=-1"]


def parts() -> dict[str, list[str]]:
    """The Python files that git knows, by their key in PATHS or else their folder."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.py"], cwd=ROOT,
                            check=True, capture_output=True, text=True).stdout.split()
    found: dict[str, list[str]] = {}
    for file in sorted(name for name in listed if os.path.exists(os.path.join(ROOT, name))):
        own = [key for key in PATHS if file.startswith(key) and os.path.dirname(key) == os.path.dirname(file)]
        found.setdefault(own[0] if own else os.path.dirname(file), []).append(os.path.basename(file))
    return found


def searched(part: str) -> list[str]:
    """What mypy looks through for the modules of a part."""
    found: list[str] = []
    ahead = list(PATHS.get(part, []))
    while ahead:
        name = ahead.pop(0)
        if name not in found:
            found.append(name)
            ahead += PATHS.get(name, [])
    return found


def faults(folder: str, files: list[str], path: list[str], root: str = ROOT) -> list[str]:
    """What mypy finds in files of a folder that would end a program."""
    cache = os.path.join(tempfile.gettempdir(), f"drydock-mypy-{os.getuid()}")
    done = subprocess.run(["mypy", *MYPY, "--cache-dir", cache, *files], cwd=os.path.join(root, folder), text=True,
                          capture_output=True, check=False,
                          env=os.environ | {"MYPYPATH": os.pathsep.join(os.path.join(root, name) for name in path)})
    if done.returncode not in (0, 1):
        raise RuntimeError(f"mypy fails in {folder}: {done.stdout}{done.stderr}")
    return [f"{folder}/{line}" for line in done.stdout.splitlines()
            if FATAL.search(line) and not TAKES_ANY.search(line) and line.split(":")[0] in files]


class PythonCalls(unittest.TestCase):
    maxDiff = None

    def test_names_exist_and_calls_fit(self) -> None:
        found = [fault for part, files in parts().items()
                 for fault in faults(os.path.dirname(part) if part.endswith("_") else part, files, searched(part))]
        self.assertEqual(found, [])

    def test_each_kind_is_found(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            os.makedirs(os.path.join(scratch, "shared"))
            os.makedirs(os.path.join(scratch, "tests"))
            with open(os.path.join(scratch, "shared", "tool.py"), "w", encoding="utf-8") as file:
                file.write("def work(one: int) -> int:\n    return one\n")
            with open(os.path.join(scratch, "tests", "a_test.py"), "w", encoding="utf-8") as file:
                file.write("import tool\n\n\ndef test():\n    tool.FULL\n    tool.work(1, 2)\n    tool.work()\n    word\n"
                           "    tool.work(1)\n")
            self.assertEqual([fault.split(":")[1] for fault in faults("tests", ["a_test.py"], ["shared"], scratch)], ["5", "6", "7", "8"])
            self.assertEqual(faults("shared", ["tool.py"], [], scratch), [])


if __name__ == "__main__":
    sys.exit(not unittest.main(exit=False).result.wasSuccessful())
