"""A copy of a real store of backy2 in a scratch folder, and drydock run on it."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from typing import Any

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.append(os.path.join(ROOT, "tests", "e2e"))
sys.path.append(os.path.join(ROOT, "tests", "field", "common"))

import pages  # noqa: E402  (found by the line above)
from limits import scaled  # noqa: E402
from program import program, require_program  # noqa: E402  (found by the line above)

FIXTURES = os.path.join(ROOT, "tests", "fixtures", "backy2")
RELEASES = ("2.9.17", "2.10.5", "2.11.13", "2.13.8")
KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
DONE, NO, UNREADABLE = 0, 1, 2
SECONDS_MAX = scaled(120)
FULL = "DRYDOCK_STORE_FULL" in os.environ  # kills at every record, not at a spread of them


def sha256_of(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Case(unittest.TestCase):
    """One test with a scratch folder."""

    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        require_program()

    def setUp(self) -> None:
        self.scratch = tempfile.mkdtemp(prefix="drydock-store-")
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)

    def start(self, servers: Any) -> Any:
        """A server of that module, for this test; without its program the test is skipped."""
        try:
            server = servers.Server()
        except servers.Unavailable as error:
            self.skipTest(str(error))
        self.addCleanup(server.close)
        return server

    def store(self, *words: str, code: int | None = DONE,
              env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
        """Runs `drydock store` and checks its exit code."""
        done = subprocess.run([program(), "store", *words], capture_output=True, check=False,
                              timeout=SECONDS_MAX, cwd=self.scratch,
                              env=os.environ | {"NO_COLOR": "1"} | (env or {}))
        if code is not None:
            self.assertEqual(done.returncode, code,
                             f"{words}: {done.stdout[-2000:]!r} {done.stderr[-2000:]!r}")
        return done

    def json(self, *words: str, code: int = DONE) -> Any:
        return json.loads(self.store(*words, "--json", code=code).stdout)


class StoreCopy:
    """A copy of the fixture of one release, with SQLite metadata.

    With `kind` "postgresql" dump.sql has the metadata; write_config() then names the database."""

    def __init__(self, release: str, scratch: str, kind: str = "sqlite"):
        self.release = release
        self.folder = os.path.join(scratch, release)
        shutil.copytree(os.path.join(FIXTURES, release, kind), self.folder)
        self.metadata = os.path.join(self.folder, "meta.sqlite")
        self.data = os.path.join(self.folder, "data")
        with open(os.path.join(self.folder, "manifest.json"), encoding="utf-8") as file:
            self.manifest = json.load(file)
        self.config = os.path.join(self.folder, "backy.cfg")
        self.write_config(f"sqlite:///{self.metadata}")

    def write_config(self, engine: str) -> None:
        with open(os.path.join(FIXTURES, self.release, "backy.cfg.in"), encoding="utf-8") as file:
            text = file.read()
        for name, value in (("WORK", self.folder), ("STORE", self.folder), ("ENGINE", engine)):
            text = text.replace(f"@{name}@", value)
        for name in ("lock", "cache"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def uid(self, version: str) -> str:
        return self.manifest["versions"][version]["uid"]

    def image_sha256(self, version: str) -> str:
        return self.manifest["versions"][version]["image_sha256"]

    def blob(self, uid: str) -> str:
        return os.path.join(self.data, uid[:2], uid[2:4], uid + ".blob")

    def query(self, sql: str) -> list[Any]:
        with sqlite3.connect(self.metadata) as database:
            rows = database.execute(sql).fetchall()
        database.close()
        return rows


    def change(self, sql: str) -> None:
        with sqlite3.connect(self.metadata) as database:
            database.execute(sql)
        database.close()


def clone(copy: StoreCopy, folder: str) -> StoreCopy:
    """The store as it is now, in another place."""
    other = StoreCopy.__new__(StoreCopy)
    other.__dict__ |= copy.__dict__
    other.folder = folder
    shutil.copytree(copy.folder, folder)
    other.metadata, other.data = (os.path.join(folder, name) for name in ("meta.sqlite", "data"))
    other.config = os.path.join(folder, "backy.cfg")
    other.write_config(f"sqlite:///{other.metadata}")
    return other


def files_of(copy: StoreCopy) -> dict[str, str]:
    """The digest of every blob file, by its path."""
    return {os.path.join(folder, name): sha256_of(os.path.join(folder, name))
            for folder, _, names in os.walk(copy.data) for name in names}


def flip(path: str) -> None:
    with open(path, "r+b") as file:
        byte = file.read(1)[0]
        file.seek(0)
        file.write(bytes([byte ^ 1]))


def cut(path: str) -> None:
    os.truncate(path, os.path.getsize(path) - 1)


def parse(done: "subprocess.CompletedProcess[bytes]") -> Any:
    return json.loads(done.stdout)


# The versions of every fixture whose blobs are all right; d1 was damaged on purpose.
WHOLE = ("a1", "a2", "a3", "b1", "c1", "z1")


def restored_sha256(case: Case, config: str, uid: str, *words: str) -> str:
    """Of the image that a native restore makes."""
    path = os.path.join(case.scratch, "restored.img")
    case.store("restore", config, uid, "-o", path, "--replace", *words)
    return sha256_of(path)


def assert_documented(case: Case, answer: Any, besides: tuple[str, ...] = ()) -> None:
    """Every key of the answer is named on the page of the format."""
    case.assertEqual(set(pages.keys_of(answer)) - pages.documented("store") - set(besides), set())
