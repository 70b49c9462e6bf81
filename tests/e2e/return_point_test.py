"""`drydock plan` puts the gate where trying the way back finds that it closes, and says so."""

import json
import os
import tempfile
import unittest

from program import DONE, Running

PACK = """pack: sealed
title: Sealed
roles: {node: {quorum: none, stores: [data]}}
settings: {node: {facts: {type: path, help: "where the test says what is there"}}}
facts:
  node:
    service: {type: text, probe: {service: state}}
    installed: {binds: installed, type: release, probe: {file: {path: "${facts}", as: json, pointer: /release}}}
    running: {binds: running, type: release, probe: {file: {path: "${facts}", as: json, pointer: /release}}}
    ready: {binds: ready, type: bool, probe: {file: {path: "${facts}", as: json, pointer: /ready}}}
    key_seen: {type: text, probe: {file: {path: "${facts}", as: json, pointer: /key}}}
  system:
    key: {type: text, derive: {agreed: key_seen}}
"""
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
CLUSTER = """cluster: small
system: sealed
state: SCRATCH/state
hosts: {here: {connect: local}}
roles:
  node:
    host: here
    service: {process: {argv: ["${release}/node"], pid_file: "SCRATCH/${member}.pid", log: "SCRATCH/${member}.log"}}
    release: {link: "SCRATCH/${member}", versions: {"1.0": SCRATCH/1.0, "2.0": SCRATCH/2.0}}
    settings: {facts: "SCRATCH/${member}.json"}
members: [{role: node, name: m1}, {role: node, name: m2}]
"""


class ReturnPoint(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.scratch = folder.name
        self.write("packs/sealed/pack.yaml", PACK)
        self.write("packs/sealed/releases.yaml", RELEASES)
        self.write("packs/sealed/procedures/upgrade.yaml", UPGRADE)
        self.write("packs/sealed/procedures/downgrade.yaml", DOWNGRADE)
        self.write("cluster.yaml", CLUSTER.replace("SCRATCH", self.scratch))
        for member in ("m1", "m2"):
            self.write(f"{member}.json", json.dumps({"release": "1.0", "ready": True, "key": "old"}))

    def write(self, name: str, text: str) -> None:
        path = os.path.join(self.scratch, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def test_the_gate_moves(self) -> None:
        env = {"DRYDOCK_PACKS": os.path.join(self.scratch, "packs")}
        file = os.path.join(self.scratch, "plan.json")
        shown = Running(["plan", "-c", "cluster.yaml", "--to", "2.0", "-o", file], self.scratch,
                        env).wait()
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
        checked = Running(["check", file], self.scratch, env).wait()
        self.assertEqual(checked.code, DONE, checked.text())
        self.assertIn("the way back closes with finalize/m1/seal", checked.stdout)


if __name__ == "__main__":
    unittest.main()
