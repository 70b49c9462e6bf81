"""`store encrypt` and `rekey`: every image stays, whenever the process is killed and whatever breaks."""

import fcntl
import os
import random
import shutil
import subprocess
import time
import unittest

import stores
from stores import DONE, NO, UNREADABLE, scaled

BATCH = 5
RANDOM_KILLS = 20 if stores.FULL else 6
NEW_KEY = "f0" * 32


class Rewrite(stores.Case):
    def setUp(self) -> None:
        super().setUp()
        self.keys = {}
        for name, digits in (("key", stores.KEY), ("new", NEW_KEY)):
            self.keys[name] = os.path.join(self.scratch, name)
            with open(self.keys[name], "w", encoding="utf-8") as file:
                file.write(digits + "\n")

    def upgraded(self, release: str, name: str = "store") -> stores.StoreCopy:
        copy = stores.StoreCopy(release, os.path.join(self.scratch, name))
        self.store("upgrade", copy.config, "--copy", os.path.join(self.scratch, name + ".copy"))
        return copy

    def assert_images(self, copy: stores.StoreCopy, key: str = "key") -> None:
        for version in stores.WHOLE:
            self.assertEqual(
                stores.restored_sha256(self, copy.config, copy.uid(version), "--key-file",
                                       self.keys[key]),
                copy.image_sha256(version), (copy.release, version))

    def encrypt(self, copy: stores.StoreCopy, *words: str, code: int | None = NO,
                env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[bytes]":
        """NO: every fixture has one blob that is damaged."""
        return self.store("encrypt", copy.config, "--key-file", self.keys["key"], "--batch",
                          str(BATCH), *words, "--json", code=code, env=env)

    def plain_blobs(self, copy: stores.StoreCopy) -> int:
        return copy.query("SELECT count(DISTINCT uid) FROM blocks WHERE enc_version = 0")[0][0]

    def assert_copy_restores(self, copy: stores.StoreCopy) -> None:
        """All versions come back from a copy of the store as it is at this instant."""
        clone = stores.clone(copy, os.path.join(self.scratch, "clone"))
        self.assert_images(clone)
        shutil.rmtree(clone.folder)


class Encrypt(Rewrite):
    def test_all_stores_there_and_back_and_for_good(self) -> None:
        for release in stores.RELEASES:
            copy = self.upgraded(release, "store" + release)
            rows = copy.query("SELECT version_uid, id, checksum, size, valid, date FROM blocks "
                              "ORDER BY 1, 2")
            files = stores.files_of(copy)
            to_do = self.plain_blobs(copy)
            lost = 0 if release == "2.13.8" else 1
            told = stores.parse(self.encrypt(copy, "--dry-run", code=DONE))
            self.assertEqual(told["to_do"], to_do)
            self.assertEqual(stores.files_of(copy), files)
            done = stores.parse(self.encrypt(copy, code=NO if lost else DONE))
            stores.assert_documented(self, done)
            self.assertEqual((done["blobs"], done["left"]), (to_do - lost, lost))
            self.assert_images(copy)
            self.assertEqual(self.plain_blobs(copy), lost)
            self.assertLessEqual(files.items(), stores.files_of(copy).items())  # untouched
            back = stores.parse(self.encrypt(copy, "--back", code=DONE))
            self.assertEqual(back["back"], to_do - lost)
            self.assertEqual(stores.files_of(copy), files)
            self.assert_images(copy)
            refused = stores.parse(self.encrypt(copy, "--back"))
            self.assertEqual(refused["errors"][0]["code"], "blocks.nothing")
            freed = stores.parse(self.encrypt(copy, "--free-old", code=NO if lost else DONE))
            self.assertEqual(freed["freed"] + freed["kept"], to_do - lost)
            self.assert_images(copy)
            self.assertEqual(copy.query("SELECT version_uid, id, checksum, size, valid, date FROM "
                                        "blocks ORDER BY 1, 2"), rows)
            found = self.json("inspect", copy.config)
            self.assertEqual((found["blobs"]["missing"], found["blobs"]["unlisted"]), (0, 0))

    def test_killed_at_every_record(self) -> None:
        record, killed = 1, True
        while killed:
            for moment in ("before", "after") if stores.FULL else (("before", "after")[record // 2 % 2],):
                copy = self.upgraded("2.11.13", f"{record}{moment}")
                ended = self.encrypt(copy, "--free-old", code=None,
                                     env={"DRYDOCK_STORE_CRASH": f"{record}:{moment}"})
                killed = ended.returncode == -9
                self.assertIn(ended.returncode, (-9, NO))
                self.assert_copy_restores(copy)
                if killed:
                    self.assert_goes_on(copy)
                shutil.rmtree(copy.folder)
            record += 1 if stores.FULL else 2
        self.assertGreater(record, 15)  # begin, three for each of five batches, free

    def assert_goes_on(self, copy: stores.StoreCopy) -> None:
        left = self.plain_blobs(copy)
        done = stores.parse(self.encrypt(copy, "--free-old"))
        self.assertLessEqual(done["blobs"], left - 1 + BATCH)  # at most one batch again
        self.assertEqual(self.plain_blobs(copy), 1)
        self.assert_images(copy)
        found = self.json("inspect", copy.config)["blobs"]
        self.assertEqual((found["missing"], found["unlisted"], found["strange"]), (0, 0, 0))

    def test_killed_at_random_instants(self) -> None:
        dice = random.Random(4)
        copy = self.upgraded("2.10.5", "timing")
        begun = time.monotonic()
        self.encrypt(copy, "--free-old")
        took = time.monotonic() - begun
        for trial in range(RANDOM_KILLS):
            copy = self.upgraded("2.10.5", str(trial))
            process = subprocess.Popen(
                [stores.program(), "store", "encrypt", copy.config, "--key-file",
                 self.keys["key"], "--batch", str(BATCH), "--free-old"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(dice.uniform(0, took))
            process.kill()
            process.wait()
            self.assert_copy_restores(copy)
            self.assert_goes_on(copy)
            shutil.rmtree(copy.folder)

    def test_killed_on_the_way_back(self) -> None:
        for record in range(1, 30, 1 if stores.FULL else 3):
            copy = self.upgraded("2.9.17", str(record))
            files = stores.files_of(copy)
            crash = {"DRYDOCK_STORE_CRASH": "9:after"}
            self.assertEqual(self.encrypt(copy, code=None, env=crash).returncode, -9)
            crash = {"DRYDOCK_STORE_CRASH": f"{record}:before"}
            ended = self.encrypt(copy, "--back", code=None, env=crash)
            self.assert_copy_restores(copy)
            if ended.returncode == -9:
                self.encrypt(copy, "--back", code=DONE)
            self.assertEqual(stores.files_of(copy), files)
            self.assertEqual(self.json("inspect", copy.config)["rows"]["encrypted"], 0)
            self.assert_images(copy)
            shutil.rmtree(copy.folder)
            if record > 10 and ended.returncode == DONE:
                return
        self.fail("the way back never ended by itself")

    def test_a_new_blob_that_goes_bad_keeps_the_old_ones(self) -> None:
        copy = self.upgraded("2.10.5")
        self.encrypt(copy)
        files = stores.files_of(copy)
        (uid,) = copy.query("SELECT uid FROM blocks WHERE enc_version = 1 LIMIT 1")[0]
        for damage in (stores.flip, stores.cut, os.remove):
            with open(copy.blob(uid), "rb") as file:
                right = file.read()
            damage(copy.blob(uid))
            refused = stores.parse(self.encrypt(copy, "--free-old"))
            self.assertEqual(refused["errors"][0]["code"], "blocks.unverified")
            self.assertLessEqual(set(files), set(stores.files_of(copy)) | {copy.blob(uid)})
            with open(copy.blob(uid), "wb") as file:
                file.write(right)
        self.encrypt(copy, "--free-old")
        self.assert_images(copy)

    def test_a_blob_that_goes_before_its_row_is_switched(self) -> None:
        copy = self.upgraded("2.10.5")
        before = set(stores.files_of(copy))
        crash = {"DRYDOCK_STORE_CRASH": "3:after"}  # written and proved, not switched
        self.assertEqual(self.encrypt(copy, code=None, env=crash).returncode, -9)
        new = sorted(set(stores.files_of(copy)) - before)
        self.assertEqual(len(new), BATCH)
        os.remove(new[0])  # backy2's cleanup removes what no row names
        self.assert_copy_restores(copy)
        self.encrypt(copy, "--free-old")
        self.assertEqual(self.plain_blobs(copy), 1)
        self.assert_images(copy)

    def test_a_version_that_is_removed_meanwhile(self) -> None:
        copy = self.upgraded("2.10.5")
        crash = {"DRYDOCK_STORE_CRASH": "6:after"}
        self.assertEqual(self.encrypt(copy, code=None, env=crash).returncode, -9)
        for table, column in (("blocks", "version_uid"), ("tags", "version_uid"),
                              ("versions", "uid")):
            copy.change(f"DELETE FROM {table} WHERE {column} = '{copy.uid('b1')}'")
        self.encrypt(copy, "--free-old")
        found = self.json("inspect", copy.config)["blobs"]
        self.assertEqual(found["missing"], 0)
        for version in set(stores.WHOLE) - {"b1"}:
            self.assertEqual(
                stores.restored_sha256(self, copy.config, copy.uid(version), "--key-file",
                                       self.keys["key"]), copy.image_sha256(version))

    def test_other_keys_other_stores_and_damaged_journals(self) -> None:
        copy = self.upgraded("2.10.5")
        journal = copy.data + ".drydock/encrypt.journal"
        self.encrypt(copy)
        refused = self.json("encrypt", copy.config, "--key-file", self.keys["new"], code=NO)
        self.assertEqual(refused["errors"][0]["code"], "blocks.journal")
        other = self.upgraded("2.9.17", "other")
        refused = self.json("encrypt", other.config, "--key-file", self.keys["key"], "--journal",
                            journal, code=NO)
        self.assertEqual(refused["errors"][0]["code"], "blocks.journal")
        with open(journal, "rb") as file:
            whole = file.read()
        with open(journal, "wb") as file:
            file.write(whole[:200] + b"X" + whole[201:])
        refused = stores.parse(self.encrypt(copy))
        self.assertIn("record 1 is damaged", refused["errors"][0]["message"]
                      + refused["errors"][0]["message"].replace("record 2", "record 1"))
        with open(journal, "wb") as file:
            file.write(whole + b'{"torn')
        self.encrypt(copy)
        self.assert_images(copy)

    def test_two_drydocks_and_backy2_in_the_middle(self) -> None:
        copy = self.upgraded("2.10.5")
        with open(os.path.join(copy.folder, "lock", "backy_backy.lock"), "w",
                  encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            refused = stores.parse(self.encrypt(copy))
            self.assertEqual(refused["errors"][0]["code"], "blocks.busy")
        words = [stores.program(), "store", "encrypt", copy.config, "--key-file",
                 self.keys["key"], "--batch", "1"]
        both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                for _ in range(2)]
        for one in both:
            one.communicate(timeout=scaled(60))
            self.assertEqual(one.returncode, NO)  # busy, or the one damaged blob
        self.assertEqual(self.plain_blobs(copy), 1)
        self.assert_images(copy)

    def test_a_full_disk_loses_nothing(self) -> None:
        copy = self.upgraded("2.10.5")
        files = stores.files_of(copy)
        failed = subprocess.run(
            ["bash", "-c", 'ulimit -f 8; trap "" XFSZ; exec "$0" store encrypt "$1" --key-file '
             '"$2" --batch 5', stores.program(), copy.config, self.keys["key"]],
            capture_output=True, check=False, timeout=scaled(60))
        self.assertEqual(failed.returncode, UNREADABLE, failed.stderr)
        self.assertEqual(stores.files_of(copy), files)
        self.assert_images(copy)
        self.encrypt(copy, "--free-old")
        self.assert_images(copy)

    def test_what_cannot_be_encrypted(self) -> None:
        copy = stores.StoreCopy("2.11.13", os.path.join(self.scratch, "old"))
        refused = stores.parse(self.encrypt(copy, code=UNREADABLE))
        self.assertIn("store upgrade", refused["errors"][0]["remedy"])
        refused = self.json("encrypt", self.upgraded("2.11.13").config, code=NO)
        self.assertEqual(refused["errors"][0]["code"], "blocks.key")


class Rekey(Rewrite):
    def rekey(self, copy: stores.StoreCopy, *words: str, code: int | None = NO,
              env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[bytes]":
        return self.store("rekey", copy.config, "--key-file", self.keys["key"], "--new-key-file",
                          self.keys["new"], "--batch", str(BATCH), *words, "--json", code=code,
                          env=env)

    def test_every_blob_gets_another_key(self) -> None:
        copy = self.upgraded("2.9.17")
        self.encrypt(copy, "--free-old")
        envelopes = set(copy.query("SELECT DISTINCT enc_envkey FROM blocks WHERE enc_version = 1"))
        self.rekey(copy, "--free-old", code=DONE)
        self.assert_images(copy, "new")
        after = set(copy.query("SELECT DISTINCT enc_envkey FROM blocks WHERE enc_version = 1"))
        self.assertFalse(envelopes & after)
        self.store("restore", copy.config, copy.uid("b1"), "-o", "x", "--key-file",
                   self.keys["key"], code=NO)

    def test_killed_in_the_middle_both_keys_open_all(self) -> None:
        copy = self.upgraded("2.9.17")
        self.encrypt(copy, "--free-old")
        crash = {"DRYDOCK_STORE_CRASH": "7:after"}
        self.assertEqual(self.rekey(copy, code=None, env=crash).returncode, -9)
        for version in stores.WHOLE:
            self.assertEqual(
                stores.restored_sha256(self, copy.config, copy.uid(version), "--key-file",
                                       self.keys["key"], "--other-key-file", self.keys["new"]),
                copy.image_sha256(version))
        self.rekey(copy, "--back", code=DONE)
        self.assert_images(copy, "key")
        self.rekey(copy, "--free-old", code=DONE)
        self.assert_images(copy, "new")


if __name__ == "__main__":
    unittest.main()
