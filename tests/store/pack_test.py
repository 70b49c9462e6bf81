"""The pack backy2 on real stores: planned, checked, run, taken back. The two releases are folders that tell
a version and refuse to do anything else: no step of the pack may need backy2 itself."""

import os
import subprocess
import unittest
import venv
from typing import Any

import stores

GATE = "point-of-no-return"
WAITS = 3
NEWEST = "30349b678801"


def stand_in(folder: str, version: str) -> str:
    """A virtual environment that has the distribution backy2 of this version; its program fails."""
    venv.create(folder, with_pip=False, symlinks=True)
    packages = os.path.join(folder, "lib",
                            next(iter(os.listdir(os.path.join(folder, "lib")))), "site-packages")
    info = os.path.join(packages, f"backy2-{version}.dist-info")
    os.makedirs(info)
    with open(os.path.join(info, "METADATA"), "w", encoding="utf-8") as file:
        file.write(f"Metadata-Version: 2.1\nName: backy2\nVersion: {version}\n")
    program = os.path.join(folder, "bin", "backy2")
    with open(program, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho called >>\"$0.calls\"\nexit 100\n")
    os.chmod(program, 0o755)
    return folder


class Pack(stores.Case):
    def begin(self, release: str) -> None:
        self.copy = stores.StoreCopy(release, self.scratch)
        self.folders = {version: stand_in(os.path.join(self.scratch, "opt-" + version), version)
                        for version in (release, "2.13.8")}
        self.link = os.path.join(self.scratch, "current")
        self.program = os.path.join(self.scratch, "backy2")
        os.symlink(self.folders[release], self.link)
        os.symlink(os.path.join(self.link, "bin", "backy2"), self.program)
        self.cluster = os.path.join(self.scratch, "cluster.yaml")
        versions = ", ".join(f'"{version}": {path}' for version, path in self.folders.items())
        with open(self.cluster, "w", encoding="utf-8") as file:
            file.write(f"""cluster: backups
system: backy2
state: {self.scratch}/state
hosts:
  here: {{connect: local}}
roles:
  store:
    host: here
    service: {{command: {{start: [ln, -sfn, "${{release}}/bin/backy2", "${{program}}"], stop: [rm, -f, "${{program}}"], status: [test, -x, "${{program}}"]}}}}
    release: {{link: {self.link}, versions: {{{versions}}}}}
    settings: {{config: {self.copy.config}, program: {self.program}, drydock: {stores.program()}}}
members:
  - {{role: store, name: store1}}
policy:
  soak: 0s
  backups: {{path: {self.scratch}/backups, keep: 2}}
""")

    def configure(self) -> None:
        with open(self.copy.config, encoding="utf-8") as file:
            text = file.read()
        with open(self.copy.config, "w", encoding="utf-8") as file:
            file.write(text.replace("[MetaBackend]", "encryption_version: 0\n[MetaBackend]", 1))

    def drydock(self, *words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [stores.program(), *words], capture_output=True, text=True, check=False, timeout=120,
            cwd=self.scratch, env=os.environ | {"DRYDOCK_TRUST": "1", "NO_COLOR": "1",
                                               "DRYDOCK_PACKS": os.path.join(stores.ROOT, "packs")})
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}\n{done.stderr}")
        return done

    def plan(self, *words: str) -> str:
        path = os.path.join(self.scratch, f"plan-{len(os.listdir(self.scratch))}.json")
        told = self.drydock("plan", "-c", self.cluster, "-o", path, *words)
        self.assertIn("Holds", told.stdout)
        return path

    def assert_release(self, version: str, head: str) -> None:
        self.assertEqual(os.readlink(self.link), self.folders[version])
        self.assertTrue(os.access(self.program, os.X_OK))
        self.assertEqual(self.head(), head)
        for name in stores.WHOLE:
            self.assertEqual(stores.restored_sha256(self, self.copy.config, self.copy.uid(name)),
                             self.copy.image_sha256(name))
        for folder in self.folders.values():
            self.assertFalse(os.path.exists(os.path.join(folder, "bin", "backy2.calls")))

    def head(self) -> Any:
        return self.copy.query("SELECT version_num FROM alembic_version")[0][0]

    def test_there_and_back(self) -> None:
        for release in ("2.9.17", "2.10.5", "2.11.13"):
            with self.subTest(release):
                self.setUp()
                self.begin(release)
                self.configure()
                old = self.head()
                self.drydock("apply", self.plan("--to", "2.13.8"), "--approve", GATE)
                self.assert_release("2.13.8", NEWEST)
                (run,) = os.listdir(os.path.join(self.scratch, "backups"))
                copy = os.path.join(self.scratch, "backups", run, "metadata")
                self.drydock("apply", self.plan("--to", release, "--restore", copy))
                self.assert_release(release, old)

    def test_taken_back_before_the_point_of_no_return(self) -> None:
        self.begin("2.10.5")
        self.configure()
        old = self.head()
        self.drydock("apply", self.plan("--to", "2.13.8"), code=WAITS)
        self.assertFalse(os.path.exists(self.program))  # jobs rest
        self.drydock("downgrade", "-c", self.cluster)
        self.assert_release("2.10.5", old)

    def test_a_half_done_store_and_an_old_configuration_are_refused(self) -> None:
        self.begin("2.10.5")
        told = self.drydock("apply", self.plan("--to", "2.13.8"), code=4)
        self.assertIn("encryption_version", told.stdout + told.stderr)
        self.assertTrue(os.access(self.program, os.X_OK))
        self.drydock("abort", "-c", self.cluster)
        self.configure()
        os.replace(os.path.join(self.copy.folder, "meta-after-failed-upgrade.sqlite"),
                   self.copy.metadata)
        told = self.drydock("apply", self.plan("--to", "2.13.8"), code=4)
        self.assertIn("store upgrade --undo", told.stdout + told.stderr)


if __name__ == "__main__":
    unittest.main()
