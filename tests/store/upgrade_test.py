"""`store upgrade`: every image comes back, what exports lose is kept, and nothing is ever half done."""

import fcntl
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import time
import unittest

import backy2
import stores
from stores import NO, UNREADABLE, scaled

NEWEST = "30349b678801"
OLD = ("2.9.17", "2.10.5", "2.11.13")
KILLS = 25 if stores.FULL else 8


def head_of(copy: stores.StoreCopy) -> str:
    return copy.query("SELECT version_num FROM alembic_version")[0][0]


class Upgrade(stores.Case):
    def assert_images(self, copy: stores.StoreCopy) -> None:
        for version in stores.WHOLE:
            self.assertEqual(stores.restored_sha256(self, copy.config, copy.uid(version)),
                             copy.image_sha256(version), (copy.release, version))

    def test_all_stores(self) -> None:
        for release in OLD:
            copy = stores.StoreCopy(release, self.scratch)
            tags = copy.query("SELECT * FROM tags ORDER BY 1, 2")
            deleted = copy.query("SELECT * FROM deleted_blocks ORDER BY 1")
            before = stores.sha256_of(copy.metadata)
            planned = self.json("upgrade", copy.config, "--dry-run")
            self.assertTrue(planned["steps"])
            self.assertEqual(stores.sha256_of(copy.metadata), before)
            done = self.json("upgrade", copy.config)
            self.assertEqual(done["after"]["head"], NEWEST)
            self.assertEqual(done["steps"], planned["steps"])
            self.assertTrue(any("encryption_version" in note for note in done["notes"]))
            self.assertEqual(copy.query("SELECT * FROM tags ORDER BY 1, 2"), tags)
            self.assertEqual(copy.query("SELECT * FROM deleted_blocks ORDER BY 1"), deleted)
            self.assert_images(copy)
            self.assertEqual(self.json("upgrade", copy.config)["steps"], [])
            # The way back: the copy in the place of the metadata.
            shutil.copy(done["copy"], copy.metadata)
            self.assertEqual(self.json("inspect", copy.config)["schema"]["release"],
                             planned["before"]["release"])
            self.assert_images(copy)

    def test_half_done_stores_go_on_or_back(self) -> None:
        for release in OLD:
            copy = stores.StoreCopy(release, self.scratch)
            left = os.path.join(copy.folder, "meta-after-failed-upgrade.sqlite")
            whole = self.json("inspect", copy.config)["schema"]["release"]
            shutil.copy(left, copy.metadata)
            self.store("inspect", copy.config, code=NO)
            self.json("upgrade", copy.config, "--undo", "--copy", "first")
            self.assertEqual(self.json("inspect", copy.config)["schema"]["release"], whole)
            self.assert_images(copy)
            shutil.copy(left, copy.metadata)
            self.json("upgrade", copy.config, "--copy", "second")
            self.assertEqual(head_of(copy), NEWEST)
            self.assert_images(copy)
            for name in ("first", "second"):
                os.remove(os.path.join(self.scratch, name))

    def test_the_format_page_names_every_key(self) -> None:
        copy = stores.StoreCopy("2.9.17", self.scratch)
        stores.assert_documented(self, self.json("upgrade", copy.config),
                                 besides=("versions", "tags", "blocks", "deleted_blocks", "stats"))

    def test_backy2_in_the_middle_and_two_drydocks(self) -> None:
        copy = stores.StoreCopy("2.9.17", self.scratch)
        before = stores.sha256_of(copy.metadata)
        for name in ("backy_backy.lock", f"backy_{copy.uid('a1')}.lock"):
            path = os.path.join(copy.folder, "lock", name)
            with open(path, "w", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                refused = self.json("upgrade", copy.config, code=NO)
                self.assertEqual(refused["errors"][0]["code"], "blocks.busy")
        self.assert_waits_for_writers()
        self.assertEqual(stores.sha256_of(copy.metadata), before)
        both = [subprocess.Popen([stores.program(), "store", "upgrade", copy.config,
                                  "--copy", f"copy-{i}"], cwd=self.scratch,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                for i in range(2)]
        codes = sorted(one.wait(scaled(60)) for one in both)
        self.assertIn(codes, ([0, 0], [0, 1]))  # after each other, or at once
        self.assertEqual(head_of(copy), NEWEST)
        self.assert_images(copy)

    def assert_waits_for_writers(self) -> None:
        """Somebody writes who takes no lock of backy2. Each command waits ten seconds for that, so they wait at the same time."""
        begun = []
        for mode, command in (("IMMEDIATE", "upgrade"), ("EXCLUSIVE", "upgrade"), ("EXCLUSIVE", "inspect")):
            copy = stores.StoreCopy("2.9.17", os.path.join(self.scratch, f"{mode}-{command}"))
            before = stores.sha256_of(copy.metadata)  # first: who closes a file loses SQLite's locks on it
            database = sqlite3.connect(copy.metadata, isolation_level=None)
            self.addCleanup(database.close)
            database.execute("BEGIN " + mode)
            words = [stores.program(), "store", command, copy.config, "--json"]
            begun.append((copy, before, subprocess.Popen(words, cwd=self.scratch, stdout=subprocess.PIPE)))
        for copy, before, process in begun:
            out, _ = process.communicate(timeout=scaled(60))
            self.assertEqual(process.returncode, NO, out)
            (error,) = json.loads(out)["errors"]
            self.assertEqual(error["code"], "blocks.busy")
            self.assertEqual(error["message"].count(f"metadata {copy.metadata}: "), 1)
            self.assertIn("locked", error["message"])
            self.assertEqual(stores.sha256_of(copy.metadata), before)

    def test_a_full_disk_changes_nothing(self) -> None:
        copy = stores.StoreCopy("2.9.17", self.scratch)
        before = stores.sha256_of(copy.metadata)
        failed = subprocess.run(
            ["bash", "-c", 'ulimit -f 40; trap "" XFSZ; exec "$0" store upgrade "$1"',
             stores.program(), copy.config], capture_output=True, check=False, timeout=scaled(60))
        self.assertIn(failed.returncode, (NO, UNREADABLE))
        self.assertEqual(stores.sha256_of(copy.metadata), before)
        self.assertEqual([name for name in os.listdir(copy.folder) if ".sqlite." in name], [])

    def test_killed_at_any_instant_it_is_done_or_not_begun(self) -> None:
        dice = random.Random(15)
        before = stores.StoreCopy("2.10.5", self.scratch)
        begun = time.monotonic()
        self.store("upgrade", before.config, "--copy", os.path.join(self.scratch, "timing"))
        took = time.monotonic() - begun
        ends = set()
        for trial in range(KILLS):
            scratch = os.path.join(self.scratch, str(trial))
            os.mkdir(scratch)
            copy = stores.StoreCopy("2.10.5", scratch)
            old = head_of(copy)
            process = subprocess.Popen([stores.program(), "store", "upgrade", copy.config],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(dice.uniform(0, took * 1.2))
            process.kill()
            process.wait()
            schema = self.json("inspect", copy.config)["schema"]
            self.assertEqual(schema["half_done"], "")
            self.assertIn(schema["head"], (old, NEWEST))
            ends.add(schema["head"])
            self.store("upgrade", copy.config)
            self.assertEqual(head_of(copy), NEWEST)
            self.assertEqual(copy.query("SELECT count(*) FROM stats"), [(8,)])
        self.assert_images(copy)
        self.assertTrue(ends)


class Real(stores.Case):
    """A store that backy2 2.9.17 makes here and now."""

    def test_a_store_of_the_real_program(self) -> None:
        program = backy2.program()
        store = backy2.RealStore(program, os.path.join(self.scratch, "store"))
        store.fill()
        listed = store.list()
        self.assertEqual(len(listed), 4)
        self.assert_images(store)
        self.assertTrue(self.json("verify", store.config)["whole"])
        done = self.json("upgrade", store.config)
        self.assertEqual(done["before"]["release"], "2.9.7 to 2.9.18")
        self.assertEqual(done["rows_kept"]["tags"], 7)
        self.assertEqual(done["rows_kept"]["stats"], 5)
        self.assert_images(store)
        self.assertTrue(self.json("verify", store.config)["whole"])
        # The old program refuses the new schema; with the copy it works as before.
        store.run("ls", code=1)
        shutil.copy(done["copy"], store.metadata)
        self.assertEqual(store.list(), listed)
        uid = store.backup("vm-after", os.urandom(40000))
        self.assert_images(store)
        self.assertIn(uid, store.images)

    def assert_images(self, store: backy2.RealStore) -> None:
        for uid, image in store.images.items():
            self.assertEqual(stores.restored_sha256(self, store.config, uid),
                             hashlib.sha256(image).hexdigest(), uid)


if __name__ == "__main__":
    unittest.main()
