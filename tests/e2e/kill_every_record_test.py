"""kill -9 of the conductor at every journal record of a whole upgrade, then resume.

Whatever the record and the moment (before its commit, after it, after its commands were sent): the
upgrade ends as if nothing had been, each member started and stopped once, every write there.
"""

import harness
from harness import DONE, KILLED, WAITS

WRITES_PER_SECOND = 30  # of each writer
SPARE = 2  # records that a run may have more than the counted one: they depend on what came at once


class KillEveryRecord(harness.Case):
    def test_before_its_commit(self) -> None:
        self.kill_at_every_record("before")

    def test_after_its_commit(self) -> None:
        self.kill_at_every_record("after")

    def test_after_its_commands_were_sent(self) -> None:
        self.kill_at_every_record("sent")

    def kill_at_every_record(self, moment: str) -> None:
        applied, approved, resumed = self.count_records()
        self.assertGreater(min(applied, resumed), 10)
        sends = moment == "sent"  # nothing is, before a run's first check, nor by approve
        cases = [("apply", n) for n in range(3 if sends else 1, applied + SPARE + 1)]
        cases += [("approve", n) for n in range(1, 1 if sends else approved + 1)]
        cases += [("resume", n) for n in range(2 if sends else 1, resumed + SPARE + 1)]
        self.each(cases, lambda one, case: one.killed_once(*case, moment))

    def count_records(self) -> list[int]:
        """How many records apply, approve and resume make, each in its own process."""
        self.begin(write=True, rate=WRITES_PER_SECOND)
        counts = []
        self.make_plan()
        for words, code in ((("apply", self.plan), WAITS), (("approve", self.gate()), DONE),
                            (("resume",), DONE)):
            self.drydock(*words, expect=code)
            counts.append(len(self.records()) - sum(counts))
        self.assert_upgraded()
        return counts

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


if __name__ == "__main__":
    harness.main()
