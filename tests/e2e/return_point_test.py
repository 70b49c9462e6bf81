"""`drydock plan` puts the gate where trying the way back finds that it closes, and says so."""

import json
import os
import unittest

from program import DONE
from sealed import SealedTest, cluster, pack

RELEASES = """stores: {data: {role: node, formats: ["1", "2"]}}
series:
  "1": {data: {reads: ["1"], writes: "1"}}
  "2": {data: {reads: ["1", "2"], writes: "2", raises: on_finalize}}
releases: {"1.0": {series: "1"}, "2.0": {series: "2"}}
"""
ROLL = """  - phase: roll
    each: {role: node, order: serial}
    steps: [{stop: node}, {install: "${to}"}, {start: node}]
"""
UPGRADE = "procedure: upgrade\nkind: rolling\ntitle: up\nphases:\n" + ROLL + """  - phase: finalize
    steps:
      - run: "seal with the new key"
        id: seal
        on: {one_of: node}
        do: {command: {argv: [seal]}}
        effect: [{becomes: {fact: key, value: new}}]
        repeatable: yes
        remedy: "see its log"
      - finalize: "convert"
        id: convert
        on: {one_of: node}
        do: {command: {argv: [finalize]}}
        effect: [{raises: data}]
        repeatable: yes
        remedy: "see its log"
"""
DOWNGRADE = "procedure: downgrade\nkind: rolling\ntitle: down\ncost: nothing\nphases:\n" + """  - phase: preflight
    steps:
      - require: "the old key opens it"
        id: old-key
        all: [{fact: key, is: old}]
        remedy: "the old release does not know the new key"
""" + ROLL


class ReturnPoint(SealedTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("packs/sealed/pack.yaml", pack("{service: state}"))
        self.write("packs/sealed/releases.yaml", RELEASES)
        self.write("packs/sealed/procedures/upgrade.yaml", UPGRADE)
        self.write("packs/sealed/procedures/downgrade.yaml", DOWNGRADE)
        self.write("cluster.yaml", cluster(["m1", "m2"]))
        for member in ("m1", "m2"):
            self.write(f"{member}.json", json.dumps({"release": "1.0", "ready": True, "key": "old"}))

    def test_the_gate_moves(self) -> None:
        file = os.path.join(self.scratch, "plan.json")
        shown = self.drydock("plan", "-c", "cluster.yaml", "--to", "2.0", "-o", file)
        self.assertEqual(shown.code, DONE, shown.text())
        self.assertIn("tried from every state", shown.stdout)
        with open(file) as plan_file:
            plan = json.load(plan_file)
        actions = {action["id"]: action for action in plan["actions"]}
        seal = actions["finalize/m1/seal"]
        gates = [plan["actions"][before] for before in seal["after"]]
        self.assertEqual([gate["verb"] for gate in gates], ["gate"])
        self.assertEqual(plan["point_of_no_return"]["action"], "finalize/m1/seal")
        self.assertIn("the old key opens it", plan["point_of_no_return"]["because"])
        checked = self.drydock("check", file)
        self.assertEqual(checked.code, DONE, checked.text())
        self.assertIn("the way back closes with finalize/m1/seal", checked.stdout)


if __name__ == "__main__":
    unittest.main()
