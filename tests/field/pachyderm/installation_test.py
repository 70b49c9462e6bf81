#!/usr/bin/env python3
"""Two installations of the double in one real API server, by the guide's own commands: what each takes from the other."""

import os
import shutil
import tempfile
import unittest
from typing import Any

import installation
import radosgw  # in ../common
from limits import scaled
from machine import wait_until

SECONDS_MAX = scaled(60)
PORTS = {old: old + 1000 for old in (30650, 30651, 30652, 30654, 30655, 30600, 30080, 30081)}
server: Any = None


def setUpModule() -> None:
    global server
    try:
        installation.ensure()
        server = radosgw.Server()
    except (installation.Unavailable, radosgw.Unavailable) as error:
        raise unittest.SkipTest(str(error)) from None
    unittest.addModuleCleanup(server.close)


class Installations(unittest.TestCase):
    def setUp(self) -> None:
        self.base = tempfile.mkdtemp(prefix="drydock-pachyderm-")
        self.addCleanup(shutil.rmtree, self.base, ignore_errors=True)
        self.site = installation.Site(self.base)
        self.addCleanup(self.site.__exit__)
        self.site.__enter__()
        self.store = installation.Store(server.endpoint, radosgw.BUCKET, radosgw.ACCESS_KEY, radosgw.SECRET_KEY)

    def patch_port(self, name: str, number: int) -> None:
        path = "/api/v1/namespaces/default/services/pachd"
        ports = self.site.server.ask("GET", path)["spec"]["ports"]
        self.site.server.ask("PATCH", path, {"spec": {"ports": [
            port | {"nodePort": number} if port["name"] == name else port for port in ports]}},
            "application/strategic-merge-patch+json")

    def answers(self, address: int) -> bool:
        self.site.set_address("default", address)
        return self.site.run("1.10.5", "version", f"--timeout={scaled(1):g}s", context="default").returncode == 0

    def deploy_old(self) -> None:
        done = self.site.deploy("default", "1.10.5", self.store)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"service/pachd created", done.stdout)
        self.site.wait_ready("default")
        self.site.pachctl("default", "create", "repo", "images")

    def test_node_ports_are_served_where_the_service_says(self) -> None:
        self.deploy_old()
        self.assertEqual(self.site.pachctl("default", "config", "get", "active-context"), b"default\n")
        self.patch_port("api-grpc-port", 30649)
        wait_until(lambda: not self.answers(30650), SECONDS_MAX, lambda: "the old port still answers", every=0.1)
        self.assertTrue(self.answers(30649))
        self.site.server.merge("/apis/apps/v1/namespaces/default/deployments/pachd", {"spec": {"replicas": 0}})
        wait_until(lambda: not self.answers(30649), SECONDS_MAX, lambda: "pachd still answers", every=0.1)
        self.site.server.merge("/apis/apps/v1/namespaces/default/deployments/pachd", {"spec": {"replicas": 1}})
        wait_until(lambda: self.answers(30649), SECONDS_MAX, lambda: "pachd does not come back", every=0.1)
        self.site.node.doubles["default"].kill("pachd")
        wait_until(lambda: self.answers(30649), SECONDS_MAX, lambda: "the node does not start it again", every=0.1)
        self.assertIn(b"images", self.site.pachctl("default", "list", "repo"))

    def test_the_guides_commands_take_the_twins_rights(self) -> None:
        self.deploy_old()
        self.assertEqual(self.site.binding(), ["default"])
        done = self.site.deploy("beside", "1.11.9", self.store)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"provided port is already allocated", done.stderr)
        self.assertEqual(self.site.binding(), ["beside"], "the old installation has lost its rights")
        without = os.path.join(self.site.node.doubles["default"].base, "no-workers")
        wait_until(lambda: os.path.exists(without), SECONDS_MAX, lambda: "the old one still has workers")
        self.site.deploy_with_ports("twin", "1.11.9", self.store, PORTS)
        self.site.wait_ready("twin")
        self.assertEqual(self.site.pachctl("twin", "list", "repo", "--raw"), b"")
        self.assertEqual(self.site.run("1.10.5", "undeploy", "--namespace=beside", data=b"n\n").returncode, 0)
        self.assertEqual(self.site.binding(), ["beside"])
        done = self.site.run("1.10.5", "undeploy", "--namespace=beside", data=b"y\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.site.binding(), [])
        self.assertIn(b"images", self.site.pachctl("default", "list", "repo"))


if __name__ == "__main__":
    unittest.main()
