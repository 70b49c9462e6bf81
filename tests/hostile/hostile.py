"""What the tests of attacks share: a toy cluster, some of whose hosts are reached by rogue.py."""

import json
import os
import sys
from typing import Any

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(FOLDER, "..", "core"))

import harness  # noqa: E402  (it needs the line above)
import toy  # noqa: E402
from harness import (DONE, HALTED, MOVED, NEW, NO, OLD, USAGE,  # noqa: E402,F401
                     WAITS)

REFUSED = (NO, HALTED, MOVED)
ESCAPE = "\x1b[2J\x1b]0;owned\x07\u009b31m\u202e\x7f\nOK  all is well"


class Case(harness.Case):
    """One test with a rogue host, h1 if nothing else is said."""

    def setUp(self) -> None:
        self.addCleanup(setattr, toy.Cluster, "line", toy.Cluster.line)
        toy.Cluster.line = os.path.join(FOLDER, "rogue.py")

    def rogue(self, host: str, wish: str, value: Any = True) -> None:
        """From now on that host's rogue does what rogue.py says of the wish."""
        self.cluster.cut(host, wish, json.dumps(value))

    def requests(self, host: str) -> list[dict[str, Any]]:
        """What the conductor sent to that host, oldest first."""
        try:
            with open(os.path.join(self.scratch, "lines", host, "requests"),
                      encoding="utf-8") as log:
                return [json.loads(line) for line in log]
        except FileNotFoundError:
            return []

    def use(self, old: str, new: str) -> None:
        """Replaces words of the cluster file."""
        with open(self.cluster_file, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        with open(self.cluster_file, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))

    def facts(self) -> dict[str, dict[str, Any]]:
        """What a survey says, by key."""
        return json.loads(self.drydock("survey", "--json").stdout)["facts"]


def fact(key: str, value: Any, **more: Any) -> dict[str, Any]:
    """A fact as an agent tells it."""
    return {"id": key, "status": "known", "value": value, "at_ms": 0, "after_ms": 0,
            "evidence": {"source": "made up"}} | more


def main() -> None:
    harness.main()
