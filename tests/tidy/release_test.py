#!/usr/bin/env python3
"""A release gathers every note once and in order, and changes nothing when it refuses."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RELEASE = os.path.join(ROOT, "changelog", "release")
HEADER = "# Changes\n\nWhat a user can notice.\n"
NOTES = {
    "a-fix.md": "kind: fixed\n\nA fault is gone.\nIt was there before.\n",
    "b-new.md": "kind: added\n\n`drydock new` is new.\n",
    "c-new.md": "kind: added\n\nSo is this.\n\n    drydock new\n",
}


class Release(unittest.TestCase):
    def setUp(self) -> None:
        self.root = tempfile.mkdtemp(prefix="drydock-release-")
        self.addCleanup(shutil.rmtree, self.root)
        os.makedirs(os.path.join(self.root, "changelog", "unreleased"))
        self.write("CMakeLists.txt", "project(drydock VERSION 0.1.0 LANGUAGES CXX C)\n")
        self.write("CHANGELOG.md", HEADER)
        self.write("changelog/unreleased/README.md", "# Notes\n")
        for name, text in NOTES.items():
            self.write("changelog/unreleased/" + name, text)

    def write(self, path: str, text: str) -> None:
        with open(os.path.join(self.root, path), "w", encoding="utf-8") as file:
            file.write(text)

    def tree(self) -> dict[str, str]:
        found = {}
        for top, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(top, name)
                with open(path, encoding="utf-8") as file:
                    found[os.path.relpath(path, self.root)] = file.read()
        return found

    def release(self, *words: str, root: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, RELEASE, *words, "--root", root or self.root], capture_output=True,
                              text=True, check=False)

    def assert_refused(self, why: str, *words: str) -> None:
        before = self.tree()
        done = self.release(*words)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertIn(why, done.stderr)
        self.assertEqual(self.tree(), before)

    def test_notes_become_a_section_by_kind(self) -> None:
        before = self.tree()
        done = self.release("0.1.0", "--date", "2026-12-01")
        self.assertEqual(done.returncode, 0, done.stderr)
        after = self.tree()
        self.assertEqual(after.pop("CHANGELOG.md"), HEADER + (
            "\n## 0.1.0 (2026-12-01)\n"
            "\n### Added\n\n- `drydock new` is new.\n- So is this.\n\n      drydock new\n"
            "\n### Fixed\n\n- A fault is gone.\n  It was there before.\n"))
        self.assertEqual(after, {path: text for path, text in before.items()
                                 if os.path.basename(path) not in ("CHANGELOG.md", *NOTES)})

    def test_the_next_version_stands_above(self) -> None:
        self.release("0.1.0", "--date", "2026-12-01")
        self.write("CMakeLists.txt", "project(drydock VERSION 0.2.0 LANGUAGES CXX C)\n")
        self.write("changelog/unreleased/gone.md", "kind: removed\n\nA command is gone.\n")
        self.assertEqual(self.release("0.2.0", "--date", "2026-12-24").returncode, 0)
        text = self.tree()["CHANGELOG.md"]
        self.assertTrue(text.startswith(HEADER + "\n## 0.2.0 (2026-12-24)\n\n### Removed\n\n- A command is gone.\n"
                                                 "\n## 0.1.0 (2026-12-01)\n\n### Added\n"), text)
        self.assertEqual(text.count("\n## "), 2)

    def test_refusals_change_nothing(self) -> None:
        self.assert_refused("has version 0.1.0, not 0.2.0", "0.2.0")
        self.assert_refused("no version", "next")
        self.assert_refused("give a version")
        self.write("CHANGELOG.md", HEADER + "\n## 0.1.0 (2026-01-01)\n")
        self.assert_refused("has 0.1.0 already", "0.1.0")

    def test_malformed_notes_are_all_named(self) -> None:
        for name, text in {"x.md": "A sentence.\n", "y.md": "kind: improved\n\nBetter.\n", "z.md": "kind: added\n\n",
                           "w.txt": "kind: added\n\nWell.\n", "v.md": "kind: added\n\n# Heading\n"}.items():
            self.write("changelog/unreleased/" + name, text)
        for words in (("0.1.0",), ("--check",)):
            for name in ("x.md", "y.md", "z.md", "w.txt", "v.md"):
                self.assert_refused(f"\n  {name}: ", *words)

    def test_without_notes_there_is_no_release(self) -> None:
        for name in NOTES:
            os.unlink(os.path.join(self.root, "changelog", "unreleased", name))
        self.assert_refused("no notes", "0.1.0")

    def test_the_notes_of_this_repository_are_well_formed(self) -> None:
        done = self.release("--check", root=ROOT)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
