"""`drydock vfolders move`: what it answers, with which exit code, and what it tells a run of its progress."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import uuid
from typing import Any

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "field", "common"))

import pages  # noqa: E402  (found by the line above)
from limits import scaled  # noqa: E402

DRYDOCK = os.environ.get("DRYDOCK", "build/drydock")
DONE, NO, UNREADABLE = 0, 1, 2


class Move(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="drydock-vfolders-")
        self.addCleanup(scratch.cleanup)
        self.scratch = scratch.name
        self.volume = os.path.join(self.scratch, "volume")
        self.list = os.path.join(self.scratch, "rows")
        self.scopes = [uuid.uuid4() for _ in range(3)]
        self.rows = [(uuid.uuid4(), self.scopes[number % 3]) for number in range(30)]
        with open(self.list, "w", encoding="utf-8") as file:
            for folder, scope in self.rows:
                os.makedirs(self.old(folder))
                with open(os.path.join(self.old(folder), "name"), "w", encoding="utf-8") as content:
                    content.write(folder.hex)
                file.write(f"{folder}|user:{scope}\n")

    def old(self, folder: uuid.UUID) -> str:
        return os.path.join(self.volume, folder.hex[:2], folder.hex[2:4], folder.hex[4:])

    def new(self, folder: uuid.UUID, scope: uuid.UUID) -> str:
        return os.path.join(self.volume, scope.hex, folder.hex[:2], folder.hex[2:4], folder.hex[4:])

    def move(self, *words: str, code: int, env: dict[str, str] | None = None) -> dict[str, Any]:
        done = subprocess.run([DRYDOCK, "vfolders", "move", self.volume, *words, "--json"], stdout=subprocess.PIPE,
                              check=False, timeout=scaled(60), env=os.environ | (env or {}))
        self.assertEqual(done.returncode, code, done.stdout)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def assert_places(self, is_new: bool) -> None:
        for folder, scope in self.rows:
            path = self.new(folder, scope) if is_new else self.old(folder)
            with open(os.path.join(path, "name"), encoding="utf-8") as content:
                self.assertEqual(content.read(), folder.hex)
            self.assertFalse(os.path.exists(self.old(folder) if is_new else self.new(folder, scope)))

    def test_there_and_back_and_for_good(self) -> None:
        self.assertEqual(self.move("--list", self.list, "--dry-run", code=DONE)["folders"], 30)
        self.assert_places(is_new=False)
        self.assertEqual(self.move("--list", self.list, code=DONE)["moved"], 30)
        self.assert_places(is_new=True)
        self.assertEqual(self.move("--back", code=DONE)["moved"], 30)
        self.assert_places(is_new=False)
        self.assertFalse(os.path.exists(os.path.join(self.volume, "version.txt")))
        self.move("--list", self.list, code=DONE)
        self.assertGreater(self.move("--finish", code=DONE)["removed"], 0)
        self.assertEqual(set(os.listdir(self.volume)), {scope.hex for scope in self.scopes} | {"version.txt"})
        self.assertEqual(self.move("--back", code=NO)["errors"][0]["code"], "rename.nothing")

    def test_every_key_is_documented(self) -> None:
        documented = pages.documented("vfolders")
        answer = self.move("--list", self.list, code=DONE)
        self.assertEqual(set(pages.keys_of(answer)) - documented, set())
        records = set()
        with open(os.path.join(self.volume + ".drydock", "vfolders.journal"), encoding="utf-8") as journal:
            for line in journal:
                record = json.loads(line.rsplit(" ", 1)[0])
                records |= set(record) | {record["kind"]}
        self.assertEqual(records - documented, set())

    def test_what_stands_in_the_way_is_told_before_anything_moves(self) -> None:
        os.makedirs(self.new(*self.rows[4]))
        stray = uuid.uuid4()
        os.makedirs(self.old(stray))
        for words in (("--dry-run",), (), ("--leave-unlisted",)):
            answer = self.move("--list", self.list, *words, code=NO)
            self.assertTrue(answer["refused"])
            self.assertEqual(answer["findings"]["collision"]["count"], 1)
            self.assertEqual(answer["findings"]["unlisted"]["count"], 1)
        self.assertTrue(all(os.path.isdir(self.old(folder)) for folder, _ in self.rows))
        os.rmdir(self.new(*self.rows[4]))
        self.move("--list", self.list, "--leave-unlisted", code=DONE)
        self.assertTrue(os.path.isdir(self.old(stray)))

    def test_another_list_after_the_move(self) -> None:
        """The first list lacks five rows; passed over in silence, their folders would stay in layout 2 for ever."""
        with open(self.list, encoding="utf-8") as file:
            rows = file.readlines()
        first = self.list + "-first"
        with open(first, "w", encoding="utf-8") as file:
            file.writelines(rows[:-5])
        self.move("--list", first, "--leave-unlisted", code=DONE)
        self.assertTrue(self.move("--list", first, code=DONE)["done"])
        for words in ((), ("--dry-run",)):
            error = self.move("--list", self.list, *words, code=NO)["errors"][0]
            self.assertEqual(error["code"], "rename.done")
            self.assertIn("5 of this list are in layout 2", error["message"])
            self.assertIn("--finish", error["remedy"])
        self.move("--finish", code=DONE)
        self.assertEqual(self.move("--list", self.list, code=DONE)["moved"], 5)
        self.assert_places(is_new=True)

    def test_a_dry_run_after_the_move_says_done(self) -> None:
        self.move("--list", self.list, code=DONE)
        self.assertTrue(self.move("--list", self.list, "--dry-run", code=DONE)["done"])
        done = subprocess.run([DRYDOCK, "vfolders", "move", self.volume, "--list", self.list, "--dry-run"],
                              stdout=subprocess.PIPE, text=True, check=True, timeout=scaled(20))
        self.assertTrue(done.stdout.startswith("done: 30 folders are in their places"), done.stdout)

    @unittest.skipIf(os.geteuid() != 0, "only root gives directories away")
    def test_a_scope_of_another_user_is_told_before_anything_moves(self) -> None:
        last = max(scope.hex for scope in self.scopes)
        os.makedirs(os.path.join(self.volume, last))
        os.chown(os.path.join(self.volume, last), 65534, 65534)
        for words in (("--dry-run",), ()):
            answer = self.move("--list", self.list, *words, code=NO)
            self.assertTrue(answer["refused"])
            self.assertEqual(answer["findings"]["owner"], {"count": 1, "paths": [last]})
        os.rmdir(os.path.join(self.volume, last))
        self.assert_places(is_new=False)

    def test_what_cannot_be_read_ends_with_two(self) -> None:
        self.assertEqual(self.move("--list", self.list + "x", code=UNREADABLE)["errors"][0]["code"], "os.missing")
        self.volume += "x"
        self.move("--list", self.list, code=UNREADABLE)

    def test_without_a_list_nothing_begins(self) -> None:
        self.assertEqual(self.move(code=NO)["errors"][0]["code"], "rename.list")
        self.assert_places(is_new=False)

    def test_a_run_is_told_of_progress(self) -> None:
        progress = os.path.join(self.scratch, "progress.json")
        self.move("--list", self.list, "--batch", "10", code=DONE, env={"DRYDOCK_PROGRESS": progress})
        with open(progress, encoding="utf-8") as file:
            told = json.load(file)
        self.assertEqual((told["of"], told["unit"]), (30, "folders"))
        self.assertIn(told["done"], (10, 20, 30))


if __name__ == "__main__":
    unittest.main()
