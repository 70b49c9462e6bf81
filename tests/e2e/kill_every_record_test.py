"""kill -9 of the conductor at every journal record of a whole upgrade, then resume.

Whatever the record and the moment (before its commit, after it, after its commands were sent): the
upgrade ends as if nothing had been, each member started and stopped once, every write there.

CI kills at each record once, before its commit or after it in turn; DRYDOCK_E2E_FULL kills at each both times.
"""

import os
from typing import Any

import harness
from harness import DONE, KILLED, NO, WAITS

WRITES_PER_SECOND = 30  # of each writer
SPARE = 2  # records that a run may have more than the counted one: they depend on what came at once


class KillEveryRecord(harness.Case):
    def test_before_its_commit(self) -> None:
        self.kill_at_every_record("before")

    def test_after_its_commit(self) -> None:
        self.kill_at_every_record("after")

    def test_after_its_commands_were_sent(self) -> None:
        self.kill_at_every_record("sent")

    def test_after_its_last_record(self) -> None:
        """It is over: nothing can be done to it, and a resume says so."""
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.to_the_gate()
        self.drydock("approve", self.gate(), expect=DONE)
        self.drydock("resume", env={"DRYDOCK_CRASH": "run.finished:after"}, expect=KILLED)
        self.drydock("status", expect=DONE)
        self.assertIn("is over", self.drydock("abort", expect=NO).stderr)
        records = self.records()
        self.drydock("resume", expect=DONE)
        self.assertEqual(self.records(), records)
        self.drydock("downgrade", expect=NO)
        self.assertEqual(self.records(), records)
        self.assert_upgraded()

    def kill_at_every_record(self, moment: str) -> None:
        made = self.untouched()
        self.assertGreater(min(len(made["apply"]), len(made["resume"])), 10)
        cases = []
        for command, records in made.items():
            spare = SPARE if len(records) > 1 else 0
            numbers = range(1, len(records) + spare + 1)
            if not os.environ.get("DRYDOCK_E2E_FULL"):
                numbers = numbers[moment == "after"::2]
            if moment == "sent":  # only these have something to send
                numbers = [n for n, record in enumerate(records, 1) if intends(record)]
            cases += [(command, number) for number in numbers]
        self.each(cases, lambda one, case: one.killed_once(case[0], case[1], moment))

    def untouched(self) -> dict[str, list[list[dict[str, Any]]]]:
        """The records that apply, approve and resume make, each in its own process."""
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.make_plan()
        made: dict[str, list[list[dict[str, Any]]]] = {}
        for words, code in ((("apply", self.plan), WAITS), (("approve", self.gate()), DONE),
                            (("resume",), DONE)):
            self.drydock(*words, expect=code)
            made[words[0]] = self.records()[sum(map(len, made.values())):]
        self.assert_upgraded()
        return made

    def killed_once(self, command: str, record: int, moment: str) -> None:
        self.begin(write=True, rate=WRITES_PER_SECOND)
        self.make_plan()
        before = 0
        for words in (("apply", self.plan), ("approve", self.gate()), ("resume",)):
            dies = words[0] == command
            env = {"DRYDOCK_CRASH": f"{record}:{moment}"} if dies else None
            done = self.drydock(*words, env=env)
            if done.code == KILLED:
                break
            self.assertEqual(done.code, WAITS if words[0] == "apply" else DONE, done.text())
            made = len(self.records()) - before
            before += made
            self.assertFalse(dies and made >= record, f"not killed at {record} of {made}")
        if done.code == KILLED:
            self.finish()
        self.assert_upgraded()


def intends(record: list[dict[str, Any]]) -> bool:
    return any(event["type"] == "action.intended" for event in record)


if __name__ == "__main__":
    harness.main()
