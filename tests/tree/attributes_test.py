"""A tree that loses everything but its content on its way gets all of it back from its manifest."""

import json
import os
import shutil
import subprocess
import unittest

import trees  # first: it knows where the others are
from program import DONE, NO, USAGE


def lose(source: str, target: str) -> None:
    """Copies as a file system would that knows files and folders only: not even a name that is no text."""
    shutil.copytree(source, target, symlinks=True, copy_function=shutil.copyfile,
                    ignore=lambda folder, names: [name for name in names if is_lost(os.path.join(folder, name))])
    for folder, _, names in os.walk(target):
        os.chmod(folder, 0o755)
        for name in names:
            os.utime(os.path.join(folder, name), (10**9, 10**9))


def is_lost(path: str) -> bool:
    return os.path.islink(path) or not (os.path.isfile(path) or os.path.isdir(path))


class AttributesTest(trees.TreeCase):
    def setUp(self) -> None:
        trees.require_root()
        super().setUp()
        self.poor, self.back = (os.path.join(self.scratch, name) for name in ("poor", "back"))
        self.manifest = os.path.join(self.scratch, "manifest.jsonl")

    def make_poor_copy(self) -> None:
        os.mkdir(self.source)
        trees.make_edge_tree(self.source)
        for name in ("d" * 200, "hole at the end"):  # shutil knows neither long paths nor holes
            trees.clear_flags(os.path.join(self.source, name))
            subprocess.run(["rm", "-rf", os.path.join(self.source, name)], check=True)
        os.utime(self.source, ns=(1, 11_000_000_005))
        written = self.drydock("manifest", self.source, "-o", self.manifest)
        self.assertEqual(written.code, DONE, written.text())
        lose(self.source, self.poor)

    def test_all_comes_back(self) -> None:
        self.make_poor_copy()
        done = self.drydock("copy", self.poor, self.back, "--attributes", self.manifest, "--json")
        self.assertEqual(done.code, DONE, done.text())
        self.assertGreater(json.loads(done.stdout)["restored"], 40)
        wanted, found = trees.facts(self.source), trees.facts(self.back)
        self.assertEqual(sorted(wanted), sorted(found))
        for path, entry in wanted.items():
            if entry[6] == found[path][6]:  # holes are no attributes: shutil writes zeros
                self.assertEqual(found[path], entry, path)
        verified = self.drydock("verify", self.manifest, self.back)
        self.assertEqual(verified.code, DONE, verified.text())

    def test_what_was_changed_meanwhile_is_told(self) -> None:
        self.make_poor_copy()
        trees.write(os.path.join(self.poor, "setuid"), b"another program")
        trees.write(os.path.join(self.poor, "sub", "second name"), b"another")  # as long as it was
        os.remove(os.path.join(self.poor, "capable"))
        done = self.drydock("copy", self.poor, self.back, "--attributes", self.manifest, "--json")
        self.assertEqual(done.code, NO, done.text())
        told = {entry["path"]: entry["code"] for entry in json.loads(done.stdout)["failures"]["first"]}
        self.assertEqual(told, {"setuid": "tree.differs", "capable": "tree.vanished",
                                "sub/second name": "tree.differs"})
        self.assertEqual(os.stat(os.path.join(self.back, "setuid")).st_mode & 0o7000, 0)

    def test_what_is_no_manifest_is_refused_before_anything_is_written(self) -> None:
        os.makedirs(self.source)
        trees.write(os.path.join(self.source, "x"), b"x")
        refused = self.drydock("copy", self.source, self.back, "--attributes", os.path.join(self.source, "x"))
        self.assertIn(refused.code, (NO, USAGE), refused.text())
        self.assertFalse(os.path.exists(self.back))


if __name__ == "__main__":
    unittest.main()
