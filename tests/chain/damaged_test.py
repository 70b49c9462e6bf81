"""`drydock chain` on wheels that are damaged or make no sense: a clear answer each, never "clean"."""

import io
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
import zipfile

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "field", "common"))

from limits import scaled  # noqa: E402  (found by the line above)

DRYDOCK = os.environ.get("DRYDOCK", "build/drydock")
CLEAN, NO, REFUSED = 0, 1, 2
ENVIRONMENT = "shop/migrations"
CUTS, FLIPS = 30, 100


def revision(identity: str, *parents: str, depends_on: str = "None") -> str:
    """The text of a revision file."""
    down = repr(parents[0]) if len(parents) == 1 else repr(parents) if parents else "None"
    return (f'"""make {identity}"""\nrevision = {identity!r}\ndown_revision = {down}\ndepends_on = {depends_on}\n'
            "def upgrade():\n    op.add()\ndef downgrade():\n    op.drop()\n")


def wheel(*revisions: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{ENVIRONMENT}/env.py", "")
        for number, text in enumerate(revisions):
            archive.writestr(f"{ENVIRONMENT}/versions/{number}.py", text)
    return out.getvalue()


LINE = [revision("a"), revision("b", "a"), revision("c", "b")]
OLD, NEW = wheel(*LINE), wheel(*LINE, revision("d", "c"))


class Damaged(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="drydock-damaged-")
        self.addCleanup(scratch.cleanup)
        self.scratch = scratch.name

    def chain(self, old: bytes, new: bytes, *words: str) -> tuple[int, dict]:
        for name, data in (("old.whl", old), ("new.whl", new)):
            with open(os.path.join(self.scratch, name), "wb") as file:
                file.write(data)
        done = subprocess.run([DRYDOCK, "chain", "old.whl", "new.whl", "--json", *words], cwd=self.scratch,
                              stdout=subprocess.PIPE, check=False, timeout=scaled(30))
        return done.returncode, json.loads(done.stdout)

    def assert_refused(self, old: bytes, new: bytes, words: str = "") -> None:
        code, answer = self.chain(old, new)
        self.assertEqual((code, answer["verdict"]), (REFUSED, "refused"))
        self.assertTrue(answer["problems"][0]["file"] and answer["problems"][0]["text"])
        self.assertIn(words, " ".join(one["text"] for one in answer["problems"]))

    def test_whole_wheels_are_clean(self) -> None:
        code, answer = self.chain(OLD, NEW)
        self.assertEqual((code, answer["verdict"], answer["runs"]), (CLEAN, "clean", ["d"]))

    def test_wheels_that_were_cut_off(self) -> None:
        for cut in range(0, len(NEW), max(1, len(NEW) // CUTS)):
            with self.subTest(cut=cut):
                self.assert_refused(OLD, NEW[:cut])
                self.assert_refused(NEW[:cut], NEW)

    def test_bytes_that_flipped(self) -> None:
        """A flip in a date or the like changes nothing that is read; then the answer is the right one."""
        dice = random.Random(14)
        refused = 0
        for _ in range(FLIPS):
            place, bit = dice.randrange(len(NEW)), 1 << dice.randrange(8)
            code, answer = self.chain(OLD, NEW[:place] + bytes([NEW[place] ^ bit]) + NEW[place + 1:])
            right = answer["verdict"] == "clean" and answer["runs"] == ["d"]
            self.assertTrue(right or code != CLEAN, f"byte {place}, bit {bit}: {answer}")
            refused += code == REFUSED
        self.assertGreater(refused, FLIPS // 3)

    def test_a_page_of_an_error_in_the_place_of_a_wheel(self) -> None:
        self.assert_refused(OLD, b"<html>404 Not Found</html>\n")
        self.assert_refused(OLD, b"")

    def test_circles(self) -> None:
        self.assert_refused(OLD, wheel(*LINE, revision("x", "y"), revision("y", "x")), "is its own ancestor")
        self.assert_refused(OLD, wheel(revision("a", "a")), "is its own ancestor")
        self.assert_refused(OLD, wheel(*LINE, revision("d", "c", depends_on="'e'"), revision("e", "d")), "is its own ancestor")

    def test_an_id_twice(self) -> None:
        self.assert_refused(OLD, wheel(*LINE, revision("b", "a")), "the id b is there twice")

    def test_no_revision_at_all(self) -> None:
        self.assert_refused(OLD, wheel())

    def test_two_heads(self) -> None:
        code, answer = self.chain(OLD, wheel(*LINE, revision("d", "c"), revision("e", "c")))
        self.assertEqual((code, answer["verdict"], answer["new"]["heads"]), (NO, "several_heads", ["d", "e"]))

    def test_a_parent_that_is_nowhere(self) -> None:
        code, answer = self.chain(OLD, wheel(*LINE, revision("d", "c", "z")))
        self.assertEqual((code, answer["verdict"]), (NO, "incomplete"))

    def test_a_database_that_is_stamped_with_something_else(self) -> None:
        code, answer = self.chain(OLD, NEW, "--db", "feedfacecafe")
        self.assertEqual((code, answer["verdict"], answer["unknown_heads"]), (NO, "unknown_head", ["feedfacecafe"]))


if __name__ == "__main__":
    unittest.main()
