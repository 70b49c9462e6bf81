"""A downgrade while work of the forward run is under way on a host that cannot be reached."""

import harness
from harness import DONE, MOVED, OLD
from program import scaled

STOP_SECONDS = 3


class DowngradeBehindWork(harness.Case):
    def test_host_answers(self) -> None:
        """The way back waits for the end of the forward run's stop, else that stop would take down
        a member that the way back has just started."""
        self.kill_in_first_stop()
        self.drydock("downgrade", expect=DONE)
        self.assert_back()

    def test_host_that_cannot_be_connected_for_a_while(self) -> None:
        """"Could not connect" is not "has ended": nothing of the way back happens before the host
        has told what became of the stop."""
        self.kill_in_first_stop()
        self.cluster.cut("h1", "refused")
        running = self.start_drydock("downgrade")
        self.assert_stays(1.5, lambda: self.runs() == ["running"], "the downgrade has begun")
        self.cluster.mend("h1", "refused")
        done = running.wait(scaled(60))
        if done.code == MOVED:  # it did not wait for the host: then nothing may have changed
            self.assertEqual(self.started(), [1, 1, 1], done.text())
            self.wait_for(lambda: not self.cluster.is_ending("m1"), "the stop to end")
            self.drydock("downgrade", expect=DONE)
        else:
            self.assertEqual(done.code, DONE, done.text())
        self.assert_back()

    def test_host_that_never_answers(self) -> None:
        """As long as the host does not tell, the downgrade is refused, names the host, and leaves
        everything as it is."""
        self.kill_in_first_stop()
        self.cluster.cut("h1", "refused")
        done = self.drydock("downgrade", expect=MOVED)
        self.assertIn("h1", self.words_of(done))
        self.assertEqual(len(self.runs()), 1)
        self.assertEqual(self.started(), [1, 1, 1])
        self.assertEqual([self.cluster.stops(member) for member in self.cluster.members],
                         [1, 0, 0])
        self.assertEqual(len(self.open_runs()), 1)
        self.cluster.mend("h1", "refused")
        self.wait_for(lambda: not self.cluster.is_ending("m1"), "the stop to end")
        self.drydock("downgrade", expect=DONE)
        self.assert_back()

    def kill_in_first_stop(self) -> None:
        self.begin(lines=["h1"])
        self.make_plan()
        self.kill_in_stop("m1", STOP_SECONDS)

    def started(self) -> list[int]:
        return [len(self.cluster.starts(member)) for member in self.cluster.members]

    def assert_back(self) -> None:
        """All serve on 1.0, and still do when every stop that was ever asked for has ended."""
        self.assert_all_on(OLD)
        self.assert_stays(1, lambda: len(self.cluster.up()) == 3, "a member went down afterwards")
        self.assert_at_least_up(2)
        self.assertEqual(self.runs(), ["returned", "finished"])


if __name__ == "__main__":
    harness.main()
