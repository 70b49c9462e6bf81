"""`store encrypt` on a disk that is really full, and beside a real backy2: each is found and named, and nothing is lost."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import backy2
import stores
from stores import DONE, NO, UNREADABLE, scaled

FREE_KIB = (4, 12, 32, 64, 128, 256)  # from the first record of the journal to the last rows
# The store is moved to a file system of its own, and comes back from it as the full disk left it.
ON_SMALL_DISK = """
set -eu
store=$1 kib=$2 program=$3
mount --make-rprivate /
mv "$store" "$store.moved"
mkdir "$store"
used=$(du -sk --apparent-size "$store.moved" | cut -f1)
mount -t tmpfs -o size="$((used + 4096))k" none "$store"
cp -a "$store.moved/." "$store/"
used=$(df -k --output=used "$store" | tail -1)
mount -o remount,size="$((used + kib))k" "$store"
"$program" store encrypt "$store/backy.cfg" --key-file "$4" --batch 5 --json && code=0 || code=$?
cp -a "$store" "$store.after"
umount "$store"
rmdir "$store"
mv "$store.after" "$store"
exit "$code"
"""


def may_mount() -> bool:
    done = subprocess.run(["unshare", "-m", "sh", "-c", "mount --make-rprivate / && mount -t tmpfs -o size=4k none /mnt"],
                          capture_output=True, check=False)
    return done.returncode == 0


class Faults(stores.Case):
    def setUp(self) -> None:
        super().setUp()
        self.key = os.path.join(self.scratch, "key")
        with open(self.key, "w", encoding="utf-8") as file:
            file.write(stores.KEY + "\n")

    def upgraded(self, release: str, name: str) -> stores.StoreCopy:
        copy = stores.StoreCopy(release, os.path.join(self.scratch, name))
        self.store("upgrade", copy.config, "--copy", os.path.join(self.scratch, name + ".copy"))
        return copy

    def assert_images(self, copy: stores.StoreCopy) -> None:
        for version in stores.WHOLE:
            self.assertEqual(
                stores.restored_sha256(self, copy.config, copy.uid(version), "--key-file", self.key),
                copy.image_sha256(version), version)

    def test_a_disk_that_is_full(self) -> None:
        if not may_mount():
            self.skipTest("no mount namespace with a tmpfs may be made here")
        codes = []
        for kib in FREE_KIB:
            with self.subTest(kib=kib):
                copy = self.upgraded("2.10.5", str(kib))
                files = stores.files_of(copy)
                done = subprocess.run(
                    ["unshare", "-m", "bash", "-c", ON_SMALL_DISK, "_", copy.folder, str(kib),
                     stores.program(), self.key], capture_output=True, check=False, timeout=scaled(60))
                told = json.loads(done.stdout)
                self.assertEqual(done.returncode, UNREADABLE, done)
                codes.append(told["errors"][0]["code"])
                self.assertRegex(json.dumps(told["errors"]).lower(), "no space left|is full")
                self.assertLessEqual(files.items(), stores.files_of(copy).items())
                self.assert_images(copy)
                # Where there is room again it goes on, and nothing of the broken batch is left.
                self.store("encrypt", copy.config, "--key-file", self.key, "--free-old", code=NO)
                self.assert_images(copy)
                found = self.json("inspect", copy.config)["blobs"]
                self.assertEqual((found["missing"], found["unlisted"], found["strange"]), (0, 0, 0))
                shutil.rmtree(copy.folder)
        self.assertIn("os.disk_full", codes)

    def real_store(self) -> backy2.RealStore:
        made = backy2.RealStore(backy2.program(), os.path.join(self.scratch, "store"))
        made.fill()
        return made

    def assert_whole(self, made: backy2.RealStore, *words: str) -> None:
        for uid, image in made.images.items():
            self.assertEqual(stores.restored_sha256(self, made.config, uid, *words),
                             hashlib.sha256(image).hexdigest())

    def test_a_real_backup_is_under_way(self) -> None:
        made = self.real_store()
        image = os.path.join(made.folder, "large")
        with open(image, "wb") as file:
            file.truncate(16 << 30)  # zeros: a minute of reading, nothing to store
        with subprocess.Popen([made.program, "-c", made.config, "backup", "file://" + image, "large"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as backup:
            end = time.monotonic() + scaled(60)
            while not is_begun(made):
                self.assertLess(time.monotonic(), end)
            refused = self.json("upgrade", made.config, code=NO)
            self.assertEqual(refused["errors"][0]["code"], "blocks.busy")
            self.assertIsNone(backup.poll())
            backup.kill()
        self.assert_whole(made)
        self.json("upgrade", made.config)
        self.assert_whole(made)

    def test_a_real_backy2_is_run_in_the_middle(self) -> None:
        made = self.real_store()
        self.json("upgrade", made.config)
        words = [stores.program(), "store", "encrypt", made.config, "--key-file", self.key, "--batch", "1"]
        journal = made.folder + "/data.drydock/encrypt.journal"
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as encrypt:
            end = time.monotonic() + scaled(60)
            while not os.path.exists(journal) or b'"switched"' not in read(journal):
                self.assertLess(time.monotonic(), end)
            encrypt.send_signal(signal.SIGSTOP)
            self.assertIsNone(encrypt.poll())
            for command in (("ls",), ("backup", "file://" + made.folder + "/image", "late"),
                            ("scrub", next(iter(made.images)))):
                made.run(*command, code=1)  # it does not know the schema, and changes nothing
            encrypt.send_signal(signal.SIGCONT)
            self.assertEqual(encrypt.wait(scaled(60)), DONE)
        self.assert_whole(made, "--key-file", self.key)
        verified = self.json("verify", made.config, "--key-file", self.key)
        self.assertTrue(verified["whole"])
        self.assertEqual(len(verified["versions"]), len(made.images))


def is_begun(made: backy2.RealStore) -> bool:
    """A backup holds the lock of its version. backy2's own `ls` fails while it writes, and tells nothing. Nobody tries the
    lock here: whoever tries it takes it for a moment, and the backup would give up."""
    folder = os.path.join(made.folder, "lock")
    inodes = {str(os.stat(os.path.join(folder, name)).st_ino) for name in os.listdir(folder) if name != "backy_backy.lock"}
    with open("/proc/locks", encoding="ascii") as locks:
        return any(fields[1] == "FLOCK" and fields[5].split(":")[-1] in inodes for fields in map(str.split, locks)
                   if len(fields) > 5)


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


if __name__ == "__main__":
    unittest.main()
