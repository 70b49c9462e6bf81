"""Agents inside pods: `connect: [kubectl, exec, -i, POD, --]`, with a stand-in for kubectl."""

import os
import pathlib

import harness
from harness import DONE, NEW

STUB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "field", "common", "kubectl_stub")


class Kubectl(harness.Case):
    def test_an_upgrade_through_pods(self) -> None:
        """The agent's command follows the words of `connect`, on each connection."""
        self.begin()
        log = os.path.join(self.scratch, "kubectl.log")
        file = pathlib.Path(self.cluster_file)
        text = file.read_text(encoding="utf-8")
        self.assertEqual(text.count("connect: local"), 3)
        for number in range(3):
            text = text.replace("connect: local", f'connect: ["{STUB}", exec, -i, pachd-{number}, --]', 1)
        file.write_text(text, encoding="utf-8")
        self.environment["KUBECTL_LOG"] = log
        self.make_plan()
        self.drydock("apply", self.plan, expect=DONE)
        self.assertEqual(self.cluster.versions(), [NEW] * 3)
        lines = pathlib.Path(log).read_text(encoding="utf-8").splitlines()
        for number in range(3):
            words = [line for line in lines if line.startswith(f"exec -i pachd-{number} -- ")]
            self.assertTrue(words, lines)
            self.assertIn(" agent --state ", words[0])


if __name__ == "__main__":
    harness.main()
