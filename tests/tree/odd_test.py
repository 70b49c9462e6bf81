"""`drydock copy` and `verify` on disks that have a fault, a quota, or take two names for one. They are mounts of odd_disk.py."""

import json
import os
import shutil
import subprocess
import time
import unicodedata
import unittest

import trees  # first: it knows where the others are
from program import DONE, KILLED, NO, Running

ODD_DISK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "odd_disk.py")
PYTHON = "/usr/bin/python3"  # Debian's, which has python3-pyfuse3
PATIENCE = 20.0
SMALL, LARGE = 200 << 10, 40 << 20
COMPOSED, DECOMPOSED = "caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")


class OddDiskTest(trees.TreeCase):
    @classmethod
    def setUpClass(cls) -> None:
        trees.require_root()
        probe = subprocess.run([PYTHON, "-c", "import pyfuse3"], capture_output=True, check=False)
        if probe.returncode or not os.path.exists("/dev/fuse"):
            raise unittest.SkipTest("no /dev/fuse or no python3-pyfuse3")

    def setUp(self) -> None:
        super().setUp()
        os.mkdir(self.source)
        self.folder = os.path.join(self.scratch, "folder")
        self.mount = os.path.join(self.scratch, "mount")
        os.mkdir(self.folder)
        os.mkdir(self.mount)

    def start(self, *options: str) -> None:
        before = os.stat(self.mount).st_dev
        disk = subprocess.Popen([PYTHON, ODD_DISK, self.folder, self.mount, *options])
        self.addCleanup(disk.wait)
        self.addCleanup(self.stop)
        ends = time.monotonic() + PATIENCE
        while os.stat(self.mount).st_dev == before:
            self.assertIsNone(disk.poll())
            self.assertLess(time.monotonic(), ends)
            time.sleep(0.01)

    def stop(self) -> None:
        subprocess.run(["umount", "-l", self.mount], capture_output=True, check=False)

    def make_files(self) -> None:
        for number in range(20):
            trees.write(os.path.join(self.source, f"n{number:02}"), bytes([number]) * SMALL)
        trees.write(os.path.join(self.source, "large"), os.urandom(LARGE))

    def copy(self, source: str, target: str, *more: str) -> tuple[int, dict[str, object]]:
        done = self.drydock("copy", source, target, "--json", "--jobs", "2", *more)
        return done.code, json.loads(done.stdout)

    def assert_names(self, target: str, names: set[str]) -> None:
        """These and no others have their final names, and their content."""
        found = set(os.listdir(target)) - {".drydock-copy"}
        self.assertEqual(found, names)
        for name in names:
            with open(os.path.join(self.source, name), "rb") as wanted, open(os.path.join(target, name), "rb") as copied:
                self.assertEqual(copied.read(), wanted.read(), name)

    def test_a_quota_that_is_used_up(self) -> None:
        """EDQUOT in the middle: nothing has its final name. With more room the same command goes on."""
        self.make_files()
        self.start("--quota", str(LARGE // 2))
        target = os.path.join(self.mount, "copy")
        code, told = self.copy(self.source, target)
        self.assertEqual(code, NO)
        self.assertIn("tree.disk_full", str(told))
        self.assertIn("Disk quota exceeded", str(told))
        self.assert_names(target, set())
        self.stop()
        self.start()
        code, told = self.copy(self.source, target)
        self.assertEqual((code, told["resumed"]), (DONE, True), told)
        self.assert_names(target, set(os.listdir(self.source)))

    def test_blocks_that_cannot_be_written(self) -> None:
        """EIO for one file: it is told and has no name at the target; all others are there."""
        for broken in ("n07", "large"):
            with self.subTest(broken):
                self.make_files()
                self.start("--broken", broken)
                target = os.path.join(self.mount, "copy")
                code, told = self.copy(self.source, target)
                self.assertEqual(code, NO)
                failures = told["failures"]
                self.assertEqual([problem["path"] for problem in failures["first"]], [broken], told)  # type: ignore[index]
                self.assertIn("Input/output error", failures["first"][0]["message"])  # type: ignore[index]
                self.assert_names(target, set(os.listdir(self.source)) - {broken})
                self.stop()
                shutil.rmtree(os.path.join(self.folder, "copy"))

    def test_blocks_that_cannot_be_read(self) -> None:
        for broken in ("n07", "large"):
            with self.subTest(broken):
                self.make_files()
                subprocess.run(["cp", "-a", self.source + "/.", self.folder], check=True)
                self.start("--broken", broken)
                code, told = self.copy(self.mount, self.target)
                self.assertEqual(code, NO)
                self.assertEqual([problem["path"] for problem in told["failures"]["first"]], [broken], told)  # type: ignore[index]
                self.assert_names(self.target, set(os.listdir(self.source)) - {broken})
                compared = self.drydock("verify", self.source, self.mount, "--json")
                self.assertEqual(compared.code, NO)
                self.assertEqual([problem["path"] for problem in json.loads(compared.stdout)["unread"]["first"]], [broken])
                self.stop()
                shutil.rmtree(self.target)

    def colliding(self) -> list[tuple[str, str]]:
        pairs = [("Case", "case"), (COMPOSED, DECOMPOSED)]
        for first, second in pairs:
            for name in (first, second):
                trees.write(os.path.join(self.source, name), name.encode() * 1000)
                os.makedirs(os.path.join(self.source, f"folder {name}"))
                trees.write(os.path.join(self.source, f"folder {name}", "inner"), name.encode())
        return pairs

    def test_names_that_the_target_takes_for_one(self) -> None:
        """One of two is copied, and the other one is told, also when a copy goes on: never the one for the other."""
        pairs = self.colliding()
        for number in range(300):
            trees.write(os.path.join(self.source, f"n{number}"), bytes(4096))
        self.start("--fold")
        target = os.path.join(self.mount, "copy")
        self.kill_half_way(target)
        code, told = self.copy(self.source, target)
        self.assertEqual((code, told["resumed"]), (NO, True), told)
        names = set(os.listdir(target))
        lost = set(os.listdir(self.source)) - names
        for first, second in pairs:
            for prefix in ("", "folder "):
                self.assertEqual(len(lost & {prefix + first, prefix + second}), 1, told)
        failures = told["failures"]["first"]  # type: ignore[index]
        self.assertEqual({(problem["path"], problem["code"]) for problem in failures}, {(name, "tree.collides") for name in lost})
        for name in names:
            path = os.path.join(target, name)
            content, wanted = (os.path.join(each, "inner") if os.path.isdir(path) else each
                               for each in (path, os.path.join(self.source, name)))
            with open(content, "rb") as copied, open(wanted, "rb") as original:
                self.assertEqual(copied.read(), original.read(), name)
        self.assertEqual(self.drydock("verify", self.source, target).code, NO)

    def test_the_profile_of_daos(self) -> None:
        """On a mount of dfuse each file is synced by itself, for a sync of the whole ends at the kernel, and none is opened past the
        page cache. Below a library of DAOS it is the same."""
        for name in ("small", "large"):
            trees.write(os.path.join(self.source, name), os.urandom(70 << 20 if name == "large" else 5000))
            with open(os.path.join(self.source, name), "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        log = os.path.join(self.scratch, "log")
        self.start("--type", "daos", "--log", log)
        target = os.path.join(self.mount, "copy")
        code, told = self.copy(self.source, target)
        self.assertEqual((code, told["profile"]), (DONE, "daos"), told)
        self.assert_names(target, {"small", "large"})
        with open(log, encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual({line for line in lines if line.startswith("sync")}, {"sync small", "sync large"})
        self.assertEqual([line for line in lines if line.startswith("direct")], [])
        for number, (library, profile) in enumerate((("", ""), ("/nowhere/libioil.so", "daos"), ("/nowhere/libpil4dfs.so", "daos"))):
            done = trees.run_drydock(["copy", self.source, f"{self.target}{number}", "--json"], self.scratch, {"XDG_STATE_HOME": os.path.join(self.scratch, "state"), "LD_PRELOAD": library})
            self.assertEqual((done.code, json.loads(done.stdout)["profile"]), (DONE, profile), done.text())

    def kill_half_way(self, target: str) -> None:
        running = Running(["copy", self.source, target, "--jobs", "1", "--bwlimit", "200K"], self.scratch,
                          {"XDG_STATE_HOME": os.path.join(self.scratch, "state")})
        staged = os.path.join(target, ".drydock-copy")
        while not (os.path.isdir(staged) and len(os.listdir(staged)) > 100):
            self.assertIsNone(running.process.poll())
            time.sleep(0.01)
        running.process.kill()
        self.assertEqual(running.wait().code, KILLED)


if __name__ == "__main__":
    unittest.main()
