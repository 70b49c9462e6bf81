"""Stores whose blobs lie in an S3 bucket: looked at, verified, restored, encrypted, taken back; killed and cut off."""

import os
import unittest

import s3
import stores
from stores import DONE, NO, UNREADABLE

BATCH = 5


class Bucket(stores.Case):
    server: s3.Server

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        try:
            cls.server = s3.Server()
        except s3.Unavailable as error:
            raise unittest.SkipTest(str(error)) from None
        cls.addClassCleanup(cls.server.close)

    def copy(self, release: str, name: str = "store") -> stores.StoreCopy:
        copy = stores.StoreCopy(release, os.path.join(self.scratch, name))
        self.server.take_blobs(copy)
        return copy

    def assert_images(self, copy: stores.StoreCopy, *words: str) -> None:
        for version in stores.WHOLE:
            self.assertEqual(stores.restored_sha256(self, copy.config, copy.uid(version), *words),
                             copy.image_sha256(version), (copy.release, version))

    def test_every_image_comes_back_and_damage_is_named(self) -> None:
        for release in stores.RELEASES:
            copy = self.copy(release, "store" + release)
            self.assert_images(copy)
            found = self.json("inspect", copy.config)["blobs"]
            self.assertEqual(found["used"] + found["unreferenced"], len(copy.manifest["blobs"]))
            self.assertEqual((found["missing"], found["strange"]), (0, 0))
            verified = self.json("verify", copy.config, code=NO)
            self.assertEqual([one["blob"] for one in verified["findings"]],
                             [copy.manifest["corrupt_blob"]])
        uid = copy.query(f"SELECT uid FROM blocks WHERE version_uid = '{copy.uid('b1')}'")[0][0]
        right = self.server.request("GET", uid)
        for damage, code in ((right[:-1], "blocks.tag"), (right[:-1] + b"?", "blocks.tag"),
                             (right + bytes(99999), "blocks.size"), (b"", "blocks.size")):
            self.server.request("PUT", uid, damage)
            verified = self.json("verify", copy.config, code=NO)
            (told,) = [one for one in verified["findings"] if one["blob"] == uid]
            self.assertIn(code, told["code"])
        self.server.request("DELETE", uid, code=204)
        verified = self.json("verify", copy.config, code=NO)
        (told,) = [one for one in verified["findings"] if one["blob"] == uid]
        self.assertEqual(told["code"], "blocks.missing")
        self.assertEqual(self.json("inspect", copy.config, code=NO)["blobs"]["missing_uids"], [uid])
        self.server.request("PUT", uid, right)

    def test_a_bucket_of_more_than_a_page(self) -> None:
        copy = self.copy("2.13.8")
        used = self.json("inspect", copy.config)["blobs"]["used"]
        before = len(self.server.keys())
        self.server.request("PUT", f"[100000001-{100000000 + 1010 - before}]unlisted", b"")
        self.server.request("PUT", "xy", b"no blob")
        found = self.json("inspect", copy.config)["blobs"]
        self.assertEqual((found["used"], found["strange"], found["unreferenced"]),
                         (used, 1, 1010 - used))

    def key_file(self) -> str:
        path = os.path.join(self.scratch, "key")
        with open(path, "w", encoding="utf-8") as file:
            file.write(stores.KEY)
        return path

    def encrypt(self, copy: stores.StoreCopy, *words: str, code: int | None = NO,
                env: dict[str, str] | None = None) -> "stores.subprocess.CompletedProcess[bytes]":
        return self.store("encrypt", copy.config, "--key-file", self.key_file(), "--batch",
                          str(BATCH), *words, "--json", code=code, env=env)

    def upgraded(self, release: str, name: str = "store") -> stores.StoreCopy:
        copy = self.copy(release, name)
        self.store("upgrade", copy.config, "--copy", os.path.join(self.scratch, name + ".copy"))
        return copy

    def test_encrypted_there_and_back_and_for_good(self) -> None:
        copy = self.upgraded("2.11.13")
        before = self.server.keys()
        done = stores.parse(self.encrypt(copy))
        self.assertNotIn("errors", done)
        self.assertEqual(done["left"], 1)
        self.assert_images(copy, "--key-file", self.key_file())
        self.assertLessEqual(before.items(), self.server.keys().items())
        self.encrypt(copy, "--back", code=DONE)
        self.assertEqual(self.server.keys(), before)
        self.assert_images(copy)
        freed = stores.parse(self.encrypt(copy, "--free-old"))
        self.assertGreater(freed["freed"], 10)
        self.assert_images(copy, "--key-file", self.key_file())
        found = self.json("inspect", copy.config)["blobs"]
        self.assertEqual((found["missing"], found["unlisted"]), (0, 0))

    def test_killed_and_resumed(self) -> None:
        for record in (2, 3, 4, 8, 15):
            copy = self.upgraded("2.10.5", str(record))
            ended = self.encrypt(copy, "--free-old", code=None,
                                 env={"DRYDOCK_STORE_CRASH": f"{record}:after"})
            self.assertEqual(ended.returncode, -9, record)
            self.assert_images(copy, "--key-file", self.key_file())
            self.encrypt(copy, "--free-old")
            self.assert_images(copy, "--key-file", self.key_file())
            found = self.json("inspect", copy.config)["blobs"]
            self.assertEqual((found["missing"], found["unlisted"], found["strange"]), (0, 0, 0))

    def test_wrong_secret_wrong_bucket_and_nobody_there(self) -> None:
        copy = self.copy("2.9.17")
        for secret, bucket, words in (("other", s3.BUCKET, "the server says 403"),
                                      (s3.SECRET_KEY, "no-such-bucket", "no-such-bucket")):
            self.server.configure(copy, secret, bucket)
            refused = self.json("inspect", copy.config, code=UNREADABLE)["errors"][0]
            self.assertEqual(refused["code"], "blocks.data")
            self.assertIn(words, refused["message"])
            self.assertNotIn(secret, str(refused))
        self.server.configure(copy, endpoint=f"http://127.0.0.1:{s3.free_port()}")
        refused = self.json("inspect", copy.config, code=UNREADABLE)["errors"][0]
        self.assertEqual(refused["code"], "blocks.data")
        self.assertIn("onnect", refused["message"])


if __name__ == "__main__":
    unittest.main()
