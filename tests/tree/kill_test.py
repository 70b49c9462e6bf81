"""`drydock copy` that is killed, that meets a full disk, and a tree that moves under it."""

import json
import os
import random
import signal
import stat
import subprocess
import threading
import time
import unittest

import trees  # first: it knows where the others are
from program import DONE, KILLED, NO, Running, program

FILES, KILLS = 3000, 12
CHUNKS = 4
PAUSED = 75


class KillTest(trees.TreeCase):
    def setUp(self) -> None:
        super().setUp()
        os.mkdir(self.source)

    def words(self, *more: str) -> list[str]:
        return ["copy", self.source, self.target, "--json", *more]

    def environment(self, crash: str = "") -> dict[str, str]:
        return {"XDG_STATE_HOME": os.path.join(self.scratch, "state"), "DRYDOCK_TREE_CRASH": crash}

    def copy(self, *more: str, crash: str = "") -> trees.Run:
        return trees.run_drydock(self.words(*more), self.scratch, self.environment(crash))

    def make_small_files(self) -> None:
        draw = random.Random(1)
        for number in range(FILES):
            folder = os.path.join(self.source, f"f{number % 40}")
            os.makedirs(folder, exist_ok=True)
            path = os.path.join(folder, f"n{number}")
            trees.write(path, draw.randbytes(draw.randrange(1, 9000)))
            os.utime(path, ns=(1, 10**18 + number))
            if number % 50 == 0:
                os.link(path, os.path.join(self.source, f"f{(number + 1) % 40}", f"again{number}")
                        if number else os.path.join(self.source, "again0"))

    def assert_nothing_half_done(self) -> None:
        """A file that has its final name is whole. Its other names may still be missing, and a folder
        gets its time when all is in it."""
        wanted = trees.facts(self.source)
        for path, entry in trees.facts(self.target).items():
            if not path.startswith(b"/.drydock-copy") and stat.S_ISREG(entry[0]):
                self.assertEqual(entry[:-1], wanted[path][:-1], path)

    def test_killed_at_any_moment(self) -> None:
        self.make_small_files()
        draw = random.Random(2)
        killed = 0
        for _ in range(KILLS):
            running = Running(self.words("--jobs", "2"), self.scratch, self.environment())
            time.sleep(draw.uniform(0.0, 0.25))
            running.process.send_signal(signal.SIGKILL)
            killed += running.wait().code == KILLED
            if os.path.isdir(self.target):
                self.assert_nothing_half_done()
        print(f"killed {killed} times on its way", flush=True)
        manifest = os.path.join(self.scratch, "manifest.jsonl")
        done = self.copy("--manifest", manifest)
        self.assertEqual(done.code, DONE, done.text())
        self.assertEqual(trees.facts(self.target), trees.facts(self.source))
        verified = trees.run_drydock(["verify", manifest, self.target], self.scratch,
                                     self.environment())
        self.assertEqual(verified.code, DONE, verified.text())

    def test_a_large_file_goes_on_behind_its_chunks(self) -> None:
        path = os.path.join(self.source, "large")
        trees.write(path, random.Random(3).randbytes(100 << 20))
        os.utime(path, ns=(1, 10**18))
        died = self.copy("--jobs", "1", crash=f"chunk:{CHUNKS}")
        self.assertEqual(died.code, KILLED)
        self.assertFalse(os.path.exists(os.path.join(self.target, "large")))
        manifest = os.path.join(self.scratch, "manifest.jsonl")
        done = self.copy("--manifest", manifest)
        self.assertEqual(done.code, DONE, done.text())
        self.assertEqual(json.loads(done.stdout)["kept_bytes"], CHUNKS << 24)
        self.assertEqual(trees.facts(self.target), trees.facts(self.source))
        verified = trees.run_drydock(["verify", manifest, self.source], self.scratch,
                                     self.environment())
        self.assertEqual(verified.code, DONE, verified.text())

    def test_the_source_is_another_one_when_it_goes_on(self) -> None:
        """A folder became a file, another one is gone, a file became a folder; nothing of before is told."""
        for number in range(64):
            for folder in ("file later", "gone later"):
                os.makedirs(os.path.join(self.source, folder), exist_ok=True)
                trees.write(os.path.join(self.source, folder, f"n{number}"), bytes(1000))
        trees.write(os.path.join(self.source, "folder later"), b"x")
        running = Running(self.words("--jobs", "1", "--bwlimit", "100K"), self.scratch, self.environment())
        staged = os.path.join(self.target, ".drydock-copy")

        def begun(folder: str) -> bool:
            path = os.path.join(staged, folder)
            return os.path.isdir(path) and len(os.listdir(path)) > 40  # the lines of 32 files are written at once
        while not (begun("file later") and begun("gone later")):
            self.assertIsNone(running.process.poll())
            time.sleep(0.001)
        running.process.send_signal(signal.SIGKILL)
        self.assertEqual(running.wait().code, KILLED)
        for name in ("file later", "gone later", "folder later"):
            subprocess.run(["rm", "-r", os.path.join(self.source, name)], check=True)
        trees.write(os.path.join(self.source, "file later"), b"now a file")
        os.mkdir(os.path.join(self.source, "folder later"))
        trees.write(os.path.join(self.source, "folder later", "inner"), b"y")
        manifest = os.path.join(self.scratch, "manifest.jsonl")
        done = self.copy("--manifest", manifest)
        self.assertEqual(done.code, DONE, done.text())
        self.assertEqual(trees.facts(self.target), trees.facts(self.source))
        verified = trees.run_drydock(["verify", manifest, self.target], self.scratch, self.environment())
        self.assertEqual(verified.code, DONE, verified.text())

    def test_few_open_files_are_allowed(self) -> None:
        self.make_small_files()
        done = subprocess.run(["bash", "-c", 'ulimit -n 200; exec "$0" "$@"', program(), *self.words("--jobs", "64")],
                              capture_output=True, text=True, check=False, env=os.environ | self.environment())
        self.assertEqual(done.returncode, DONE, done.stdout + done.stderr)
        self.assertEqual(trees.facts(self.target), trees.facts(self.source))

    def test_paused(self) -> None:
        self.make_small_files()
        trees.write(os.path.join(self.source, "large"), bytes(200 << 20))
        running = Running(self.words("--jobs", "1"), self.scratch, self.environment())
        while not os.path.isdir(os.path.join(self.target, ".drydock-copy")):
            time.sleep(0.001)
        running.process.send_signal(signal.SIGTERM)
        paused = running.wait()
        self.assertIn(paused.code, (PAUSED, DONE), paused.text())
        self.assertEqual(self.copy().code, DONE)
        self.assertEqual(trees.facts(self.target), trees.facts(self.source))

    def on_tmpfs(self, size: str, script: str) -> list[str]:
        """What a script prints whose target is a disk of this size, in a mount namespace."""
        trees.require_root()
        os.mkdir(self.target)
        words = " ".join([program(), *self.words("--no-sync", "--jobs", "1")])
        head = f"""
            set -e
            mount --make-rprivate /
            mount -t tmpfs -o size={size} tmpfs {self.target}
            set +e
            copy() {{ {words} >{self.scratch}/out 2>&1; echo "exit $?"; }}
            final() {{ find {self.target} -path '*/.drydock-copy' -prune -o -type f -print | wc -l; }}
        """
        done = subprocess.run(["unshare", "-m", "bash", "-c", head + script], capture_output=True,
                              text=True, check=False, env=os.environ | self.environment())
        self.assertEqual(done.stderr, "")
        return done.stdout.splitlines()

    def test_a_target_that_is_too_small(self) -> None:
        self.make_small_files()
        told = self.on_tmpfs("8m", f"""
            copy
            grep -o 'tree.too_small' {self.scratch}/out | head -1
            ls -A {self.target} | wc -l
        """)
        self.assertEqual(told, ["exit 1", "tree.too_small", "0"])

    def test_a_full_disk(self) -> None:
        """Somebody fills the disk in the middle; when there is room again, the copy goes on."""
        self.make_small_files()
        trees.write(os.path.join(self.source, "large"), random.Random(4).randbytes(200 << 20))
        told = self.on_tmpfs("400m", f"""
            copy >{self.scratch}/first & shell=$!
            until [ -d {self.target}/.drydock-copy ]; do :; done
            pid=$(pgrep -P $shell)
            kill -STOP $pid
            fallocate -l $(($(df --output=avail -B1 {self.target} | tail -1) - 2000000)) \\
                {self.target}/.drydock-copy/../filler
            kill -CONT $pid
            wait $shell
            cat {self.scratch}/first
            grep -o 'tree.disk_full' {self.scratch}/out | head -1
            rm {self.target}/filler
            final
            copy
            diff -r {self.source} {self.target} && echo same
        """)
        self.assertEqual(told, ["exit 1", "tree.disk_full", "0", "exit 0", "same"])

    def test_a_racing_renamer_leads_nobody_outside(self) -> None:
        """A folder of the source becomes a link and a folder again, all the time."""
        outside = os.path.join(self.scratch, "outside")
        os.mkdir(outside)
        trees.write(os.path.join(outside, "treasure"), b"not yours")
        inner = os.path.join(self.source, "inner")
        hidden = os.path.join(self.source, "hidden")
        os.mkdir(inner)
        for number in range(50):
            trees.write(os.path.join(inner, f"n{number}"), b"x")
        stop = threading.Event()

        def race() -> None:
            while not stop.is_set():
                os.rename(inner, hidden)
                os.symlink(outside, inner)
                os.remove(inner)
                os.rename(hidden, inner)
        racer = threading.Thread(target=race)
        racer.start()
        try:
            for number in range(20):
                self.target = os.path.join(self.scratch, f"target{number}")
                self.assertIn(self.copy("--no-sync").code, (DONE, NO))
                for folder, _, names in os.walk(self.target):
                    self.assertNotIn("treasure", names, folder)
        finally:
            stop.set()
            racer.join()


if __name__ == "__main__":
    unittest.main()
