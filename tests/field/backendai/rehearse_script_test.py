#!/usr/bin/env python3
"""packs/backendai/scripts/rehearse.py on a real PostgreSQL, with an engine that stands in for alembic."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import postgres
import releases
from limits import scaled

SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(releases.HERE))), "packs/backendai/scripts/rehearse.py")
DONE, NO, UNKNOWN = 0, 1, 2
# Runs the SQL of the file that is named by the way, in the place of migrate.py.
ENGINE = """\
import os, subprocess, sys
words = sys.argv
given = dict(zip(words[1::2], words[2::2]))
path = os.path.join(os.path.dirname(words[0]), "..", words[-2] + ".sql")
sys.exit(subprocess.run([given["--psql"], "-XAtq", "-v", "ON_ERROR_STOP=1", "-1", "-d", given["--database"], "-f", path]).returncode)
"""
UP = "alter table things add column size int default 1; update alembic_version set version_num = 'b';"
DOWN = "alter table things drop column size; update alembic_version set version_num = 'a';"
CONTENTS = ("create table alembic_version (version_num text); insert into alembic_version values ('a'); "
            "create table things (id int primary key, name text); insert into things select i, 'n' || i from generate_series(1, 99) i")


class RehearseScript(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.base = tempfile.mkdtemp(prefix="drydock-rehearse-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        try:
            cls.server = postgres.Postgres(cls.base)
            cls.server.start()
        except releases.Unavailable as error:
            raise unittest.SkipTest(str(error)) from None
        cls.addClassCleanup(cls.server.stop)

    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp(dir=self.base)
        self.result, self.known = os.path.join(self.folder, "result.json"), os.path.join(self.folder, "known.json")
        self.server.run('drop database if exists "real" with (force)')
        self.server.run('create database "real"')
        self.server.run(CONTENTS, "real")
        self.engine(UP, DOWN)

    def engine(self, up: str, down: str) -> None:
        os.makedirs(os.path.join(self.folder, "scratch"), exist_ok=True)
        for name, text in (("scratch/migrate.py", ENGINE), ("upgrade.sql", up), ("downgrade.sql", down)):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(text)

    def step(self, *words: str, code: int = DONE) -> str:
        scratch = os.path.join(self.folder, "scratch")
        done = subprocess.run(
            [sys.executable, SCRIPT, "--tools", postgres.programs(), "--host", "127.0.0.1", "--port", str(self.server.port),
             "--user", postgres.USER, "--database", "real", "--python", "none", "--ini", "none", "--config", "none", "--scratch",
             scratch, "--copy", "copied", "--result", self.result, "--known", self.known, "--old", "a", "--new", "b", *words],
            capture_output=True, text=True, timeout=scaled(120), check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def walk(self) -> dict:
        for name in ("copy", "forward", "back", "away"):
            self.step(name)
        self.assert_clean()
        with open(self.result, encoding="utf-8") as file:
            return json.load(file)

    def assert_clean(self) -> None:
        """The real database is as it was, and there is no copy."""
        self.assertEqual(self.server.revisions("real"), ["a"])
        self.assertEqual(self.server.rows("postgres", "select 1 from pg_database where datname = 'copied'"), [])

    def test_an_open_way_back(self) -> None:
        found = self.walk()
        self.assertEqual((found["forward"], found["way_back"], found["from_digest"]),
                         (True, "open", self.server.schema_digest("real")))
        self.assertNotEqual(found["digest"], found["from_digest"])
        self.assertFalse(os.path.exists(os.path.join(self.folder, "scratch")))

    def test_a_way_back_that_loses_rows_or_a_column_is_lossy(self) -> None:
        for up, down in ((UP + "delete from things where id = 7;", DOWN), ("alter table things drop column name;" + UP, DOWN),
                         (UP + "update things set name = 'x' where id = 7;", DOWN)):
            with self.subTest(up):
                self.engine(up, down)
                self.assertEqual(self.walk()["way_back"], "lossy")

    def test_a_way_back_that_fails_is_closed(self) -> None:
        self.engine(UP, DOWN + "drop table no_such_table;")
        found = self.walk()
        self.assertEqual(found["way_back"], "closed")
        self.assertIn("no_such_table", found["back_failed"])

    def test_a_way_forward_that_fails_leaves_the_way_back_untried(self) -> None:
        self.engine(UP + "drop table no_such_table;", DOWN)
        found = self.walk()
        self.assertEqual((found["forward"], found["way_back"]), (False, "untried"))
        self.assertIn("no_such_table", found["failed"])

    def test_each_step_may_be_repeated(self) -> None:
        for name in ("copy", "forward", "back"):
            self.step(name)
            self.step(name)
        found = self.walk()
        self.step("away")
        self.assertEqual((found["forward"], found["way_back"]), (True, "open"))

    def test_a_step_whose_walk_was_done_and_not_noted_walks_again(self) -> None:
        """Killed between the commit and the note."""
        self.step("copy")
        self.server.run(UP, "copied")
        self.step("forward")
        self.server.run(DOWN, "copied")
        self.step("back")
        self.step("away")
        with open(self.result, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["way_back"], "open")

    def test_a_database_at_another_revision_is_an_error(self) -> None:
        self.server.run("insert into alembic_version values ('c')", "real")
        self.assertIn("the database is at a,c, not at a", self.step("copy", code=NO))

    def test_once_tells_the_schema_to_expect(self) -> None:
        self.step("once")
        self.assert_clean()
        self.step("compare", self.result, self.known, code=NO)
        self.server.run(UP, "real")
        self.step("compare", self.result, self.known)
        self.server.run("create index on things (name)", "real")
        self.step("compare", self.result, code=NO)
        self.step("compare", self.known, code=UNKNOWN)

    def test_once_fails_as_the_walk_does(self) -> None:
        self.engine(UP + "drop table no_such_table;", DOWN)
        self.assertIn("no_such_table", self.step("once", code=NO))
        self.assertFalse(os.path.exists(self.result))
        self.assert_clean()

    def test_an_earlier_rehearsal_of_the_same_schema_has_to_agree(self) -> None:
        began = self.server.schema_digest("real")
        for known, code in (({"from_digest": began}, NO), ({"from_digest": "another"}, DONE),
                            ({"from_digest": began, "forward": False}, DONE)):
            with open(self.known, "w", encoding="utf-8") as file:
                json.dump({"forward": True, "digest": "0" * 16, "at": "today"} | known, file)
            with self.subTest(known):
                self.assertEqual("of today" in self.step("once", code=code), code == NO)


if __name__ == "__main__":
    unittest.main()
