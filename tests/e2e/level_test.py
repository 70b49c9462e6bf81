"""The level rises by itself, at a moment that nobody chose: seen, named, and the ways that are left
are offered."""

import functools
from typing import Any

import harness  # first: it knows where the others are
import api
import cluster
from harness import DONE, HALTED, KILLED, MOVED, NO
from program import scaled

RISES_SECONDS_MAX = scaled(10)  # the leader looks every 4 s


class Level(harness.Case):
    def all_new_and_the_conductor_dead(self) -> None:
        """Every member runs the new release, and for some seconds the level is still the old."""
        record = self.record_of_last_start()
        self.approved()
        self.drydock("resume", expect=KILLED, env={"DRYDOCK_CRASH": f"{record}:sent"})
        self.cluster.wait_healthy()
        self.assertEqual(self.versions(), [self.new] * 3)

    def approved(self) -> None:
        self.begin(write=True, rate=20)
        self.to_the_gate()
        self.drydock("approve", self.gate(), expect=DONE)

    @functools.cache
    def record_of_last_start(self) -> int:
        """Which record of `resume` intends the start of the last member."""
        self.approved()
        return self.records_until("resume", "action.intended", "/start")

    @functools.cache
    def record_of_first(self, kind: str, step: str) -> int:
        """Which record of `downgrade` has the first such event, on the way back from the gate."""
        self.begin()
        self.to_the_gate()
        return self.records_until("downgrade", kind, step)

    def records_until(self, command: str, kind: str, step: str) -> int:
        before = len(self.records()) if command == "resume" else 0
        self.drydock(command, expect=DONE)
        return next(number for number, record in enumerate(self.records()[before:], 1)
                    if has(record, kind, step))

    def levels(self) -> set[str]:
        return {self.cluster.versions(name)[1] for name in self.cluster.members}

    def wait_for_the_level(self) -> None:
        cluster.wait_until(lambda: self.levels() == {self.level(self.new)}, RISES_SECONDS_MAX,
                           lambda: f"the level is {self.levels()}")

    def raise_the_level(self) -> None:
        """What a leader does first, whoever it is."""
        self.cluster.transfer_leadership(next(name for name in self.cluster.members
                                              if name != self.cluster.leader()))
        self.wait_for_the_level()

    # While the conductor is dead

    def test_resume_finds_it_done(self) -> None:
        self.all_new_and_the_conductor_dead()
        self.wait_for_the_level()
        self.drydock("resume", expect=DONE)
        self.assert_upgraded()

    def test_downgrade_finds_the_way_closed(self) -> None:
        self.all_new_and_the_conductor_dead()
        self.wait_for_the_level()
        before = self.touched()
        done = self.drydock("downgrade", expect=NO)
        for word in ("level", series_of(self.new), "rebuild", "restore"):
            self.assertIn(word, done.stderr)
        self.assertEqual(self.touched(), before)
        self.drydock("resume", expect=DONE)
        self.assert_upgraded()

    def test_downgrade_is_refused_in_the_seconds_before_it(self) -> None:
        """All run the new release: the level may rise between a look at it and the first stop."""
        self.all_new_and_the_conductor_dead()
        before = self.touched()
        done = self.drydock("downgrade", expect=NO)
        self.assertIn("the way back closed when", done.stderr)
        self.assert_ways_left(done)
        self.assertEqual(self.touched(), before)
        self.drydock("resume", expect=DONE)
        self.assert_upgraded()

    # While drydock goes back, and somebody upgrades the last member by hand

    def test_it_rises_before_the_first_stop_of_the_way_back(self) -> None:
        self.going_back_until("action.intended", "/stop", "after")
        self.raise_the_level()
        before = self.touched()
        done = self.drydock("resume")
        self.assertIn(done.code, (HALTED, MOVED), done.text())
        self.assert_ways_left(done)
        self.assertEqual(self.touched()[0], before[0], "a member was touched")
        self.assertEqual(self.versions(), [self.new] * 3)
        self.assert_nothing_lost()

    def test_it_has_risen_when_the_first_member_is_down(self) -> None:
        """The last moment: stopped is the member, and the old release would not start on it."""
        self.going_back_until("action.ended", "/stop", "after")
        down = next(name for name in self.cluster.members if not self.cluster.pid(name))
        self.cluster.start(down)
        self.cluster.wait_healthy()
        self.raise_the_level()
        self.cluster.stop(down)
        before = self.touched()
        done = self.drydock("resume")
        self.assertIn(done.code, (HALTED, MOVED), done.text())
        self.assert_ways_left(done)
        self.assertEqual(self.touched()[0], before[0], "a member was touched")
        self.cluster.start(down)
        self.cluster.wait_healthy()
        self.assertEqual(self.versions(), [self.new] * 3)
        self.assert_nothing_lost()

    def going_back_until(self, kind: str, step: str, moment: str) -> None:
        """A downgrade from the gate whose conductor dies at that record."""
        record = self.record_of_first(kind, step)
        for near in (0, 1, -1, 0, 1, -1):  # how many facts come at once differs
            self.begin(write=True, rate=20)
            self.to_the_gate()
            done = self.drydock("downgrade", env={"DRYDOCK_CRASH": f"{record + near}:{moment}"})
            if done.code == KILLED and has(self.records()[-1], kind, step):
                self.upgrade_the_last_by_hand()
                return
        self.fail(f"no {kind} of {step} on the way back")

    def upgrade_the_last_by_hand(self) -> None:
        last = next(name for name in self.cluster.members
                    if self.cluster.pid(name) and self.cluster.versions(name)[0] == self.old)
        self.cluster.stop(last)
        self.cluster.install(series_of(self.new), last)
        self.cluster.start(last)
        cluster.wait_until(lambda: answers(self.cluster, last), RISES_SECONDS_MAX,
                           lambda: f"{last} does not answer")

    def assert_ways_left(self, done: harness.Run) -> None:
        text = done.stdout + done.stderr
        for word in ("level", "rebuild", "restore"):
            self.assertIn(word, text)


def answers(made: cluster.Cluster, name: str) -> bool:
    try:
        made.status(name)
    except api.NoAnswer:
        return False
    return True


def series_of(version: str) -> str:
    return version.rsplit(".", 1)[0]


def has(record: list[dict[str, Any]], kind: str, step: str) -> bool:
    return any(event["type"] == kind and event["action"].endswith(step)
               for event in record if "action" in event)


if __name__ == "__main__":
    harness.main()
