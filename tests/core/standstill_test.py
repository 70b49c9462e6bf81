"""A conductor that stands still (SIGSTOP, a paused machine) at several moments of a run."""

import time

import harness
from harness import DONE, NEW

STOPPED_SECONDS = 15
QUIET_SECONDS = 3  # so long nothing may happen on the old judgement


class StandingStill(harness.Case):
    def test_stopped_at_several_moments(self) -> None:
        """Wherever in the run the machine is paused while a member dies: no stop happens that
        leaves one of three."""
        self.begin(end_seconds=0.2)
        for moment in ("stop of m1", "start of m1", "stop of m2"):
            with self.subTest(moment):
                self.pause_at(moment)

    def pause_at(self, moment: str) -> None:
        self.make_plan()
        member = moment[-2:]
        count = (self.cluster.stops if moment.startswith("stop")
                 else lambda name: len(self.cluster.starts(name)))
        before = count(member)
        running = self.start_drydock("apply", self.plan)
        self.wait_for(lambda: count(member) > before, moment)
        with self.stopped(running):
            self.cluster.wait_quiet()
            dies = "m3" if len(self.cluster.up()) == 3 else ""
            if dies:
                self.cluster.kill(dies)
            time.sleep(STOPPED_SECONDS if dies else 1)
        if dies:
            self.assert_stays(QUIET_SECONDS, lambda: len(self.cluster.up()) == 2, "a stop")
            self.cluster.start(dies)
        done = running.wait()
        if done.code != DONE:
            self.drydock("resume", expect=DONE)
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)
        self.drydock("downgrade", expect=DONE)


if __name__ == "__main__":
    harness.main()
