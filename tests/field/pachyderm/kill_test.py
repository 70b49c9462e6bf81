#!/usr/bin/env python3
"""kill -9 of drydock at every record of its journal: a migration to its gate and back, and one to its end.

After each kill `resume` goes on, and is killed in its turn at the next record: before it is written, once it is, or when its
commands were sent. Whatever is killed, clients have the address of the old installation until somebody has approved, and nothing
that they wrote is lost. A spread of this is in migrate_test.py.
"""

import itertools
import json
import threading
import unittest
from typing import Any, Callable

import migration
from migrate_case import DONE, KILLED, WAITS, Case, full_only

OPENING = 1  # record of a resumed run before its first own one: conductor.started
KILLS_MAX = 2000
migration.PAUSE_SECONDS = "5"  # of the client that writes: this takes most of an hour, and each of its files is read in the end


@full_only
class Kills(Case):
    def test_1_to_the_gate_and_back(self) -> None:
        self.to_the_gate_and_back("after")

    def test_2_to_the_gate_and_back_when_commands_were_sent(self) -> None:
        self.to_the_gate_and_back("sent")

    def to_the_gate_and_back(self, late: str) -> None:
        self.make_plan()
        self.killed_until(WAITS, self.old_serves, late, "apply", self.plan)
        self.killed_until(DONE, self.old_serves, late, "downgrade")
        self.assert_old_serves()
        self.world.remove_new()
        self.drydock("journal", "verify")

    def test_3_to_the_end(self) -> None:
        before = self.world.state(self.world.old)
        self.make_plan()
        self.drydock("apply", self.plan, expect=WAITS)
        self.assertGreater(self.world.replay(), 0)
        self.approve("replay", self.old_serves)
        self.killed_until(WAITS, self.old_serves, "after", "resume", least=4)
        self.approve("cut-over", self.old_serves)
        self.with_loader(lambda: self.killed_until(WAITS, lambda: None, "sent", "resume"))
        self.assertEqual(self.world.serving(), "green")
        self.world.wait_written(3)
        self.approve("undeploy", lambda: self.assertEqual(self.world.running(self.world.old), migration.OLD))
        self.killed_until(DONE, lambda: self.assertEqual(self.world.serving(), "green"), "after", "resume")
        self.assertEqual((self.world.running(self.world.old), self.world.running(self.world.new)), ("none", migration.NEW))
        self.world.wait_written(3)
        self.assert_nothing_lost(self.world.new)
        self.assertEqual(migration.missing(before, self.world.state(self.world.new)), [])
        self.drydock("journal", "verify")

    # Parts

    def old_serves(self) -> None:
        self.assertEqual((self.world.serving(), self.world.site.binding()), ("blue", [self.world.old.namespace]))

    def approve(self, gate: str, check: Callable[[], None]) -> None:
        """It is killed before anything was approved, and then once it was."""
        self.dies("1:before", "approve", gate)
        self.drydock("resume", expect=WAITS)
        check()
        self.dies("1:after", "approve", gate)

    def with_loader(self, act: Callable[[], None]) -> None:
        """The loader plays back what clients write on the old side meanwhile."""
        ends = threading.Event()
        loader = threading.Thread(target=self.replay_until, args=(ends,))
        loader.start()
        try:
            act()
        finally:
            ends.set()
            loader.join()

    def killed_until(self, code: int, check: Callable[[], None], late: str, *words: str, least: int = 6) -> None:
        """Runs a command, which is killed, and `resume`, which is killed again and again, until it ends with this code; it was
        killed `least` times at least."""
        begun = words[0]
        for at in (f"{record}:{moment}" for record in (1, 2) for moment in ("before", "after")) if begun != "resume" else ():
            self.dies(at, *words)
            check()
            words = self.what_to_type(words)
        for number in itertools.count():
            self.assertLess(number, KILLS_MAX)
            done = self.drydock(*words, env=self.kill(number, late), expect=None)
            if done.code != KILLED:
                break
            check()
            words = self.what_to_type(words)
        self.assertEqual(done.code, code, done.text())
        print(f"{begun}: killed {number} times on its way", flush=True)
        self.assertGreaterEqual(number, least)

    def what_to_type(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """`resume`, or the same once more when it was killed before its run was born."""
        told = self.drydock("status", expect=None).text()
        born = {"apply": "there is no run" not in told and self.run_id() in told, "downgrade": f"{migration.NEW} -> {migration.OLD}" in told}
        return ("resume",) if born.get(words[0], True) else words

    def run_id(self) -> str:
        """Of the run of the plan."""
        with open(self.plan, encoding="utf-8") as file:
            return str(json.load(file)["run"])

    def kill(self, number: int, late: str) -> dict[str, str]:
        """Where the next conductor dies: each record before it is written, and then once it is. What was intended and never sent
        is sent when it is tried again."""
        events = self.events()
        if any(event["type"] == "run.finished" for event in events):
            return {}  # nothing comes behind it
        again = [event["attempt"] > 1 for event in events if event["type"] == "action.intended"]
        moment = "before" if number % 2 == 0 else "sent" if again and again[-1] else late
        return {"DRYDOCK_CRASH": f"{OPENING + 1}:{moment}"}

    def events(self) -> list[dict[str, Any]]:
        done = self.drydock("log", "--json", expect=None)
        return list(json.loads(done.stdout)["events"]) if done.code == DONE else []

    def dies(self, at: str, *words: str) -> None:
        done = self.drydock(*words, env={"DRYDOCK_CRASH": at}, expect=None)
        self.assertEqual(done.code, KILLED, done.text())


if __name__ == "__main__":
    unittest.main()
