"""The scripts of packs/ozone beside a double of the `ozone` command, which answers as it is told.

The real command, and servers that really finalize, are in tests/e2e/ozone_*_test.py; here are the
answers that a test cannot make a real server give."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "field", "common"))

from limits import scaled  # noqa: E402  (found by the line above)

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SCRIPTS = os.path.join(ROOT, "packs", "ozone", "scripts")

# Answers from files: <words joined by _>.<n> for the n-th call, else <words>; notes every call.
DOUBLE = r"""#!/bin/sh
cd "$DOUBLE" || exit 9
words=$(printf '%s_' "$@" | tr -c 'a-zA-Z0-9_=\n-' '.' | sed 's/_$//')
echo "$*" >>calls
touch "$words.count"
echo >>"$words.count"
n=$(wc -l <"$words.count" | tr -d ' ')
for file in "$words.$n" "$words"; do
    [ -e "$file" ] || continue
    cat "$file"
    [ ! -e "$file.exit" ] || exit "$(cat "$file.exit")"
    exit 0
done
echo "no answer to: $words" >&2
exit 255
"""

STATUS = "admin_scm_finalizationstatus"
SEND = "admin_scm_finalizeupgrade"
SAFE = "admin_safemode_status_--verbose"
EXIT = "admin_safemode_exit"
PREPARE = "admin_om_prepare_--service-id=oms_--transaction-apply-check-interval=1"


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="drydock-scripts-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.ozone = os.path.join(self.folder, "ozone")
        with open(self.ozone, "w") as file:
            file.write(DOUBLE)
        os.chmod(self.ozone, 0o755)

    def path(self, *names: str) -> str:
        return os.path.join(self.folder, *names)

    def write(self, name: str, text: str) -> str:
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def answers(self, words: str, *texts: str, code: int = 0) -> None:
        """The first call of these words gets the first text; the last text is for all further."""
        for number, text in enumerate(texts, 1):
            name = words if number == len(texts) else f"{words}.{number}"
            self.write(name, text + "\n")
            if code:
                self.write(f"{name}.exit", str(code))

    def calls(self, *words: str) -> int:
        """How often the command was called with these words at the front."""
        try:
            with open(self.path("calls")) as file:
                return sum(line.startswith(" ".join(words)) for line in file)
        except FileNotFoundError:
            return 0

    def run_script(self, name: str, *args: str, expect: int = 0) -> str:
        done = subprocess.run([os.path.join(SCRIPTS, name), *args], capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], "DOUBLE": self.folder}, timeout=scaled(60))
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout


class Finalize(Case):
    def finalize(self, expect: int = 0, grace: str = "0") -> str:
        return self.run_script("finalize.sh", self.ozone, "scm", grace, expect=expect)

    def test_sent_once_whatever_its_exit_code(self) -> None:
        self.answers(STATUS, "FINALIZATION_REQUIRED", "FINALIZATION_IN_PROGRESS",
                     "FINALIZATION_DONE")
        self.answers(SEND, "Invalid response from Storage Container Manager.", code=255)
        self.answers(SAFE, "SCM is out of safe mode.")
        self.finalize()
        self.assertEqual(self.calls("admin scm finalizeupgrade"), 1)

    def test_not_sent_to_one_that_finalizes_or_is_done(self) -> None:
        for words in ("ALREADY_FINALIZED", "FINALIZATION_DONE"):
            self.answers(STATUS, "FINALIZATION_IN_PROGRESS", words)
            self.answers(SAFE, "SCM is out of safe mode.")
            self.finalize()
        self.assertEqual(self.calls("admin scm finalizeupgrade"), 0)

    def test_given_up_when_it_is_not_taken(self) -> None:
        self.answers(STATUS, "FINALIZATION_REQUIRED")
        self.answers(SEND, "Access denied", code=255)
        self.assertIn("Access denied", self.finalize(expect=1))
        self.assertEqual(self.calls("admin scm finalizeupgrade"), 3)

    def test_ends_a_safe_mode_that_only_waits_for_pipelines(self) -> None:
        self.answers(STATUS, "FINALIZATION_IN_PROGRESS", "FINALIZATION_IN_PROGRESS",
                     "FINALIZATION_DONE")
        self.answers(SAFE, "Service ID: s\n10.0.0.1:9860 [scm1]: in safe mode\n"
                           "validated:true, DataNodeSafeModeRule, registered datanodes (=3)\n"
                           "validated:false, HealthyPipelineSafeModeRule, healthy pipelines (=0)")
        self.answers(EXIT, "SCM exit safe mode successfully.")
        self.finalize()
        self.assertGreaterEqual(self.calls("admin safemode exit"), 1)

    def test_leaves_a_safe_mode_alone_that_waits_for_datanodes(self) -> None:
        self.answers(STATUS, "FINALIZATION_IN_PROGRESS", "FINALIZATION_IN_PROGRESS",
                     "FINALIZATION_DONE")
        self.answers(SAFE, "SCM is in safe mode.\n"
                           "validated:false, DataNodeSafeModeRule, registered datanodes (=2)\n"
                           "validated:false, HealthyPipelineSafeModeRule, healthy pipelines (=0)")
        self.finalize()
        self.assertEqual(self.calls("admin safemode exit"), 0)

    def test_gives_a_safe_mode_its_time(self) -> None:
        self.answers(STATUS, "FINALIZATION_IN_PROGRESS", "FINALIZATION_IN_PROGRESS",
                     "FINALIZATION_DONE")
        self.answers(SAFE, "SCM is in safe mode.\n"
                           "validated:false, HealthyPipelineSafeModeRule, healthy pipelines (=0)")
        self.finalize(grace="60")
        self.assertEqual(self.calls("admin safemode exit"), 0)

    def test_om_names_its_service(self) -> None:
        self.answers("admin_om_finalizationstatus_--service-id=oms", "FINALIZATION_REQUIRED",
                     "FINALIZATION_DONE")
        self.answers("admin_om_finalizeupgrade_--service-id=oms", "Finalization started.")
        self.run_script("finalize.sh", self.ozone, "om", "oms")


class Prepare(Case):
    def test_a_majority_is_not_enough(self) -> None:
        self.answers(PREPARE, "A majority of OMs are prepared. OMs that are not prepared : om3",
                     "OM Preparation successful! \nAll OMs are prepared")
        self.run_script("prepare.sh", self.ozone, "oms", "30")
        self.assertEqual(self.calls("admin om prepare"), 2)

    def test_it_ends(self) -> None:
        self.answers(PREPARE, "OM Preparation failed since a majority OMs are not prepared yet.",
                     code=255)
        said = self.run_script("prepare.sh", self.ozone, "oms", "1", expect=1)
        self.assertIn("not all OMs are prepared after 1 s", said)

    def test_help_with_exit_code_0_is_no_success(self) -> None:
        """1.2 prints its help so when it does not know an option."""
        self.answers(PREPARE, "Usage: ozone admin om prepare")
        self.run_script("prepare.sh", self.ozone, "oms", "1", expect=1)

    def test_cancel(self) -> None:
        words = "admin_om_cancelprepare_--service-id=oms"
        self.answers(words, "Cancel prepare succeeded, cluster can now accept write requests.")
        self.run_script("cancel-prepare.sh", self.ozone, "oms")
        self.answers(words, "Usage: ozone admin om cancelprepare")
        self.run_script("cancel-prepare.sh", self.ozone, "oms", expect=1)


class CloseContainers(Case):
    OPEN = "admin_container_list_--state=OPEN_--count=4000"
    CLOSING = "admin_container_list_--state=CLOSING_--count=4000"

    @staticmethod
    def listed(*ids: int) -> str:
        one = '{\n  "state" : "X",\n  "containerID" : %d,\n  "usedBytes" : 0\n}'
        return "[ " + ", ".join(one % number for number in ids) + " ]"

    def test_those_of_the_beginning_are_closed_and_waited_for(self) -> None:
        self.answers(self.OPEN, self.listed(1, 2), self.listed(), self.listed())
        self.answers(self.CLOSING, self.listed(), self.listed(1), self.listed())
        for number in (1, 2):
            self.answers(f"admin_container_close_{number}", "")
        self.run_script("close-containers.sh", self.ozone)
        self.assertEqual(self.calls("admin container close"), 2)

    def test_those_that_are_opened_meanwhile_do_not_matter(self) -> None:
        self.answers(self.OPEN, self.listed(1), self.listed(11, 12))
        self.answers(self.CLOSING, self.listed())
        self.answers("admin_container_close_1", "")
        self.run_script("close-containers.sh", self.ozone)
        self.assertEqual(self.calls("admin container close"), 1)

    def test_none_is_open(self) -> None:
        self.answers(self.OPEN, self.listed())
        self.answers(self.CLOSING, self.listed())
        self.run_script("close-containers.sh", self.ozone)


class Copies(Case):
    def setUp(self) -> None:
        super().setUp()
        self.write("data/om/current/VERSION", "layoutVersion=3\n")
        self.write("data/db/000001.sst", "x" * 5000)
        self.write("meta/current/prepareMarker", "21\n")
        self.copy = self.path("backups", "lake-20260101-000000-aaaa", "om1")
        self.folders = f"{self.path('data')}:{self.path('meta')}"

    def cold_copy(self, *files: str, expect: int = 0, copy: str = "") -> str:
        return self.run_script("cold-copy.sh", copy or self.copy, self.folders, *files,
                               expect=expect)

    def prove(self, expect: int = 0, copy: str = "", keep: str = "2") -> str:
        return self.run_script("prove-copy.sh", copy or self.copy, "lake", "om1", keep,
                               expect=expect)

    def test_there_and_back(self) -> None:
        self.cold_copy(self.path("data/om/current/VERSION"),
                       self.path("meta/current/prepareMarker"))
        self.assertIn("files=3", self.prove())
        self.assertIn("3 files", self.run_script("verify-copy.sh", self.copy))
        self.write("data/om/current/VERSION", "layoutVersion=9\n")
        os.unlink(self.path("data/db/000001.sst"))
        for _ in range(2):  # may be repeated
            self.run_script("restore-copy.sh", self.copy, "run-2")
        with open(self.path("data/om/current/VERSION")) as file:
            self.assertEqual(file.read(), "layoutVersion=3\n")
        self.assertTrue(os.path.exists(self.path("data/db/000001.sst")))
        with open(self.path("data.before-run-2/om/current/VERSION")) as file:
            self.assertEqual(file.read(), "layoutVersion=9\n")

    def test_a_restore_that_died_between_its_two_renames_goes_on(self) -> None:
        self.cold_copy()
        self.prove()
        os.rename(self.path("data"), self.path("data.before-run-2"))
        self.run_script("restore-copy.sh", self.copy, "run-2")
        self.assertTrue(os.path.exists(self.path("data/om/current/VERSION")))

    def test_what_has_to_be_in_the_copy(self) -> None:
        outside = self.write("elsewhere/VERSION", "")
        self.assertIn("does not hold", self.cold_copy(outside, expect=1))
        self.assertIn("there is no", self.cold_copy(self.path("data/none"), expect=1))
        self.assertFalse(os.path.exists(self.copy + ".copied"))

    def test_one_wrong_byte_is_found(self) -> None:
        """Before the copy is proved, and afterwards; the next copy is as good as new."""
        for proved in (False, True):
            self.cold_copy()
            if proved:
                self.prove()
            with open(os.path.join(self.copy, "1", "db", "000001.sst"), "r+b") as file:
                file.write(b"y")
            self.prove(expect=1)
            self.run_script("verify-copy.sh", self.copy, expect=1)
        self.cold_copy()
        self.prove()
        self.assertIn("as it was copied", self.run_script("verify-copy.sh", self.copy))

    def test_a_file_too_many_or_too_few_is_found(self) -> None:
        self.cold_copy()
        extra = os.path.join(self.copy, "1", "db", "000002.sst")
        with open(extra, "w"):
            pass
        self.assertIn("3 files, copied were 2", self.prove(expect=1))
        os.unlink(extra)
        self.prove()
        os.unlink(os.path.join(self.copy, "1", "db", "000001.sst"))
        self.assertIn("1 files, copied were 2", self.prove(expect=1))

    def test_a_copy_that_was_never_proved_is_none(self) -> None:
        self.run_script("prove-copy.sh", self.copy, "lake", "om1", "2", expect=1)
        self.cold_copy()
        self.run_script("verify-copy.sh", self.copy, expect=1)

    def test_the_oldest_go(self) -> None:
        for day in ("20260101", "20260102", "20260103"):
            copy = self.path("backups", f"lake-{day}-000000-aaaa", "om1")
            self.cold_copy(copy=copy)
            self.prove(copy=copy)
        left = [day for day in ("20260101", "20260102", "20260103") if os.path.exists(
            self.path("backups", f"lake-{day}-000000-aaaa", "om1.verified"))]
        self.assertEqual(left, ["20260102", "20260103"])

    def test_room(self) -> None:
        self.run_script("room.sh", self.copy, self.folders)
        self.assertIn("there is no folder",
                      self.run_script("room.sh", self.copy, self.path("none"), expect=1))

    def test_set_aside(self) -> None:
        for _ in range(2):
            self.run_script("set-aside.sh", self.path("data"), "run-2")
            self.assertEqual(os.listdir(self.path("data")), [])
        self.assertTrue(os.path.exists(self.path("data.before-run-2/om/current/VERSION")))


class WriteProbe(Case):
    def test_what_is_read_must_be_what_was_written(self) -> None:
        self.write("ozone", DOUBLE.replace('echo "$*" >>calls', 'echo "$*" >>calls\n'
                                           '[ "$3" != put ] || exit 0'))
        self.answers("sh_key_cat_.drydock-probe.probe.key", "something else")
        self.assertIn("is not what was written",
                      self.run_script("write-probe.sh", self.ozone, expect=1))


if __name__ == "__main__":
    unittest.main()
