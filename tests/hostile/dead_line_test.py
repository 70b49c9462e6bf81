"""Lines that die without an end, and lines that are only quiet."""

import os
import time

import hostile
from program import scaled

DEAD_LINE_SECONDS_MAX = scaled(120)


class DeadLine(hostile.Case):
    """A line that is dead without an end, as behind a router that lost its table."""

    def begin_with_long_action(self) -> None:
        """Members are converted for 3 s, of 20 minutes that this may take."""
        self.begin(variant="gate", lines=["h1"])
        procedure = os.path.join(self.scratch, "packs", "toy", "procedures", "upgrade.yaml")
        with open(procedure, encoding="utf-8") as file:
            text = file.read().replace("within: 5s", "within: 20m", 1)
        with open(procedure, "w", encoding="utf-8") as file:
            file.write(text)
        for member in self.cluster.members:
            self.cluster.set_convert_seconds(member, 3)
        self.make_plan()

    def test_in_a_long_action(self) -> None:
        """The conductor does not wait for the action's own limit: it pings, takes another line, and
        learns what became of the action."""
        self.begin_with_long_action()
        running = self.start_drydock("apply", self.plan)
        self.wait_for(lambda: any(request["do"] == "exec" for request in self.requests("h1")),
                      "the conversion to begin")
        self.rogue("h1", "mute")
        time.sleep(1)
        self.cluster.mend("h1", "mute")
        done = running.wait(DEAD_LINE_SECONDS_MAX)
        self.assertEqual(done.code, hostile.WAITS, done.text())
        self.assertEqual([self.cluster.conversions(member) for member in self.cluster.members],
                         [1, 1, 1])
        pings = [request for request in self.requests("h1") if request["do"] == "ping"]
        self.assertGreaterEqual(len(pings), 1)

    def test_quiet_line(self) -> None:
        """A line that is quiet for long and answers pings is kept."""
        self.begin_with_long_action()
        self.cluster.set_convert_seconds("m1", 1)
        self.cluster.set_convert_seconds("m2", 80)
        self.drydock("apply", self.plan, expect=hostile.WAITS, timeout=scaled(120))
        asked = [request["do"] for request in self.requests("h1")]
        self.assertIn("ping", asked)
        fences = [word for word in asked if word == "fence"]
        self.assertEqual(len(fences), 1, "the line was given up")


if __name__ == "__main__":
    hostile.main()
