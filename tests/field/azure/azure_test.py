#!/usr/bin/env python3
"""The clone of a bucket by the operator's own azcopy: the pack's step, the program in examples/, real azcopy, and Azurite.

What azcopy says of its work is not believed: both containers are listed and read, and one object that differs is named.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from typing import Any

import azurite
from azurite import Azurite, scaled, wait_until

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
CLONE = os.path.join(ROOT, "packs", "pachyderm", "scripts", "clone.sh")
MOVER = os.path.join(ROOT, "examples", "azcopy-mover")
STEP_SECONDS_MAX = scaled(60)
# Names as Pachyderm gives them, and odd ones; the largest goes up in blocks.
OBJECTS = {"pach/block/0a1b": b"block" * 1000, "pach/object/" + "f" * 128: b"", "large": bytes(range(256)) * 36_000, "ä b+%25": b"odd"}


class Azcopy(unittest.TestCase):
    store: Azurite
    scratch: str

    @classmethod
    def setUpClass(cls) -> None:
        try:
            azurite.ensure(may_install="DRYDOCK_STORE_FULL" in os.environ)
        except azurite.Unavailable as error:
            raise unittest.SkipTest(str(error)) from None
        cls.scratch = tempfile.mkdtemp(prefix="drydock-azure-")
        cls.addClassCleanup(shutil.rmtree, cls.scratch, ignore_errors=True)
        cls.store = Azurite(os.path.join(cls.scratch, "azurite"))
        cls.store.__enter__()
        cls.addClassCleanup(cls.store.__exit__)

    def setUp(self) -> None:
        self.run_folder = tempfile.mkdtemp(dir=self.scratch)
        self.work = os.path.join(self.run_folder, "work")
        os.mkdir(self.work)
        self.old, self.new = (f"{side}-{os.path.basename(self.run_folder).lower().replace('_', '-')}" for side in ("old", "new"))
        for container in (self.old, self.new):
            self.store.make(container)
        for name, content in OBJECTS.items():
            self.store.put(self.old, name, content)

    def test_a_clone_is_whole_once_all_was_read_and_is_equal(self) -> None:
        self.clone("copy")
        self.assertEqual(self.state(), "copied")
        told = self.told()
        self.assertEqual((told["done"], told["of"], told["unit"]), (len(OBJECTS), len(OBJECTS), "objects"))
        self.clone("verify")
        self.assertEqual(self.state(), "all")

    def test_a_pause_ends_azcopy_and_a_copy_goes_on(self) -> None:
        for word, state in (("copy", "some"), ("verify", "copied")):
            begun = self.begin(word)
            wait_until(lambda: os.path.exists(self.told_path()) or begun.poll() is not None, STEP_SECONDS_MAX, lambda: "it tells nothing")
            begun.terminate()
            said = begun.communicate(timeout=STEP_SECONDS_MAX)
            self.assertEqual((begun.returncode, self.state()), (75, state), said)
            self.assertEqual(os.listdir(self.work), [], "content on its way stays")
            self.clone(word)
            os.remove(self.told_path())
        self.assertEqual(self.state(), "all")

    def test_what_differs_is_named(self) -> None:
        self.clone("copy")
        self.store.put(self.new, "pach/block/0a1b", b"BLOCK" * 1000)  # as large as before
        self.assertIn("pach/block/0a1b", self.clone("verify", 1))
        self.store.put(self.new, "pach/block/0a1b", OBJECTS["pach/block/0a1b"])
        self.store.put(self.new, "foreign", b"")
        self.assertRegex(self.clone("verify", 1), "> 0 [0-9a-f]+ foreign")
        self.store.delete(self.new, "foreign")
        self.store.delete(self.new, "large")
        self.assertRegex(self.clone("verify", 1), "< 9216000 [0-9a-f]+ large")
        self.assertEqual(self.state(), "some")

    def test_a_copy_that_the_store_refuses_fails(self) -> None:
        """Azurite copies from no other store, and azcopy says so."""
        self.assertIn("Failed", self.clone("copy", 1, through=""))
        self.assertIn("lists no object", self.clone("verify", 1))

    def test_a_token_that_is_refused_is_no_empty_container(self) -> None:
        token = os.path.join(self.store.tokens, self.old + ".sas")
        with open(token, "w", encoding="utf-8") as file:
            file.write(azurite.sas(ends="2020-01-01T00:00:00Z"))
        said = self.clone("verify", 1)
        self.assertIn(f"list {self.store.url(self.old)} failed", said)
        self.assertNotIn("sig=", said)

    def clone(self, word: str, code: int = 0, through: str = "yes") -> str:
        """Runs the step's script to its end; what it said."""
        begun = self.begin(word, through)
        said = "".join(begun.communicate(timeout=STEP_SECONDS_MAX))
        self.assertEqual(begun.returncode, code, said)
        return said

    def begin(self, word: str, through: str = "yes") -> "subprocess.Popen[str]":
        own = {"AZCOPY": azurite.azcopy(self.store.folder), "AZURE_SAS": self.store.tokens, "AZURE_WORK": self.work,
               "AZURE_THROUGH": through, "HOME": self.scratch, "PATH": os.environ["PATH"], "AZCOPY_DISABLE_SYSLOG": "true",
               "DRYDOCK_PROGRESS": self.told_path()}
        return subprocess.Popen(["sh", CLONE, word, "/bin/false", self.run_folder, self.store.url(self.old), self.store.url(self.new), MOVER],
                                env=own, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def told_path(self) -> str:
        return os.path.join(self.run_folder, "progress.json")

    def told(self) -> dict[str, Any]:
        with open(self.told_path(), encoding="utf-8") as file:
            return dict(json.load(file))

    def state(self) -> str:
        with open(os.path.join(self.run_folder, "clone"), encoding="utf-8") as file:
            return file.readline().strip().removeprefix("state=")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
