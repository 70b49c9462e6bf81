#!/usr/bin/env python3
"""The gate gives clang-tidy what changed, and the same files for the same commit: a failure repeats."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "tools", "lint_files")


@unittest.skipUnless(shutil.which("git"), "git is not installed")
class LintFiles(unittest.TestCase):
    def setUp(self) -> None:
        self.root = tempfile.mkdtemp(prefix="drydock-lint-")
        self.addCleanup(shutil.rmtree, self.root)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str, root: str = "") -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words], cwd=root or self.root,
                       check=True, capture_output=True, env=environment)

    def commit(self, **files: str) -> None:
        """Files by their path: `__` is a slash, and the last `_` a dot."""
        for name, text in files.items():
            path = os.path.join(self.root, ".".join(name.replace("__", "/").rsplit("_", 1)))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change files")

    def selected(self, *words: str, root: str = "") -> list[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return subprocess.run([PROGRAM, *words], cwd=root or self.root, check=True, capture_output=True, text=True,
                              env=environment).stdout.split()

    def test_headers_stand_for_a_file_that_includes_them(self) -> None:
        self.commit(src__a__one_h="", src__a__one_cpp='#include "a/one.h"\n', src__a__two_h='#include "a/deep.h"\n',
                    src__a__deep_h="", src__b__user_cpp='#include "a/two.h"\n', src__b__other_cpp="")
        self.git("tag", "v0.1.0")
        self.commit()
        self.assertEqual(self.selected(), [])
        self.commit(src__a__one_h="// changed\n")
        self.assertEqual(self.selected(), ["src/a/one.cpp"])
        self.commit(src__a__deep_h="// changed\n")
        self.assertEqual(self.selected(), ["src/a/one.cpp", "src/b/user.cpp"])
        self.commit(tests__c_h="")
        self.assertEqual(self.selected("--headers"), ["src/a/deep.h", "src/a/one.h"])

    def test_from_the_last_release_on_main_and_from_main_on_a_branch(self) -> None:
        self.commit(a_cpp="")
        self.git("tag", "v0.1.0")
        self.commit(b_cpp="")
        self.commit(c_cpp="")
        self.assertEqual(self.selected(), ["b.cpp", "c.cpp"])
        self.git("checkout", "-q", "-b", "topic")
        self.commit(d_cpp="")
        self.assertEqual(self.selected(), ["d.cpp"])
        self.assertEqual(self.selected("--all"), ["a.cpp", "b.cpp", "c.cpp", "d.cpp"])

    def test_as_far_as_the_history_goes(self) -> None:
        """Without any, whole files that are known to be clean: in others, old faults would be those of this commit."""
        self.commit(a_cpp="", src__a_h="", tests__tidy__clean_files_txt="a.cpp\ngone.cpp\n")
        self.assertEqual(self.selected(), ["a.cpp"])
        self.commit(b_cpp="")
        self.assertEqual(self.selected(), ["b.cpp"])
        clone = os.path.join(self.root, "clone")
        self.git("clone", "-q", "--depth", "1", "file://" + self.root, clone)
        self.assertEqual(self.selected(root=clone), ["a.cpp"])
        self.assertEqual(self.selected("--lines", root=clone), [])
        self.assertEqual(self.selected("--headers", root=clone), ["src/a.h"])
        self.assertEqual(self.selected("--all", root=clone), ["a.cpp", "b.cpp"])

    def test_old_faults_are_not_those_of_a_change(self) -> None:
        """clang-tidy is told of new lines; of a file that is new, all of them."""
        self.commit(a_cpp="1\n2\n3\n4\n5\n", gone_cpp="", b_h="1\n", c_txt="")
        self.git("tag", "v0.1.0")
        os.remove(os.path.join(self.root, "gone.cpp"))
        self.commit(a_cpp="1\nnew\n3\n5\nnew\nnew\n", d_cpp="1\n2\n", b_h="", c_txt="new\n")
        with open(os.path.join(self.root, "e.cpp"), "w", encoding="utf-8"):
            pass  # not committed yet
        lines = json.loads(" ".join(self.selected("--lines")))
        self.assertEqual(lines, [{"name": "a.cpp", "lines": [[2, 2], [5, 6]]}, {"name": "d.cpp", "lines": [[1, 2]]}, {"name": "e.cpp"}])
        self.assertEqual(self.selected("--all", "--lines"), [])

    def test_the_draw_repeats(self) -> None:
        self.commit()
        self.commit(**{f"f{number}_cpp": "" for number in range(30)})
        drawn = self.selected("--at-most", "5")
        self.assertEqual(len(drawn), 5)
        self.assertEqual(self.selected("--at-most", "5"), drawn)
        others = set()
        for _ in range(5):
            self.commit()
            others.update(self.selected("--all", "--at-most", "5"))
        self.assertGreater(len(others), 5)


if __name__ == "__main__":
    unittest.main()
