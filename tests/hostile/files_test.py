"""Plans, cluster files and packs that somebody else wrote."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import unittest
from typing import Any, Callable

import hostile
from hostile import USAGE
from program import scaled

ABORTED = -6
SECONDS_MAX = scaled(20)


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Pipes(hostile.Case):
    """What never ends, or never begins, in the place of a file."""

    def strange(self) -> list[str]:
        pipe = os.path.join(self.scratch, "pipe")
        os.mkfifo(pipe)
        return [pipe, "/dev/zero", self.scratch]

    def test_inputs(self) -> None:
        self.begin()
        volume = os.path.join(self.scratch, "volume")
        os.mkdir(volume)
        for path in self.strange():
            for words in (["survey", "-c", path], ["status", "-c", path], ["check", path],
                          ["apply", path], ["guide", path], ["sign", path, "--key", path],
                          ["store", "inspect", path],
                          ["vfolders", "move", volume, "--list", path], ["extract", "inspect", path],
                          ["extract", "verify", path, "--against", path]):
                with self.subTest(words):
                    done = self.drydock(*words, timeout=SECONDS_MAX, expect=(hostile.NO, USAGE))
                    self.assertIn("is no plain file", self.words_of(done))


class Plans(hostile.Case):
    @staticmethod
    def ready(plan: dict[str, Any]) -> dict[str, Any]:
        """How it is read whether m1 is ready."""
        return next(source for source in plan["sources"].values()
                    if (source["member"], source["name"]) == ("m1", "ready"))

    def test_wrong_types(self) -> None:
        """A text in the place of an object is an error of the file, not of drydock."""
        self.begin()
        self.make_plan()
        for wrong in ("text", 1, ["a"], True):
            for place in ("probe", "request"):
                def change(plan: dict[str, Any]) -> None:
                    one = self.ready(plan) if place == "probe" else plan["actions"][0]
                    one[place] = wrong
                edited = self.edit(change)
                for command in ("check", "guide", "apply"):
                    with self.subTest((wrong, place, command)):
                        said = self.words_of(self.drydock(command, edited, expect=USAGE))
                        self.assertIn("is no object", said)

    def test_all_programs_are_listed(self) -> None:
        """Of a probe the script, by its content, and of an environment what it is checked with."""
        self.begin()
        self.make_plan()
        script = {"name": "look.sh", "content": "true",
                  "sha256": hashlib.sha256(b"true").hexdigest()}

        def change(plan: dict[str, Any]) -> None:
            self.ready(plan)["probe"] |= {"argv": ["${script}", "me"], "script": script}
            plan["actions"][0]["request"] = {"kind": "venv", "target": "/nowhere", "python": "py",
                                             "pins": "pins", "check": ["/bin/check", "it"]}

        self.environment |= {"DRYDOCK_TRUST": "", "XDG_STATE_HOME": os.path.join(
            self.scratch, "home")}
        said = self.words_of(self.drydock("apply", self.edit(change), expect=hostile.NO))
        self.assertIn(f"script look.sh [{script['sha256'][:12]}] me", said)
        self.assertIn("/bin/check it", said)

    def edit(self, change: Callable[[dict[str, Any]], None]) -> str:
        """The plan, changed, with a digest that is right."""
        with open(self.plan, encoding="utf-8") as file:
            plan = json.load(file)
        change(plan)
        rest = {key: value for key, value in plan.items() if key not in ("digest", "check")}
        plan["digest"] = hashlib.sha256(canonical(rest)).hexdigest()
        path = os.path.join(self.scratch, "edited.json")
        with open(path, "wb") as file:
            file.write(canonical(plan))
        return path

    def assert_refused(self, change: Callable[[dict[str, Any]], None], word: str) -> None:
        path = self.edit(change)
        for words in (["apply", path], ["apply", "--dry-run", path], ["guide", path],
                      ["check", path]):
            done = self.drydock(*words, timeout=SECONDS_MAX)
            self.assertEqual(done.code, USAGE, done.text())
            self.assertIn(word, self.words_of(done))
        for folder in (self.scratch, os.path.dirname(self.scratch)):
            self.assertEqual([name for name in os.listdir(folder) if "evil" in name], [])

    def test_edited_is_the_same(self) -> None:
        """What this test edits is read when nothing was changed."""
        self.begin()
        self.make_plan()
        self.drydock("guide", self.edit(lambda plan: None), expect=hostile.DONE)

    def test_names_that_are_paths(self) -> None:
        """No name of a plan leads out of a folder."""
        self.begin()
        self.make_plan()
        for name in ("../../evil", "/tmp/evil", "..", ".evil", "a\nb", "a b", "", "x" * 300):
            self.assert_refused(lambda plan: plan.update(run=name), "could lead out")
        for name in ("../evil", "a\x1b[2J"):
            self.assert_refused(lambda plan: self.rename(plan, "hosts", "h1", name),
                                "could lead out")
            self.assert_refused(lambda plan: self.rename(plan, "member_hosts", "m1", name),
                                "could lead out")
            self.assert_refused(lambda plan: plan["actions"][0].update(id=name), "could lead out")

    def test_names_that_act_where_advice_is_typed(self) -> None:
        """`drydock approve GATE -c FILE` is copied into a shell."""
        self.begin()
        self.make_plan()
        for name in ("x; touch evil", "x$(touch evil)", "x`touch evil`", "x & touch evil",
                     "x > evil", "x | sh"):
            for change in (lambda plan: plan.update(cluster_file=name),
                           lambda plan: plan.update(to=name),
                           lambda plan: plan["actions"][0].update(gate=name)):
                self.assert_refused(change, "acts in a shell")

    @staticmethod
    def rename(plan: dict[str, Any], table: str, old: str, new: str) -> None:
        plan[table][new] = plan[table].pop(old)

    def test_derived_from_nothing(self) -> None:
        """A fact that is the difference of nothing is refused, and ends no process by a signal."""
        self.begin()
        self.make_plan()

        def change(plan: dict[str, Any]) -> None:
            key = next(iter(plan["sources"]))
            plan["sources"][key].update(derive="minus", inputs=[])
            plan["sources"][key].pop("probe", None)

        self.assert_refused(change, "needs two facts")


class ClusterFiles(hostile.Case):
    def test_settings_that_grow(self) -> None:
        """Settings that use each other many times end in an error, not in a full memory."""
        self.begin()
        bomb = ", ".join(f'a{level}: "{"${a%d}" % (level + 1) * 10}"' for level in range(12))
        self.use("settings: {", f"settings: {{{bomb}, a12: xxxxxxxxxx, ")
        for command in ("status", "survey"):
            done = self.drydock(command, timeout=SECONDS_MAX)
            self.assertEqual(done.code, USAGE, done.text()[:2000])
            self.assertIn("at most 64 KiB each", self.words_of(done))
            self.assertLess(len(done.text()), 50_000)

    def test_many_problems(self) -> None:
        """A thousand problems are a hundred and a number."""
        self.begin()
        odd = "".join(f"odd{number}: 1\n" for number in range(1000))
        self.use("policy:", odd + "policy:")
        done = self.drydock("survey", expect=USAGE)
        self.assertIn("... and 900 more", done.text())
        self.assertIn("1000 problems", done.text())


class Packs(hostile.Case):
    def test_pack_that_others_may_write(self) -> None:
        """What a pack says is executed: a folder in which others may write is no pack."""
        self.begin()
        folder = os.path.join(self.environment["DRYDOCK_PACKS"], "toy")
        os.chmod(folder, 0o777)
        done = self.drydock("survey", expect=USAGE)
        self.assertIn("may be written by others", self.words_of(done))
        os.chmod(folder, 0o755)
        self.drydock("survey", expect=hostile.DONE)
        for name in ("pack.yaml", "procedures", "procedures/upgrade.yaml"):
            path = os.path.join(folder, name)
            mode = os.stat(path).st_mode
            os.chmod(path, mode | 0o002)
            with self.subTest(name):
                said = self.words_of(self.drydock("survey", expect=USAGE))
                self.assertIn(f"{path} may be written by others", said)
            os.chmod(path, mode)
        self.drydock("survey", expect=hostile.DONE)

    @unittest.skipUnless(os.geteuid() == 0, "only root can give a link away")
    def test_link_of_somebody_else(self) -> None:
        """A link that somebody else made leads elsewhere tomorrow."""
        self.begin()
        folder = os.path.join(self.environment["DRYDOCK_PACKS"], "toy")
        os.rename(folder, folder + ".real")
        os.symlink(folder + ".real", folder)
        self.drydock("survey", expect=hostile.DONE)
        os.lchown(folder, 65534, 65534)
        said = self.words_of(self.drydock("survey", expect=USAGE))
        self.assertIn("belongs to another user", said)


class Demo(hostile.Case):
    def test_end_in_a_strange_folder(self) -> None:
        """`demo --end` ends nothing in a folder that no demo marked."""
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "mine"), "w", encoding="utf-8"):
                pass
            sleeper = subprocess.Popen(["sleep", "60"], cwd=folder,
                                       env=os.environ | {"DRYDOCK_SCRATCH": folder})
            self.addCleanup(sleeper.wait)
            self.addCleanup(sleeper.kill)
            demo = os.path.join(hostile.FOLDER, "..", "field", "etcd", "demo")
            done = subprocess.run([sys.executable, demo, "--end", "--scratch", folder],
                                  capture_output=True, text=True, timeout=SECONDS_MAX)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("is not a folder of the demo", done.stderr)
            self.assertIsNone(sleeper.poll())


if __name__ == "__main__":
    hostile.main()
