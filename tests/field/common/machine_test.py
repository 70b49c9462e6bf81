"""Ports are taken by one test at a time."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

import machine
from limits import scaled

RESERVE = "import machine, sys; print([machine.reserve(int(port)) for port in sys.argv[1:]])"


class Ports(unittest.TestCase):
    def elsewhere(self, ports: list[int]) -> str:
        """What another process is told that wants them."""
        return subprocess.run([sys.executable, "-c", RESERVE, *map(str, ports)], check=True, capture_output=True,
                              text=True, timeout=scaled(60), cwd=Path(__file__).parent).stdout.strip()

    def test_nobody_else_gets_the_port_of_a_member_that_is_down(self) -> None:
        ports = machine.free_ports(3)
        self.assertEqual(self.elsewhere(ports), "[False, False, False]")

    def test_they_are_free_again_behind_the_process(self) -> None:
        ports = machine.free_ports(2)
        while machine.RESERVED:
            os.close(machine.RESERVED.pop())
        self.assertEqual(self.elsewhere(ports), "[True, True]")
        self.assertEqual(self.elsewhere(ports), "[True, True]")


if __name__ == "__main__":
    unittest.main()
