"""Stores with metadata in PostgreSQL: read, verified, restored, upgraded; a server of the test's own."""

import hashlib
import os
import random
import subprocess
import time
import unittest

import backy2
import postgres
import stores
from stores import NO, UNREADABLE, scaled

OLD = ("2.9.17", "2.10.5", "2.11.13")
NEWEST = "30349b678801"
# sha256 of `pg_dump -s` (Server.schema_of) after backy2 2.13.8 itself had upgraded the same store.
SCHEMA_BY_BACKY2 = {
    "2.9.17": "0b6f322395699e932dcf90a48273597a1b55bb29f4044a561be66e174ff9430e",
    "2.10.5": "9d5ed5e9d11869e1deb2d850718a26e559715da211e3ba984596cdf80bb496f1",
    "2.11.13": "12bf0f97fa788799582db657285fa4e25818d1828e9194d82e8c879f1dd5d82e",
}
MANY_ROWS = 200_000
LOCK_US_MAX = 1_000_000  # on a slow machine; a rewrite of the rows takes seconds
KILLS = 9 if stores.FULL else 5


class Postgres(stores.Case):
    server: postgres.Server

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        try:
            cls.server = postgres.Server()
        except postgres.Unavailable as error:
            raise unittest.SkipTest(str(error)) from None
        cls.addClassCleanup(cls.server.close)

    def copy(self, release: str, database: str) -> stores.StoreCopy:
        copy = stores.StoreCopy(release, os.path.join(self.scratch, database), "postgresql")
        self.server.load(database, os.path.join(copy.folder, "dump.sql"))
        copy.write_config(self.server.engine(database))
        return copy

    def assert_images(self, copy: stores.StoreCopy) -> None:
        for version in stores.WHOLE:
            self.assertEqual(stores.restored_sha256(self, copy.config, copy.uid(version)),
                             copy.image_sha256(version), (copy.release, version))

    def head(self, database: str) -> str:
        return self.server.query(database, "SELECT version_num FROM alembic_version")[0]

    def test_every_image_comes_back(self) -> None:
        for release in stores.RELEASES:
            database = "look" + release.replace(".", "_")
            copy = self.copy(release, database)
            self.assert_images(copy)
            found = self.json("inspect", copy.config)
            self.assertEqual(len(found["versions"]), 7)
            self.assertEqual(found["rows"]["all"], 53)
            self.assertEqual(found["blobs"]["used"] + found["blobs"]["unreferenced"],
                             len(copy.manifest["blobs"]))
            verified = self.json("verify", copy.config, code=NO)
            self.assertEqual([one["blob"] for one in verified["findings"]],
                             [copy.manifest["corrupt_blob"]])

    def test_the_schema_is_the_one_that_backy2_makes(self) -> None:
        for release in OLD:
            database = "up" + release.replace(".", "_")
            copy = self.copy(release, database)
            kept = "SELECT * FROM tags ORDER BY 1, 2", "SELECT * FROM deleted_blocks ORDER BY 1"
            before = [self.server.query(database, sql) for sql in kept]
            schema = self.server.schema_of(database)
            self.assertTrue(self.json("upgrade", copy.config, "--dry-run")["steps"])
            self.assertEqual(self.server.schema_of(database), schema)
            done = self.json("upgrade", copy.config)
            self.assertEqual(done["rows_kept"],
                             {"blocks": 53, "deleted_blocks": 5, "stats": 8, "tags": 16,
                              "versions": 7})
            self.assertEqual([self.server.query(database, sql) for sql in kept], before)
            after = self.server.schema_of(database)
            if self.server.query("postgres", "SHOW server_version")[0].startswith("15."):
                self.assertEqual(hashlib.sha256(after.encode()).hexdigest(),
                                 SCHEMA_BY_BACKY2[release])
            self.assert_images(copy)
            self.assertEqual(self.json("upgrade", copy.config)["steps"], [])
            # The way back: the copy makes the old database again.
            again = database + "_again"
            self.server.load(again, os.path.join(self.scratch, done["copy"]))
            self.assertEqual(self.server.schema_of(again), schema)
            copy.write_config(self.server.engine(again))
            self.assert_images(copy)

    def test_the_copy_is_put_back_in_one_transaction(self) -> None:
        for release in OLD:
            database = "back" + release.replace(".", "_")
            copy = self.copy(release, database)
            schema, rows = self.server.schema_of(database), self.server.rows_of(database)
            made = os.path.join(self.scratch, self.json("upgrade", copy.config)["copy"])
            with open(made, encoding="utf-8") as file:
                text = file.read()
            # Each of these differs from what was copied; none of them changes anything.
            raised = self.server.rows_of(database)
            start = text.index("\n", text.index("COPY public.blocks ")) + 1
            for bad in (text[:len(text) // 2], text[:start] + text[text.index("\n", start) + 1:],
                        text.replace("vm-b", "vm-x", 1), "SELECT 1;\n" + text + "no SQL;\n"):
                self.assertNotEqual(bad, text)
                with open(made + ".bad", "w", encoding="utf-8") as file:
                    file.write(bad)
                refused = self.json("upgrade", copy.config, "--back", made + ".bad", code=NO)
                self.assertEqual(refused["errors"][0]["code"], "blocks.copy")
                self.assertEqual(self.server.rows_of(database), raised)
            words = ("upgrade", copy.config, "--back", made, "--keep-as", "now")
            done = self.json(*words)
            self.assertEqual(done["before"]["head"], NEWEST)
            self.assertNotEqual(done["after"]["head"], NEWEST)
            self.assertEqual(self.server.rows_of(database), rows)
            self.assertEqual(self.server.schema_of(database), schema)
            self.assert_images(copy)
            self.assertEqual(self.json(*words)["after"]["head"], done["after"]["head"])  # again
            self.assertEqual(self.server.query(database, "SELECT version_num FROM "
                                               "drydock_before_now.alembic_version"), [NEWEST])
            self.json("upgrade", copy.config)  # a copy of its own, without what is kept
            self.assertEqual(self.server.rows_of(database), raised)

    def test_beside_the_objects_of_others_and_in_another_schema(self) -> None:
        copy = self.copy("2.10.5", "shared")
        self.server.psql("shared", '''CREATE SCHEMA "back y"; CREATE SCHEMA archive;
            CREATE TABLE archive.blocks AS SELECT * FROM public.blocks LIMIT 3;
            CREATE TABLE archive.versions AS SELECT * FROM public.versions LIMIT 3;
            DO $$ DECLARE t text; BEGIN
              FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
                EXECUTE 'ALTER TABLE public.' || t || ' SET SCHEMA "back y"'; END LOOP; END $$;
            CREATE TABLE "My Table" (a int); CREATE TABLE "order" (a int); INSERT INTO "order" VALUES (1);
            CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE VIEW v AS SELECT 1 AS a;
            CREATE TYPE mood AS ENUM ('a'); CREATE SEQUENCE numbers;
            CREATE PUBLICATION all_of_it FOR TABLE "back y".versions;
            ALTER DATABASE shared SET search_path = "back y", public''')
        rows = "SELECT b::text FROM \"back y\".blocks b ORDER BY 1"
        before = self.server.query("shared", rows)
        made = os.path.join(self.scratch, self.json("upgrade", copy.config)["copy"])
        self.assertNotEqual(self.server.query("shared", rows), before)
        self.assert_images(copy)
        self.json("upgrade", copy.config, "--back", made, "--keep-as", "now")
        self.assertEqual(self.server.query("shared", rows), before)
        self.assertEqual(self.server.query("shared", 'SELECT a FROM "order"'), ["1"])
        self.assert_images(copy)
        self.json("upgrade", copy.config, "--copy", "second")
        self.server.psql("postgres", "ALTER DATABASE shared SET search_path = archive, public")
        refused = self.json("upgrade", copy.config, "--back", made, "--keep-as", "k2", code=UNREADABLE)
        self.assertEqual(refused["errors"][0]["code"], "blocks.schema")

    def test_what_uses_the_tables_is_named_first(self) -> None:
        copy = self.copy("2.9.17", "used")
        schema = self.server.schema_of("used")
        for made, name, gone in (
                ("CREATE VIEW names AS SELECT name FROM versions", "the view names", "VIEW names"),
                ("CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM blocks", "the view m",
                 "MATERIALIZED VIEW m"),
                ("CREATE TABLE notes (v varchar(36) REFERENCES versions (uid))",
                 "a foreign key of notes", "TABLE notes")):
            self.server.psql("used", made)
            for words in ((), ("--dry-run",)):
                refused = self.json("upgrade", copy.config, *words, code=NO)
                self.assertIn(name, refused["errors"][0]["message"])
            self.server.psql("used", "DROP " + gone)
            self.assertEqual(self.server.schema_of("used"), schema)
        self.json("upgrade", copy.config)

    def test_the_lock_is_short_and_no_row_is_rewritten(self) -> None:
        copy = self.copy("2.9.17", "many")
        self.server.psql("many", f"""INSERT INTO blocks SELECT md5(g::text), '{copy.uid("a1")}',
            g, now(), repeat('a', 128), 16384, 1 FROM generate_series(1000, {MANY_ROWS}) g""")
        size = "SELECT pg_relation_size('blocks')"
        before = self.server.query("many", size)
        done = self.json("upgrade", copy.config)
        self.assertLess(done["lock_us"], LOCK_US_MAX)
        self.assertEqual(self.server.query("many", size), before)
        self.assertEqual(self.server.query("many", "SELECT count(*) FROM blocks WHERE "
                                           "enc_version <> 0 OR enc_version IS NULL"), ["0"])

    def test_who_holds_the_tables_is_named(self) -> None:
        copy = self.copy("2.10.5", "held")
        schema = self.server.schema_of("held")
        with subprocess.Popen(["psql", "-X", "-q", "-d", "held"], stdin=subprocess.PIPE,
                              env=self.server.environment(), text=True) as holder:
            assert holder.stdin
            holder.stdin.write("SET application_name = 'slow-update'; BEGIN; "
                               "UPDATE blocks SET valid = valid;\n")
            holder.stdin.flush()
            held = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE " \
                   "c.relname = 'blocks' AND mode = 'RowExclusiveLock'"
            while self.server.query("held", held) == ["0"]:
                time.sleep(0.05)
            refused = self.json("upgrade", copy.config, code=NO)
            self.assertEqual(refused["errors"][0]["code"], "blocks.busy")
            self.assertIn("slow-update", refused["errors"][0]["message"])
            self.assertEqual(self.server.schema_of("held"), schema)
            holder.stdin.close()
        self.json("upgrade", copy.config, "--copy", "held.sql")

    def test_killed_at_any_instant_it_is_done_or_not_begun(self) -> None:
        dice = random.Random(3)
        ends = set()
        for trial in range(KILLS):
            database = f"kill{trial}"
            copy = self.copy("2.10.5", database)
            old = self.server.schema_of(database)
            process = subprocess.Popen([stores.program(), "store", "upgrade", copy.config],
                                       cwd=self.scratch, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(dice.uniform(0, 0.6))
            if trial % 3 == 2:
                self.server.kill()  # the database dies, not drydock
                self.assertIn(process.wait(scaled(60)), (0, UNREADABLE, NO))
                self.server.start()
            process.kill()
            process.wait()
            if self.head(database) != NEWEST:
                self.assertEqual(self.server.schema_of(database), old)
            ends.add(self.head(database))
            self.json("upgrade", copy.config, "--copy", f"after{trial}.sql")
            self.assertEqual(self.head(database), NEWEST)
            self.assertEqual(self.server.query(database, "SELECT count(*) FROM stats"), ["8"])
        self.assertTrue(ends)
        self.assert_images(copy)

    def test_encryption_while_the_server_dies_and_drydock_is_killed(self) -> None:
        copy = self.copy("2.11.13", "sealed")
        self.json("upgrade", copy.config)
        key = os.path.join(self.scratch, "key")
        with open(key, "w", encoding="utf-8") as file:
            file.write(stores.KEY)
        words = ("encrypt", copy.config, "--key-file", key, "--batch", "2", "--workers", "1")
        for record in (5, 9, 14, None):
            if record is None:
                process = subprocess.Popen([stores.program(), "store", *words],
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(0.15)
                self.server.kill()
                self.assertIn(process.wait(scaled(60)), (NO, UNREADABLE))
                self.server.start()
            else:
                ended = self.store(*words, code=None,
                                   env={"DRYDOCK_STORE_CRASH": f"{record}:after"})
                self.assertEqual(ended.returncode, -9)
            for version in stores.WHOLE:
                self.assertEqual(
                    stores.restored_sha256(self, copy.config, copy.uid(version), "--key-file", key),
                    copy.image_sha256(version))
        self.json(*words, "--free-old", code=NO)  # one blob of the fixture is damaged
        self.assertEqual(self.server.query("sealed", "SELECT count(DISTINCT uid) FROM blocks WHERE "
                                           "enc_version = 0 AND uid IS NOT NULL"), ["1"])
        for version in stores.WHOLE:
            self.assertEqual(
                stores.restored_sha256(self, copy.config, copy.uid(version), "--key-file", key),
                copy.image_sha256(version))

    def test_a_copy_that_cannot_be_made_ends_it(self) -> None:
        copy = self.copy("2.9.17", "nocopy")
        schema = self.server.schema_of("nocopy")
        self.json("upgrade", copy.config, "--copy", copy.config, code=NO)
        empty = os.path.join(self.scratch, "empty")
        os.makedirs(empty)
        self.store("upgrade", copy.config, env={"PATH": empty}, code=NO)  # no pg_dump
        self.assertEqual(self.server.schema_of("nocopy"), schema)
        self.assertEqual([name for name in os.listdir(self.scratch) if "partial" in name], [])

    def test_a_server_that_does_not_answer_and_its_password(self) -> None:
        copy = self.copy("2.9.17", "absent")
        for engine in (self.server.engine("no_such_database"),
                       f"postgresql://backy:{postgres.PASSWORD}@127.0.0.1:1/x",
                       f"postgresql://backy:{postgres.PASSWORD}@[::bad/x"):
            copy.write_config(engine)
            refused = self.store("inspect", copy.config, code=UNREADABLE)
            self.assertNotIn(postgres.PASSWORD.encode(), refused.stderr + refused.stdout)

    def test_a_store_of_the_real_program(self) -> None:
        program = backy2.program()
        self.server.psql("postgres", "CREATE DATABASE made")
        store = backy2.RealStore(program, os.path.join(self.scratch, "store"),
                                 self.server.engine("made"))
        store.fill()
        self.assertTrue(self.json("verify", store.config)["whole"])
        self.json("upgrade", store.config)
        self.assertTrue(self.json("verify", store.config)["whole"])
        for uid, image in store.images.items():
            self.assertEqual(stores.restored_sha256(self, store.config, uid),
                             hashlib.sha256(image).hexdigest())


if __name__ == "__main__":
    unittest.main()
