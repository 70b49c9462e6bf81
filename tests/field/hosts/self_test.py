#!/usr/bin/env python3
"""The hosts of the tests are real: each has its own boot, disk and network, and dies as hosts do."""

import subprocess
import unittest

from hosts import Hosts, hosts_of, scaled


# Counts requests for a connection behind the rules of a cut, which come first.
COUNTER = """table inet heard { chain input { type filter hook input priority 10; policy accept;
             tcp dport 22 tcp flags syn counter; }; }"""


def boot_id(hosts: Hosts, name: str) -> str:
    return hosts.run(name, "cat", "/proc/sys/kernel/random/boot_id")


class TwoHosts(unittest.TestCase):
    hosts: Hosts

    @classmethod
    def setUpClass(cls) -> None:
        cls.hosts = hosts_of(cls, "drydock-hosts-", ["a", "b"])
        cls.hosts.start()

    def ssh(self, name: str, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.hosts.inside("ssh", "-F", self.hosts.ssh_config, *options, name, command),
            capture_output=True, text=True, timeout=scaled(60))

    def test_a_person_may_log_in_and_become_root(self) -> None:
        self.assertEqual(self.ssh("a", "whoami; sudo -n whoami; hostname").stdout, "deploy\nroot\na\n")

    def test_each_has_a_systemd_whose_units_are_its_own(self) -> None:
        self.hosts.run("a", "systemctl", "stop", "dpkg-db-backup.timer")
        states = [self.hosts.run(name, "systemctl", "is-active", "dpkg-db-backup.timer", check=False)
                  for name in self.hosts.names]
        self.assertEqual(states, ["inactive\n", "active\n"])

    def test_a_reboot_keeps_the_disk_and_changes_the_boot(self) -> None:
        before = boot_id(self.hosts, "a")
        self.assertNotEqual(before, boot_id(self.hosts, "b"))
        self.hosts.run("a", "touch", "/var/kept")
        self.hosts.reboot("a")
        self.assertNotEqual(before, boot_id(self.hosts, "a"))
        self.hosts.run("a", "ls", "/var/kept")

    def test_a_lost_disk_is_as_it_was_first_made(self) -> None:
        self.hosts.run("b", "touch", "/var/lost")
        self.hosts.lose_disk("b")
        self.hosts.start("b")
        self.assertEqual(self.hosts.run("b", "sh", "-c", "ls /var/lost 2>/dev/null || echo none"), "none\n")
        self.assertEqual(self.ssh("b", "echo back").stdout, "back\n")

    def test_a_cut_in_one_direction_lets_the_other_pass(self) -> None:
        for way, hears in (("in", False), ("out", True)):
            with self.subTest(way=way):
                self.hosts.run("a", "nft", COUNTER)
                self.hosts.cut("a", way)
                self.addCleanup(self.hosts.heal, "a")
                self.assertIn("timed out", self.ssh("a", "true", "-o", "ConnectTimeout=1").stderr)
                counted = self.hosts.run("a", "nft", "list", "table", "inet", "heard")
                self.assertEqual("packets 0 " not in counted, hears)
                self.hosts.heal("a")
                self.hosts.run("a", "nft", "delete table inet heard")
                self.assertEqual(self.ssh("a", "echo healed").stdout, "healed\n")

    def test_the_machines_own_network_does_not_know_them(self) -> None:
        seen = subprocess.run(["ip", "-o", "address"], capture_output=True, text=True).stdout
        self.assertNotIn("10.77.0.", seen)
        links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True).stdout
        self.assertNotIn("port-a", links)


if __name__ == "__main__":
    unittest.main()
