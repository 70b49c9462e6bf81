#!/usr/bin/env python3
"""What `drydock chain` says of two wheels, against what alembic does to a real database.

The wheels are PyPI's own, the server is Debian's PostgreSQL. Each prediction is made from the two
files alone, before anything runs; then the newer release's own alembic runs on a copy of the older one's database.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import cluster
import database
import postgres
import releases
from limits import scaled

DRYDOCK = os.environ.get("DRYDOCK") or os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(releases.HERE))), "build", "drydock")
MIGRATE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(releases.HERE))),
                       "packs/backendai/scripts/migrate.py")
# Every table of the contents that all releases of the path have.
FILLED = ["domains", "groups", "users", "keypairs", "vfolders", "keypair_resource_policies"]
PATH = [  # release, its head, the digest of a schema that came by this path
    ("23.3.11", "ae7d4cd92aa7", "1e2ba071724dc6cb"), ("23.3.12", "ae7d4cd92aa7", "1e2ba071724dc6cb"),
    ("23.9.0", "85615e005fa3", "194dfd07949ddf7c"), ("23.9.8", "8b2ec7e3d22a", "29b6c8a18f82d757"),
    ("23.9.10", "75ea2b136830", "4862f37897f4a9b1")]


def chain(old: str, new: str) -> dict:
    """`drydock chain --json` on two releases' wheels."""
    done = subprocess.run([DRYDOCK, "chain", releases.wheel(old), releases.wheel(new), "--json"],
                          capture_output=True, text=True, timeout=scaled(60))
    return json.loads(done.stdout)


class ChainTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.base = tempfile.mkdtemp(prefix="drydock-backendai-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        try:
            releases.ensure("23.3.12")
            cls.server = postgres.Postgres(cls.base)
            cls.server.start()
        except releases.Unavailable as error:
            raise unittest.SkipTest(f"no Backend.AI releases: {error}") from None
        cls.addClassCleanup(cls.server.stop)

    def made(self, release: str) -> database.Database:
        """A filled database of a release, made once; take copies."""
        found = database.Database(self.server, "of_" + release.replace(".", "_"), self.base)
        if not self.server.rows("postgres",
                                f"select 1 from pg_database where datname = '{found.name}'"):
            found.create(releases.ensure(release))
            found.fill()
        return found

    def data(self, one: database.Database, columns_of: database.Database) -> dict[str, str]:
        """A digest of each filled table over the columns that another database has, too."""
        return {table: self.server.data_digest(one.name, table, self.server.columns(
            columns_of.name, table)) for table in FILLED}


class FrontDoor(ChainTest):
    """The route of one interpreter: each hop clean by the files, and so it runs."""

    def test_up_as_predicted_and_down_as_far_as_it_is_open(self) -> None:
        one = self.made("23.3.11").copy("path")
        first = self.made("23.3.11")
        before = self.data(one, first)
        for (old, *_), (new, head, digest) in zip(PATH, PATH[1:]):
            told = chain(old, new)
            self.assertEqual(told["verdict"], "clean", f"{old} -> {new}")
            answer = one.alembic(releases.ensure(new), "upgrade", "head")
            self.assertEqual((answer.code, sorted(answer.ran), one.revisions, one.digest),
                             (0, sorted(told["runs"]), [head], digest), answer.text[-1000:])
            self.assertEqual(self.data(one, first), before, f"data changed by {old} -> {new}")
        for (release, *_), (_, head, digest) in zip(PATH[:2:-1], PATH[-2:1:-1]):
            answer = one.alembic(releases.ensure(release), "downgrade", head)
            self.assertEqual((answer.code, one.revisions, one.digest), (0, [head], digest), answer.text[-1000:])
            self.assertEqual(self.data(one, first), before)
        self.assert_closed(one)

    def assert_closed(self, one: database.Database) -> None:
        """The way down to 23.03 looks open in the files: only a run shows that it is not."""
        told = chain("23.3.12", "23.9.0")
        self.assertFalse(told["way_back"]["missing"] or told["way_back"]["refuses"])
        answer = one.alembic(releases.ensure("23.9.0"), "downgrade", "ae7d4cd92aa7")
        self.assertEqual(answer.code, 1)
        self.assertIn('relation "pk_endpoint_tokens" does not exist', answer.text)
        self.assertEqual((one.revisions, one.digest), (["85615e005fa3"], PATH[2][2]))

    def test_the_old_package_does_not_know_the_newer_schema_and_one_command_hides_it(self) -> None:
        one = self.made("23.3.12").copy("newer")
        one.alembic(releases.ensure("23.9.10"), "upgrade", "head")
        old = releases.ensure("23.3.12")
        for words in (("current",), ("upgrade", "head"), ("downgrade", "-1")):
            answer = one.alembic(old, *words)
            self.assertEqual(answer.code, 255)
            self.assertIn("Can't locate revision identified by '75ea2b136830'", answer.text)
        self.assertEqual(one.manager(old, "schema", "show").code, 0)


class SilentSkips(ChainTest):
    """Exit 0, the head is reached, and revisions never ran."""

    def test_22_09_23_to_23_03_3_lacks_three_tables(self) -> None:
        told = chain("22.9.23", "23.3.3")
        self.assertEqual((told["verdict"], len(told["skipped"])), ("skipped", 6))
        old, new = releases.ensure("22.9.23"), releases.ensure("23.3.3")
        wrong = self.made("22.9.23").copy("wrong")
        answer = wrong.alembic(new, "upgrade", "head")
        self.assertEqual((answer.code, answer.ran, wrong.revisions),
                         (0, told["runs"], told["new"]["heads"]))
        self.assertFalse({"sessions", "endpoints", "routings"} & self.server.tables("wrong"))
        shown = wrong.manager(new, "schema", "show").text
        self.assertEqual(shown.count(told["new"]["heads"][0]), 2, "current = head, says the front end")

        right = self.made("22.9.23").copy("right")  # the first repair that `chain` writes
        down = right.alembic(old, "downgrade", told["meeting_point"])
        up = right.alembic(new, "upgrade", "head")
        self.assertEqual((down.code, up.code), (0, 0), down.text[-1500:] + up.text[-1500:])
        self.assertLessEqual(set(told["skipped"]) | set(told["runs"]), set(up.ran))
        self.assertLessEqual({"sessions", "endpoints", "routings"}, self.server.tables("right"))
        self.assertNotEqual(right.digest, wrong.digest)

    def test_23_09_10_to_24_03_11_and_the_two_ways_that_work(self) -> None:
        told = chain("23.9.10", "24.3.11")  # needs no interpreter
        self.assertEqual((told["verdict"], len(told["skipped"]), len(told["runs"])), ("skipped", 6, 10))
        try:
            old, new = releases.ensure("23.9.10"), releases.ensure("24.3.11")
        except releases.Unavailable as error:
            self.skipTest(f"predicted from the wheels, and not run: {error}")
        came = self.made("23.3.12").copy("came")  # by the same history as a site's
        self.assertEqual(came.alembic(old, "upgrade", "head").code, 0)
        guide = came.copy("guide")
        answer = guide.alembic(new, "upgrade", "head")
        self.assertEqual((answer.code, answer.ran, guide.revisions), (0, told["runs"], told["new"]["heads"]))
        self.assertNotIn("type", self.server.columns("guide", "groups"))
        answer = guide.manager(new, "schema", "apply-missing-revisions", "23.09.10")
        self.assertEqual(answer.code, 1, "step 4 of the guide, behind its step 3")
        self.assertIn("already exists", answer.text)
        self.assertEqual(guide.manager(new, "schema", "apply-mission-revisions", "23.09.10").code, 2)

        missing = came.copy("missing")
        answer = missing.manager(new, "schema", "apply-missing-revisions", "23.09.10")
        self.assertEqual((answer.code, len(missing.revisions)), (0, 4), answer.text[-1000:])
        self.assertEqual(missing.alembic(new, "upgrade", "head").code, 255)
        self.assertEqual(missing.alembic(new, "stamp", "--purge", "head").code, 0)
        self.assertEqual(missing.revisions, told["new"]["heads"])

        down = came.copy("down")
        self.assertEqual(down.alembic(old, "downgrade", told["meeting_point"]).code, 0)
        answer = down.alembic(new, "upgrade", "head")
        self.assertEqual((answer.code, down.revisions), (0, told["new"]["heads"]))
        self.assertLessEqual(set(told["skipped"]) | set(told["runs"]), set(answer.ran))
        self.assertEqual(self.unordered("down"), self.unordered("missing"))
        self.assertIn("type", self.server.columns("down", "groups"))

    def test_24_03_11_to_24_09_14_lacks_columns_until_it_is_repaired(self) -> None:
        """The way before is made right; this hop skips four, and one of those that run asks etcd."""
        told = chain("24.3.11", "24.9.14")  # needs no interpreter
        self.assertEqual((told["verdict"], len(told["skipped"]), len(told["runs"])), ("skipped", 4, 6))
        try:
            oldest, old, new = (releases.ensure(one) for one in ("23.9.10", "24.3.11", "24.9.14"))
            self.start_etcd()
        except (releases.Unavailable, cluster.etcd_releases.Unavailable) as error:
            self.skipTest(f"predicted from the wheels, and not run: {error}")
        came = self.made("23.3.12").copy("came24")
        for release, words in ((oldest, ("upgrade", "head")), (oldest, ("downgrade", "85615e005fa3")), (old, ("upgrade", "head"))):
            answer = came.alembic(release, *words)
            self.assertEqual(answer.code, 0, answer.text[-1500:])
        self.assert_no_rehearsal(came, new, told["new"]["heads"][0])
        wrong = came.copy("wrong24")
        wrong.use_etcd(self.etcd)
        answer = wrong.alembic(new, "upgrade", "head")
        self.assertEqual((answer.code, answer.ran, wrong.revisions), (0, told["runs"], told["new"]["heads"]), answer.text[-1500:])
        self.assertEqual(self.has_both("wrong24"), (False, False))

        # Its first repair is no way here: that way down does not put back a constraint. Only a copy shows it.
        down = came.copy("down24")
        down.use_etcd(self.etcd)
        self.assertEqual(down.alembic(old, "downgrade", told["meeting_point"]).code, 0)
        answer = down.alembic(new, "upgrade", "head")
        self.assertEqual((answer.code, down.revisions), (1, [told["meeting_point"]]))
        self.assertIn('"ck_vfolders_ownership_type_match_with_user_or_group" of relation "vfolders" does not exist', answer.text)

        right = came.copy("right24")
        right.use_etcd(self.etcd)
        ran = []
        for words in re.findall(r"`alembic ((?:stamp|upgrade)[^`]*\w)`", told["repairs"][1].partition(": ")[2]):
            answer = right.alembic(new, *words.split())
            self.assertEqual(answer.code, 0, words + answer.text[-1500:])
            ran += answer.ran
        self.assertEqual(sorted(ran), sorted(told["skipped"] + told["runs"]))
        self.assertEqual((right.revisions, self.has_both("right24")), (told["new"]["heads"], (True, True)))

    def assert_no_rehearsal(self, one: database.Database, new: releases.Environment, head: str) -> None:
        """On a copy the pack's engine does not begin: one revision would change the real etcd."""
        before = one.revisions
        done = subprocess.run(
            [sys.executable, MIGRATE, "--python", new.python, "--ini", os.path.join(one.folder, "alembic.ini"), "--config",
             os.path.join(one.folder, "manager.toml"), "--psql", os.path.join(postgres.programs(), "psql"), "--host", "127.0.0.1",
             "--port", str(self.server.port), "--user", postgres.USER, "--database", one.name, "--copy", "upgrade", head],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=scaled(120), env=new.variables())
        self.assertEqual((done.returncode, one.revisions), (1, before), done.stdout)
        self.assertIn("revision 1d42c726d8a3 changes etcd", done.stdout)

    def has_both(self, name: str) -> tuple[bool, bool]:
        """Two of the columns that the skipped revisions make."""
        return ("domain_name" in self.server.columns(name, "vfolders"), "id" in self.server.columns(name, "vfolder_permissions"))

    def start_etcd(self) -> None:
        stores = cluster.Cluster(os.path.join(self.base, "stores"))
        self.addCleanup(stores.close)
        stores.start_stores()
        self.etcd = stores.ports["etcd"]

    def unordered(self, name: str) -> list[str]:
        """The schema's lines without the order of columns, in which the two ways differ."""
        return sorted(line.strip().rstrip(",") for line in self.server.schema(name))


if __name__ == "__main__":
    unittest.main()
