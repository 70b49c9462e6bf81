#!/usr/bin/env python3
"""How the double behaves where an upgrade has to cope with it: pipelines that stop, open commits by release, garbage."""

import hashlib
import unittest
from typing import Any

import judge  # first: it finds the others
import load
import protocol
from judge import Case, ask, extract, listed, run


def setUpModule() -> None:
    judge.start_all()


class Garbage(Case):
    """Stopped pipelines, and what is deleted then."""

    def setUp(self) -> None:
        """In a folder of its own: the other installation's objects are named by no commit of this one."""
        super().setUp()
        self.clear_new()
        judge.new.root = "garbage"
        self.addCleanup(judge.new.restart_pachd)
        self.addCleanup(setattr, judge.new, "root", "pach")
        self.addCleanup(ask, judge.new, "delete", "all", data=b"y\n")
        judge.new.restart_pachd()

    def test_it_deletes_what_nobody_names(self) -> None:
        self.make_pipeline(judge.new)
        lost = ask(judge.new, "start", "commit", "images@lost").strip()
        ask(judge.new, "put", "file", "images@lost:/lost", data=b"of a commit that is deleted")
        ask(judge.new, "finish", "commit", "images@lost")
        ask(judge.new, "delete", "commit", f"images@{lost}")
        self.assertTrue(self.is_object(b"of a commit that is deleted"))
        answer = run(judge.new, "garbage-collect")
        self.assertIn("all pipelines must be stopped to run garbage collection, pipeline: edges is not", answer.errors)
        ask(judge.new, "stop", "pipeline", "edges")
        self.wait_for_state(judge.new, "PIPELINE_PAUSED")
        self.assertNotIn("directProvenance", listed(judge.new, "list", "branch", "edges")[0])
        ask(judge.new, "start", "commit", "images@other")
        ask(judge.new, "put", "file", "images@other:/open", data=b"of an open commit")
        ask(judge.new, "garbage-collect")
        self.assertEqual(ask(judge.new, "get", "file", "images@master:/kept"), "kept for ever")
        self.assertEqual(run(judge.new, "get", "file", "images@other:/open").code, 1)
        self.assertFalse(self.is_object(b"of a commit that is deleted"))
        self.assertTrue(self.is_object(b"kept for ever"))
        self.assertEqual(ask(judge.new, "fsck"), "No errors found.\n")
        ask(judge.new, "start", "pipeline", "edges")
        self.wait_for_state(judge.new, "PIPELINE_RUNNING")

    def is_object(self, content: bytes) -> bool:
        name = f"garbage/object/{hashlib.sha512(content).hexdigest()}"
        return self.s3("GET", name[::-1])[0] == 200


class Pipelines(Case):
    """What stopping, starting and restoring do."""

    def setUp(self) -> None:
        super().setUp()
        self.clear_new()
        self.make_pipeline(judge.new)

    def test_a_restart_makes_one_more_output_and_computes_nothing(self) -> None:
        ask(judge.new, "stop", "pipeline", "edges")
        self.wait_for_state(judge.new, "PIPELINE_PAUSED")
        specs = len(listed(judge.new, "list", "commit", protocol.SPEC_REPO))
        self.assertEqual(specs, 2)
        ask(judge.new, "put", "file", "images@master:/more", data=b"while it is stopped")
        ask(judge.new, "start", "pipeline", "edges")
        self.wait_for_jobs(judge.new, 2)
        newest = listed(judge.new, "list", "job")[0]
        self.assertEqual((newest["data_processed"], newest["data_skipped"], newest["data_total"]), ("1", "1", "2"))

    def test_a_pipeline_that_was_stopped_is_restored_stopped(self) -> None:
        ask(judge.new, "stop", "pipeline", "edges")
        self.wait_for_state(judge.new, "PIPELINE_PAUSED")
        data = extract(judge.new)
        for starts, state, jobs in ((False, "PIPELINE_PAUSED", 1), (True, "PIPELINE_RUNNING", 2)):
            self.clear_new()
            self.restart(restored_start=starts)
            ask(judge.new, "restore", "--no-token", data=data)
            self.wait_for_state(judge.new, state)
            self.wait_for_jobs(judge.new, jobs)
        self.restart(restored_start=False)

    def restart(self, **settings: Any) -> None:
        for name, value in settings.items():
            setattr(judge.new, name, value)
        judge.new.restart_pachd()


class OpenCommits(Case):
    """What becomes of a commit that is open when it is extracted, by the release that extracts."""

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.become, judge.new.release)
        self.clear_new()

    def become(self, release: str) -> None:
        judge.new.release = release
        judge.new.restart_pachd()

    def extract_open(self, release: str) -> bytes:
        """A stream with an open commit that is another one's input."""
        self.become(release)
        ask(judge.new, "create", "repo", "images")
        ask(judge.new, "put", "file", "images@master:/a", data=b"content")
        ask(judge.new, "start", "commit", "images@master")
        self.times = self.starts()
        data = extract(judge.new)
        self.clear_new()
        return data

    def starts(self) -> list[str]:
        """When the commits were started, newest first."""
        return [one.started.ToJsonString() for one in load.connect(judge.new.address).list_commit("images")]

    def test_up_to_1_10_2_it_is_restored_open(self) -> None:
        data = self.extract_open("1.10.2")
        ask(judge.new, "restore", data=data)
        opened = [one for one in listed(judge.new, "list", "commit", "images") if "finished" not in one]
        self.assertEqual(len(opened), 1)
        self.assertNotEqual(self.starts(), self.times, "times are not in the stream")
        answer = run(judge.new, "start", "commit", "images@master")
        self.assertIn("has not been finished", answer.errors)

    def test_from_1_10_3_on_it_is_restored_finished_and_empty(self) -> None:
        data = self.extract_open("1.10.3")
        ask(judge.new, "restore", data=data)
        commits = listed(judge.new, "list", "commit", "images")
        self.assertEqual([one for one in commits if "finished" not in one], [])
        self.assertNotIn("tree", commits[0])
        self.assertEqual(self.starts(), self.times)


if __name__ == "__main__":
    unittest.main()
