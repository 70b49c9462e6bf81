"""The cluster files that people start from are read without a complaint: those of examples/, and those in docs/."""

import os
import re
import shutil
import sys
import tempfile
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from program import NO, ROOT, USAGE, Run, require_program, run_drydock  # noqa: E402  (found by the line above)

EXAMPLES = os.path.join(ROOT, "examples")
DOCS = os.path.join(ROOT, "docs")


def names() -> list[str]:
    return sorted(name for name in os.listdir(EXAMPLES) if name.endswith(".yaml"))


def text_of(*path: str) -> str:
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        require_program()

    def setUp(self) -> None:
        self.scratch = tempfile.mkdtemp(prefix="drydock-examples-")
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)

    def read(self, text: str) -> Run:
        """What drydock says to a cluster file. `status` reads all of it, and contacts and executes nothing."""
        path = os.path.join(self.scratch, "cluster.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub(r"(?m)^state: .*$", "state: ./state", text))
        return run_drydock(["status", "-c", path], self.scratch,
                           {"DRYDOCK_PACKS": os.path.join(ROOT, "packs"), "DRYDOCK_TRUST": "0"})

    def assert_read(self, text: str) -> None:
        done = self.read(text)
        self.assertEqual(done.code, NO, done.text())
        self.assertIn("there is no run", done.text())

    def test_each_example_is_read(self) -> None:
        self.assertEqual({re.search(r"(?m)^system: (\w+)", text_of(EXAMPLES, name))[1] for name in names()},
                         set(os.listdir(os.path.join(ROOT, "packs"))), "a system without an example")
        for name in names():
            with self.subTest(name):
                self.assert_read(text_of(EXAMPLES, name))

    def test_each_example_is_listed(self) -> None:
        page = text_of(EXAMPLES, "README.md")
        self.assertEqual([name for name in names() if f"]({name})" not in page], [])

    def test_each_cluster_file_of_the_documents_is_read(self) -> None:
        found = 0
        for name in sorted(os.listdir(DOCS)):
            if not name.endswith(".md"):
                continue
            for block in re.findall(r"(?ms)^```yaml\n(cluster: .*?)^```", text_of(DOCS, name)):
                # The page of Backend.AI leaves out three roles; its file is in examples/ whole.
                if "in the same way" in block:
                    continue
                found += 1
                with self.subTest(name):
                    self.assert_read(block)
        self.assertGreaterEqual(found, 3)

    def test_a_wrong_word_in_an_example_is_complained_about(self) -> None:
        """`status` would be no test if it did not look at each part of the file."""
        for name in names():
            text = text_of(EXAMPLES, name)
            for wrong in (("soak:", "sok:"), ("    release:\n", "    relese:\n"), ("- {role: ", "- {role: x"),
                          ("policy:", "polcy:"), ("status: [", "stats: ["), ("pid_file:", "pidfile:"),
                          ("config: /", "confg: /"), ("http_url: ", "http_ur: "), ("client_url: ", "client_ur: "),
                          ('"2.1.1": /opt', '"9.1.1": /opt')):
                if wrong[0] in text:
                    with self.subTest(name, wrong=wrong[1]):
                        done = self.read(text.replace(*wrong, 1))
                        self.assertEqual(done.code, USAGE, done.text())
                        self.assertIn("cluster.yaml:", done.text())


if __name__ == "__main__":
    unittest.main()
