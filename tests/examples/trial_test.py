"""Packs that are tried without a cluster: `pack new`, `pack lint`, `pack try`, `plan --facts`, and what each ends with."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from program import DONE, NO, ROOT, USAGE, Run, program, require_program, run_drydock  # noqa: E402  (found above)

from limits import scaled  # noqa: E402  (program.py makes it known)

KNOWN = os.path.join(ROOT, "tests", "known")


class Trials(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        require_program()

    def setUp(self) -> None:
        self.scratch = tempfile.mkdtemp(prefix="drydock-trial-")
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.case = os.path.join(self.scratch, "orders")

    def drydock(self, *words: str, expect: int) -> Run:
        # Without trust: what reads files only must never ask for it.
        packs = {"DRYDOCK_PACKS": os.path.join(self.scratch, "packs"), "DRYDOCK_TRUST": "0",
                 "XDG_STATE_HOME": os.path.join(self.scratch, "user")}
        done = run_drydock(list(words), self.scratch, packs)
        self.assertEqual(done.code, expect, done.text())
        return done

    def make_case(self) -> None:
        self.drydock("pack", "new", "orders", "--name", "orders", expect=DONE)

    def write(self, name: str, text: str) -> None:
        path = os.path.join(self.case, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def install_pack(self) -> None:
        shutil.copytree(os.path.join(self.case, "pack"), os.path.join(self.scratch, "packs", "orders"))

    def test_a_new_pack_passes_lint_and_try(self) -> None:
        self.make_case()
        self.drydock("pack", "lint", "orders/pack", expect=DONE)
        done = self.drydock("pack", "try", "orders", expect=DONE)
        self.assertTrue(done.stdout.startswith("As told"), done.text())
        self.assertIn("stopped by preflight: every-server-ready", done.stdout)
        answer = json.loads(self.drydock("pack", "try", "orders", "--json", expect=DONE).stdout)
        self.assertTrue(answer["as_told"])
        self.assertEqual([twin["stopped_by"] for twin in answer["twins"]], ["preflight", ""])
        self.assertEqual(answer["twins"][1]["report"]["verdict"], "holds")

    def test_what_new_prints_works_as_it_is_typed(self) -> None:
        """In a folder with a name that a shell would take apart, and for somebody whose group may write new files."""
        self.addCleanup(os.umask, os.umask(0o002))
        made = run_drydock(["pack", "new", "my orders", "--name", "orders"], self.scratch)
        self.assertEqual(made.code, DONE, made.text())
        for root, folders, _ in os.walk(os.path.join(self.scratch, "my orders")):
            for folder in folders:
                self.assertEqual(os.stat(os.path.join(root, folder)).st_mode & 0o022, 0, folder)
        commands = [line.strip() for line in made.stdout.splitlines() if " drydock " in line]
        self.assertEqual([re.search(r"drydock (pack \w+|\w+)", one)[1] for one in commands],
                         ["pack lint", "pack try", "plan", "check", "guide"])
        shell = {**os.environ, "PATH": f"{self.program_folder()}:{os.environ['PATH']}", "DRYDOCK_TRUST": "0",
                 "XDG_STATE_HOME": os.path.join(self.scratch, "user")}
        shell.pop("DRYDOCK_PACKS", None)
        for command in commands:
            done = subprocess.run(["bash", "-c", command], cwd=self.scratch, env=shell, timeout=scaled(120),
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
            self.assertNotIn("none was compiled", done.stdout)

    def program_folder(self) -> str:
        """A folder in which the tested program is called drydock, as it is on a PATH."""
        folder = os.path.join(self.scratch, "bin")
        os.makedirs(folder, exist_ok=True)
        os.symlink(os.path.abspath(program()), os.path.join(folder, "drydock"))
        return folder

    def test_wrong_use_names_the_whole_command(self) -> None:
        for words in (("pack", "new"), ("pack", "try"), ("extract", "inspect"), ("check",)):
            self.assertIn(f"see `drydock {' '.join(words)} --help`", self.drydock(*words, expect=USAGE).stderr)

    def test_lint_finds_the_pack_of_a_case(self) -> None:
        self.make_case()
        self.assertIn("orders/pack: no problems", self.drydock("pack", "lint", "orders", expect=DONE).stdout)

    def test_one_pack_can_be_the_folder_of_packs(self) -> None:
        self.make_case()
        only = {"DRYDOCK_PACKS": os.path.join(self.case, "pack")}
        self.assertEqual(run_drydock(["pack", "list"], self.scratch, only).stdout, "orders\n")
        self.assertIn("no problems", run_drydock(["pack", "lint", "orders"], self.scratch, only).stdout)

    def test_a_check_says_why_no_way_back_was_tried(self) -> None:
        self.make_case()
        self.install_pack()
        self.drydock("plan", "-c", "orders/cluster.yaml", "--to", "1.1.0", "--facts", "orders/facts.yaml",
                     "-o", "plan.json", expect=DONE)
        shutil.rmtree(os.path.join(self.scratch, "packs"))
        done = self.drydock("check", "plan.json", expect=DONE)
        self.assertIn("ways back: orders/cluster.yaml: there is no pack for `orders`", done.stdout)

    def test_members_that_look_alike_harm_no_trial(self) -> None:
        self.make_case()
        path = os.path.join(self.case, "cluster.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.write("cluster.yaml", text.replace(', "--name", "${member}"', ""))
        done = self.drydock("pack", "try", "orders", expect=DONE)
        self.assertIn("cannot be told apart", " ".join(done.stdout.split()))
        self.install_pack()
        refused = self.drydock("survey", "-c", "orders/cluster.yaml", expect=USAGE)
        self.assertIn("cannot be told apart", refused.stderr)

    def test_new_writes_into_no_full_folder_and_a_dry_run_writes_nothing(self) -> None:
        listed = self.drydock("pack", "new", "orders", "--name", "orders", "--dry-run", expect=DONE)
        self.assertIn("pack/pack.yaml", listed.stdout)
        self.assertFalse(os.path.exists(self.case))
        self.drydock("pack", "new", "orders", "--name", "or ders", expect=USAGE)
        self.assertFalse(os.path.exists(self.case))
        os.mkdir(self.case)  # an empty one is taken
        self.make_case()
        self.write("facts.yaml", "mine")
        self.assertIn("is there already", self.drydock("pack", "new", "orders", "--name", "x", expect=NO).stderr)
        with open(os.path.join(self.case, "facts.yaml"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine")

    def test_twins_that_do_otherwise_end_with_1(self) -> None:
        self.make_case()
        os.remove(os.path.join(self.case, "failing", "facts.yaml"))
        done = self.drydock("pack", "try", "orders", expect=NO)
        self.assertIn("failing: is not stopped", done.stdout)

    def test_wrong_files_end_with_2_and_are_all_told_at_their_place(self) -> None:
        self.make_case()
        self.write("failing/facts.yaml", "s3: {raedy: false}")
        self.write("passing/facts.yaml", "s3: {ready: maybe}")
        done = self.drydock("pack", "try", "orders", expect=USAGE)
        self.assertIn("orders/failing/facts.yaml:1:6  unknown fact `raedy`; did you mean `ready`?", done.stderr)
        self.assertIn("orders/passing/facts.yaml:1:", done.stderr)
        self.write("case.yaml", "title: [\n")
        self.assertIn("orders/case.yaml:", self.drydock("pack", "try", "orders", expect=USAGE).stderr)
        self.assertIn("no such folder", self.drydock("pack", "try", "nowhere", expect=USAGE).stderr)

    def test_a_folder_without_twins_ends_with_what_is_found(self) -> None:
        self.make_case()
        shutil.rmtree(os.path.join(self.case, "failing"))
        shutil.rmtree(os.path.join(self.case, "passing"))
        os.remove(os.path.join(self.case, "case.yaml"))
        self.assertIn("nothing stops this plan", self.drydock("pack", "try", "orders", expect=DONE).stdout)
        self.assertIn("stopped by route", self.drydock("pack", "try", "orders", "--to", "9.9.9", expect=NO).stdout)

    def test_a_known_failure_is_told_with_its_story(self) -> None:
        done = self.drydock("pack", "try", os.path.join(KNOWN, "redis-14064-rdb-version"), expect=DONE)
        self.assertIn("stopped by check: unreadable-start", done.stdout)
        self.assertIn("cannot read (data is 12)", " ".join(done.stdout.split()))

    def test_a_plan_from_a_file_of_facts_is_checked_and_never_applied(self) -> None:
        self.make_case()
        self.install_pack()
        made = ("plan", "-c", "orders/cluster.yaml", "--to", "1.1.0", "--facts")
        done = self.drydock(*made, "orders/facts.yaml", "-o", "plan.json", expect=DONE)
        self.assertIn("no host was asked", " ".join(done.stdout.split()))
        self.assertIn("Next: drydock check plan.json", done.stdout)
        self.drydock("check", "plan.json", expect=DONE)
        for words in (("apply", "plan.json"), ("apply", "plan.json", "--dry-run", "--trust")):
            refused = self.drydock(*words, expect=NO)
            self.assertIn("the facts in orders/facts.yaml", refused.stderr)
            self.assertIn("drydock plan -c", refused.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.scratch, "user")), "something was trusted")
        self.write("facts.yaml", "every: {redy: true}")
        self.assertIn("orders/facts.yaml:1:9", self.drydock(*made, "orders/facts.yaml", expect=USAGE).stderr)
        self.drydock(*made, "nowhere.yaml", expect=USAGE)


if __name__ == "__main__":
    unittest.main()
