"""Two buckets on a real server, with requests that the test signs itself, and drydock. For the tests of this folder."""

import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from typing import Any
from urllib.parse import quote

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "..", "store"))
sys.path.append(os.path.join(HERE, "..", "common"))

import s3  # noqa: E402  (found by the lines above)
import signed  # noqa: E402
import versity  # noqa: E402
from limits import scaled  # noqa: E402

DRYDOCK = os.environ.get("DRYDOCK", "build/drydock")
DONE, NO, WRONG, KILLED = 0, 1, 2, -9
PART = 5 << 20
FILLERS = 16
TAGS = b"<Tagging><TagSet><Tag><Key>team</Key><Value>a b</Value></Tag></TagSet></Tagging>"


class Buckets(unittest.TestCase):
    """Two buckets on a server of `make_server`, and drydock."""

    server: Any  # s3.Server or versity.Server

    @classmethod
    def make_server(cls) -> Any:
        """Raises Unavailable of its module."""
        raise NotImplementedError

    @classmethod
    def setUpClass(cls) -> None:
        try:
            cls.server = cls.make_server()
        except (s3.Unavailable, versity.Unavailable) as error:
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

    @staticmethod
    def parsed(text: bytes) -> Any:
        return json.loads(text)

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

    def copy(self, source: str, target: str) -> Any:
        done = subprocess.run([DRYDOCK, "copy", source, target, "--json"], capture_output=True, check=False,
                              timeout=scaled(120), env=self.environment())
        self.assertEqual(done.returncode, DONE, (done.stdout[-2000:], done.stderr[-2000:]))
        return json.loads(done.stdout)

    def compare(self, source: str, target: str, *words: str, code: int = DONE) -> Any:
        done = subprocess.run([DRYDOCK, "verify", source, target, *words, "--json"], capture_output=True, check=False,
                              timeout=scaled(120), env=self.environment())
        self.assertEqual(done.returncode, code, (done.stdout[-2000:], done.stderr[-2000:]))
        return self.parsed(done.stdout)

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
