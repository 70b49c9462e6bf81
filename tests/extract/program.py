"""Runs `drydock extract` and reads its answer."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from typing import Any

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "field", "common"))

from limits import scaled  # noqa: E402  (found by the line above)

DRYDOCK = os.environ.get("DRYDOCK", "build/drydock")
FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "extract")
DONE, NO, UNREADABLE = 0, 1, 2


class Case(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="drydock-extract-")
        self.addCleanup(scratch.cleanup)
        self.scratch = scratch.name

    def run_extract(self, *words: str, code: int, env: dict[str, str] | None = None) -> str:
        done = subprocess.run([DRYDOCK, "extract", *words], capture_output=True, text=True, check=False,
                              timeout=scaled(60), env=os.environ | (env or {}))
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def answer(self, *words: str, code: int = DONE) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.run_extract(*words, "--json", code=code))
        return answer

    def keep(self, name: str, content: bytes) -> str:
        path = os.path.join(self.scratch, name)
        with open(path, "wb") as file:
            file.write(content)
        return path


def fixture(version: str) -> bytes:
    with open(os.path.join(FIXTURES, version), "rb") as file:
        return file.read()
