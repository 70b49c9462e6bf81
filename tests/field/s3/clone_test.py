"""A bucket of a real radosgw, cloned by `drydock copy`, compared, killed in the middle, and written down."""

import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from typing import Any
from urllib.parse import quote

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "..", "store"))
sys.path.append(os.path.join(HERE, "..", "common"))

import pages  # noqa: E402  (found by the lines above)
import s3  # noqa: E402
import signed  # noqa: E402
from limits import scaled  # noqa: E402

DRYDOCK = os.environ.get("DRYDOCK", "build/drydock")
DONE, NO, WRONG, KILLED = 0, 1, 2, -9
ODD_KEYS = ("a", "a/b", "a/", "/a", "//", ".", "..", "a/../b", "a b", "a+b", "a%2Fb", "a&b=c", "a?b", "a#b", "a=b;c",
            "a'\"<>b", "\\a", "\n", "a\x01z", "\r", "\u00e9\u4e2d\U0001F600", "*~!()", "k" * 1024)
PART = 5 << 20
FILLERS = 16
TAGS = b"<Tagging><TagSet><Tag><Key>team</Key><Value>a b</Value></Tag></TagSet></Tagging>"


class Buckets(unittest.TestCase):
    server: s3.Server

    @classmethod
    def setUpClass(cls) -> None:
        try:
            cls.server = s3.Server()
        except s3.Unavailable as error:
            raise unittest.SkipTest(str(error)) from None
        cls.addClassCleanup(cls.server.close)

    def setUp(self) -> None:
        self.scratch = tempfile.mkdtemp(prefix="drydock-buckets-")
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        name = re.sub(r"[^a-z]", "-", self.id().rsplit(".", 1)[1])[:40].strip("-")
        self.source, self.target = name + "-1", name + "-2"
        self.connection = signed.Connection(self.server.endpoint, s3.ACCESS_KEY, s3.SECRET_KEY, scaled(60))
        self.addCleanup(self.connection.close)
        for bucket in (self.source, self.target):
            self.ask("PUT", bucket)

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None,
            code: int = 200) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of an answer. `path` is encoded: BUCKET/KEY?QUERY."""
        status, answered, content = self.connection.request(method, "/" + path, body, headers)
        self.assertEqual(status, code, (method, path, content[-400:]))
        return content, answered

    def put(self, key: str, body: bytes) -> None:
        self.ask("PUT", f"{self.source}/{quote(key)}", body)

    def get(self, bucket: str, key: str, query: str = "") -> bytes:
        return self.ask("GET", f"{bucket}/{quote(key)}{query}")[0]

    def put_parts(self, key: str, parts: list[bytes], headers: dict[str, str]) -> None:
        body, _ = self.ask("POST", f"{self.source}/{key}?uploads=", b"", headers)
        upload = re.findall(r"<UploadId>([^<]*)<", body.decode())[0]
        listed = ""
        for number, part in enumerate(parts, 1):
            _, head = self.ask("PUT", f"{self.source}/{key}?partNumber={number}&uploadId={quote(upload, safe='')}", part)
            etag = head["etag"]
            listed += f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        self.ask("POST", f"{self.source}/{key}?uploadId={quote(upload, safe='')}",
                 f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode())

    def environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        own = {"HOME": self.scratch, "NO_COLOR": "1", "AWS_ENDPOINT_URL": self.server.endpoint,
               "AWS_ACCESS_KEY_ID": s3.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": s3.SECRET_KEY}
        others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return others | own | (more or {})

    def drydock(self, command: str, *words: str, code: int = DONE, more: dict[str, str] | None = None) -> Any:
        places = [f"s3://{self.source}"] + ([f"s3://{self.target}"] if command != "manifest" else [])
        done = subprocess.run([DRYDOCK, command, *places, *words, "--json"], capture_output=True, check=False,
                              timeout=scaled(120), env=self.environment(more))
        self.assertEqual(done.returncode, code, (command, done.stdout[-2000:], done.stderr[-2000:]))
        self.assertNotIn(s3.SECRET_KEY.encode(), done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout.startswith(b"{") and command != "manifest" else done.stdout

    def test_every_odd_key_arrives(self) -> None:
        for key in ODD_KEYS:
            self.put(key, f"of {key}".encode())
        dry = self.drydock("copy", "--dry-run")
        self.assertEqual((dry["copied"], self.drydock("verify", code=NO)["missing"]["count"]),
                         (len(ODD_KEYS), len(ODD_KEYS)))
        done = self.drydock("copy")
        self.assertEqual((done["copied"], done["recorded"], done["whole"]), (len(ODD_KEYS), 0, True))
        for key in ODD_KEYS:
            self.assertEqual(self.get(self.target, key), f"of {key}".encode(), key)
        self.assertEqual(self.drydock("verify", "--read")["by_content"], len(ODD_KEYS))
        again = self.drydock("copy")
        self.assertEqual((again["equal"], again["copied"], again["calls"]["heads"]), (len(ODD_KEYS), 0, 0))
        documented = pages.documented("s3")
        self.assertEqual(set(pages.keys_of(done)) - documented, set())
        self.assertEqual(set(pages.keys_of(self.drydock("verify"))) - documented, set())

    def test_parts_keep_etag_metadata_tags_and_acl(self) -> None:
        parts = [b"1" * PART, b"2" * PART, b"3" * 1000]
        kept = {"content-type": "text/x-big", "cache-control": "no-store", "x-amz-meta-a": "1", "x-amz-meta-a-b": "2"}
        self.put_parts("big", parts, kept)
        self.ask("PUT", f"{self.source}/small", b"bytes", kept)
        for key in ("big", "small"):
            self.ask("PUT", f"{self.source}/{key}?acl=", b"", {"x-amz-acl": "public-read"})
            self.ask("PUT", f"{self.source}/{key}?tagging=", TAGS)
        done = self.drydock("copy", "--acl")
        self.assertEqual((done["copied"], done["recorded"]), (2, 0), done)
        for key in ("big", "small"):
            before, after = (self.ask("HEAD", f"{bucket}/{key}")[1] for bucket in (self.source, self.target))
            for name in ("etag", "content-length", *kept):
                self.assertEqual(before[name], after[name], (key, name))
            self.assertIn(b"a b", self.get(self.source, key, "?tagging="))
            self.assertEqual(self.get(self.target, key, "?tagging="), self.get(self.source, key, "?tagging="))
            self.assertIn(b"AllUsers", self.get(self.target, key, "?acl="))
        self.assertEqual(hashlib.sha256(self.get(self.target, "big")).digest(),
                         hashlib.sha256(b"".join(parts)).digest())
        self.assertNotIn(b"<Upload>", self.ask("GET", f"{self.target}?uploads=")[0])
        self.assertEqual(self.drydock("copy", "--acl")["equal"], 2)

    def rich_objects(self) -> dict[str, str]:
        """An object in parts and a small one, with the same headers and tags; returns the headers."""
        kept = {"content-type": "text/x-big", "cache-control": "no-store", "x-amz-meta-a": "1", "x-amz-meta-a-b": "2"}
        self.put_parts("big", [b"1" * PART, b"2" * PART, b"3" * 1000], kept)
        self.ask("PUT", f"{self.source}/small", b"bytes", kept)
        for key in ("big", "small"):
            self.ask("PUT", f"{self.source}/{key}?tagging=", TAGS)
        return kept

    def assert_same_objects(self, kept: dict[str, str], names: tuple[str, ...]) -> None:
        for key in ("big", "small"):
            before, after = (self.ask("HEAD", f"{bucket}/{key}")[1] for bucket in (self.source, self.target))
            for name in (*names, "content-length", *kept):
                self.assertEqual(before[name], after[name], (key, name))
            self.assertEqual(self.get(self.target, key), self.get(self.source, key))
            self.assertIn(b"a b", self.get(self.target, key, "?tagging="))
        self.assertNotIn(b"<Upload>", self.ask("GET", f"{self.target}?uploads=")[0])

    def test_bytes_pass_through(self) -> None:
        for key in ODD_KEYS:
            self.put(key, f"of {key}".encode())
        kept = self.rich_objects()
        done = self.drydock("copy", "--through")
        self.assertEqual((done["copied"], done["recorded"], done["passed_bytes"]), (len(ODD_KEYS) + 2, 0, True))
        self.assert_same_objects(kept, ("etag",))
        for key in ODD_KEYS:
            self.assertEqual(self.get(self.target, key), f"of {key}".encode(), key)
        again = self.drydock("copy", "--through")
        self.assertEqual((again["equal"], again["calls"]["heads"]), (len(ODD_KEYS) + 2, 0))

    def copy(self, source: str, target: str) -> Any:
        done = subprocess.run([DRYDOCK, "copy", source, target, "--json"], capture_output=True, check=False,
                              timeout=scaled(120), env=self.environment())
        self.assertEqual(done.returncode, DONE, (done.stdout[-2000:], done.stderr[-2000:]))
        return json.loads(done.stdout)

    def test_into_a_folder_and_out_of_it(self) -> None:
        for key in ODD_KEYS:
            self.put(key, f"of {key}".encode())
        kept = self.rich_objects()
        folder = os.path.join(self.scratch, "folder")
        self.assertEqual(self.copy(f"s3://{self.source}", folder)["copied"], len(ODD_KEYS) + 2)
        self.assertEqual(self.copy(f"s3://{self.source}", folder)["equal"], len(ODD_KEYS) + 2)
        self.assertEqual(self.copy(folder, f"s3://{self.target}")["copied"], len(ODD_KEYS) + 2)
        self.assert_same_objects(kept, ())
        for key in ODD_KEYS:
            self.assertEqual(self.get(self.target, key), f"of {key}".encode(), key)

    def test_versions_in_order_with_markers(self) -> None:
        on = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        self.ask("PUT", f"{self.source}?versioning=", on)
        refused = self.drydock("copy", "--versions", code=NO)
        self.assertEqual(refused["errors"][0]["code"], "s3.versions_off")
        for step in (b"one", b"two", None, b"three"):
            if step is None:
                self.ask("DELETE", f"{self.source}/k", code=204)
            else:
                self.put("k", step)
        self.put("gone", b"x")
        self.ask("DELETE", f"{self.source}/gone", code=204)
        done = self.drydock("copy", "--versions", "--settings")
        self.assertEqual((done["copied"], done["markers"], done["extra"]["count"]), (4, 2, 0), done)
        listed = [self.ask("GET", f"{bucket}?versions=")[0].decode() for bucket in (self.source, self.target)]
        shapes = [re.findall(r"<(Version|DeleteMarker)>.*?<Key>([^<]*)</Key>.*?<IsLatest>(\w+)</IsLatest>", one)
                  for one in listed]
        self.assertEqual(sorted(shapes[0]), sorted(shapes[1]))
        bodies = []
        for version in re.findall(r"<Version><Key>k</Key><VersionId>([^<]*)<", listed[1]):
            bodies.append(self.get(self.target, "k", f"?versionId={quote(version, safe='')}"))
        self.assertEqual(bodies, [b"three", b"two", b"one"])
        self.assertTrue(self.drydock("verify", "--versions")["equal"])
        self.assertEqual(self.drydock("copy", "--versions")["equal"], 2)

    def fill(self, count: int) -> None:
        """That many small objects, by several connections."""
        def put(part: int) -> None:
            connection = signed.Connection(self.server.endpoint, s3.ACCESS_KEY, s3.SECRET_KEY, scaled(60))
            for number in range(part, count, FILLERS):
                status, _, _ = connection.request("PUT", f"/{self.source}/k{number:05}", f"of {number}".encode())
                self.assertEqual(status, 200)
            connection.close()

        with concurrent.futures.ThreadPoolExecutor(FILLERS) as pool:
            list(pool.map(put, range(FILLERS)))

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


if __name__ == "__main__":
    unittest.main()
