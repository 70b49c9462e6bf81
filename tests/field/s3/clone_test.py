"""A bucket of a real radosgw, cloned by `drydock copy`, compared, killed in the middle, and written down."""

import os
import re
import sys
import unittest
from urllib.parse import quote

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

import clone_cases  # noqa: E402  (found by the line above)
import s3  # noqa: E402  (by the lines of buckets)
from buckets import NO  # noqa: E402


class OnRadosgw(clone_cases.Cases):
    odd_keys = clone_cases.ODD_KEYS
    abilities = {"checksums": False, "if_none_match": True, "copy_if_match": False, "tags": True, "versions": False,
                 "part_sizes": False, "keys": True, "part_copies": True, "part_digests": True}

    @classmethod
    def make_server(cls) -> s3.Server:
        return s3.Server()

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


if __name__ == "__main__":
    unittest.main()
