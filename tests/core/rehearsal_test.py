"""A rehearsal: a run of its own on a copy, which leaves the members alone."""

import json
import os

import harness
from harness import DONE, HALTED, KILLED, NEW, NO, OLD

TOUCHES = {"stop": "acts on the cluster itself", "effect": "has the effect `becomes`",
           "http": "is no command in the scratch folder",
           "elsewhere": "does not name ${scratch}"}


class Rehearsal(harness.Case):
    def begin_with(self, *variants: str) -> None:
        self.begin(" ".join(["rehearsal", *variants]))
        self.make_plan()

    def rehearse(self, expect: int = DONE, **how: dict[str, str]) -> harness.Run:
        return self.drydock("rehearse", self.plan, expect=expect, **how)

    def assert_untouched(self) -> None:
        self.assertEqual(self.cluster.versions(), [OLD] * 3)
        self.assertEqual([self.cluster.stops(member) for member in self.cluster.members], [0] * 3)
        backups = self.cluster.path("state", "backups")
        left = [name for name in os.listdir(backups) if name.endswith(".scratch")]
        self.assertEqual(left, [], "the copy was not taken away")

    def test_what_it_found_is_shown_and_required(self) -> None:
        self.begin_with()
        self.drydock("apply", self.plan, expect=HALTED)
        self.drydock("abort", expect=DONE)
        self.make_plan()
        self.rehearse()
        self.assert_untouched()
        self.assertEqual(self.runs()[-1], "finished")
        words = self.words_of(self.drydock("plan", "--to", NEW, "-o", self.plan, expect=DONE))
        self.assertIn("rehearsed on a copy: 1.5 s forward, way back behind the last step: open",
                      words)
        with open(self.plan, encoding="utf-8") as file:
            ways = json.load(file)["ways_back"]
        self.assertIn("rehearsed behind the last step: open", ways[0]["cost"])
        self.drydock("apply", self.plan, expect=DONE)
        self.assert_all_on(NEW)

    def test_killed_at_every_record(self) -> None:
        self.begin_with()
        self.rehearse()
        records = self.events()[-1]["sequence"]
        self.assertGreater(records, 8)
        for record in range(1, records):
            with self.subTest(record=record):
                self.rehearse(KILLED, env={"DRYDOCK_CRASH": f"{record}:after"})
                self.drydock("resume", expect=DONE)
                self.assert_untouched()
        self.drydock("journal", "verify", expect=DONE)

    def test_steps_that_would_touch_the_members(self) -> None:
        """The law names the step; nothing is begun."""
        for variant, words in TOUCHES.items():
            with self.subTest(variant):
                self.begin_with(f"rehearsal-{variant}")
                done = self.rehearse(NO)
                self.assertIn("would not keep to the copy", self.words_of(done))
                self.assertIn(words, self.words_of(done))
                self.assertEqual(self.runs(), [])

    def test_pack_without_one(self) -> None:
        self.begin()
        self.make_plan()
        self.assertIn("has no rehearsal", self.words_of(self.rehearse(NO)))

    def test_dry_run(self) -> None:
        self.begin_with()
        self.drydock("rehearse", self.plan, "--dry-run", expect=DONE)
        self.assertEqual(self.runs(), [])

    def test_behind_an_upgrade(self) -> None:
        """A rehearsal is no leg: the way back is that of the upgrade before it."""
        self.begin_with()
        self.rehearse()
        self.make_plan()
        self.drydock("apply", self.plan, expect=DONE)
        done = self.rehearse(env={"DRYDOCK_CRASH": "3:after"}, expect=KILLED)
        words = self.words_of(self.drydock("downgrade", expect=NO))
        self.assertIn("is a rehearsal", words)
        self.drydock("abort", expect=DONE)
        self.drydock("downgrade", expect=DONE)
        self.assert_all_on(OLD)
        self.assertIsNotNone(done)


if __name__ == "__main__":
    harness.main()
