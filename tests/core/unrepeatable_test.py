"""A step that may not be repeated, whose outcome is lost: it runs once, until a person says otherwise."""

import os

import harness
from harness import DONE, HALTED, NEW

SLOW_SECONDS = 1.5  # of the two other conversions: they are under way when the conductor dies


class UnrepeatableStep(harness.Case):
    def test_lost_outcome_and_dead_conductor(self) -> None:
        """A kill -9 of the conductor is no answer by a person: what nobody could tell then, a
        resume after it may not try again by itself."""
        self.lose_outcome_and_conductor()
        self.drydock("resume", expect=HALTED)
        self.assertEqual(self.conversions(), [1, 1, 1])
        self.assertNotIn("run.resumed", self.types())
        status = self.drydock("status", expect=HALTED).stdout
        self.assertIn("convert m1", status)
        self.assertIn("never be converted twice", status)

    def test_person_goes_on_after_the_halt(self) -> None:
        """The halt asks a person, and a resume is the answer: the step is tried again, that one
        alone, and the run ends."""
        self.lose_outcome_and_conductor()
        self.drydock("resume", expect=HALTED)
        self.drydock("resume", expect=DONE)
        self.assertEqual(self.conversions(), [2, 1, 1])
        self.assertEqual(self.types().count("run.resumed"), 1)
        self.assert_all_on(NEW)
        self.assert_at_least_up(2)

    def test_conductor_dies_again_and_again(self) -> None:
        """However often a conductor dies and is followed by another one before the halt is
        recorded, the step ran once."""
        self.lose_outcome_and_conductor()
        for _ in range(2):
            self.drydock("resume", env={"DRYDOCK_CRASH": "run.halted:before"},
                         expect=harness.KILLED)
        self.drydock("resume", expect=HALTED)
        self.assertEqual(self.conversions(), [1, 1, 1])
        self.assertNotIn("run.resumed", self.types())

    def lose_outcome_and_conductor(self) -> None:
        """m1's conversion has its effect, and its supervisor dies before it can say so; the others
        are under way when the conductor is killed."""
        self.begin(variant="once")
        for member in ("m2", "m3"):
            self.cluster.set_convert_seconds(member, SLOW_SECONDS)
        self.make_plan()
        crashed = os.path.join(self.scratch, "crashed")
        running = self.start_drydock("apply", self.plan, env={
            "DRYDOCK_AGENT_CRASH": "after_effect", "DRYDOCK_AGENT_CRASH_ONCE": crashed})
        self.wait_for(lambda: os.path.exists(crashed), "the supervisor to die")
        running.kill()
        self.assertEqual(self.cluster.conversions("m1"), 1)
        self.wait_for(lambda: self.conversions() == [1, 1, 1], "the other conversions to end")

    def conversions(self) -> list[int]:
        return [self.cluster.conversions(member) for member in self.cluster.members]


if __name__ == "__main__":
    harness.main()
