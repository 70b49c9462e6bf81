"""`drydock copy` keeps all that a tree has, and says what a target did not take."""

import json
import os
import shutil
import subprocess
import unittest

import trees  # first: it knows where the others are
import pages
from program import DONE, NO, USAGE, program


class CopyTest(trees.TreeCase):
    def setUp(self) -> None:
        trees.require_root()
        super().setUp()

    def test_the_edge_tree(self) -> None:
        """Python sees the same in both trees, and so does `verify`."""
        os.mkdir(self.source)
        trees.make_edge_tree(self.source)
        manifest = os.path.join(self.scratch, "copied.jsonl")
        done = self.drydock("copy", self.source, self.target, "--json", "--manifest", manifest)
        self.assertEqual(done.code, DONE, done.text())
        report = json.loads(done.stdout)
        self.assertTrue(report["whole"])
        self.assertEqual(report["names"], 2)
        wanted, found = trees.facts(self.source), trees.facts(self.target)
        self.assertEqual(sorted(wanted), sorted(found))
        for path, entry in wanted.items():
            self.assertEqual(found[path], entry, path)
        verified = self.drydock("verify", self.source, self.target, "--json")
        self.assertEqual(verified.code, DONE, verified.text())
        self.assertEqual(json.loads(verified.stdout)["entries"], len(wanted))
        by_manifest = self.drydock("verify", manifest, self.target)
        self.assertEqual(by_manifest.code, DONE, by_manifest.text())
        written = self.drydock("manifest", self.target, "-o", manifest + "2", "--json")
        self.assertEqual(written.code, DONE, written.text())
        with open(manifest, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        told = [report, json.loads(verified.stdout), json.loads(written.stdout), *lines]
        self.assertEqual(set(pages.keys_of(told)) - pages.documented("tree"), set())

    def test_differences(self) -> None:
        os.mkdir(self.source)
        trees.make_edge_tree(self.source)
        self.assertEqual(self.drydock("copy", self.source, self.target).code, DONE)
        trees.clear_flags(self.target)
        with open(os.path.join(self.target, "large"), "r+b") as file:
            file.seek(33 << 20)
            byte = file.read(1)
            file.seek(33 << 20)
            file.write(bytes([byte[0] ^ 1]))
        os.setxattr(os.path.join(self.target, "attributes"), "user.text", b"other")
        os.remove(os.path.join(self.target, "sub", "second name"))
        shutil.copy2(os.path.join(self.target, "plain"),
                     os.path.join(self.target, "sub", "second name"))
        verified = self.drydock("verify", self.source, self.target, "--json")
        self.assertEqual(verified.code, NO)
        told = {entry["path"]: entry["message"]
                for entry in json.loads(verified.stdout)["differ"]["first"]}
        self.assertIn("content", told["large"])
        self.assertIn("extended attributes", told["attributes"])
        # Which of two names is told depends on the one that is met first.
        of_one_file = " ".join(told.get(name, "") for name in ("plain", "sub/second name"))
        self.assertIn("names of one file", of_one_file)
        self.assertIn("flags", told["immutable"])

    def test_a_folder_whose_own_name_is_no_text(self) -> None:
        source = os.path.join(os.fsencode(self.scratch), b"r\xff\xfe\"")
        os.mkdir(source)
        with open(os.path.join(source, b"f"), "wb") as file:
            file.write(b"x")
        manifest = os.path.join(self.scratch, "manifest.jsonl")
        self.assertEqual(self.drydock("copy", os.fsdecode(source), self.target, "--manifest", manifest).code, DONE)
        for side in (manifest, os.fsdecode(source)):
            verified = self.drydock("verify", side, self.target)
            self.assertEqual(verified.code, DONE, verified.text())

    def test_what_is_no_folder(self) -> None:
        done = self.drydock("copy", os.path.join(self.scratch, "nothing"), self.target)
        self.assertEqual(done.code, USAGE)
        self.assertIn("is no folder", done.text())

    def test_unreadable_files(self) -> None:
        """As a user: the rest is copied, and each that cannot be read is told."""
        os.mkdir(self.source)
        for name in ("readable", "secret"):
            trees.write(os.path.join(self.source, name), name.encode())
        os.chmod(os.path.join(self.source, "secret"), 0)
        for folder in (self.scratch, self.source):
            os.chown(folder, 65534, 65534)
            os.chmod(folder, 0o755)
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env",
             f"XDG_STATE_HOME={self.scratch}/state", program(), "copy", self.source,
             self.target, "--json"], capture_output=True, text=True, check=False, cwd="/")
        self.assertEqual(done.returncode, NO, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual([one["path"] for one in report["failures"]["first"]], ["secret"])
        self.assertEqual(sorted(os.listdir(self.target)), ["readable"])


if __name__ == "__main__":
    unittest.main()
