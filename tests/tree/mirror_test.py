"""`drydock copy` with a choice of files, as a mirror, and with a limit of its rate."""

import json
import os
import subprocess
import time
import unittest

import trees  # first: it knows where the others are
from program import DONE, NO, USAGE

RATE, LARGE = 4 << 20, 8 << 20


class MirrorTest(trees.TreeCase):
    def setUp(self) -> None:
        super().setUp()
        self.make(self.source, "keep/a.log", "keep/b.txt", "top.log", "sub/inner/c.log")

    def make(self, root: str, *paths: str) -> None:
        for path in paths:
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            trees.write(os.path.join(root, path), path.encode())

    def copy(self, *more: str) -> trees.Run:
        return self.drydock("copy", self.source, self.target, "--json", *more)

    def files(self) -> list[str]:
        return sorted(os.path.relpath(os.path.join(folder, name), self.target)
                      for folder, _, names in os.walk(self.target) for name in names)

    def removed(self, run: trees.Run) -> list[str]:
        return sorted(entry["path"] for entry in json.loads(run.stdout)["removed"]["first"])

    def test_included_and_excluded(self) -> None:
        self.assertEqual(self.copy("--include", "*.log", "--exclude", "/top.log").code, DONE)
        self.assertEqual(self.files(), ["keep/a.log", "sub/inner/c.log"])

    def test_an_included_folder(self) -> None:
        self.assertEqual(self.copy("--include", "/sub").code, DONE)
        self.assertEqual(self.files(), ["sub/inner/c.log"])

    def test_a_mirror_is_told_first(self) -> None:
        """Nothing is copied or removed without --yes; then what is extra goes, and the rest stays as it is."""
        self.assertEqual(self.copy().code, DONE)
        self.make(self.target, "extra/deep/er", "keep/old", "newline\nname", "lost+found/piece")
        os.mkfifo(os.path.join(self.target, "fifo"))
        os.symlink(self.source, os.path.join(self.target, "away"))
        wanted = sorted(["extra", "extra/deep", "extra/deep/er", "keep/old", "newline\nname", "fifo", "away"])
        self.make(self.source, "new")
        before = self.files()
        told = self.copy("--delete")
        self.assertEqual(told.code, NO, told.text())
        self.assertTrue(json.loads(told.stdout)["unconfirmed"])
        self.assertEqual(self.removed(told), wanted)
        self.assertEqual(self.files(), before)
        self.assertEqual(self.copy("--delete", "--dry-run").code, DONE)
        self.assertEqual(self.files(), before)
        done = self.copy("--delete", "--yes")
        self.assertEqual(done.code, DONE, done.text())
        self.assertEqual(self.removed(done), wanted)
        self.assertEqual(os.listdir(os.path.join(self.target, "lost+found")), ["piece"])
        root = os.stat(self.target)
        subprocess.run(["rm", "-r", os.path.join(self.target, "lost+found")], check=True)
        os.utime(self.target, ns=(root.st_atime_ns, root.st_mtime_ns))
        self.assertEqual(trees.facts(self.target), trees.facts(self.source))

    def test_what_is_left_out_stays_at_the_target(self) -> None:
        self.assertEqual(self.copy().code, DONE)
        self.make(self.target, "old/kept.mine", "old/gone", "other.mine")
        done = self.copy("--delete", "--yes", "--exclude", "*.mine")
        self.assertEqual(done.code, DONE, done.text())
        self.assertEqual(self.removed(done), ["old/gone"])
        self.assertEqual([path for path in self.files() if path.endswith(".mine")],
                         ["old/kept.mine", "other.mine"])

    def test_an_empty_source_removes_nothing(self) -> None:
        """It is mostly a disk that is not mounted."""
        self.assertEqual(self.copy().code, DONE)
        before = self.files()
        subprocess.run(["rm", "-r", self.source], check=True)
        os.mkdir(self.source)
        refused = self.copy("--delete", "--yes")
        self.assertEqual(refused.code, NO, refused.text())
        self.assertIn("tree.not_removed", refused.stdout)
        self.assertEqual(self.files(), before)

    def test_what_was_not_copied_removes_nothing(self) -> None:
        self.assertEqual(self.copy().code, DONE)
        self.make(self.target, "extra")
        os.mkdir(os.path.join(self.source, ".drydock-copy"))  # is left out, and told
        refused = self.copy("--delete", "--yes")
        self.assertEqual(refused.code, NO, refused.text())
        self.assertIn("extra", self.files())

    def test_a_limit_of_the_rate(self) -> None:
        for number in range(4):
            trees.write(os.path.join(self.source, f"large{number}"), bytes([number]) * (LARGE // 4))
        began = time.monotonic()
        self.assertEqual(self.copy("--bwlimit", "4M", "--jobs", "2").code, DONE)
        # The last file does not wait for its own bytes.
        self.assertGreaterEqual(time.monotonic() - began, LARGE * 3 / 4 / RATE)
        self.assertEqual(trees.facts(self.target), trees.facts(self.source))

    def test_buckets_take_no_options_of_folders(self) -> None:
        for words in (["--exclude", "x"], ["--delete", "--yes"], ["--bwlimit", "1M"]):
            refused = trees.run_drydock(["copy", "s3://a", "s3://b", *words], self.scratch, {})
            self.assertEqual(refused.code, USAGE, refused.text())
            self.assertIn("for folders", refused.text())


if __name__ == "__main__":
    unittest.main()
