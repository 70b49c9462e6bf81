"""What counts as drift when a run goes on with a member down."""

import harness
from harness import DONE, NEW, WAITS
from program import scaled


class Drift(harness.Case):
    def test_ready_that_is_false_of_a_stopped_member(self) -> None:
        """Whether a pack reads `ready` of a stopped member as false or as nothing, the run's own stop
        is no drift."""
        for variant in ("toy", "health"):
            with self.subTest(variant):
                self.begin(variant=variant, end_seconds=1)
                self.make_plan()
                running = self.start_drydock("apply", self.plan)
                self.wait_for(lambda: self.cluster.is_ending("m1"), "the stop of m1")
                self.drydock("pause", expect=DONE)
                self.assertEqual(running.wait(scaled(60)).code, WAITS)
                self.drydock("resume", expect=DONE)
                self.assert_all_on(NEW)
                self.assert_at_least_up(2)


if __name__ == "__main__":
    harness.main()
