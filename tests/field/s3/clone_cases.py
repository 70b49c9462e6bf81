"""What a clone must do on every real server. A test of a server is a class below Cases with its make_server()."""

import hashlib
import json
import os
import re
import subprocess
import time
from urllib.parse import quote

from buckets import DONE, DRYDOCK, KILLED, NO, PART, WRONG, Buckets
from limits import scaled
import pages
import s3

ODD_KEYS = ("a", "a/b", "a/", "/a", "//", ".", "..", "a/../b", "a b", "a+b", "a%2Fb", "a&b=c", "a?b", "a#b", "a=b;c",
            "a'\"<>b", "\\a", "\n", "a\x01z", "\r", "\u00e9\u4e2d\U0001F600", "*~!()", "k" * 1024)


class Cases(Buckets):
    odd_keys: tuple[str, ...]  # those that the server keeps
    abilities: dict[str, bool]  # what drydock is to find out
    has_acl = True  # of objects

    def test_every_odd_key_arrives(self) -> None:
        for key in self.odd_keys:
            self.put(key, f"of {key}".encode())
        dry = self.drydock("copy", "--dry-run")
        self.assertEqual((dry["copied"], self.drydock("verify", code=NO)["missing"]["count"]),
                         (len(self.odd_keys), len(self.odd_keys)))
        done = self.drydock("copy")
        self.assertEqual((done["copied"], done["recorded"], done["whole"]), (len(self.odd_keys), 0, True))
        self.assertEqual(done["server"], {"probed": True} | self.abilities)
        for key in self.odd_keys:
            self.assertEqual(self.get(self.target, key), f"of {key}".encode(), key)
        self.assertEqual(self.drydock("verify", "--read")["by_content"], len(self.odd_keys))
        again = self.drydock("copy")
        self.assertEqual((again["equal"], again["copied"], again["calls"]["heads"]), (len(self.odd_keys), 0, 0))
        documented = pages.documented("s3")
        self.assertEqual(set(pages.keys_of(done)) - documented, set())
        self.assertEqual(set(pages.keys_of(self.drydock("verify"))) - documented, set())

    def test_parts_keep_etag_metadata_and_tags(self) -> None:
        kept = self.rich_objects()
        if self.has_acl:
            for key in ("big", "small"):
                self.ask("PUT", f"{self.source}/{key}?acl=", b"", {"x-amz-acl": "public-read"})
        words = ("--acl",) if self.has_acl else ()
        done = self.drydock("copy", *words)
        self.assertEqual((done["copied"], done["recorded"]), (2, 0), done)
        self.assert_same_objects(kept, ("etag",))
        if self.has_acl:
            for key in ("big", "small"):
                self.assertIn(b"AllUsers", self.get(self.target, key, "?acl="))
        self.assertEqual(self.drydock("copy", *words)["equal"], 2)

    def test_bytes_pass_through(self) -> None:
        for key in self.odd_keys:
            self.put(key, f"of {key}".encode())
        kept = self.rich_objects()
        done = self.drydock("copy", "--through")
        self.assertEqual((done["copied"], done["recorded"], done["passed_bytes"]), (len(self.odd_keys) + 2, 0, True))
        self.assert_same_objects(kept, ("etag",))
        for key in self.odd_keys:
            self.assertEqual(self.get(self.target, key), f"of {key}".encode(), key)
        again = self.drydock("copy", "--through")
        self.assertEqual((again["equal"], again["calls"]["heads"]), (len(self.odd_keys) + 2, 0))

    def test_into_a_folder_and_out_of_it(self) -> None:
        for key in self.odd_keys:
            self.put(key, f"of {key}".encode())
        kept = self.rich_objects()
        folder = os.path.join(self.scratch, "folder")
        self.assertEqual(self.copy(f"s3://{self.source}", folder)["copied"], len(self.odd_keys) + 2)
        self.assertEqual(self.copy(f"s3://{self.source}", folder)["equal"], len(self.odd_keys) + 2)
        for source, target in ((f"s3://{self.source}", folder), (folder, f"s3://{self.source}")):
            self.assertTrue(self.compare(source, target)["equal"])
        self.assertEqual(self.copy(folder, f"s3://{self.target}")["copied"], len(self.odd_keys) + 2)
        self.assert_same_objects(kept, ())
        for key in self.odd_keys:
            self.assertEqual(self.get(self.target, key), f"of {key}".encode(), key)

    def test_killed_in_the_middle_it_goes_on(self) -> None:
        self.fill(2500)
        journal = os.path.join(self.scratch, "journal", "file")
        words = ("--journal", journal, "--in-flight", "8")
        process = subprocess.Popen([DRYDOCK, "copy", f"s3://{self.source}", f"s3://{self.target}", *words],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment())
        end = time.monotonic() + scaled(60)
        while b"<Key>" not in self.ask("GET", f"{self.target}?max-keys=1")[0]:
            self.assertLess(time.monotonic(), end, "nothing is copied")
        process.kill()
        self.assertEqual(process.wait(scaled(60)), KILLED)
        copied = self.drydock("verify", code=NO)["objects"] - self.drydock("verify", code=NO)["missing"]["count"]
        done = self.drydock("copy", *words)
        self.assertTrue(done["whole"])
        # At most what was in flight is copied again.
        self.assertLessEqual(done["copied"], 2500 - copied + 8)
        self.assertTrue(self.drydock("verify")["equal"])

    def kill_at_every_record(self) -> None:
        for number in range(3):
            self.put_parts(f"parts{number}", [b"1" * PART, b"2" * 1000], {"x-amz-meta-a": "1"})
            self.put(f"whole{number}", b"bytes")
        journal = os.path.join(self.scratch, "journal", "file")
        deaths = 0
        for moment in ("before", "after"):
            for record in range(1, 8):
                done = subprocess.run([DRYDOCK, "copy", f"s3://{self.source}", f"s3://{self.target}", "--journal",
                                       journal], check=False, timeout=scaled(60), stdout=subprocess.DEVNULL,
                                      env=self.environment({"DRYDOCK_COPY_CRASH": f"{record}:{moment}"}))
                self.assertIn(done.returncode, (DONE, KILLED))
                deaths += done.returncode == KILLED
        self.assertGreaterEqual(deaths, 4)
        self.assertTrue(self.drydock("copy", "--journal", journal)["whole"])
        self.assertEqual(self.drydock("verify", "--read")["by_content"], 6)
        self.assertEqual(self.drydock("verify")["extra"]["count"], 0)

    def test_killed_at_every_record_nothing_is_lost_or_left(self) -> None:
        self.kill_at_every_record()
        self.assertNotIn(b"<Upload>", self.ask("GET", f"{self.target}?uploads=")[0])

    def open_uploads(self) -> list[str]:
        return re.findall(r"<UploadId>([^<]*)<", self.ask("GET", f"{self.target}?uploads=")[0].decode())

    def test_goes_on_with_the_parts_of_a_killed_copy(self) -> None:
        self.put_parts("big", [b"1" * PART, b"2" * PART, b"3" * 1000], {"x-amz-meta-a": "1"})
        for record in range(1, 9):
            words = ("--journal", os.path.join(self.scratch, f"journal{record}", "file"))
            subprocess.run([DRYDOCK, "copy", f"s3://{self.source}", f"s3://{self.target}", *words], check=False,
                           timeout=scaled(60), stdout=subprocess.DEVNULL,
                           env=self.environment({"DRYDOCK_COPY_CRASH": f"{record}:after"}))
            if uploads := self.open_uploads():
                break
        self.assertEqual(len(uploads), 1)
        part = f"partNumber=1&uploadId={quote(uploads[0], safe='')}"
        self.ask("PUT", f"{self.target}/big?{part}", b"", {"x-amz-copy-source": f"/{self.source}/big",
                                                           "x-amz-copy-source-range": f"bytes=0-{PART - 1}"})
        done = self.drydock("copy", *words)
        self.assertEqual((done["copied"], done["recorded"], done["removed_uploads"]), (1, 0, 0))
        before, after = (self.ask("HEAD", f"{bucket}/big")[1] for bucket in (self.source, self.target))
        for name in ("etag", "content-length", "x-amz-meta-a"):
            self.assertEqual(before[name], after[name], name)
        self.assertEqual(self.open_uploads(), [])

    def test_a_server_that_dies_and_comes_back_is_waited_for(self) -> None:
        self.fill(600)
        process = subprocess.Popen([DRYDOCK, "copy", f"s3://{self.source}", f"s3://{self.target}", "--in-flight", "4",
                                    "--json"], stdout=subprocess.PIPE, env=self.environment())
        time.sleep(1)
        self.server.kill_gateway()
        self.server.start_gateway()
        out, _ = process.communicate(timeout=scaled(120))
        self.assertEqual(process.returncode, DONE, out)
        self.assertTrue(self.drydock("verify")["equal"])

    def test_manifest_and_refusals(self) -> None:
        self.put("b", b"bytes")
        self.put("a/\n", b"")
        lines = self.drydock("manifest", "--digests").decode().splitlines()
        head, first, second = (json.loads(line) for line in lines)
        self.assertEqual((head["format"], first["key"], second["key"]), ("drydock-s3-manifest", "a/\n", "b"))
        self.assertEqual(second["sha256"], hashlib.sha256(b"bytes").hexdigest())
        for words, code, name in (({"AWS_SECRET_ACCESS_KEY": "wrong"}, NO, "s3.denied"),
                                  ({"AWS_ACCESS_KEY_ID": ""}, WRONG, "s3.credentials"),
                                  ({"AWS_PROFILE": "nobody"}, WRONG, "s3.profile"),
                                  ({"AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3.free_port()}"}, NO, "s3.unreachable")):
            refused = self.drydock("copy", code=code, more=words)
            self.assertEqual(refused["errors"][0]["code"], name)
