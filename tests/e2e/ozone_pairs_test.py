"""Other pairs of releases with the same pack: other layouts, two hops, and equal layouts."""

from typing import Any

import ozone_harness  # first: it knows where the others are
import keys
from cluster import Shape
from ozone_harness import DONE, NEW, OLD, in_full

EQUAL = ("2.2.0", NEW)  # HDDS 10 and OM 9, both


def held(hdds: int, om: int) -> str:
    """The name of 2.2.0 that is held to these layouts."""
    return OLD.replace("h4o3", f"h{hdds}o{om}")


HOPS = (held(4, 3), held(7, 6), NEW)  # as 1.3, 1.4 and 2.2 have them


class Pairs(ozone_harness.Case):
    def fresh(self, *versions: str) -> None:
        """A new cluster on the first of these releases."""
        self.begin_fresh(Shape(), versions)
        keys.put(self.cluster, "golden")

    def kinds(self, plan: dict[str, Any]) -> set[str]:
        """What the plan does in the phase `finalize`, by the steps' names."""
        return {action["id"].rsplit("/", 1)[1] for action in plan["actions"]
                if action["phase"] == "finalize"}

    def test_equal_layouts_have_no_gate_and_nothing_to_finalize(self) -> None:
        self.fresh(*EQUAL)
        plan = self.make_plan()
        self.assertEqual(self.kinds(plan), set())
        self.assertFalse([action for action in plan["actions"] if action["verb"] == "gate"])
        self.assertIn("both releases write hdds 10", " ".join(plan["skipped"]))
        self.drydock("apply", self.plan, expect=DONE)
        self.assert_finalized()
        self.assert_keys("golden")
        self.drydock("downgrade", expect=DONE)  # at any time
        self.assertEqual(self.versions(), {EQUAL[0]})
        self.assert_keys("golden")

    @in_full
    def test_two_hops_with_a_finalize_between(self) -> None:
        self.fresh(*HOPS)
        for release in HOPS[1:]:
            self.to_the_gate(release)
            keys.put(self.cluster, release)
            self.finish()
            self.assert_finalized(release)
        self.assert_keys("golden", *HOPS[1:])

    @in_full
    def test_only_hdds_rises(self) -> None:
        self.fresh(held(8, 9), NEW)
        kinds = self.kinds(self.make_plan())
        self.assertIn("hdds", kinds)
        self.assertNotIn("om", kinds)
        self.to_the_gate()
        self.finish()
        self.assert_finalized()
        self.assert_keys("golden")

    @in_full
    def test_only_om_rises(self) -> None:
        self.fresh(held(10, 8), NEW)
        plan = self.make_plan()
        copies = {"whole-scm", "whole-datanode", "whole-om"}  # put back together, so read together
        self.assertEqual(self.kinds(plan) - copies, {"finalize", "om"})
        self.assertLess(copies, self.kinds(plan))
        self.assertTrue(plan["point_of_no_return"]["action"].endswith("/om"))
        self.drydock("apply", self.plan, expect=ozone_harness.WAITS)
        self.finish()
        self.assert_finalized()
        self.assert_keys("golden")


if __name__ == "__main__":
    ozone_harness.main()
