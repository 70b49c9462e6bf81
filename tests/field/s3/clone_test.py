"""A bucket of a real radosgw, cloned by `drydock copy`, compared, killed in the middle, and written down.

curl fills and reads the buckets, so that drydock is no judge of itself."""

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
from limits import scaled  # noqa: E402

DRYDOCK = os.environ.get("DRYDOCK", "build/drydock")
DONE, NO, WRONG, KILLED = 0, 1, 2, -9
ODD_KEYS = ("a", "a/b", "a/", "/a", "//", ".", "..", "a/../b", "a b", "a+b", "a%2Fb", "a&b=c", "a?b", "a#b", "a=b;c",
            "a'\"<>b", "\\a", "\n", "a\x01z", "\r", "\u00e9\u4e2d\U0001F600", "*~!()", "k" * 1024)
PART = 5 << 20


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
        for bucket in (self.source, self.target):
            self.curl("PUT", bucket)

    def curl(self, method: str, path: str, body: bytes | None = None, headers: tuple[str, ...] = (),
             code: int = 200) -> tuple[bytes, str]:
        """The body and the headers of an answer. `path` is encoded: BUCKET/KEY?QUERY."""
        head = os.path.join(self.scratch, "head")
        words = ["curl", "-sS", "--path-as-is", "--user", f"{s3.ACCESS_KEY}:{s3.SECRET_KEY}", "--aws-sigv4",
                 "aws:amz:us-east-1:s3", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "-D", head,
                 "-w", "%{http_code}", f"{self.server.endpoint}/{path}"]
        words += ["-I"] if method == "HEAD" else ["-X", method]
        for header in headers:
            words += ["-H", header]
        if body is not None:
            words += ["-H", "Expect:", "--data-binary", "@-"]
            if not any(one.lower().startswith("content-type") for one in headers):
                words += ["-H", "Content-Type: application/octet-stream"]
        done = subprocess.run(words, input=body, capture_output=True, check=True, timeout=scaled(60))
        self.assertEqual(int(done.stdout[-3:]), code, (method, path, done.stdout[-400:]))
        with open(head, encoding="latin-1") as file:
            return done.stdout[:-3], file.read()

    def put(self, key: str, body: bytes, *headers: str) -> None:
        self.curl("PUT", f"{self.source}/{quote(key, safe='')}", body, headers)

    def get(self, bucket: str, key: str, query: str = "") -> bytes:
        return self.curl("GET", f"{bucket}/{quote(key, safe='')}{query}")[0]

    def put_parts(self, key: str, parts: list[bytes], *headers: str) -> None:
        body, _ = self.curl("POST", f"{self.source}/{key}?uploads=", b"", headers)
        upload = re.findall(r"<UploadId>([^<]*)<", body.decode())[0]
        listed = ""
        for number, part in enumerate(parts, 1):
            _, head = self.curl("PUT", f"{self.source}/{key}?partNumber={number}&uploadId={quote(upload, safe='')}", part)
            etag = re.findall(r'(?i)etag: "?([^"\r]*)', head)[0]
            listed += f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        self.curl("POST", f"{self.source}/{key}?uploadId={quote(upload, safe='')}",
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
        # The probe of the server needs one.
        self.assertEqual((again["equal"], again["copied"]), (len(ODD_KEYS), 0))
        self.assertLessEqual(again["calls"]["heads"], 1)
        documented = pages.documented("s3")
        self.assertEqual(set(pages.keys_of(done)) - documented, set())
        self.assertEqual(set(pages.keys_of(self.drydock("verify"))) - documented, set())

    def test_parts_keep_etag_metadata_tags_and_acl(self) -> None:
        parts = [b"1" * PART, b"2" * PART, b"3" * 1000]
        self.put_parts("big", parts, "Content-Type: text/x-big", "Cache-Control: no-store", "x-amz-meta-a: 1",
                       "x-amz-meta-a-b: 2", "x-amz-tagging: team=a%20b&level=1")
        self.curl("PUT", f"{self.source}/big?acl=", None, ("x-amz-acl: public-read",))
        done = self.drydock("copy", "--acl")
        self.assertEqual((done["copied"], done["recorded"]), (1, 0), done)
        heads = [self.curl("HEAD", f"{bucket}/big")[1].lower() for bucket in (self.source, self.target)]
        for name in ("etag", "content-type", "cache-control", "x-amz-meta-a", "x-amz-meta-a-b", "content-length"):
            found = [re.findall(rf"\n{name}: *([^\r]*)", head) for head in heads]
            self.assertEqual(found[0], found[1], name)
            self.assertTrue(found[0], name)
        self.assertEqual(self.get(self.target, "big", "?tagging="), self.get(self.source, "big", "?tagging="))
        self.assertIn(b"AllUsers", self.get(self.target, "big", "?acl="))
        self.assertEqual(hashlib.sha256(self.get(self.target, "big")).digest(),
                         hashlib.sha256(b"".join(parts)).digest())
        self.assertNotIn(b"<Upload>", self.curl("GET", f"{self.target}?uploads=")[0])
        self.assertEqual(self.drydock("copy", "--acl")["equal"], 1)

    def test_versions_in_order_with_markers(self) -> None:
        on = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        self.curl("PUT", f"{self.source}?versioning=", on)
        refused = self.drydock("copy", "--versions", code=NO)
        self.assertEqual(refused["errors"][0]["code"], "s3.versions_off")
        for step in (b"one", b"two", None, b"three"):
            if step is None:
                self.curl("DELETE", f"{self.source}/k", code=204)
            else:
                self.put("k", step)
        self.put("gone", b"x")
        self.curl("DELETE", f"{self.source}/gone", code=204)
        done = self.drydock("copy", "--versions", "--settings")
        self.assertEqual((done["copied"], done["markers"]), (4, 2), done)
        listed = [self.curl("GET", f"{bucket}?versions=")[0].decode() for bucket in (self.source, self.target)]
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
        """That many empty objects."""
        words = ["curl", "-sS", "-Z", "--user", f"{s3.ACCESS_KEY}:{s3.SECRET_KEY}", "--aws-sigv4", "aws:amz:us-east-1:s3",
                 "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "-X", "PUT", "-H", "Content-Length: 0",
                 "-o", os.devnull, f"{self.server.endpoint}/{self.source}/k[10001-{10000 + count}]"]
        subprocess.run(words, check=True, timeout=scaled(120), capture_output=True)

    def test_killed_in_the_middle_it_goes_on(self) -> None:
        self.fill(2500)
        journal = os.path.join(self.scratch, "journal", "file")
        words = ("--journal", journal, "--in-flight", "8")
        process = subprocess.Popen([DRYDOCK, "copy", f"s3://{self.source}", f"s3://{self.target}", *words],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment())
        end = time.monotonic() + scaled(60)
        while b"<Key>" not in self.curl("GET", f"{self.target}?max-keys=1")[0]:
            self.assertLess(time.monotonic(), end, "nothing is copied")
        process.kill()
        self.assertEqual(process.wait(scaled(60)), KILLED)
        copied = self.drydock("verify", code=NO)["objects"] - self.drydock("verify", code=NO)["missing"]["count"]
        done = self.drydock("copy", *words)
        self.assertTrue(done["whole"])
        # At most what was in flight is copied again.
        self.assertLessEqual(done["copied"], 2500 - copied + 8)
        self.assertTrue(self.drydock("verify")["equal"])

    def test_a_server_that_dies_and_comes_back_is_waited_for(self) -> None:
        self.fill(600)
        process = subprocess.Popen([DRYDOCK, "copy", f"s3://{self.source}", f"s3://{self.target}", "--in-flight", "4",
                                    "--json"], stdout=subprocess.PIPE, env=self.environment())
        time.sleep(1)
        gateway = self.server.processes.pop()
        gateway.kill()
        gateway.wait(scaled(60))
        self.server._spawn("radosgw", "-c", self.server.folder + "/ceph.conf", "-n", "client.rgw", "-f")
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
