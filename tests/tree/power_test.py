"""`drydock copy` when the power is cut: the disk has what was synced, and nothing that was not.

The target and the journal are on an ext4 of their own. It is shut down by the ioctl that file systems are tested with: from then
on nothing reaches the disk, not even its journal, and each call fails with EIO. Mounted again, it has what a disk has after a power
cut. The boot's identity is another one then, as after a real one.
"""

import ctypes
import fcntl
import json
import os
import random
import signal
import struct
import subprocess
import time
import unittest
import uuid

import trees  # first: it knows where the others are
from program import DONE, NO, Running

EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2
CLONE_NEWNS = 0x00020000
BOOT_ID = "/proc/sys/kernel/random/boot_id"
IMAGE_MB, LARGE_BYTES, FILES = 700, 24 << 20, 3000  # small files come last: a large one is pushed on top
BARRIER_SECONDS = 5  # between two barriers of a copy


def run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr}")
    return done.stdout


def own_mounts() -> None:
    """From now on this process has mounts of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS):
        raise unittest.SkipTest(f"no mounts of our own: {os.strerror(ctypes.get_errno())}")
    run("mount", "--make-rprivate", "/")


class PowerTest(trees.TreeCase):
    @classmethod
    def setUpClass(cls) -> None:
        trees.require_root()
        own_mounts()

    def setUp(self) -> None:
        super().setUp()
        self.disk = os.path.join(self.scratch, "disk")
        self.image = os.path.join(self.scratch, "image")
        os.mkdir(self.disk)
        os.mkdir(self.source)
        self.target = os.path.join(self.disk, "target")
        run("truncate", "-s", f"{IMAGE_MB}M", self.image)
        run("mkfs.ext4", "-q", "-F", self.image)
        self.mount()
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=False)
        draw = random.Random(3)
        for number in range(FILES):
            folder = os.path.join(self.source, f"f{number % 20}")
            os.makedirs(folder, exist_ok=True)
            trees.write(os.path.join(folder, f"n{number}"), draw.randbytes(draw.randrange(1, 40000)))
        trees.write(os.path.join(self.source, "large"), draw.randbytes(LARGE_BYTES))

    def mount(self) -> None:
        try:
            run("mount", "-o", "loop", self.image, self.disk)
        except RuntimeError as error:
            raise unittest.SkipTest(str(error)) from None

    def cut_power(self) -> None:
        """Nothing reaches the disk any more."""
        root = os.open(self.disk, os.O_RDONLY)
        fcntl.ioctl(root, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        os.close(root)

    def power_on(self) -> None:
        """The host has another boot."""
        run("umount", self.disk)
        self.mount()
        path = os.path.join(self.scratch, f"boot-{uuid.uuid4()}")
        trees.write(path, str(uuid.uuid4()).encode() + b"\n")
        run("mount", "--bind", path, BOOT_ID)
        self.addCleanup(run, "umount", BOOT_ID)

    def words(self, *more: str) -> list[str]:
        return ["copy", self.source, self.target, "--json", "--journal", os.path.join(self.disk, "journal"), *more]

    def test_what_a_finished_copy_has_stays(self) -> None:
        self.assertEqual(self.drydock(*self.words()).code, DONE)
        self.cut_power()
        self.power_on()
        self.assert_same()

    def assert_same(self) -> None:
        wanted, found = trees.facts(self.source), trees.facts(self.target)
        self.assertEqual(sorted(wanted), sorted(found))
        self.assertEqual([path for path, entry in wanted.items() if found[path] != entry], [])

    def test_cut_at_any_moment(self) -> None:
        """drydock is told of EIO or killed before. Nothing has its final name yet, and the next run makes it whole."""
        dice = random.Random(5)
        for turn, is_killed in enumerate((False, True, False)):
            running = Running(self.words("--bwlimit", "5M", "--jobs", "2"), self.scratch)
            self.addCleanup(running.process.kill)
            time.sleep(dice.uniform(1, 2) + 2 * BARRIER_SECONDS * (turn == 0))
            if running.process.poll() is not None:
                self.fail("it ended before the power was cut: " + running.wait().text())
            if is_killed:
                running.process.send_signal(signal.SIGKILL)
            self.cut_power()
            died = running.wait()
            self.assertNotEqual(died.code, DONE, died.text())
            if not is_killed:
                self.assertIn("Input/output error", died.text())
            self.power_on()
            published = [name for name in os.listdir(self.target) if name != ".drydock-copy"] if os.path.isdir(self.target) else []
            self.assertEqual(published, [])
        manifest = os.path.join(self.scratch, "manifest.jsonl")
        done = self.drydock(*self.words("--manifest", manifest))
        self.assertEqual(done.code, DONE, done.text())
        self.assert_same()
        self.assertEqual(self.drydock("verify", manifest, self.target, "--from-disk").code, DONE)
        self.assertGreater(json.loads(done.stdout)["kept"], 0, "the barrier kept nothing")

    def test_a_file_of_half_a_barrier_is_not_kept(self) -> None:
        """Files that were complete, and not on the disk, are copied again: they may be empty there, with their size and time."""
        running = Running(self.words("--bwlimit", "4M", "--jobs", "2"), self.scratch)
        self.addCleanup(running.process.kill)
        time.sleep(2)
        running.process.send_signal(signal.SIGKILL)
        running.wait()
        self.cut_power()
        self.power_on()
        self.assertIn(self.drydock(*self.words()).code, (DONE, NO))
        self.assert_same()


if __name__ == "__main__":
    unittest.main()
