"""The pack backy2 on a copy of a real store. The two releases are folders that tell a version and refuse to do
anything else: no step of the pack may need backy2 itself."""

import os
import re
import subprocess
import venv
from typing import Any

import postgres
import stores
from stores import scaled

GATE = "point-of-no-return"
WAITS = 3
NEWEST = "30349b678801"
ENCRYPTED = "2.13.8+encrypted"


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


class PackCase(stores.Case):
    """A store, a cluster file for it, and two releases that are folders."""

    drydock_of_steps = ""  # the program that the pack's steps call; that of the test if empty

    def begin(self, release: str, server: "postgres.Server | None" = None) -> None:
        """With a server the metadata are in a new database of it."""
        self.server = server
        kind = "postgresql" if server else "sqlite"
        self.copy = stores.StoreCopy(release, self.scratch, kind)
        if server:
            self.database = "pack" + os.path.basename(self.scratch).lower().replace("-", "_")
            server.load(self.database, os.path.join(self.copy.folder, "dump.sql"))
            self.copy.write_config(server.engine(self.database))
        self.folders = {version: stand_in(os.path.join(self.scratch, "opt-" + version), version)
                        for version in {release, "2.13.8"}}
        self.link = os.path.join(self.scratch, "current")
        self.program = os.path.join(self.scratch, "backy2")
        os.symlink(self.folders[release], self.link)
        os.symlink(os.path.join(self.link, "bin", "backy2"), self.program)
        self.cluster = os.path.join(self.scratch, "cluster.yaml")
        versions = ", ".join(f'"{version}": {path}' for version, path in
                             (self.folders | {ENCRYPTED: self.folders["2.13.8"]}).items())
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
    settings: {{config: {self.copy.config}, program: {self.program}, drydock: {self.drydock_of_steps or stores.program()}}}
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

    def environment(self) -> dict[str, str]:
        return os.environ | {"DRYDOCK_TRUST": "1", "NO_COLOR": "1",
                             "DRYDOCK_PACKS": os.path.join(stores.ROOT, "packs")}

    def drydock(self, *words: str, code: int | None = 0, env: dict[str, str] | None = None,
                ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [stores.program(), *words], capture_output=True, text=True, check=False, timeout=scaled(120),
            cwd=self.scratch, env=self.environment() | (env or {}))
        if code is not None:
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
        return self.query("SELECT version_num FROM alembic_version")

    def query(self, sql: str) -> Any:
        """The only field of the only row, as text."""
        if self.server:
            return self.server.query(self.database, sql)[0]
        return str(self.copy.query(sql)[0][0])

    def begin_encryption(self, server: "postgres.Server | None" = None) -> None:
        """A store of 2.13.8, and what the leg of encryption needs."""
        self.begin("2.13.8", server)
        self.set_encryption(0)

    def set_encryption(self, version: int) -> None:
        with open(self.copy.config, encoding="utf-8") as file:
            text = file.read()
        text = re.sub("(?m)^encryption_version:.*$", f"encryption_version: {version}", text)
        with open(self.copy.config, "w", encoding="utf-8") as file:
            file.write(text)

    def plain_rows(self) -> int:
        return int(self.query("SELECT count(*) FROM blocks WHERE enc_version = 0 "
                              "AND uid IS NOT NULL"))
