"""What `drydock chain` says beside what alembic does: which revisions there are, and every repair, run on SQLite.

It needs alembic for the interpreter that runs it (Debian: python3-alembic); without it the tests are skipped.
"""

import importlib.metadata
import importlib.util
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "field", "common"))

from limits import scaled  # noqa: E402  (found by the line above)

DRYDOCK = os.environ.get("DRYDOCK", "build/drydock")
HAS_ALEMBIC = importlib.util.find_spec("alembic") is not None
# `recursive_version_locations` came with 1.10.
KNOWS_RECURSIVE = HAS_ALEMBIC and tuple(map(int, importlib.metadata.version("alembic").split(".")[:2])) >= (1, 10)
ENV_PY = """from alembic import context
from sqlalchemy import create_engine
with create_engine("sqlite:///" + context.config.get_main_option("database")).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
    getattr(connection, "commit", lambda: None)()  # SQLAlchemy 1.4 commits by itself
"""
ORACLE = """import json, sys
from alembic.config import Config
from alembic.script import ScriptDirectory
script = ScriptDirectory.from_config(Config(sys.argv[1]))
print(json.dumps([sorted(script.get_heads()), sorted(one.revision for one in script.walk_revisions())]))
"""


def revision(name: str, *parents: str, **more: object) -> str:
    """A revision that makes a table, and fails where it runs twice."""
    down = parents[0] if len(parents) == 1 else parents or None
    lines = [f'"""make {name}"""', "from alembic import op", f"revision = {name!r}", f"down_revision = {down!r}"]
    lines += [f"{key} = {value!r}" for key, value in more.items()]
    return "\n".join(lines + ["def upgrade():", f"    op.execute('create table t_{name} (x int)')", "def downgrade():",
                              f"    op.execute('drop table t_{name}')", ""])


def line(*names: str) -> dict[str, str]:
    return {f"{name}.py": revision(name, *names[max(0, at - 1):at]) for at, name in enumerate(names)}


@unittest.skipUnless(HAS_ALEMBIC, "there is no alembic for this interpreter")
class BesideAlembic(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="drydock-alembic-")
        self.addCleanup(scratch.cleanup)
        self.scratch = scratch.name

    def package(self, name: str, files: dict[str, str], settings: str = "") -> str:
        """A folder with an environment; `files` by their path below `versions`."""
        folder = os.path.join(self.scratch, name)
        ini = f"[alembic]\nscript_location = %(here)s/m\ndatabase = {self.scratch}/{name}.db\n{settings}"
        texts = {"alembic.ini": ini, "m/env.py": ENV_PY, "m/script.py.mako": ""}
        for path, text in (texts | {f"m/versions/{path}": text for path, text in files.items()}).items():
            full = os.path.join(folder, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        return folder

    def chain(self, old: str, new: str) -> dict:
        done = subprocess.run([DRYDOCK, "chain", old, new, "--json"], stdout=subprocess.PIPE, check=False, timeout=scaled(10))
        return json.loads(done.stdout)

    def alembic(self, folder: str, command: str, database: str) -> subprocess.CompletedProcess:
        ini = os.path.join(folder, "alembic.ini")
        with open(ini, encoding="utf-8") as file:
            text = re.sub("database = .*", f"database = {database}", file.read())
        with open(ini, "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run([sys.executable, "-B", "-m", "alembic", "-c", ini, *command.split()], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=scaled(20))

    def tables(self, database: str) -> set[str]:
        with sqlite3.connect(database) as connection:
            rows = connection.execute("select name from sqlite_master where name like 't\\_%' escape '\\'").fetchall()
        return {name.removeprefix("t_") for (name,) in rows}

    def assert_repairs_hold(self, old: dict[str, str], new: dict[str, str], verdict: str) -> None:
        """Each repair with commands, run from a database of OLD: all of NEW has run in the end, each revision once."""
        before, after = self.package("old", old), self.package("new", new)
        answer = self.chain(before, after)
        self.assertEqual(answer["verdict"], verdict)
        runs = 0
        for number, repair in enumerate(answer["repairs"]):
            commands = re.findall(r"`alembic ([^`]+)`", repair)
            if not commands:
                continue
            database = os.path.join(self.scratch, f"{number}.db")
            self.assertEqual(self.alembic(before, "upgrade heads", database).returncode, 0)
            for command in commands:
                folder = before if command.startswith("downgrade") else after
                done = self.alembic(folder, command, database)
                self.assertEqual(done.returncode, 0, f"{repair}\n{command}\n{done.stdout}")
            self.assertEqual(self.tables(database), {name.removesuffix(".py") for name in new}, repair)
            runs += 1
        self.assertGreater(runs, 0, answer)

    def test_one_below(self) -> None:
        self.assert_repairs_hold(line("a", "b"), line("a", "x", "b", "c"), "skipped")

    def test_a_dependency_below_that_is_a_head(self) -> None:
        new = line("a", "b", "c") | {"b.py": revision("b", "a", depends_on="q"), "q.py": revision("q")}
        self.assert_repairs_hold(line("a", "b"), new, "skipped")

    def test_a_skipped_one_with_a_dependency_of_its_own(self) -> None:
        old = line("a", "b", "c")
        new = {**line("a", "x", "c", "d"), "b.py": revision("b", "a"), "x.py": revision("x", "a", depends_on="b"),
               "c.py": revision("c", "x", "b")}
        self.assert_repairs_hold(old, new, "skipped")

    def test_a_dependency_above_its_parent(self) -> None:
        new = line("a", "b", "c", "d") | {"x.py": revision("x", "a", depends_on="b"), "c.py": revision("c", "b", "x")}
        self.assert_repairs_hold(line("a", "b", "c"), new, "skipped")

    def test_two_heads_above_one_that_is_skipped(self) -> None:
        new = line("a", "x", "b", "c") | {"d.py": revision("d", "b")}
        self.assert_repairs_hold(line("a", "b"), new, "skipped")

    def test_two_heads(self) -> None:
        new = line("a", "b") | {"c.py": revision("c", "a")}
        self.assert_repairs_hold(line("a"), new, "several_heads")
        before, after = os.path.join(self.scratch, "old"), os.path.join(self.scratch, "new")
        done = self.alembic(after, "upgrade head", os.path.join(self.scratch, "none.db"))
        self.assertEqual(done.returncode, 255)
        happens = self.chain(before, after)["happens"][0]
        self.assertIn("exits 255: Multiple head revisions are present", happens)
        self.assertIn("Multiple head revisions are present", done.stdout)

    def test_the_same_revisions_are_there(self) -> None:
        recursive = "recursive_version_locations = true\n"
        located = "version_locations = %(here)s/m/versions/one %(here)s/m/versions/two\n"
        deep = {"a.py": revision("a"), "deep/b.py": revision("b", "a"), "deep/er/c.py": revision("c", "b")}
        cases = [(line("a", "b"), ""), (deep, ""), (deep, "recursive_version_locations = yes\n"),
                 ({"one/a.py": revision("a"), "two/b.py": revision("b", "a"), "c.py": revision("c")}, located),
                 ({**line("a"), "__init__.py": "", "__init__x.py": revision("x"), ".#a.py": revision("y")}, ""),
                 ({**line("a"), "env.py": revision("e", "a"), "setup.py": revision("s", "a")}, "")]
        if KNOWS_RECURSIVE:
            cases.append((deep, recursive))
        for number, (files, settings) in enumerate(cases):
            folder = self.package(f"same{number}", files, settings)
            done = subprocess.run([sys.executable, "-B", "-c", ORACLE, os.path.join(folder, "alembic.ini")], text=True,
                                  stdout=subprocess.PIPE, check=True, timeout=scaled(20))
            heads, ids = json.loads(done.stdout)
            answer = self.chain(folder, folder)
            self.assertEqual((answer["new"]["heads"], answer["new"]["count"]), (heads, len(ids)), (files, settings))

    def test_what_alembic_does_not_load_is_not_clean(self) -> None:
        for number, text in enumerate((revision("x-y", "a"), revision("x@y", "a"), revision("x+y", "a"),
                                       revision("x", "a", branch_labels="a"),
                                       revision("x", "a", branch_labels="x"), "raise Exception()\n" + revision("x", "a"),
                                       revision("x", "a") + "one two\n", revision("x", "a") + " y = 1\n", "x = 1\n")):
            folder = self.package(f"bad{number}", {**line("a"), "z.py": text})
            done = subprocess.run([sys.executable, "-B", "-c", ORACLE, os.path.join(folder, "alembic.ini")],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=scaled(20))
            self.assertNotEqual(done.returncode, 0, text)
            answer = self.chain(folder, folder)
            self.assertEqual(answer["verdict"], "refused", text)
            self.assertEqual(answer["problems"][0]["file"], "m/versions/z.py")


if __name__ == "__main__":
    unittest.main()
