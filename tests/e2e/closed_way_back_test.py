"""`drydock downgrade` is refused behind the point of no return, whatever the cluster looks like."""

import json
import os
import unittest

from program import DONE, NO, WAITS, Run
from sealed import SealedTest, cluster, pack

SERVICE = '{file: {path: "${facts}", as: json, pointer: /service}}'
RELEASES = """stores: {data: {role: node, formats: ["1"]}}
series:
  "1": {data: {reads: ["1"], writes: "1"}}
  "2": {data: {reads: ["1"], writes: "1"}}
releases: {"1.0": {series: "1"}, "2.0": {series: "2"}}
"""
STEP = """      - run: "%s"
        id: %s
        on: {one_of: node}
        do: {command: {argv: [cp, "SCRATCH/%s.json", "${facts}"]}}
        effect: [%s]
        then: [%s]
        within: 10s
        remedy: "see its log"
"""
MOVES = "{becomes: {fact: installed, value: \"${to}\"}}, {becomes: {fact: running, value: \"${to}\"}}"
UPGRADE = ("procedure: upgrade\nkind: in-place\ntitle: up\nphases:\n  - phase: up\n    steps:\n"
           + STEP % ("switch", "switch", "new", MOVES, "{fact: running, is: \"${to}\"}")
           + STEP % ("seal", "seal", "sealed", "{becomes: {fact: key, value: new}}",
                     "{fact: key, is: new}"))
DOWNGRADE = ("procedure: downgrade\nkind: in-place\ntitle: down\ncost: nothing\nphases:\n"
             "  - phase: down\n    steps:\n      - require: \"the old key opens it\"\n        id: old-key\n"
             "        all: [{fact: key, is: old}]\n        remedy: \"the old release does not know the new key\"\n"
             + STEP % ("switch back", "back", "old", MOVES, "{fact: running, is: \"${to}\"}"))


class ClosedWayBack(SealedTest):
    def setUp(self) -> None:
        super().setUp()
        for name, text in (("pack", pack(SERVICE)), ("releases", RELEASES), ("procedures/upgrade", UPGRADE),
                           ("procedures/downgrade", DOWNGRADE)):
            self.write(f"packs/sealed/{name}.yaml", text)
        self.write("cluster.yaml", cluster(["m1"], "policy: {soak: 0s}\n"))
        for name, release, key in (("old", "1.0", "old"), ("new", "2.0", "old"), ("sealed", "2.0", "new")):
            self.write(f"{name}.json", json.dumps({"service": "running", "release": release, "ready": True, "key": key}))
        self.look_like("old")

    def look_like(self, name: str) -> None:
        with open(os.path.join(self.scratch, f"{name}.json")) as file:
            self.write("m1.json", file.read())

    def apply(self, *more: str) -> Run:
        planned = self.drydock("plan", "-c", "cluster.yaml", "--to", "2.0", "-o", "plan.json")
        self.assertEqual(planned.code, DONE, planned.text())
        return self.drydock("apply", "plan.json", *more)

    def assert_refused(self, done: Run) -> None:
        self.assertEqual(done.code, NO, done.text())
        self.assertIn("the way back closed when up/m1/seal was begun (seal)", done.stderr)

    def test_it_is_open_before_the_gate(self) -> None:
        self.assertEqual((done := self.apply()).code, WAITS, done.text())
        self.assertIn("open", self.drydock("status", "-c", "cluster.yaml").stdout)
        done = self.drydock("downgrade", "-c", "cluster.yaml")
        self.assertEqual(done.code, DONE, done.text())

    def test_it_is_refused_though_the_cluster_looks_old_again(self) -> None:
        done = self.apply("--approve", "point-of-no-return")
        self.assertEqual(done.code, DONE, done.text())
        self.look_like("new")
        self.assert_refused(self.drydock("downgrade", "-c", "cluster.yaml"))
        self.assert_refused(self.drydock("plan", "-c", "cluster.yaml", "--to", "1.0", "-o", "back.json"))

    def test_it_is_refused_by_a_plan_that_was_made_before(self) -> None:
        """Reviewed at the gate, applied behind the point of no return."""
        self.assertEqual((done := self.apply()).code, WAITS, done.text())
        made = self.drydock("downgrade", "-c", "cluster.yaml", "--dry-run", "--json")
        self.write("back.json", made.stdout)
        self.drydock("approve", "point-of-no-return", "-c", "cluster.yaml")
        self.assertEqual(self.drydock("resume", "-c", "cluster.yaml").code, DONE)
        self.look_like("new")
        self.assert_refused(self.drydock("apply", "back.json"))
        self.look_like("new")
        self.assert_refused(self.drydock("plan", "-c", "cluster.yaml", "--to", "1.0"))


if __name__ == "__main__":
    unittest.main()
