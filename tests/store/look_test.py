"""`store inspect`, `verify` and `restore`: what they find, write and answer."""

import hashlib
import os
import re
import subprocess
import unittest

import stores
from stores import DONE, NO, UNREADABLE, scaled


class Look(stores.Case):
    def test_every_image_comes_back(self) -> None:
        for release in stores.RELEASES:
            copy = stores.StoreCopy(release, self.scratch)
            for version in stores.WHOLE:
                self.assertEqual(stores.restored_sha256(self, copy.config, copy.uid(version)),
                                 copy.image_sha256(version), (release, version))
                stream = self.store("restore", copy.config, copy.uid(version), "-o", "-")
                self.assertEqual(hashlib.sha256(stream.stdout).hexdigest(),
                                 copy.image_sha256(version), (release, version))

    def test_verify_finds_the_flipped_byte_and_nothing_else(self) -> None:
        for release in stores.RELEASES:
            copy = stores.StoreCopy(release, self.scratch)
            found = self.json("verify", copy.config, code=NO)
            self.assertEqual([one["blob"] for one in found["findings"]],
                             [copy.manifest["corrupt_blob"]])
            damaged = {one["uid"]: one["lost"] for one in found["versions"] if not one["whole"]}
            self.assertEqual(damaged, {copy.uid("d1"): [{"offset": 16384, "bytes": 16384}]})
            text = self.store("verify", copy.config, "--workers", "3", code=NO).stdout.decode()
            self.assertIn("6 of 7 versions can be restored in full", text)
            self.assertIn("16384+16384", text)

    def test_a_name_makes_no_line_and_no_flood(self) -> None:
        copy = stores.StoreCopy("2.13.8", self.scratch)
        uid = copy.uid("d1")
        forged = "x" + chr(10) + "nothing is missing"
        for name in (forged, forged + "x" * 1_000_000):
            copy.change(f"UPDATE versions SET name = '{name}' WHERE uid = '{uid}'")
            shown = [self.store("inspect", copy.config).stdout,
                     self.store("verify", copy.config, code=NO).stdout,
                     self.store("restore", copy.config, uid, "-o", os.path.join(self.scratch, "i"),
                                "--replace", "--allow-holes", code=NO).stdout]
            for text in shown:
                self.assertNotIn("nothing is missing", text.decode().splitlines()[1:])
                self.assertLess(len(text), 40_000)
            self.assertIn(b"x\\nnothing", shown[1])

    def test_files_beside_the_metadata(self) -> None:
        """A store from somewhere deletes nothing here, keeps nobody waiting, and runs nothing."""
        copy = stores.StoreCopy("2.13.8", self.scratch)
        target = os.path.join(self.scratch, "a-file-of-mine")
        with open(target, "w", encoding="utf-8") as file:
            file.write("kept")
        name = target.encode()
        tail = (name + len(name).to_bytes(4, "big") + (sum(name) & 0xffffffff).to_bytes(4, "big")
                + bytes.fromhex("d9d505f920a163d7"))
        journal = copy.metadata + "-journal"
        with open(journal, "wb") as made:
            made.write(bytes.fromhex("d9d505f920a163d7") + bytes(504) + bytes(4) + tail)
        refused = self.json("inspect", copy.config, code=UNREADABLE)
        self.assertIn("names another file", refused["errors"][0]["message"])
        self.assertTrue(os.path.exists(target))
        os.unlink(journal)
        for suffix in ("-journal", "-wal", "-shm"):
            os.mkfifo(copy.metadata + suffix)
            refused = self.json("inspect", copy.config, code=UNREADABLE)
            self.assertIn("no plain file", refused["errors"][0]["message"])
            os.unlink(copy.metadata + suffix)
        copy.change("CREATE VIEW forever AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x "
                    "FROM c) SELECT x FROM c")
        refused = self.json("inspect", copy.config, code=UNREADABLE)
        self.assertIn("views", refused["errors"][0]["message"])

    def test_verify_of_a_whole_store_ends_with_0(self) -> None:
        copy = stores.StoreCopy("2.9.17", self.scratch)
        bad = copy.manifest["corrupt_blob"]
        with open(copy.blob(bad), "rb") as file:
            data = bytearray(file.read())
        (checksum,) = copy.query(f"SELECT checksum FROM blocks WHERE uid = '{bad}'")[0]
        self.assertTrue(mend(data, checksum))
        with open(copy.blob(bad), "wb") as file:
            file.write(data)
        self.assertTrue(self.json("verify", copy.config)["whole"])
        self.assertIn("every version can be restored", self.store("verify", copy.config)
                      .stdout.decode())

    def test_inspect_names_half_done_states_and_missing_blobs(self) -> None:
        copy = stores.StoreCopy("2.10.5", self.scratch)
        self.assertTrue(self.json("inspect", copy.config)["whole"])
        uid = copy.query("SELECT uid FROM blocks WHERE uid IS NOT NULL")[0][0]
        os.remove(copy.blob(uid))
        self.assertEqual(self.json("inspect", copy.config, code=NO)["blobs"]["missing_uids"], [uid])
        self.assertIn(uid, self.store("inspect", copy.config, code=NO).stdout.decode())
        os.replace(os.path.join(copy.folder, "meta-after-failed-upgrade.sqlite"), copy.metadata)
        found = self.json("inspect", copy.config, code=NO)
        self.assertEqual(found["schema"]["half_done"], "stats renamed, not rebuilt")
        alone = self.json("inspect", copy.config, "--schema", code=NO)
        self.assertEqual(alone["schema"], found["schema"])

    def test_damage_ends_a_restore_and_leaves_no_file(self) -> None:
        copy = stores.StoreCopy("2.11.13", self.scratch)
        path = os.path.join(self.scratch, "d1.img")
        refused = self.store("restore", copy.config, copy.uid("d1"), "-o", path, code=NO)
        self.assertIn(copy.manifest["corrupt_blob"], refused.stderr.decode())
        self.assertFalse(os.path.exists(path))
        self.store("restore", copy.config, copy.uid("d1"), "-o", "-", code=NO)
        made = self.json("restore", copy.config, copy.uid("d1"), "-o", path, "--allow-holes",
                         code=NO)
        self.assertEqual(made["lost"], [{"offset": 16384, "bytes": 16384}])
        self.assertEqual(os.path.getsize(path), 49152)

    def test_nothing_is_replaced_unasked(self) -> None:
        copy = stores.StoreCopy("2.9.17", self.scratch)
        path = os.path.join(self.scratch, "there")
        with open(path, "w", encoding="utf-8") as file:
            file.write("mine")
        self.store("restore", copy.config, copy.uid("a1"), "-o", path, code=NO)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine")
        self.store("restore", copy.config, copy.uid("a1"), "-o", path, "--replace")
        self.assertEqual(stores.sha256_of(path), copy.image_sha256("a1"))

    def test_a_full_disk_leaves_no_file(self) -> None:
        copy = stores.StoreCopy("2.9.17", self.scratch)
        done = self.store("restore", copy.config, copy.uid("a1"), "-o", "-", code=None)
        self.assertEqual(done.returncode, DONE)
        with open("/dev/full", "wb") as full:
            failed = subprocess.run(
                [stores.program(), "store", "restore", copy.config, copy.uid("a1"), "-o", "-"],
                stdout=full, stderr=subprocess.PIPE, check=False, timeout=scaled(60))
        self.assertEqual(failed.returncode, UNREADABLE)
        self.assertIn(b"No space left", failed.stderr)

    def test_the_key_may_come_from_a_file(self) -> None:
        copy = stores.StoreCopy("2.13.8", self.scratch)
        with open(copy.config, encoding="utf-8") as file:
            text = file.read()
        with open(copy.config, "w", encoding="utf-8") as file:
            file.write(re.sub("encryption_key.*\n", "", text))
        refused = self.store("restore", copy.config, copy.uid("b1"), "-o", "x.img", code=NO)
        self.assertIn("no key was given", refused.stderr.decode())
        key = os.path.join(self.scratch, "key")
        for digits, code in (("7" * 64, NO), (stores.KEY, DONE)):
            with open(key, "w", encoding="utf-8") as file:
                file.write(digits + "\n")
            self.store("restore", copy.config, copy.uid("b1"), "-o", "x.img", "--key-file", key,
                       code=code)

    def test_what_cannot_be_read_ends_with_2(self) -> None:
        copy = stores.StoreCopy("2.9.17", self.scratch)
        self.store("inspect", os.path.join(self.scratch, "absent.cfg"), code=UNREADABLE)
        self.store("inspect", code=UNREADABLE)
        os.rename(copy.data, copy.data + ".away")
        self.store("verify", copy.config, code=UNREADABLE)
        os.rename(copy.data + ".away", copy.data)
        with open(copy.metadata, "wb") as file:
            file.write(b"x" * 5000)
        for words in (("inspect",), ("verify",), ("restore", copy.uid("a1"), "-o", "y.img")):
            refused = self.json(words[0], copy.config, *words[1:], code=UNREADABLE)
            self.assertEqual(refused["errors"][0]["code"], "blocks.metadata")

    def test_the_format_page_names_every_key(self) -> None:
        copy = stores.StoreCopy("2.13.8", self.scratch)
        answers = [self.json("inspect", copy.config), self.json("verify", copy.config, code=NO),
                   self.json("restore", copy.config, copy.uid("d1"), "-o", "z.img",
                             "--allow-holes", code=NO)]
        stores.assert_documented(self, answers)

    def test_nothing_is_changed_by_looking(self) -> None:
        copy = stores.StoreCopy("2.13.8", self.scratch)
        before = stores.sha256_of(copy.metadata)
        self.json("inspect", copy.config)
        self.json("verify", copy.config, code=NO)
        self.assertEqual(stores.sha256_of(copy.metadata), before)


def mend(data: bytearray, checksum: str) -> bool:
    """Finds the one flipped bit by trying each."""
    for place in range(len(data)):
        for bit in range(8):
            data[place] ^= 1 << bit
            if hashlib.sha512(data).hexdigest() == checksum:
                return True
            data[place] ^= 1 << bit
    return False


if __name__ == "__main__":
    unittest.main()
