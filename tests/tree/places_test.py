"""`drydock copy` between file systems of their own: mounts inside of the source and the target, blocks that can be shared, and a
manifest by SHA-256."""

import hashlib
import json
import os
import shutil
import subprocess
import unittest

import power_test
import trees  # first: it knows where the others are
from program import DONE, NO


class PlacesTest(trees.TreeCase):
    @classmethod
    def setUpClass(cls) -> None:
        trees.require_root()
        power_test.own_mounts()

    def setUp(self) -> None:
        super().setUp()
        os.mkdir(self.source)

    def mount(self, path: str, *words: str) -> None:
        os.makedirs(path, exist_ok=True)
        power_test.run("mount", *words, path)
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=False)

    def test_a_mount_in_the_source(self) -> None:
        """It is a part of the tree, or an empty folder with the attributes of what is mounted there."""
        trees.write(os.path.join(self.source, "outside"), b"1")
        inner = os.path.join(self.source, "inner")
        self.mount(inner, "-t", "tmpfs", "tmpfs")
        trees.write(os.path.join(inner, "inside"), b"2")
        os.chmod(inner, 0o751)
        for words, names in (([], ["inside"]), (["--one-file-system"], [])):
            with self.subTest(words):
                target = os.path.join(self.scratch, f"target{len(words)}")
                done = self.drydock("copy", self.source, target, *words)
                self.assertEqual(done.code, DONE, done.text())
                self.assertEqual(os.listdir(os.path.join(target, "inner")), names)
                self.assertEqual(os.stat(os.path.join(target, "inner")).st_mode & 0o7777, 0o751)
                self.assertTrue(os.path.exists(os.path.join(target, "outside")))
                verified = self.drydock("verify", self.source, target, *words)
                self.assertEqual(verified.code, DONE, verified.text())
        self.assertEqual(self.drydock("verify", self.source, target).code, NO)

    def test_a_mount_in_the_target(self) -> None:
        """Nothing is written to a file system that is mounted inside of the target: what would be in it is told."""
        os.makedirs(os.path.join(self.source, "inner"))
        trees.write(os.path.join(self.source, "inner", "file"), b"1")
        inner = os.path.join(self.target, "inner")
        self.mount(inner, "-t", "tmpfs", "tmpfs")
        done = self.drydock("copy", self.source, self.target, "--json")
        self.assertEqual(done.code, NO, done.text())
        self.assertEqual([problem["path"] for problem in json.loads(done.stdout)["failures"]["first"]], ["inner"])
        self.assertEqual(os.listdir(inner), [])

    def test_sha256_from_end_to_end(self) -> None:
        """The manifest of the copy has what another program computes; a byte that is turned is found by it."""
        path = os.path.join(self.source, "file")
        trees.write(path, os.urandom(1 << 20))
        manifest = os.path.join(self.scratch, "manifest.jsonl")
        done = self.drydock("copy", self.source, self.target, "--digest", "sha256", "--manifest", manifest)
        self.assertEqual(done.code, DONE, done.text())
        with open(manifest, encoding="utf-8") as file, open(path, "rb") as content:
            lines = [json.loads(line) for line in file]
            self.assertEqual(lines[0]["digest"], "sha256")
            self.assertEqual([line["digest"] for line in lines if line.get("path") == "file"], [hashlib.sha256(content.read()).hexdigest()])
        self.assertEqual(self.drydock("verify", manifest, self.target, "--from-disk").code, DONE)
        copied = os.path.join(self.target, "file")
        facts = os.stat(copied)
        with open(copied, "r+b") as file:
            file.seek(777)
            byte = file.read(1)
            file.seek(777)
            file.write(bytes([byte[0] ^ 1]))
        os.utime(copied, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        told = self.drydock("verify", manifest, self.target, "--json")
        self.assertEqual(told.code, NO)
        self.assertEqual(json.loads(told.stdout)["differ"]["first"][0]["message"], "content")

    def test_blocks_are_shared_where_they_can_be(self) -> None:
        """On XFS a copy in one file system takes no room for files of more than 64 KiB, and is as true as any other."""
        if not shutil.which("mkfs.xfs"):
            self.skipTest("no mkfs.xfs")
        image, disk = os.path.join(self.scratch, "image"), os.path.join(self.scratch, "disk")
        power_test.run("truncate", "-s", "600M", image)
        power_test.run("mkfs.xfs", "-q", "-m", "reflink=1", image)
        try:
            self.mount(disk, "-o", "loop", image)
        except RuntimeError as error:
            self.skipTest(str(error))
        source, target = os.path.join(disk, "source"), os.path.join(disk, "target")
        trees.make_edge_tree(source)
        trees.write(os.path.join(source, "more"), os.urandom(200 << 20))
        trees.write(os.path.join(source, "less"), os.urandom(1 << 20))
        os.sync()
        before = os.statvfs(disk)
        done = self.drydock("copy", source, target, "--json")
        self.assertEqual(json.loads(done.stdout)["failures"]["count"], 0, done.text())
        os.sync()
        taken = (before.f_bfree - os.statvfs(disk).f_bfree) * before.f_frsize
        self.assertLess(taken, 20 << 20)
        self.assertEqual(trees.facts(source), trees.facts(target))
        self.assertEqual(self.drydock("verify", source, target, "--from-disk").code, DONE)


if __name__ == "__main__":
    unittest.main()
