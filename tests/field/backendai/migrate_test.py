#!/usr/bin/env python3
"""packs/backendai/scripts/migrate.py on real alembic and PostgreSQL: each way a migration goes wrong has its answer."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from typing import Any, Iterator

import cluster
import postgres
import processes
import releases
from limits import scaled
from machine import wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(releases.HERE)))
SCRIPT = os.path.join(ROOT, "packs/backendai/scripts/migrate.py")
OLD, NEW = "8b2ec7e3d22a", "75ea2b136830"  # the heads of 23.09.8 and 23.09.10
NAME = "drydock migrate"
DONE, NO = 0, 1
ENGINE_SECONDS_MAX = int(scaled(60))


class Migrate(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.base = tempfile.mkdtemp(prefix="drydock-migrate-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        try:
            cls.new = releases.ensure("23.9.10")
            cls.stores = cluster.Cluster(cls.base)
            cls.addClassCleanup(cls.stores.close)
            cls.stores.start_stores()
            cls.stores.create("23.9.8")
        except (releases.Unavailable, cluster.etcd_releases.Unavailable) as error:
            raise unittest.SkipTest(f"no Backend.AI releases: {error}") from None
        cls.server = cls.stores.server
        cls.old_digest = cls.server.schema_digest(cluster.DATABASE)

    def setUp(self) -> None:
        self.server.copy(cluster.DATABASE, "one")
        self.addCleanup(self.drop)
        self.folder = tempfile.mkdtemp(prefix="one-", dir=self.base)
        self.ini, self.toml = (os.path.join(self.folder, name) for name in ("alembic.ini", "manager.toml"))
        for path in (self.ini, self.toml):
            shutil.copy(self.stores.path("manager/" + os.path.basename(path)), path)
        self.edit(self.ini, f"/{cluster.DATABASE}\n", "/one\n")

    def drop(self) -> None:
        self.server.run('drop database if exists "one" with (force)')

    @staticmethod
    def edit(path: str, old: str, new: str) -> None:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        assert old in text, (path, old)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, 1))

    def command(self, revision: str = NEW, way: str = "upgrade", deadline: int = ENGINE_SECONDS_MAX,
                lock: int = 20) -> list[str]:
        return [sys.executable, SCRIPT, "--python", self.new.python, "--ini", self.ini, "--config", self.toml,
                "--psql", os.path.join(postgres.programs(), "psql"), "--host", "127.0.0.1", "--port",
                str(self.server.port), "--user", postgres.USER, "--database", "one", "--deadline", str(deadline), "--lock-timeout", str(lock), "--leftover", "2",
                way, revision]

    def migrate(self, *words: Any, code: int = DONE, **named: Any) -> str:
        done = subprocess.run(self.command(*words, **named), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=self.new.variables(), timeout=3 * ENGINE_SECONDS_MAX, check=False)
        self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout

    def ours(self) -> int:
        return int(self.server.value("one", f"select count(*) from pg_stat_activity where application_name = '{NAME}'"))

    @property
    def revisions(self) -> list[str]:
        return self.server.revisions("one")

    @property
    def digest(self) -> str:
        return self.server.schema_digest("one")

    @contextlib.contextmanager
    def locked(self, name: str = "drydock") -> Iterator[None]:
        """Somebody holds a lock that the revisions need; by its name he counts as one of drydock's probes."""
        holder = subprocess.Popen([os.path.join(postgres.programs(), "psql"), "-h", "127.0.0.1", "-p", str(self.server.port),
                                   "-U", postgres.USER, "-d", "one", "-c",
                                   "begin; lock table keypairs, users, vfolders, sessions, groups, kernels, domains, "
                                   "keypair_resource_policies, user_resource_policies; select pg_sleep(600)"],
                                  stdout=subprocess.DEVNULL, env=os.environ | {"PGAPPNAME": name})
        try:
            wait_until(lambda: self.server.value("one", "select count(*) from pg_locks where mode = 'AccessExclusiveLock' "
                                                        "and granted") != "0", 30, lambda: "no lock")
            yield
        finally:
            self.server.run("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%' and "
                            "pid <> pg_backend_pid()")
            holder.wait(scaled(30))

    def test_up_and_down_to_the_row_that_was_asked_for(self) -> None:
        text = self.migrate()
        self.assertEqual(self.revisions, [NEW])
        self.assertNotEqual(self.digest, self.old_digest)
        self.assertIn("one transaction", text)
        self.assertIn(f"alembic_version: {NEW}", text)
        self.migrate(NEW)  # again: nothing is left to do
        self.migrate(OLD, "downgrade")
        self.assertEqual((self.revisions, self.digest), ([OLD], self.old_digest))

    def test_a_lock_that_is_not_given_ends_it_in_time(self) -> None:
        with self.locked():
            text = self.migrate(lock=2, code=NO)
        self.assertIn("lock timeout", text)
        self.assertEqual((self.revisions, self.ours()), ([OLD], 0))

    def test_a_deadline_ends_client_and_server_side(self) -> None:
        with self.locked():
            text = self.migrate(deadline=8, lock=600, code=NO)
            self.assertIn("did not end within 8 s", text)
            self.assertEqual(self.ours(), 0)
        self.assertEqual(self.revisions, [OLD])

    def test_the_server_side_of_a_killed_client_is_found_and_ended(self) -> None:
        with self.locked():
            killed = subprocess.Popen(self.command(lock=600), env=self.new.variables(), stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            wait_until(lambda: self.server.value("one", "select count(*) from pg_stat_activity where application_name = "
                                                        f"'{NAME}' and wait_event_type = 'Lock'") == "1", 60,
                       lambda: "it does not wait")
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            time.sleep(1)
            self.assertEqual(self.ours(), 1, "the server does not notice")
            engines = [pid for pid in processes.of_scratch(self.base) if SCRIPT in processes.command_line(pid)]
            self.assertEqual(engines, [], "alembic ends with the script")
        self.migrate()
        self.assertEqual(self.revisions, [NEW])

    def test_a_left_session_that_waits_for_ever_is_ended(self) -> None:
        with self.locked():
            left = subprocess.Popen([os.path.join(postgres.programs(), "psql"), "-h", "127.0.0.1", "-p",
                                     str(self.server.port), "-U", postgres.USER, "-d", "one", "-c", "begin; lock table users"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                    env=os.environ | {"PGAPPNAME": NAME})
            wait_until(lambda: self.ours() == 1, 30, lambda: "no session")
            text = self.migrate(lock=2, code=NO)  # the lock is still held
            self.assertIn("ended a session that an earlier migration left", text)
            self.assertNotEqual(left.wait(scaled(30)), 0)

    def test_somebody_else_on_the_database_is_named(self) -> None:
        with self.locked("psql"):
            text = self.migrate(code=NO)
        self.assertIn("somebody else is connected", text)

    def test_etcd_away_and_a_bad_config_are_told_before_alembic(self) -> None:
        port = self.stores.ports["etcd"]
        self.edit(self.toml, f"port = {port}", "port = 1")
        self.assertIn("etcd does not answer at 127.0.0.1:1", self.migrate(code=NO))
        self.edit(self.toml, "port = 1 ", f"port = {port} ")
        self.edit(self.toml, "[db]", "[db")
        self.assertIn("manager.toml", self.migrate(code=NO))
        self.edit(self.toml, "[db", "[db]")
        self.edit(self.toml, "num-proc", "no-such-number")
        self.edit(self.toml, "addr = {", "# addr = {")
        self.assertIn("manager.toml is not taken by the release", self.migrate(code=NO))
        self.assertEqual(self.revisions, [OLD])

    def test_redis_away_is_told_before_alembic(self) -> None:
        key, port = "/sorna/local/config/redis/addr", self.stores.ports["redis"]
        self.stores.etcdctl("put", key, "127.0.0.1:1")
        try:
            self.assertIn("redis does not answer at 127.0.0.1:1", self.migrate(code=NO))
        finally:
            self.stores.etcdctl("put", key, f"127.0.0.1:{port}")
        self.assertEqual(self.revisions, [OLD])

    def test_a_schema_that_is_another_one_is_left_alone(self) -> None:
        for setup, words in (("insert into alembic_version values ('85615e005fa3')", "2 rows"),
                             ("delete from alembic_version", "0 rows"),
                             ("insert into alembic_version values ('feedfacecafe')", "feedfacecafe")):
            self.server.run(setup, "one")
            if "feed" in setup:
                self.server.run("delete from alembic_version where version_num <> 'feedfacecafe'", "one")
            digest = self.digest
            self.assertIn(words, self.migrate(code=NO))
            self.assertEqual(self.digest, digest)

    def test_a_package_without_the_revision_is_an_error(self) -> None:
        self.assertIn("3596bc12ec09", self.migrate("3596bc12ec09", code=NO))
        self.assertEqual(self.revisions, [OLD])


if __name__ == "__main__":
    unittest.main()
