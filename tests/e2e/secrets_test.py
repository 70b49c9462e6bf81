"""No secret of the cluster file is ever written down; nobody else may write where drydock does."""

import os
import shutil

import harness  # first: it knows where the others are
import processes
from harness import DONE, NO, USAGE, WAITS

SECRETS = {"password": "hunter2-of-a-file", "token": "hunter2-of-the-environment",
           "key": "hunter2-of-a-command"}
PACK = os.path.join(harness.ROOT, "packs", "etcd")


class Secrets(harness.Case):
    def test_nowhere_in_what_drydock_writes_or_says(self) -> None:
        self.begin(write=True, rate=20)
        self.use_secrets()
        self.run_with(("survey", "--json"), ("survey",), ("plan", "--to", self.new, "--json"),
                      ("plan", "--to", self.new, "-o", self.plan))
        self.run_with(("guide", self.plan), ("apply", "--dry-run", self.plan))
        self.run_with(("apply", self.plan, "--json"), codes=(WAITS,))
        self.run_with(("status", "--json"), codes=(WAITS,))
        self.run_with(("approve", self.gate()), ("resume",), ("status",), ("log", "--json"),
                      ("log",), ("journal", "verify", "--json"))
        self.run_with(("downgrade", "--json"), codes=(NO,))
        self.assertEqual(self.versions(), [self.new] * 3)
        self.assert_used()
        self.assert_nowhere()
        self.assert_nothing_lost()

    def test_a_halt_shows_none(self) -> None:
        """What a failed command printed is shown to people, without the secret in it."""
        self.begin()
        self.use_secrets(break_snapshot=True)
        self.run_with(("plan", "--to", self.new, "-o", self.plan))
        self.run_with(("apply", self.plan), codes=(harness.HALTED,))
        self.run_with(("status",), codes=(harness.HALTED,))
        self.run_with(("log", "--json"))
        self.assertIn("the script was here", self.said)
        self.assert_nowhere()

    def test_a_secret_that_cannot_be_had(self) -> None:
        self.begin()
        self.use_secrets()
        done = self.drydock("survey", env={"DRYDOCK_PACKS": self.packs})
        self.assertNotEqual(done.code, DONE)
        self.assertIn("E2E_TOKEN", done.stderr)

    def use_secrets(self, break_snapshot: bool = False) -> None:
        """All three ways of having a secret, each in a member's environment; one in a probe too."""
        self.said = ""
        self.packs = os.path.join(self.scratch, "packs")
        pack = os.path.join(self.packs, "etcd")
        shutil.copytree(PACK, pack)
        self.replace(os.path.join(pack, "pack.yaml"),
                     ("    initial_cluster: {", "    token: {type: text, help: \"for probes\"}\n"
                      "    initial_cluster: {"),
                     ("probe: {http: {url: \"${client_url}/version\", pointer: /etcdserver}}",
                      "probe: {http: {url: \"${client_url}/version\", pointer: /etcdserver, "
                      "headers: {Authorization: \"Bearer ${token}\"}}}"))
        if break_snapshot:
            self.replace(os.path.join(pack, "procedures", "upgrade.yaml"),
                         ('"${cluster}", "${keep}"]', '"${cluster}", "${keep}", "${token}"]'))
            self.replace(os.path.join(pack, "scripts", "snapshot.sh"),
                         ("set -eu\n", 'set -eu\necho "the script was here: $6"\nexit 1\n'))
        self.password = os.path.join(self.scratch, "outside")
        for name in ("password", "key"):
            with open(f"{self.password}.{name}", "w") as file:
                file.write(SECRETS[name] + "\n")
        self.replace(self.cluster_file, ("    settings: {", (
            "    settings: {"
            f'"password": {{secret: {{file: "{self.password}.password"}}}}, '
            '"token": {secret: {env: E2E_TOKEN}}, '
            f'"key": {{secret: {{command: [cat, "{self.password}.key"]}}}}, ')),
            ("        pid_file:", '        env: {A: "${password}", B: "${token}", C: "${key}"}\n'
             "        pid_file:"))

    def replace(self, path: str, *changes: tuple[str, str]) -> None:
        with open(path) as file:
            text = file.read()
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        with open(path, "w") as file:
            file.write(text)

    def run_with(self, *commands: tuple[str, ...], codes: tuple[int, ...] = (DONE,)) -> None:
        env = {"DRYDOCK_PACKS": self.packs, "E2E_TOKEN": SECRETS["token"]}
        for words in commands:
            done = self.drydock(*words, env=env)
            self.assertIn(done.code, codes, f"{words}: {done.text()}")
            self.said += done.stdout + done.stderr

    def assert_used(self) -> None:
        """A member that drydock started has the secrets."""
        with open(f"/proc/{self.cluster.pid('m1')}/environ", "rb") as file:
            found = file.read()
        for value in SECRETS.values():
            self.assertIn(value.encode(), found)

    def assert_nowhere(self) -> None:
        for value in SECRETS.values():
            self.assertNotIn(value, self.said)
            for top, _, names in os.walk(self.scratch):
                for name in names:
                    path = os.path.join(top, name)
                    if not path.startswith(self.password) and "/data/" not in path:
                        with open(path, "rb") as file:
                            self.assertNotIn(value.encode(), file.read(), path)
        for pid in processes.of_scratch(self.scratch):
            self.assertNotIn(SECRETS["key"], " ".join(processes.command_line(pid)))


class Permissions(harness.Case):
    def test_what_is_made_is_private(self) -> None:
        self.begin()
        self.to_the_gate()
        for top, folders, names in os.walk(os.path.join(self.scratch, "state")):
            for name in [".", *folders, *names]:
                mode = os.lstat(os.path.join(top, name)).st_mode & 0o777
                self.assertFalse(mode & 0o077, f"{top}/{name} is {mode:o}")

    def test_others_may_write_there(self) -> None:
        self.begin()
        self.to_the_gate()
        state = os.path.join(self.scratch, "state")
        for path, mode in ((state, 0o770), (state, 0o707),
                           (os.path.join(state, "journal.db"), 0o660)):
            kept = os.stat(path).st_mode & 0o777
            os.chmod(path, mode)
            self.assert_refused(path)
            os.chmod(path, kept)
        self.finish()

    def test_a_state_folder_that_others_may_write_to_is_not_used(self) -> None:
        self.begin()
        self.make_plan()
        state = os.path.join(self.scratch, "state")
        os.makedirs(state, exist_ok=True)
        os.chmod(state, 0o777)
        done = self.drydock("apply", self.plan)
        self.assertIn(done.code, (NO, USAGE), done.text())
        self.assertIn(state, done.stderr)
        self.assertFalse(os.path.exists(os.path.join(state, "journal.db")))

    def test_symlinks(self) -> None:
        self.begin()
        self.to_the_gate()
        state = os.path.join(self.scratch, "state")
        for path in (state, os.path.join(state, "journal.db")):
            os.rename(path, path + ".real")
            os.symlink(path + ".real", path)
            self.assert_refused(path)
            os.unlink(path)
            os.rename(path + ".real", path)
        self.finish()

    def assert_refused(self, path: str) -> None:
        before = self.touched()
        for words in (("resume",), ("downgrade",), ("approve", self.gate())):
            done = self.drydock(*words)
            self.assertIn(done.code, (NO, USAGE), f"{path} {words}: {done.text()}")
            self.assertIn(path, done.stderr)
        self.assertEqual(self.touched(), before)


if __name__ == "__main__":
    harness.main()
