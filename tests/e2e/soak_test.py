"""A gate that soaks: the time that has passed counts, also when the conductor dies meanwhile."""

import json
from typing import Any

import harness  # first: it knows where the others are
from cluster import wait_until
from program import WAITS

SOAK_SECONDS = 12


class Soak(harness.Case):
    def status(self) -> dict[str, Any]:
        return json.loads(self.drydock("status", "--json").stdout)

    def test_a_killed_conductor_does_not_begin_it_anew(self) -> None:
        self.begin(soak=f"{SOAK_SECONDS}s")
        self.make_plan()
        running = self.start_drydock("apply", self.plan)
        wait_until(lambda: self.drydock("status").code == WAITS, 60, lambda: "it never soaked",
                   every=0.2)
        running.kill()

        soaks = self.status()
        self.assertGreater(soaks["soak_left_ms"], 0)
        self.assertEqual(soaks["open_gate"], "")
        self.assertTrue(soaks["gate_facts"], "what is known is told while it soaks, too")
        self.assertIn("since", self.drydock("status").stdout)

        self.drydock("resume", expect=WAITS)
        waits = self.status()
        self.assertEqual((waits["open_gate"], waits["soak_left_ms"]), (self.gate(), 0))
        self.assertEqual(waits["gate_since_ms"], soaks["gate_since_ms"])
        events = self.journal_events()
        self.assertEqual(sum(event["type"] == "soak.started" for event in events), 1)
        opened = next(event["wall_ms"] for event in events if event["type"] == "gate.opened")
        self.assertGreaterEqual(opened - waits["gate_since_ms"], SOAK_SECONDS * 1000)
        self.finish()
        self.assert_upgraded()


if __name__ == "__main__":
    harness.main()
