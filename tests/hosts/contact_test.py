#!/usr/bin/env python3
"""The first contact with a real host over ssh: the agent comes along, and each obstacle is named."""

import json
import os
import subprocess
import tempfile
import unittest

import etcd_hosts
from etcd_hosts import STATE, EtcdHosts
from hosts import debian, root_tree, why_not
from program import DONE, NO, require_program


class OneHost(unittest.TestCase):
    cluster: EtcdHosts

    @classmethod
    def setUpClass(cls) -> None:
        require_program()
        if reason := why_not():
            raise unittest.SkipTest(reason)
        folder = tempfile.TemporaryDirectory(prefix="drydock-contact-")
        cls.addClassCleanup(folder.cleanup)
        try:
            cls.cluster = EtcdHosts(folder.name, ["a"])
        except (debian.Unavailable, etcd_hosts.releases.Unavailable) as error:
            raise unittest.SkipTest(str(error)) from error
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.hosts.start()
        cls.cluster.wait_healthy()
        cls.cluster.write_cluster_file()

    def survey(self, *changes: tuple[str, str]) -> str:
        """What a survey says, with words of the cluster file changed."""
        self.cluster.write_cluster_file()
        with open(self.cluster.cluster_file) as file:
            text = file.read()
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        with open(self.cluster.cluster_file, "w") as file:
            file.write(text)
        return self.cluster.drydock("survey", "--trust").text()

    def agents(self) -> list[str]:
        return self.cluster.hosts.run("a", "sh", "-c", f"ls {STATE}/.agents 2>/dev/null; true").split()

    def test_the_agent_is_copied_and_answers(self) -> None:
        self.cluster.hosts.run("a", "rm", "-rf", STATE)
        told = self.survey()
        self.assertIn(self.cluster.old, told)
        self.assertEqual(len(self.agents()), 1)
        self.cluster.hosts.run("a", "sh", "-c", f"echo damaged > {STATE}/.agents/{self.agents()[0]}")
        self.assertIn(self.cluster.old, self.survey())
        self.assertEqual(len(self.agents()), 1)

    def test_the_hosts_are_told_in_one_table(self) -> None:
        self.cluster.write_cluster_file()
        done = self.cluster.drydock("hosts", "check", "--trust", "--json")
        self.assertEqual(done.code, DONE, done.text())
        host = json.loads(done.stdout)["hosts"][0]
        self.assertEqual((host["host"], host["user"], host["services"], host["packages"], host["problems"]),
                         ("a", "root", "systemd", "dpkg", []))
        self.assertLess(host["call_us"], host["connect_us"])
        self.assertGreater(host["state_free_bytes"], 0)
        self.cluster.hosts.cut("a")
        self.addCleanup(self.cluster.hosts.heal, "a")
        told = self.cluster.drydock("hosts", "check")
        self.assertEqual(told.code, NO, told.text())
        self.assertIn("not reached", told.stdout)
        self.assertIn("ssh a", told.stdout)

    def test_hosts_come_from_an_inventory(self) -> None:
        with open(os.path.join(self.cluster.base, "inventory.ini"), "w") as file:
            file.write("[etcd]\na ansible_become=yes\n[web]\nother.invalid\n")
        told = self.survey(("hosts:\n  a: {connect: {ssh: a}, become: [sudo, -n]}", "inventory: {file: inventory.ini}"))
        self.assertIn(self.cluster.old, told)
        hosts = json.loads(self.cluster.drydock("hosts", "list", "--json").stdout)["hosts"]
        self.assertEqual([(host["host"], host["connect"]) for host in hosts], [("a", "ssh a sudo -n")])

    def test_no_root_is_needed_where_the_folder_is_ones_own(self) -> None:
        home = f"/home/{root_tree.ACCOUNT}/drydock"
        told = self.survey((", become: [sudo, -n]", f", state: {home}"))
        self.assertIn(self.cluster.old, told)
        self.assertEqual(self.cluster.hosts.run("a", "stat", "-c", "%U", f"{home}/.agents").strip(),
                         root_tree.ACCOUNT)

    def test_a_folder_that_is_not_ones_own_is_named(self) -> None:
        self.assertIn("cannot write in the state folder",
                      self.survey((", become: [sudo, -n]", ", state: /srv/drydock")))

    def test_a_folder_without_exec_is_named(self) -> None:
        self.cluster.hosts.run("a", "sh", "-c", "mkdir -p /srv/noexec && mount -t tmpfs -o noexec,mode=755 t /srv/noexec")
        self.addCleanup(self.cluster.hosts.run, "a", "umount", "/srv/noexec")
        self.assertIn("noexec", self.survey((", become: [sudo, -n]", ", become: [sudo, -n], state: /srv/noexec/d")))

    def test_a_full_disk_is_named(self) -> None:
        self.cluster.hosts.run("a", "sh", "-c", "mkdir -p /srv/small && mount -t tmpfs -o size=1m,mode=755 t /srv/small")
        self.addCleanup(self.cluster.hosts.run, "a", "umount", "/srv/small")
        self.assertIn("disk is full", self.survey((", become: [sudo, -n]", ", become: [sudo, -n], state: /srv/small/d")))

    def test_an_unknown_host_key_is_not_accepted(self) -> None:
        known = self.cluster.hosts.known_hosts
        os.rename(known, known + ".away")
        self.addCleanup(os.rename, known + ".away", known)
        self.assertIn("Log in once by hand and compare the fingerprint", self.survey())
        self.assertFalse(os.path.exists(known))

    def test_a_sudo_that_asks_hangs_nothing(self) -> None:
        self.cluster.hosts.run("a", "mv", f"/etc/sudoers.d/{root_tree.ACCOUNT}", "/etc/sudoers.away")
        self.addCleanup(self.cluster.hosts.run, "a", "mv", "/etc/sudoers.away",
                        f"/etc/sudoers.d/{root_tree.ACCOUNT}")
        self.assertIn("NOPASSWD", self.survey())

    def test_a_banner_of_the_login_shell_is_skipped_and_bounded(self) -> None:
        shell = f"/home/{root_tree.ACCOUNT}/.bashrc"
        self.cluster.hosts.run("a", "sh", "-c", f"mv {shell} {shell}.away; echo 'echo Welcome' > {shell}")
        self.addCleanup(self.cluster.hosts.run, "a", "mv", f"{shell}.away", shell)
        self.assertIn(self.cluster.old, self.survey())
        self.cluster.hosts.run("a", "sh", "-c", f"echo 'yes Welcome' > {shell}")
        self.assertIn("before the agent speaks", self.survey())

    def test_the_conformance_suite_passes(self) -> None:
        program = os.environ.get("DRYDOCK_TRANSPORT_CONFORMANCE")
        if not program:
            self.skipTest("DRYDOCK_TRANSPORT_CONFORMANCE names no program")
        done = subprocess.run(self.cluster.hosts.inside(program, "--gtest_filter=*/ssh"), text=True,
                              capture_output=True,
                              env=self.cluster.environment({"DRYDOCK_SSH_HOST": "a"}))
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        self.assertNotIn("SKIPPED", done.stdout)


if __name__ == "__main__":
    unittest.main()
