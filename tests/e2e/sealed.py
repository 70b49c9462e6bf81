"""A system whose members are files: what each tells of itself is what the test writes there."""

import os
import tempfile
import unittest

from program import Run, Running

_PACK = """pack: sealed
title: Sealed
roles: {node: {quorum: none, stores: [data]}}
settings: {node: {facts: {type: path, help: "where the test says what is there"}}}
facts:
  node:
    service: {type: text, probe: SERVICE}
    installed: {binds: installed, type: release, probe: {file: {path: "${facts}", as: json, pointer: /release}}}
    running: {binds: running, type: release, probe: {file: {path: "${facts}", as: json, pointer: /release}}}
    ready: {binds: ready, type: bool, probe: {file: {path: "${facts}", as: json, pointer: /ready}}}
    key_seen: {type: text, probe: {file: {path: "${facts}", as: json, pointer: /key}}}
  system:
    key: {type: text, derive: {agreed: key_seen}}
"""
_CLUSTER = """cluster: small
system: sealed
state: SCRATCH/state
POLICYhosts: {here: {connect: local}}
roles:
  node:
    host: here
    service: {process: {argv: ["${release}/node", "${member}"], pid_file: "SCRATCH/${member}.pid", log: "SCRATCH/${member}.log"}}
    release: {link: "SCRATCH/${member}", versions: {"1.0": SCRATCH/1.0, "2.0": SCRATCH/2.0}}
    settings: {facts: "SCRATCH/${member}.json"}
members: [MEMBERS]
"""


def pack(service: str) -> str:
    """The pack; `service` is the probe that tells whether a member runs."""
    return _PACK.replace("SERVICE", service)


def cluster(members: list[str], policy: str = "") -> str:
    """A cluster of these members on one host; `policy` is a line of its own, or none."""
    listed = ", ".join(f"{{role: node, name: {name}}}" for name in members)
    return _CLUSTER.replace("MEMBERS", listed).replace("POLICY", policy)


class SealedTest(unittest.TestCase):
    """A scratch folder with packs of its own."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.scratch = folder.name

    def write(self, name: str, text: str) -> None:
        """SCRATCH in the text becomes the scratch folder."""
        path = os.path.join(self.scratch, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text.replace("SCRATCH", self.scratch))

    def drydock(self, *args: str) -> Run:
        """Runs it to its end."""
        env = {"DRYDOCK_PACKS": os.path.join(self.scratch, "packs")}
        return Running(list(args), self.scratch, env).wait()
