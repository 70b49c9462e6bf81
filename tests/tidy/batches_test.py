#!/usr/bin/env python3
"""Files that a compiler reads as one have no names of their own in common."""

import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "tools", "batches")
LINES_MAX = 100


def own(text: str) -> str:
    """A file with this in a namespace without a name."""
    return "namespace drydock {\nnamespace {\n" + text + "\n}  // namespace\n}  // namespace drydock\n"


class Batches(unittest.TestCase):
    def setUp(self) -> None:
        self.root = tempfile.mkdtemp(prefix="drydock-batches-")
        self.addCleanup(shutil.rmtree, self.root)

    def batches(self, *texts: str) -> list[int]:
        """The batch of each file."""
        paths = [os.path.join(self.root, f"{number}.cpp") for number in range(len(texts))]
        for path, text in zip(paths, texts):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        done = subprocess.run([PROGRAM, str(LINES_MAX), *paths], check=True, capture_output=True, text=True)
        found = dict(line.split(";batch") for line in done.stdout.split())
        return [int(found[path]) for path in paths]

    def test_no_name_stands_twice(self) -> None:
        for text in ("int size() {\n    return 0;\n}", "constexpr int k_max = 1;", "struct Kind {};", "using Names = int;",
                     "enum class Kind { one };", "Result<int> read(const Json& value,\n                 int more) {"):
            self.assertEqual(self.batches(own(text), own(text), own("int other();")), [0, 1, 0], text)
        self.assertEqual(self.batches("static int size() {\n", "static int size() {\n"), [0, 1])
        self.assertEqual(self.batches("#define TWICE 1\n", "#define TWICE 2\n"), [0, 1])

    def test_what_is_indented_or_in_a_named_namespace_is_free(self) -> None:
        self.assertEqual(self.batches(own("int a() {\n    int size = 0;\n}"), own("int b() {\n    int size = 0;\n}")), [0, 0])
        self.assertEqual(self.batches("namespace a {\nint size();\n}\n", "namespace a {\nint size();\n}\n"), [0, 0])

    def test_no_name_changes_its_sense(self) -> None:
        """One file's own function hides that of a header which another calls; so does a type."""
        self.assertEqual(self.batches(own("void fail(int code) {\n}"), "int f() {\n    return fail(1);\n}\n"), [0, 1])
        self.assertEqual(self.batches("int f() {\n    return fail(1);\n}\n", own("void fail(int code) {\n}")), [0, 1])
        self.assertEqual(self.batches(own("struct Status {};"), "Status f();\n"), [0, 1])
        self.assertEqual(self.batches(own("void fail(int code) {\n}"), "// fail(1)\nint f() {\n    x.fail(1); y::fail(1);\n}\n"), [0, 0])

    def test_names_that_are_imported(self) -> None:
        self.assertEqual(self.batches("using run::Status;\n", "using run::Status;\nStatus f();\n"), [0, 0])
        self.assertEqual(self.batches("using run::Status;\n", "using other::Status;\nStatus f();\n"), [0, 1])
        self.assertEqual(self.batches("using run::Status;\n", "Status f();\n", "int f();\n"), [0, 1, 0])

    def test_headers_of_linux_keep_to_themselves(self) -> None:
        """<linux/tcp.h> declares once more what <netinet/tcp.h> does, which another file includes through a library."""
        self.assertEqual(self.batches("int a();\n", "#include <linux/tcp.h>\n", "int b();\n"), [0, 1, 0])

    def test_a_batch_has_its_limit(self) -> None:
        self.assertEqual(self.batches("\n" * 60, "\n" * 60, "\n" * 40, "\n" * (2 * LINES_MAX)), [0, 1, 0, 2])


if __name__ == "__main__":
    unittest.main()
