"""A host that greets and then hangs: every question to it ends, with its name, and people are heard."""

import time

import harness
from harness import DONE, HALTED, MOVED, NEW, NO, OLD
from program import scaled

SURVEY_SECONDS_MAX = scaled(30)
RUN_SECONDS_MAX = scaled(80)
PAUSE_SECONDS_MAX = scaled(60)


class SilentHost(harness.Case):
    def begin_with_silent_host(self) -> None:
        self.begin(lines=["h2"])
        self.cluster.set_end_seconds("m2", 1)
        self.make_plan()

    def test_survey(self) -> None:
        """A survey tells what it could not read, and whose fault that is, instead of waiting."""
        self.begin_with_silent_host()
        self.cluster.cut("h2", "swallowed")
        begun = time.monotonic()
        done = self.drydock("survey", timeout=RUN_SECONDS_MAX)
        self.assertLess(time.monotonic() - begun, SURVEY_SECONDS_MAX)
        self.assertIn("h2", self.words_of(done))
        self.assertNotIn("host h1", self.words_of(done))
        self.assertNotIn("host h3", self.words_of(done))

    def test_apply(self) -> None:
        """An apply that cannot see one member refuses, names the host, and has changed nothing."""
        self.begin_with_silent_host()
        self.cluster.cut("h2", "swallowed")
        done = self.drydock("apply", self.plan, timeout=RUN_SECONDS_MAX)
        self.assertIn(done.code, (NO, HALTED, MOVED), self.words_of(done))
        self.assertIn("h2", self.words_of(done))
        self.assertEqual(self.cluster.versions(), [OLD] * 3)
        self.assert_at_least_up(3)
        self.assertEqual(self.open_runs(), [])

    def test_in_a_stop(self) -> None:
        """A host that hangs in the middle of a stop halts the run in bounded time; afterwards a
        resume asks what became of it and goes on."""
        self.begin_with_silent_host()
        running = self.start_drydock("apply", self.plan)
        self.wait_for(lambda: self.cluster.is_ending("m2"), "the stop of m2")
        self.cluster.cut("h2", "swallowed")
        done = running.wait(RUN_SECONDS_MAX)
        self.assertEqual(done.code, HALTED, done.text())
        self.assertIn("host h2", self.words_of(done))
        self.cluster.mend("h2", "swallowed")
        self.drydock("resume", expect=DONE)
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)
        self.assertEqual([self.cluster.stops(name) for name in self.cluster.members], [1, 1, 1])

    def test_pause(self) -> None:
        """A pause is heard while a host hangs."""
        self.begin_with_silent_host()
        running = self.start_drydock("apply", self.plan)
        self.wait_for(lambda: self.cluster.is_ending("m2"), "the stop of m2")
        self.cluster.cut("h2", "swallowed")
        done = self.drydock("pause", timeout=PAUSE_SECONDS_MAX)
        self.assertIn(done.code, (DONE, HALTED), self.words_of(done))
        self.assertIn(running.wait(RUN_SECONDS_MAX).code, (harness.WAITS, HALTED))
        self.cluster.mend("h2", "swallowed")
        self.drydock("resume", expect=DONE)
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)


if __name__ == "__main__":
    harness.main()
