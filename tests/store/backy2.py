"""The real backy2 2.9.17 from PyPI, in a virtual environment that all tests share, and a store that it
makes: several versions, sparse blocks, deduplication, tags, a removed version."""

import os
import random
import subprocess
import sys
import unittest

from stores import scaled

import python_packages  # in ../field/common, which `stores` has put on the path

BLOCK = 16384
PACKAGES = ("backy2==2.9.17", "SQLAlchemy<2", "psycopg2-binary", "PyMySQL", "setuptools<70")
SECONDS_MAX = scaled(240)


def program() -> str:
    """Its path; it is installed once. The test is skipped where it cannot be."""
    if sys.version_info[:2] != (3, 11):
        raise unittest.SkipTest("backy2 2.9.17 runs on Python 3.11 only")
    try:
        return os.path.join(os.path.dirname(python_packages.ensure("backy2", PACKAGES)), "backy2")
    except python_packages.Unavailable as error:
        raise unittest.SkipTest(str(error)) from None


class RealStore:
    """A store that the program makes in `folder`."""

    def __init__(self, program: str, folder: str, engine: str = ""):
        self.program, self.folder = program, folder
        for name in ("data", "lock", "cache"):
            os.makedirs(os.path.join(folder, name))
        self.metadata = os.path.join(folder, "meta.sqlite")
        self.config = os.path.join(folder, "backy.cfg")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"""[DEFAULTS]
logfile: {folder}/backy.log
block_size: {BLOCK}
hash_function: sha512
lock_dir: {folder}/lock
process_name: backy2-test
disallow_rm_when_younger_than_days: 0
[MetaBackend]
type: backy2.meta_backends.sql
engine: {engine or "sqlite:///" + self.metadata}
[DataBackend]
type: backy2.data_backends.file
path: {folder}/data
simultaneous_writes: 2
simultaneous_reads: 2
[NBD]
cachedir: {folder}/cache
[io_file]
simultaneous_reads: 2
""")
        self.images: dict[str, bytes] = {}  # by version uid

    def run(self, *words: str, code: int = 0) -> str:
        done = subprocess.run([self.program, "-c", self.config, *words], capture_output=True,
                              text=True, check=False, timeout=SECONDS_MAX)
        if done.returncode != code:
            raise AssertionError(f"backy2 {words}: exit {done.returncode}\n{done.stderr[-2000:]}")
        return done.stdout

    def list(self) -> list[dict[str, str]]:
        """What `ls` tells, by the names of its header."""
        lines = [line.split("|") for line in self.run("-m", "ls").splitlines() if "|" in line]
        return [dict(zip(lines[0], line)) for line in lines[1:]]

    def backup(self, name: str, image: bytes, *words: str) -> str:
        """Answers the uid of the new version."""
        path = os.path.join(self.folder, "image")
        with open(path, "wb") as file:
            file.write(image)
        before = {row["uid"] for row in self.list()}
        self.run("backup", *words, "file://" + path, name)
        (uid,) = {row["uid"] for row in self.list()} - before
        self.images[uid] = image
        return uid

    def fill(self, seed: int = 1) -> None:
        dice = random.Random(seed)
        first = [dice.randbytes(BLOCK) for _ in range(12)]
        first[3] = first[4] = bytes(BLOCK)
        first[7] = first[1]
        self.run("initdb")
        self.backup("vm-a", b"".join(first) + dice.randbytes(5000), "-s", "snap-1", "-t", "b_daily")
        first[2], first[5] = dice.randbytes(BLOCK), bytes(BLOCK)
        self.backup("vm-a", b"".join(first), "-s", "snap-2", "-t", "b_daily")
        text = b"all work and no play " * 5000
        protected = self.backup("vm-b", text, "-t", "b_weekly")
        self.run("protect", protected)
        self.run("add-tag", protected, "keep-me")
        self.backup("vm-zero", bytes(5 * BLOCK))
        gone = self.backup("vm-gone", dice.randbytes(3 * BLOCK))
        self.run("rm", gone)
        del self.images[gone]
