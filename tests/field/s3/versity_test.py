"""A bucket of a real versitygw, which keeps objects as files: cloned, compared, killed in the middle, and written down;
and cloned from and to a radosgw, which can other things."""

import os
import subprocess
import sys
import unittest
from typing import Any
from urllib.parse import quote

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

import buckets  # noqa: E402  (found by the line above)
import clone_cases  # noqa: E402
import s3  # noqa: E402  (by the lines of buckets)
import signed  # noqa: E402
import versity  # noqa: E402
from buckets import DONE, DRYDOCK, NO, WRONG  # noqa: E402
from limits import scaled  # noqa: E402

# It refuses these: a name of more than 255 bytes, a folder with bytes, a file that is a folder, too.
REFUSED = ("a/b", "a/", "k" * 1024)
# It would write these to objects of other keys, or refuse them.
RENAMED = ("/a", "//", ".", "..", "a/../b")
UNLISTED = ("a\x01z",)  # its lists do not have this byte
KEYS = tuple(key for key in clone_cases.ODD_KEYS if key not in REFUSED + RENAMED + UNLISTED) + ("d/e", "k" * 255)


class OnVersity(clone_cases.Cases):
    odd_keys = KEYS
    abilities = {"checksums": True, "if_none_match": True, "copy_if_match": True, "tags": True, "versions": False,
                 "part_sizes": True, "keys": False, "part_copies": True, "part_digests": True}
    has_acl = False

    @classmethod
    def make_server(cls) -> versity.Server:
        return versity.Server()

    def test_versions_are_refused(self) -> None:
        """Its lists have all delete markers first, so that nobody can tell the order of versions."""
        on = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        self.ask("PUT", f"{self.source}?versioning=", on)
        for key in ("a", "b"):
            self.put(key, b"x")
            self.ask("DELETE", f"{self.source}/{key}", code=204)
        refused = self.drydock("copy", "--versions", "--settings", code=NO)
        self.assertEqual(refused["errors"][0]["code"], "s3.list_order")

    def test_a_key_of_another_object_overwrites_nothing(self) -> None:
        """What the server does by itself, and drydock's copies keep from happening."""
        self.put("b", b"bytes")
        self.put("a/../b", b"other")
        self.assertEqual(self.get(self.source, "b"), b"other")


class Between(buckets.Buckets):
    """Bucket `source` on a radosgw, and `target` on a versitygw."""

    @classmethod
    def make_server(cls) -> s3.Server:
        return s3.Server()

    @classmethod
    def setUpClass(cls) -> None:
        try:
            cls.other = versity.Server()
        except versity.Unavailable as error:
            raise unittest.SkipTest(str(error)) from None
        cls.addClassCleanup(cls.other.close)
        super().setUpClass()

    def setUp(self) -> None:
        super().setUp()
        self.gateway = signed.Connection(self.other.endpoint, s3.ACCESS_KEY, s3.SECRET_KEY, scaled(60))
        self.addCleanup(self.gateway.close)
        self.assertEqual(self.gateway.request("PUT", "/" + self.target)[0], 200)

    def run_between(self, command: str, *words: str, back: bool = False, code: int = DONE) -> Any:
        ends = [self.other.endpoint, self.server.endpoint] if back else [self.server.endpoint, self.other.endpoint]
        names = [self.target, self.source] if back else [self.source, self.target]
        done = subprocess.run([DRYDOCK, command, f"s3://{names[0]}", f"s3://{names[1]}", "--endpoint", ends[0],
                               "--target-endpoint", ends[1], *words, "--json"], capture_output=True, check=False,
                              timeout=scaled(120), env=self.environment())
        self.assertEqual(done.returncode, code, (done.stdout[-2000:], done.stderr[-2000:]))
        return self.parsed(done.stdout)

    def of_gateway(self, key: str) -> bytes:
        status, _, body = self.gateway.request("GET", f"/{self.target}/{quote(key)}")
        self.assertEqual(status, 200, key)
        return body

    def test_what_the_target_cannot_hold_is_named(self) -> None:
        keys = KEYS + REFUSED + RENAMED
        for key in keys:
            self.put(key, f"of {key}".encode())
        done = self.run_between("copy", code=NO)
        failed = {one["key"] for one in done["failures"]}
        self.assertEqual(len(failed & {"a", "a/b"}), 1, "a file and a folder: whichever comes first")
        self.assertEqual(failed - {"a", "a/b"}, set(REFUSED + RENAMED) - {"a/b"})
        self.assertEqual({one["key"] for one in done["failures"] if one["code"] == "s3.key"}, set(RENAMED))
        self.assertFalse(done["server"]["keys"])
        for key in set(keys) - failed:
            self.assertEqual(self.of_gateway(key), f"of {key}".encode(), key)
        again = self.run_between("copy", code=NO)
        self.assertEqual((again["equal"], again["copied"]), (len(KEYS), 0))
        compared = self.run_between("verify", "--read", code=NO)
        self.assertEqual(set(compared["missing"]["keys"]), failed)
        self.assertEqual((compared["by_content"], compared["differ"]["count"]), (len(KEYS), 0))

    def test_there_and_back_nothing_is_lost(self) -> None:
        kept = self.rich_objects()
        for key in KEYS:
            self.put(key, f"of {key}".encode())
        self.assertTrue(self.run_between("copy")["whole"])
        for key in KEYS + ("big", "small"):
            self.ask("DELETE", f"{self.source}/{quote(key)}", code=204)
        done = self.run_between("copy", back=True)
        self.assertEqual((done["copied"], done["recorded"], done["whole"]), (len(KEYS) + 2, 0, True))
        for key in ("big", "small"):
            _, head = self.ask("HEAD", f"{self.source}/{key}")
            self.assertEqual({name: head[name] for name in kept}, kept)
            self.assertIn(b"a b", self.get(self.source, key, "?tagging="))
            self.assertEqual(self.get(self.source, key), self.of_gateway(key))
        self.assertTrue(self.run_between("verify", back=True)["equal"])

    def cluster_file(self, secret_of_target: str) -> str:
        """Names the buckets `old` and `new`, with a server and a key each."""
        path = os.path.join(self.scratch, "cluster.yaml")
        with open(os.path.join(self.scratch, "new.secret"), "w", encoding="utf-8") as file:
            file.write(secret_of_target + "\n")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"""cluster: c
system: etcd
hosts: {{a: {{connect: local}}}}
members: [{{role: member, name: m1, host: a}}]
buckets:
  old:
    bucket: {self.source}
    prefix: prod/
    endpoint: {self.server.endpoint}
    access_key: {{secret: {{env: OLD_ID}}}}
    secret_key: {{secret: {{env: OLD_SECRET}}}}
  new:
    bucket: {self.target}
    endpoint: {self.other.endpoint}
    addressing: path
    access_key: {{secret: {{env: OLD_ID}}}}
    secret_key: {{secret: {{file: ./new.secret}}}}
""")
        return path

    def named(self, *words: str, code: int = DONE, **more: str) -> Any:
        """drydock with no AWS variable at all."""
        own = {name: value for name, value in self.environment().items() if not name.startswith("AWS_")}
        own |= {"OLD_ID": s3.ACCESS_KEY, "OLD_SECRET": s3.SECRET_KEY, "DRYDOCK_TRUST": "1"} | more
        done = subprocess.run([DRYDOCK, *words, "--json"], capture_output=True, check=False, timeout=scaled(120), env=own)
        self.assertEqual(done.returncode, code, (words, done.stdout[-2000:], done.stderr[-2000:]))
        self.assertNotIn(s3.SECRET_KEY.encode(), done.stdout + done.stderr)
        return self.parsed(done.stdout)

    def test_a_cluster_file_names_servers_and_keys(self) -> None:
        self.put("prod/a", b"bytes")
        self.put("other", b"not behind the prefix")
        file = self.cluster_file(s3.SECRET_KEY)
        self.assertEqual(self.named("copy", "-c", file, "s3://old", "s3://new/kept/")["copied"], 1)
        self.assertEqual(self.of_gateway("kept/a"), b"bytes")
        self.assertTrue(self.named("verify", "-c", file, "s3://old", "s3://new/kept/")["equal"])
        for words, code, name in ((("s3://old", "s3://newer"), WRONG, "s3.setting"),
                                  (("s3://old", "s3://new", "--endpoint", "http://127.0.0.1:1"), WRONG, "s3.setting")):
            self.assertEqual(self.named("copy", "-c", file, *words, code=code)["errors"][0]["code"], name)
        refused = self.named("copy", "-c", file, "s3://old", "s3://new", code=NO, DRYDOCK_TRUST="0")
        self.assertEqual(refused["errors"][0]["code"], "trust.unknown")
        self.assertIn(self.server.endpoint, refused["errors"][0]["message"])
        refused = self.named("copy", "-c", self.cluster_file("wrong"), "s3://old", "s3://new", code=NO)
        self.assertEqual(refused["errors"][0]["code"], "s3.denied")


if __name__ == "__main__":
    unittest.main()
