"""A step that may not be repeated, whose outcome is lost: it runs once, until a person says otherwise."""

import glob
import os
import signal

import harness
import toy
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

    def test_host_loses_its_records_while_nobody_conducts(self) -> None:
        """A host that has lost its state folder knows of no action. That is no proof that none was
        begun there: a person is asked, and the action runs once until then."""
        self.kill_in_conversion("m1")
        self.lose_records("h1")
        done = self.drydock("resume", expect=HALTED)
        self.assertIn("host h1 has lost its records", self.words_of(done))
        self.assertIn("has lost its records", self.words_of(self.drydock("downgrade",
                                                                         expect=harness.MOVED)))
        self.assertEqual(self.conversions(), [1, 1, 1])
        self.drydock("resume", expect=DONE)  # the person's answer
        self.assertEqual(self.conversions(), [2, 1, 1])
        self.assert_at_least_up(2)

    def test_conductor_dies_again_after_a_host_lost_its_records(self) -> None:
        """Also the next conductor, which the host knows by then, does not believe it."""
        self.kill_in_conversion("m1")
        self.lose_records("h1")
        self.drydock("resume", env={"DRYDOCK_CRASH": "action.ended:before"},
                     expect=harness.KILLED)
        done = self.drydock("resume", expect=HALTED)
        self.assertIn("host h1 has lost its records", self.words_of(done))
        self.assertEqual(self.conversions(), [1, 1, 1])

    def test_host_loses_its_records_under_a_conductor(self) -> None:
        """An agent's container is made anew, with an empty folder, while its conductor runs."""
        running = self.begin_conversion("m1")
        agents = self.agents("h1")
        for pid in agents:
            os.kill(pid, signal.SIGSTOP)  # it does not see its folder go
        self.lose_records("h1")
        for pid in agents:
            os.kill(pid, signal.SIGKILL)
        done = running.wait()
        self.assertEqual(done.code, HALTED, done.text())
        self.assertIn("host h1 has lost its records", self.words_of(done))
        self.assertEqual(self.conversions(), [1, 1, 1])

    def test_folder_goes_under_an_agent(self) -> None:
        """What was begun is not refused afterwards: nobody knows what becomes of it."""
        running = self.begin_conversion("m1")
        self.lose_records("h1")
        done = running.wait()
        self.assertEqual(done.code, HALTED, done.text())
        self.assertNotIn("failed", [event.get("outcome") for event in self.events()])

    def lose_records(self, host: str) -> None:
        """Its state folder goes, at once."""
        os.rename(os.path.join(self.scratch, "hosts", host), os.path.join(self.scratch, "lost"))

    def begin_conversion(self, member: str) -> harness.Running:
        """A conductor with that conversion under way, which lasts; the others have ended."""
        self.begin(variant="once")
        self.cluster.set_convert_seconds(member, SLOW_SECONDS)
        self.make_plan()
        running = self.start_drydock("apply", self.plan)
        self.wait_for(lambda: sum(self.conversions()) == 2 and self.is_supervised(member),
                      "the other conversions to end")
        return running

    def kill_in_conversion(self, member: str) -> None:
        self.begin_conversion(member).kill()
        self.wait_for(lambda: self.conversions() == [1, 1, 1], "the conversion to end")

    def is_supervised(self, member: str) -> bool:
        """Whether that conversion was begun on its host."""
        return bool(glob.glob(os.path.join(self.scratch, "hosts", self.cluster.host(member), "*",
                                           f"convert+{member}*", "containment.json")))

    def agents(self, host: str) -> list[int]:
        state = os.path.join(self.scratch, "hosts", host).encode()
        return [pid for pid in toy.pids()
                if toy.read_bytes(f"/proc/{pid}/cmdline").split(b"\0")[-2:-1] == [state]]

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
