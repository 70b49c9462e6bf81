#!/usr/bin/env python3
"""kill -9 of drydock at every record of its journal: a rebuild to its gate, one back from there, and one to its end.

After each kill `resume` goes on, and is killed in its turn at the next record: before it is written, once it is, or when its
commands were sent. Until somebody has approved the format, the storage is what it was. A spread of this is in leg_test.py.
"""

import itertools
import json
import unittest
from typing import Any, Callable

from leg_case import DONE, KILLED, WAITS, RebuiltCase, full_only, with_mounts

OPENING = 1  # record of a resumed run before its first own one: conductor.started
KILLS_MAX = 600


@full_only
@with_mounts
class Kills(RebuiltCase):
    def test_to_the_end(self) -> None:
        for late in ("after", "sent"):
            with self.subTest(late):
                self.setUp()
                self.begin_old()
                self.killed_until(WAITS, self.assert_old_is_whole, late, "apply", self.plan(self.NEW))
                self.dies("1:before", "approve", self.GATE, "-c", self.config)
                self.drydock("resume", "-c", self.config, expect=WAITS)
                self.assert_old_is_whole()
                self.dies("1:after", "approve", self.GATE, "-c", self.config)
                self.killed_until(DONE, lambda: None, late, "resume", "-c", self.config)
                self.assert_rebuilt()
                self.drydock("journal", "verify", "-c", self.config)

    def test_back_from_the_gate(self) -> None:
        self.begin_old()
        self.drydock("apply", self.plan(self.NEW), expect=WAITS)
        self.killed_until(DONE, self.assert_old_is_whole, "sent", "downgrade", "-c", self.config)
        self.place.release = self.OLD
        self.place.mount(self.pool, self.container)
        self.assertEqual(self.seen("mount1"), self.before)

    def killed_until(self, code: int, check: Callable[[], None], late: str, *words: str) -> None:
        """Runs a command, which is killed, and `resume`, which is killed again and again, until it ends with this code."""
        begun = words[0]
        if begun != "resume":  # before its run is born, and as it is
            for at in ("1:before", "1:after", "2:before", "2:after"):
                self.dies(at, *words)
                check()
                if self.is_born(begun):
                    words = ("resume", "-c", self.config)
        for number in itertools.count():
            self.assertLess(number, KILLS_MAX)
            done = self.drydock(*words, env=self.kill(number, late), expect=None)
            if done.code != KILLED:
                break
            check()
            if self.is_born(begun):
                words = ("resume", "-c", self.config)
        self.assertEqual(done.code, code, done.text())
        self.assertGreater(number, 6)
        print(f"{begun}: killed {number} times on its way", flush=True)

    def is_born(self, command: str) -> bool:
        """Whether the run of a command is in the journal: else the command is typed once more."""
        told = self.drydock("status", "-c", self.config, expect=None).text()
        return {"apply": "there is no run" not in told, "downgrade": f"{self.NEW} -> {self.OLD}" in told}.get(command, True)

    def kill(self, number: int, late: str) -> dict[str, str]:
        """Where the next conductor dies: each record before it is written, and then once it is. What was intended and never sent
        is sent when it is tried again."""
        events = self.events()
        if events and events[-1]["type"] == "run.finished":
            return {}
        again = [event["attempt"] > 1 for event in events if event["type"] == "action.intended"]
        moment = "before" if number % 2 == 0 else "sent" if again and again[-1] else late
        return {"DRYDOCK_CRASH": f"{OPENING + 1}:{moment}"}

    def events(self) -> list[dict[str, Any]]:
        done = self.drydock("log", "--json", "-c", self.config, expect=None)
        return list(json.loads(done.stdout)["events"]) if done.code == DONE else []

    def dies(self, at: str, *words: str) -> None:
        done = self.drydock(*words, env={"DRYDOCK_CRASH": at}, expect=None)
        self.assertEqual(done.code, KILLED, done.text())


if __name__ == "__main__":
    unittest.main()
