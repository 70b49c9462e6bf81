"""Two people at once: of the runs that they begin, at most one is open, and none is empty."""

import harness
from harness import DONE, MOVED, NEW, NO, OLD, Running
from program import scaled

DELAYS = (0.0, 0.03, 0.1, 0.3)  # between the two: what is raced depends on the machine
SECONDS_MAX = scaled(60)


class Birth(harness.Case):
    def test_two_applies(self) -> None:
        """Two plans of one journal are applied at once: one begins, the other is told which run is
        open, and leaves no trace in the journal."""
        self.begin()
        for delay in DELAYS:
            with self.subTest(delay=delay):
                known = len(self.runs())
                plans = [self.make_plan(plan=f"{self.plan}.{number}") for number in (1, 2)]
                done = self.race(delay, *(("apply", plan) for plan in plans))
                self.assertEqual([run.code for run in done].count(DONE), 1,
                                 "".join(run.text() for run in done))
                refused = next(run for run in done if run.code != DONE)
                self.assertIn(refused.code, (NO, MOVED), refused.text())
                self.assertRegex(self.words_of(refused), "is not over|world moved|under way")
                self.assertEqual(self.runs()[known:], ["finished"])
                self.assert_all_on(NEW)
                self.drydock("downgrade", expect=DONE)
        self.assert_at_least_up(2)

    def test_downgrade_and_resume(self) -> None:
        """A run is resumed by one person and taken back by another one: one of them is refused,
        and a run that was taken back rolls on no more."""
        self.begin(end_seconds=0.3)
        for delay in DELAYS:
            for words in (("downgrade", "resume"), ("resume", "downgrade")):
                with self.subTest(delay=delay, words=words):
                    self.race_downgrade_and_resume(delay, words)
        self.assert_at_least_up(2)

    def race_downgrade_and_resume(self, delay: float, words: tuple[str, str]) -> None:
        known, stops = len(self.runs()), self.cluster.stops("m2")
        self.make_plan()
        running = self.start_drydock("apply", self.plan)
        self.wait_for(lambda: self.cluster.stops("m2") > stops, "m2 to be stopped")
        running.kill()
        done = self.race(delay, (words[0],), (words[1],))
        text = "".join(run.text() for run in done)
        self.assertIn(DONE, [run.code for run in done], text)
        if done[words.index("downgrade")].code == DONE and len(self.runs()) == known + 2:
            expected, version = ["returned", "finished"], OLD
        else:
            expected, version = ["finished"], NEW
        if self.runs()[known:] == ["finished", "finished"]:  # the resume had ended before
            expected, version = ["finished", "finished"], OLD
        self.assertEqual(self.runs()[known:], expected, text)
        self.assert_all_on(version)
        if version == NEW:
            self.drydock("downgrade", expect=DONE)

    def race(self, delay: float, *commands: tuple[str, ...]) -> list[harness.Run]:
        """Starts the second command so long after the first; at no time are two runs open."""
        running: list[Running] = []
        for words in commands:
            running.append(self.start_drydock(*words))
            if words is commands[0]:
                self.assert_stays(delay, self.is_one_open_at_most, "two runs are open")
        self.wait_for(lambda: self.check_open(running), "both to end", SECONDS_MAX)
        done = [each.wait(SECONDS_MAX) for each in running]
        self.assertEqual(self.empty_runs(), [])
        self.assertEqual(self.open_runs(), [], "".join(run.text() for run in done))
        return done

    def check_open(self, running: list[Running]) -> bool:
        self.assertTrue(self.is_one_open_at_most(), "two runs are open")
        return all(each.process.poll() is not None for each in running)

    def is_one_open_at_most(self) -> bool:
        return len(self.open_runs()) <= 1


if __name__ == "__main__":
    harness.main()
