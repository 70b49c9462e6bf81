"""`drydock copy` of files that somebody writes, cuts or removes while they are copied: each is told, and none counts as equal."""

import json
import os
import time
import unittest

import trees  # first: it knows where the others are
from program import DONE, NO, Running

LARGE_BYTES, SMALL_BYTES, FILES = 48 << 20, 100_000, 200


class ChangingTest(trees.TreeCase):
    def setUp(self) -> None:
        super().setUp()
        os.mkdir(self.source)
        self.manifest = os.path.join(self.scratch, "manifest.jsonl")

    def words(self, *more: str) -> list[str]:
        return ["copy", self.source, self.target, "--json", "--manifest", self.manifest, *more]

    def begin(self, rate: str, until_there: str) -> Running:
        """A slow copy, which has begun with this file or all of a folder's."""
        state = {"XDG_STATE_HOME": os.path.join(self.scratch, "state")}
        running = Running(self.words("--bwlimit", rate, "--jobs", "1"), self.scratch, state)
        self.addCleanup(running.process.kill)
        path = os.path.join(self.target, ".drydock-copy", until_there)
        while not os.path.exists(path) or (os.path.isdir(path) and not os.listdir(path)):
            self.assertIsNone(running.process.poll(), "it ended too early")
            time.sleep(0.002)
        return running

    def changed_meanwhile(self, size: int) -> None:
        """A large file gets another size while it is copied. Copied again, it is whole."""
        large = os.path.join(self.source, "large")
        trees.write(large, os.urandom(LARGE_BYTES))
        running = self.begin("12M", "large")
        os.truncate(large, size)
        done = running.wait()
        self.assertEqual(done.code, NO, done.text())
        report = json.loads(done.stdout)
        self.assertFalse(report["whole"])
        self.assertEqual([one["path"] for one in report["changed"]["first"]], ["large"])
        told = self.drydock("verify", self.manifest, self.source)
        self.assertEqual(told.code, NO, told.text())
        again = self.drydock(*self.words("--replace"))
        self.assertEqual(again.code, DONE, again.text())
        self.assertEqual(trees.facts(self.target), trees.facts(self.source))

    def test_a_file_that_grows(self) -> None:
        # The hole is larger than what the file system may need for its own lists of blocks.
        self.changed_meanwhile(LARGE_BYTES + (1 << 20) + 1)

    def test_a_file_that_is_cut(self) -> None:
        self.changed_meanwhile(SMALL_BYTES)

    def test_files_that_vanish(self) -> None:
        folder = os.path.join(self.source, "folder")
        os.mkdir(folder)
        for number in range(FILES):
            trees.write(os.path.join(folder, f"n{number}"), os.urandom(SMALL_BYTES))
        running = self.begin("4M", "folder")
        there = set(os.listdir(os.path.join(self.target, ".drydock-copy", "folder")))
        gone = [name for name in os.listdir(folder) if name not in there]
        for name in gone:
            os.remove(os.path.join(folder, name))
        done = running.wait()
        self.assertEqual(done.code, NO, done.text())
        failed = [one for one in json.loads(done.stdout)["failures"]["first"] if one["code"] == "tree.vanished"]
        self.assertGreater(len(failed), 0)
        self.assertLessEqual({one["path"] for one in failed}, {f"folder/{name}" for name in gone})
        copied = set(os.listdir(os.path.join(self.target, "folder")))
        self.assertEqual({f"folder/{name}" for name in copied} & {one["path"] for one in failed}, set())


if __name__ == "__main__":
    unittest.main()
