#!/usr/bin/env python3
"""`drydock rehearse` on the real servers: what it finds, that it leaves everything alone, and that a death is no harm."""

import glob
import json
import os
import unittest

import cluster
import upgrade_test

DONE, KILLED = upgrade_test.DONE, upgrade_test.KILLED

HALTED = 4
SPREAD = (2, 5, 8, 11, 14)  # records at which its conductor dies; all with DRYDOCK_BACKENDAI_FULL
KILLS_MIN = 3  # all but those that were to die with something sent
CLOSED_BY = 'relation "pk_endpoint_tokens" does not exist'


class Rehearsal(upgrade_test.Case):
    def begin_with_plan(self, old: str, to: str) -> None:
        self.begin(old)
        self.release = self.cluster.version()
        self.digests = {self.release: self.cluster.digest}
        self.pids = {role: self.cluster.pids(role) for role in cluster.ROLES}
        self.cluster.prepare(to)
        self.make_plan(to)

    def result_file(self) -> str:
        found = glob.glob(self.cluster.path("backups/demo-rehearsed/*/result.json"))
        self.assertEqual(len(found), 1)
        return found[0]

    def result(self) -> dict:
        with open(self.result_file(), encoding="utf-8") as file:
            return json.load(file)

    def assert_untouched(self) -> None:
        """Every server is the process that it was, on its schema; nothing of the copy is left."""
        self.assertEqual({role: self.cluster.pids(role) for role in cluster.ROLES}, self.pids)
        self.assertEqual(self.cluster.server.rows("postgres", "select datname from pg_database where datname like 'drydock%'"), [])
        self.assertEqual(glob.glob(self.cluster.path("backups/*.scratch")), [])
        self.assert_at(self.release)

    def plan_words(self, to: str) -> str:
        return " ".join(self.drydock("plan", "--to", to, "-o", self.plan).stdout.split())

    def test_a_hop_whose_way_back_is_open(self) -> None:
        self.begin_with_plan("23.9.0", "23.09.8")
        self.drydock("rehearse", self.plan)
        self.assert_untouched()
        found = self.result()
        self.assertEqual((found["forward"], found["way_back"], found["revision"], found["from_digest"]),
                         (True, "open", "8b2ec7e3d22a", self.cluster.digest), found)
        self.assertGreater(found["forward_ms"], 0)
        words = self.plan_words("23.09.8")
        self.assertIn("way back behind the last step: open", words)
        self.drydock("apply", self.plan)
        self.assertEqual(self.cluster.digest, found["digest"])
        self.digests["23.09.8"] = found["digest"]
        self.assert_at("23.09.8")
        self.drydock("downgrade")
        self.assert_at("23.09.0")
        self.assert_nothing_lost()

    def test_a_hop_whose_way_back_fails_though_its_files_look_fine(self) -> None:
        self.begin_with_plan("23.3.12", "23.09.0")
        self.drydock("rehearse", self.plan)
        self.assert_untouched()
        found = self.result()
        self.assertEqual((found["forward"], found["way_back"], found["revision"]), (True, "closed", "85615e005fa3"), found)
        self.assertIn(CLOSED_BY, found["back_failed"])
        self.assertIn("way back behind the last step: closed", self.plan_words("23.09.0"))
        self.assert_nothing_lost()

    def test_a_schema_that_became_another_one_is_found_before_anything_stops(self) -> None:
        """A rehearsal that began with this schema ended otherwise than the copy does now."""
        self.begin_with_plan("23.9.0", "23.09.8")
        self.drydock("rehearse", self.plan)
        found = self.result() | {"digest": "0" * 16}
        with open(self.result_file(), "w", encoding="utf-8") as file:
            json.dump(found, file)
        self.make_plan("23.09.8")
        done = self.drydock("apply", self.plan, expect=HALTED)
        self.assertIn("rehearse-schema", done.text())
        self.drydock("abort")
        self.assert_untouched()

    def test_the_environment_is_made_first_where_there_is_none(self) -> None:
        self.begin("23.9.8")
        self.release = self.cluster.version()
        self.digests = {self.release: self.cluster.digest}
        self.pids = {role: self.cluster.pids(role) for role in cluster.ROLES}
        self.cluster.write_cluster_file("23.9.8", "23.9.10", made=("23.9.10",))
        mark = self.cluster.path("made/23.9.10/drydock-venv.json")
        self.assertFalse(os.path.exists(mark))
        self.make_plan("23.09.10")
        self.drydock("rehearse", self.plan)
        self.assert_untouched()
        found = self.result()
        self.assertEqual((found["forward"], found["way_back"], found["revision"]), (True, "open", "75ea2b136830"), found)
        with open(mark, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["state"], "made")
        self.assert_nothing_lost()

    def test_killed_at_records_and_resumed(self) -> None:
        self.begin_with_plan("23.9.0", "23.09.8")
        self.drydock("rehearse", self.plan)
        found, count = self.result(), self.records()
        every, killed = os.environ.get("DRYDOCK_BACKENDAI_FULL"), 0
        for number, moment in zip(range(2, count) if every else SPREAD, ("after", "sent", "before") * count):
            with self.subTest(record=number, moment=moment):
                done = self.drydock("rehearse", self.plan, env={"DRYDOCK_CRASH": f"{number}:{moment}"}, expect=None)
                self.assertIn(done.code, (KILLED, DONE), done.text())  # not every record has something to send
                if done.code == KILLED:
                    killed += 1
                    self.drydock("resume")
                self.assert_untouched()
                now = self.result()
                self.assertEqual([now[name] for name in ("forward", "way_back", "digest", "from_digest")],
                                 [found[name] for name in ("forward", "way_back", "digest", "from_digest")])
        print(f"killed {killed} times", flush=True)
        self.assertGreaterEqual(killed, KILLS_MIN)
        self.assert_nothing_lost()


if __name__ == "__main__":
    unittest.main()
