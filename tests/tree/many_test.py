"""`drydock copy` and `verify` of a folder of a million names: they are never held in memory at once."""

import os
import subprocess
import sys
import unittest

import power_test
import trees  # first: it knows where the others are
from program import DONE, program

NAMES = 1_000_000
MEMORY_MB = 150
MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=False).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


class ManyTest(trees.TreeCase):
    @classmethod
    def setUpClass(cls) -> None:
        trees.require_root()
        power_test.own_mounts()

    def run_measured(self, *words: str) -> tuple[int, int]:
        """The exit code, and the most memory in MB."""
        done = subprocess.run([sys.executable, "-c", MEASURED, program(), *words], capture_output=True, text=True, check=True,
                              env=os.environ | {"XDG_STATE_HOME": os.path.join(self.scratch, "state")})
        code, memory = done.stdout.split()
        return int(code), int(memory)

    def test_a_folder_of_many_names(self) -> None:
        for folder in (self.source, self.target):
            os.mkdir(folder)
            power_test.run("mount", "-t", "tmpfs", "-o", "nr_inodes=0,size=90%", "tmpfs", folder)
            self.addCleanup(subprocess.run, ["umount", "-l", folder], check=False)
        for number in range(NAMES):
            os.close(os.open(os.path.join(self.source, f"name {number}"), os.O_CREAT | os.O_WRONLY))
        trees.write(os.path.join(self.source, "name 7"), b"seven")
        for words in (["copy", "--no-sync"], ["verify"]):
            code, memory = self.run_measured(*words, self.source, self.target)
            print(f"{words[0]}: {memory} MB", flush=True)
            self.assertEqual(code, DONE)
            self.assertLess(memory, MEMORY_MB)
        self.assertEqual(len(os.listdir(self.target)), NAMES)
        with open(os.path.join(self.target, "name 7"), "rb") as file:
            self.assertEqual(file.read(), b"seven")


if __name__ == "__main__":
    unittest.main()
