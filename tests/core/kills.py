"""kill -9 of the conductor at a record of a toy apply or downgrade, and on from there.

One cluster rolls forth and back, each time with a conductor that dies at another record: before its
commit, after it, or after its commands were sent.
"""

from typing import Any, Iterable

import harness
from harness import DONE, KILLED, NEW, OLD

MOMENTS = ("before", "after", "sent")
SPARE = 2  # by so many records two runs may differ: it depends on what came at once


class Kills(harness.Case):
    def cases(self) -> list[tuple[int, str]]:
        """Every record and moment of an apply that nobody disturbs."""
        self.begin()
        self.make_plan()
        self.drydock("apply", self.plan, expect=DONE)
        records: dict[int, list[dict[str, Any]]] = {}
        for event in self.events():
            records.setdefault(event["sequence"], []).append(event)
        self.drydock("downgrade", expect=DONE)
        self.records = len(records)
        self.assertGreater(self.records, 15)
        return [(number, moment) for number, events in sorted(records.items())
                for moment in MOMENTS if moment != "sent" or intends(events)]

    def roll(self, cases: Iterable[tuple[int, str]]) -> None:
        for record, moment in cases:
            crash = f"{record}:{moment}"
            with self.subTest(crash):
                self.make_plan()
                self.die_and_go_on(crash, NEW, "apply", self.plan)
                self.die_and_go_on(crash, OLD, "downgrade")
                self.assertEqual(self.runs()[-2:], ["finished", "finished"])
        self.assert_at_least_up(2)
        self.assertEqual(self.empty_runs(), [])
        self.drydock("journal", "verify", expect=DONE)

    def die_and_go_on(self, crash: str, version: str, *words: str) -> None:
        stops = [self.cluster.stops(member) for member in self.cluster.members]
        done = self.drydock(*words, env={"DRYDOCK_CRASH": crash})
        if done.code == KILLED:
            self.go_on(version, words)
        else:
            self.assertEqual(done.code, DONE, done.text())
            self.assertGreater(int(crash.split(":")[0]), self.records - SPARE, done.text())
        self.assert_all_on(version)
        self.assertEqual([self.cluster.stops(member) for member in self.cluster.members],
                         [number + 1 for number in stops], f"{crash}: stopped more than once")

    def go_on(self, version: str, words: tuple[str, ...]) -> None:
        """Resumes, also a run that is over; where none had begun, the same command again."""
        is_over = self.cluster.versions() == [version] * len(self.cluster.members)
        if self.open_runs() or is_over:
            self.drydock("resume", expect=DONE)
        else:
            self.drydock(*words, expect=DONE)


def intends(events: list[dict[str, Any]]) -> bool:
    return any(event["type"] == "action.intended" for event in events)
