"""`drydock extract` as it is typed, on streams that Pachyderm's own classes wrote (tests/fixtures/extract)."""

import json
import os
import subprocess
import unittest

import program
from program import DONE, NO, UNREADABLE, fixture

import pages  # found by what program adds to the path

IDENTIFIER = b"\xff\x06\x00\x00sNaPpY"
MEMORY_MB_MORE = 5
MIXED = fixture("1.9") + fixture("1.10")  # joined streams are one stream


def chunks(data: bytes) -> bytes:
    """Uncompressed chunks, with the checksum that the framing format demands."""
    framed = IDENTIFIER
    for start in range(0, len(data), 65536):
        piece = data[start:start + 65536]
        crc = crc32c(piece)
        masked = ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff
        framed += b"\x01" + (len(piece) + 4).to_bytes(3, "little") + masked.to_bytes(4, "little") + piece
    return framed


def crc32c(data: bytes) -> int:
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


class Typed(program.Case):
    def test_inspect(self) -> None:
        for version in ("1.7", "1.8", "1.9", "1.10", "1.11", "1.12", "1.13"):
            path = self.keep(version, fixture(version))
            found = self.answer("inspect", path)
            self.assertEqual(found["op_versions"], {version: found["ops"]})
            self.assertEqual(found["counts"]["commit"], 12)
            self.assertEqual(sum(repo["commits"] for repo in found["repos"].values()), 12)
            self.assertIn("commit", self.run_extract("inspect", path, code=DONE))

    def test_the_answer_has_the_keys_of_its_page(self) -> None:
        path = self.keep("stream", fixture("1.11"))
        answer = self.answer("verify", path)
        damaged = self.answer("verify", self.keep("cut", fixture("1.11")[:-3]), "--against",
                              self.keep("counts", b'{"counts": {"commit": 1}}'), code=NO)
        # Names of repos and pipelines are no keys.
        keys = set(pages.keys_of([answer | {"repos": {}, "jobs": {}}, damaged | {"repos": {}, "jobs": {}}]))
        keys -= {"1.11"}
        documented = pages.documented("extract")
        self.assertEqual(keys - documented, set())

    def test_verify_without_counts_proves_nothing(self) -> None:
        path = self.keep("stream", fixture("1.11"))
        self.assertEqual(self.answer("verify", path)["verdict"], "unproved")
        self.assertIn("would not show", self.run_extract("verify", path, code=DONE))

    def test_an_inspection_is_a_manifest(self) -> None:
        """The answer about a file serves as its counts, and finds that its end is missing."""
        for version in ("1.7", "1.11"):
            path = self.keep("stream", fixture(version))
            counts = self.keep("counts", self.run_extract("inspect", path, "--json", code=DONE).encode())
            self.assertEqual(self.answer("verify", path, "--against", counts)["verdict"], "complete")

    def test_a_file_that_was_cut_between_two_ops(self) -> None:
        """Nothing in the file tells it, and `pachctl restore` takes it; counts find it."""
        repo = b"\x2a\x0e\x22\x0c\x0a\x0a\x0a\x08__spec__"  # op1_11, repo
        first = len(repo).to_bytes(8, "little") + repo
        path = self.keep("cut", chunks(first))
        self.assertEqual(self.answer("verify", path)["verdict"], "unproved")
        counts = self.keep("counts", b'{"counts": {"repo": 2, "commit": 3}}')
        answer = self.answer("verify", path, "--against", counts, code=NO)
        self.assertEqual(answer["verdict"], "wrong")
        self.assertEqual([difference["name"] for difference in answer["differences"]], ["commit", "repo"])

    def test_every_other_cut_is_damage(self) -> None:
        whole = fixture("1.12")
        for size in [0, 1, 9, 10, 11, 14, 100, len(whole) // 2, len(whole) - 1]:
            path = self.keep("cut", whole[:size])
            answer = self.answer("inspect", path, code=NO)
            self.assertEqual(answer["damage"]["code"], "extract.truncated", size)

    def test_damage(self) -> None:
        whole = fixture("1.12")
        flipped = whole[:14] + bytes([whole[14] ^ 1]) + whole[15:]
        huge = chunks((1 << 31).to_bytes(8, "little") + b"bytes")
        negative = chunks((1 << 63).to_bytes(8, "little"))
        for name, content, code in (("checksum", flipped, "extract.crc"), ("huge", huge, "extract.too_large"),
                                    ("negative", negative, "extract.length"),
                                    ("no message", chunks(b"\x01" + bytes(7) + b"\x0f"), "extract.protobuf")):
            with self.subTest(name):
                path = self.keep("damaged", content)
                damage = self.answer("verify", path, code=NO)["damage"]
                self.assertEqual(damage["code"], code)
                self.assertTrue(damage["remedy"])
                self.assertIn("do not restore", self.run_extract("verify", path, code=NO))

    def test_mixed_versions(self) -> None:
        """Two dumps that somebody joined: they can be read, and are not to be restored."""
        path = self.keep("mixed", MIXED)
        self.assertEqual(set(self.answer("inspect", path)["op_versions"]), {"1.9", "1.10"})
        answer = self.answer("verify", path, code=NO)
        self.assertGreater(answer["findings"]["mixed_versions"]["count"], 0)

    def test_what_is_no_extract_file(self) -> None:
        said = self.run_extract("inspect", self.keep("json", b'{"a": 1}'), code=UNREADABLE)
        self.assertIn("snappy stream", said)
        self.assertIn("pachctl extract", said)
        self.run_extract("inspect", os.path.join(self.scratch, "missing"), code=UNREADABLE)
        self.run_extract("inspect", "/dev/zero", code=UNREADABLE)
        self.run_extract("inspect", code=UNREADABLE)

    def test_wrong_counts_are_found_first(self) -> None:
        path = self.keep("stream", fixture("1.11"))
        for content in (b"", b"[]", b"{}", b'{"counts": {"comit": 1}}', b'{"counts": {"commit": "1"}}'):
            counts = self.keep("counts", content)
            self.assertIn(counts, self.run_extract("verify", path, "--against", counts, code=UNREADABLE))

    def test_progress(self) -> None:
        """Inside a run of drydock, a long file tells how far it was read."""
        padding = b"\xfe" + (1 << 20).to_bytes(3, "little") + bytes(1 << 20)
        progress = os.path.join(self.scratch, "progress")
        path = self.keep("long", fixture("1.11") + 4 * padding + fixture("1.11"))
        self.run_extract("inspect", path, code=DONE, env={"DRYDOCK_PROGRESS": progress})
        with open(progress, encoding="utf-8") as file:
            told = json.load(file)
        self.assertEqual((told["unit"], told["of"]), ("bytes", os.path.getsize(path)))

    def test_names_cannot_forge_lines(self) -> None:
        name = b"a\n\x1b[31mb\xff"
        repo = b"\x0a" + bytes([len(name)]) + name
        for number in (1, 4):
            repo = bytes([number << 3 | 2, len(repo)]) + repo
        op = b"\x2a" + bytes([len(repo)]) + repo
        path = self.keep("names", chunks(len(op).to_bytes(8, "little") + op))
        said = self.run_extract("inspect", path, code=DONE)
        self.assertNotIn("\x1b", said)
        self.assertNotIn("a\n", said)
        self.assertEqual(self.answer("inspect", path)["counts"]["repo"], 1)

    def test_memory_does_not_grow_with_the_file(self) -> None:
        """A file of 90 MB takes about as much memory as one of 5 KB."""
        padding = b"\xfe" + ((1 << 24) - 1).to_bytes(3, "little") + bytes((1 << 24) - 1)
        short, long = self.keep("short", fixture("1.11")), self.keep("long", 2000 * fixture("1.11") + 5 * padding)
        self.assertLess(self.memory_mb(long), self.memory_mb(short) + MEMORY_MB_MORE)

    def memory_mb(self, path: str) -> float:
        process = subprocess.Popen([program.DRYDOCK, "extract", "inspect", path], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status  # the object would miss its process
        self.assertEqual(status, 0)
        return usage.ru_maxrss / 1024


if __name__ == "__main__":
    unittest.main()
