#!/usr/bin/env python3
"""A run of all tests draws one part of each group of long tests: each name is that of a test, and each part has its turn."""

import importlib.machinery
import importlib.util
import json
import os
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "tools", "drawn_tests")
COMMITS = 200  # in which each part must have been drawn


def load() -> object:
    loader = importlib.machinery.SourceFileLoader("drawn_tests", PROGRAM)
    spec = importlib.util.spec_from_loader("drawn_tests", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


class DrawnTests(unittest.TestCase):
    def setUp(self) -> None:
        self.tool = load()
        with open(self.tool.GROUPS, encoding="utf-8") as file:
            self.groups = self.tool.groups(file.read())

    def test_each_name_is_that_of_one_test(self) -> None:
        """A test that got another name would run in each run, or in none."""
        if not (build := os.environ.get("DRYDOCK_BUILD")):
            self.skipTest("DRYDOCK_BUILD names no build; ctest sets it")
        told = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], capture_output=True, text=True, check=True)
        known = [test["name"] for test in json.loads(told.stdout)["tests"]]
        named = [name for group in self.groups for part in group for name in part]
        self.assertEqual([name for name in named if known.count(name) != 1], [])
        self.assertEqual(len(named), len(set(named)))

    def test_each_part_has_its_turn(self) -> None:
        turns: dict[str, int] = {}
        for number in range(COMMITS):
            taken, left = self.tool.drawn(self.groups, f"commit {number}")
            self.assertEqual(sorted(taken + left), sorted(name for group in self.groups for part in group for name in part))
            for name in taken:
                turns[name] = turns.get(name, 0) + 1
        for group in self.groups:
            for part in group:
                for name in part:
                    self.assertGreater(turns.get(name, 0), COMMITS / len(group) / 2, name)

    def test_one_commit_always_draws_the_same(self) -> None:
        told = {subprocess.run([PROGRAM, "--draw", "abc"], capture_output=True, text=True, check=True).stdout for _ in range(2)}
        self.assertEqual(len(told), 1)
        taken, left = self.tool.drawn(self.groups, "abc")
        pattern = told.pop().strip()
        self.assertTrue(pattern.startswith("^(") and pattern.endswith(")$"))
        self.assertIn(left[0].replace(".", r"\."), pattern)
        self.assertNotIn(taken[0].replace(".", r"\."), pattern)


if __name__ == "__main__":
    unittest.main()
