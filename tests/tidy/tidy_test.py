#!/usr/bin/env python3
"""Checks how the tree is built, not what it does: layers, lengths, headers, leftovers, links.

Each check is a function from a Tree (path -> text) to a list of problems. TheTree runs them on the
repository; Planted shows for each that it finds a planted violation and passes a clean file.
"""
import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILE_LINES_AIM, FILE_LINES_MAX = 400, 800
FUNCTION_LINES_MAX = 80
PURPOSE_LINES_MAX = 15
POSIX_HEADER = re.compile(r"sys/|(unistd|fcntl|poll|signal|time|spawn)\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


class Tree(dict):
    """The files by their path from the root; texts only."""

    def named(self, pattern):
        return {path: text for path, text in sorted(self.items()) if re.search(pattern, path)}


def load_tree():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
    tree = Tree()
    for path in filter(None, listed):
        full = os.path.join(ROOT, path)
        if os.path.isfile(full) and not os.path.islink(full):
            try:
                with open(full, encoding="utf-8") as file:
                    tree[path] = file.read()
            except UnicodeDecodeError:
                pass  # not text
    return tree


def read_layers(tree):
    layers = {}
    for line in tree.get("src/LAYERS", "").splitlines():
        if line.strip() and not line.startswith("#"):
            folder, _, allowed = line.partition(":")
            layers[folder.strip()] = allowed.split()
    return layers


def reachable(layers, start):
    found, ahead = set(), list(layers[start])
    while ahead:
        folder = ahead.pop()
        if folder not in found:
            found.add(folder)
            ahead += layers.get(folder, [])
    return found


def check_layers(tree):
    """Each #include goes to a folder that src/LAYERS allows. Tests may include anything."""
    layers = read_layers(tree)
    problems = [f"src/LAYERS: {folder} may include itself by way of others"
                for folder in layers if folder in reachable(layers, folder)]
    problems += [f"src/LAYERS: {folder} may include {name}, which it does not name"
                 for folder, allowed in layers.items() for name in allowed if name not in layers]
    for path, text in tree.named(r"^src/.*\.(h|cpp)$").items():
        folder = os.path.dirname(path)[len("src/"):]
        if folder not in layers:
            problems.append(f"{path}: src/LAYERS does not name its folder")
            continue
        for kind, target in INCLUDE.findall(text):
            goes_to = os.path.dirname(target)
            if kind == '"' and "src/" + target not in tree:
                problems.append(f'{path}: "{target}" is no file of src/')
            elif kind == '"' and not path.endswith("_test.cpp") \
                    and goes_to != folder and goes_to not in layers[folder]:
                problems.append(f"{path}: {folder} may not include {target} (src/LAYERS)")
    return problems


def check_file_length(tree):
    return [f"{path}: {text.count(chr(10))} lines, at most {FILE_LINES_MAX}"
            for path, text in tree.named(r"\.(h|cpp|py|sh)$|^dev$").items()
            if text.count("\n") > FILE_LINES_MAX]


def functions(text):
    """(first line, length) of what looks like a function body in clang-format's layout."""
    lines = text.splitlines()
    for first, line in enumerate(lines):
        if not line.endswith("{") or line.strip().startswith(("#", "//")):
            continue
        start = first
        while start > 0 and not re.search(r"(^|[;{}:>])$|^\s*//", lines[start - 1]):
            start -= 1
        head = " ".join(part.strip() for part in lines[start:first + 1])
        if "(" not in head or re.match(
                r"(namespace|class|struct|enum|union|if|for|while|switch|do|else|\}|extern|return)\b|\}",
                head) or head.endswith("= {"):
            continue
        indent = lines[start][:len(lines[start]) - len(lines[start].lstrip())]
        for last in range(first + 1, len(lines)):
            if lines[last].startswith(indent + "}"):
                yield start + 1, last - start + 1
                break


def check_function_length(tree):
    return [f"{path}:{line}: a function of {length} lines, at most {FUNCTION_LINES_MAX}"
            for path, text in tree.named(r"\.(h|cpp)$").items()
            for line, length in functions(text) if length > FUNCTION_LINES_MAX]


def check_tests_registered(tree):
    """Every test program is known to ctest."""
    problems = []
    for path, text in tree.named(r"^(src|tests)/.*\.(cpp|py)$").items():
        folder, name = os.path.split(path)
        if not name.endswith(("_test.cpp", "_test.py")) \
                and not re.search(r"^(TEST|TEST_F|TEST_P)\(", text, re.M):
            continue
        build = tree.get(folder + "/CMakeLists.txt", "")
        by_folder = folder.startswith("src/") and name.endswith("_test.cpp") \
            and "drydock_module(" in build
        by_function = name.endswith("_test.py") and "drydock_python_tests(" in build
        if not by_folder and not by_function and name not in build and not re.search(r"GLOB.*\*", build):
            problems.append(f"{path}: its folder's CMakeLists.txt does not register this test")
    return problems


def check_supervised(tree):
    """Each Python test runs below supervise.py, so that its processes end with it."""
    return [f"{path}: {' '.join(words.split())}: \"${{supervise}}\" is missing"
            for path, text in tree.named(r"^tests/(?!tidy/).*CMakeLists\.txt$").items()
            for words in re.findall(r'COMMAND\s+(?:Python3::Interpreter|python3)\s+(?!"\$\{supervise\}")\S+', text)]


UNSCALED = r"\btimeout=[1-9][\d.]*[,)]|SECONDS_MAX = \d|\.wait\(\d|\bTIMEOUT \d"
DO_NOT_WAIT_FOR_THE_MACHINE = r"/(releases|supervise|tidy_test)\.py$"  # but for a network, or for nothing


def check_sources_exist(tree):
    """A property of a source that is gone is dropped by CMake without a word."""
    return [f"{path}: sets properties of {name}, which is not there"
            for path, text in tree.named(r"CMakeLists\.txt$").items()
            for name in re.findall(r"set_source_files_properties\(([^\s$]+)", text)
            if os.path.join(os.path.dirname(path), name) not in tree]


def check_limits(tree):
    """What tests wait for at most is scaled to the machine: scaled() in Python, drydock_limit() in CMake."""
    return [f"{path}:{number}: a limit that is not scaled (tests/field/common/limits.py, cmake/Limits.cmake)"
            for path, text in tree.named(r"^tests/.*(\.py|CMakeLists\.txt)$").items()
            if not re.search(DO_NOT_WAIT_FOR_THE_MACHINE, path)
            for number, line in enumerate(text.splitlines(), 1) if re.search(UNSCALED, line)]


TESTS_PAGE = "tests/README.md"


def check_tests_page(tree):
    """tests/README.md names each folder, each label and each variable that a test reads."""
    page = tree.get(TESTS_PAGE, "")
    files = tree.named(r"^tests/.*(\.py|\.cpp|CMakeLists\.txt)$")
    folders = {path.split("/")[1] for path in tree if path.startswith("tests/") and path.count("/") > 1}
    reads = re.compile(r"(?:environ(?:\.get\(|\[)|getenv\()\"([A-Z_]*DRYDOCK[A-Z_]*)")
    variables = {name for text in files.values() for name in reads.findall(text)}
    labels = {name for text in files.values() for name in re.findall(r"\bLABELS? ([a-z][a-z0-9-]*)", text)}
    return ([f"{TESTS_PAGE}: no line for the folder {folder}"
             for folder in sorted(folders) if f"| [{folder}]" not in page]
            + [f"{TESTS_PAGE}: nothing about {name}" for name in sorted(variables) if f"`{name}" not in page]
            + [f"{TESTS_PAGE}: no folder has the label {name}" for name in sorted(labels)
               if not re.search(rf"(?<![\w-]){name}(?![\w-])", page)])


def check_container(tree):
    """The Containerfile copies files that exist and calls commands that ./dev has."""
    text, dev = tree.get("Containerfile", ""), tree.get("dev", "")
    copied = re.findall(r"^COPY (\S+) ", text, re.M)
    called = re.findall(r"^RUN .*\./dev (\w+)", text, re.M)
    return ([f"Containerfile: COPY {name}: there is no such file" for name in copied
             if name not in tree and name not in (".", "./")]
            + [f"Containerfile: ./dev has no command {name}" for name in called if f"\nrun_{name}()" not in dev])


def check_headers(tree):
    """A header opens with its purpose, is included once, and names no third-party header."""
    problems = []
    for path, text in tree.named(r"^(src|tests)/.*\.h$").items():
        lines = text.splitlines() + [""]
        purpose = next(i for i, line in enumerate(lines) if not line.startswith("//"))
        if not 1 <= purpose <= PURPOSE_LINES_MAX:
            problems.append(f"{path}: opens with {purpose} lines of purpose, "
                            f"not 1 to {PURPOSE_LINES_MAX}")
        if lines[purpose] != "#pragma once":
            problems.append(f"{path}: no #pragma once after the purpose")
        problems += [f"{path}: <{target}> belongs in a .cpp file"
                     for kind, target in INCLUDE.findall(text)
                     if kind == "<" and re.search(r"[./]", target)
                     and target not in ("tl/expected.hpp", "fmt/core.h") and not POSIX_HEADER.match(target)
                     and not (path.startswith("tests/") and target == "gtest/gtest.h")]  # fixtures are classes of it
    return problems


def check_start_here(tree):
    """A folder with several headers says where to start, in one of them or in the folder above."""
    folders = {}
    for path, text in sorted(tree.named(r"^src/.*\.h$").items()):
        folders.setdefault(os.path.dirname(path), {})[path] = text.partition("#pragma")[0]
    starts = {folder: "".join(text for text in heads.values() if text.startswith("// Start here"))
              for folder, heads in folders.items()}
    return [f"{min(heads)}: no header of the folder begins with \"Start here\"" for folder, heads in folders.items()
            if len(heads) > 1 and not starts[folder]
            and os.path.basename(folder) + "/" not in starts.get(os.path.dirname(folder), "")]


# Written in pieces, so that this file does not find itself.
LEFTOVERS = {
    "a merge that was not finished": r"^(<{7}|>{7}) ",
    "a note to finish something": r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b",
    "a path of one machine": r"(?<![\w.])/(wo" r"rk|ro" r"ot|ho" r"me/\w+)/",
    "a private host": r"https?://[\w.-]+\.(inter" r"nal|lo" r"cal|corp|lan|svc)\b|"
                      r"https?://(10|192\.168|172\.(1[6-9]|2\d|3[01]))\.",
}


def check_leftovers(tree):
    problems = []
    for path, text in sorted(tree.items()):
        for number, line in enumerate(text.splitlines(), 1):
            problems += [f"{path}:{number}: {what}: {line.strip()[:80]}"
                         for what, pattern in LEFTOVERS.items() if re.search(pattern, line)]
    return problems


def slugs(text):
    """The anchors of a Markdown file's headings, as GitHub makes them."""
    for heading in re.findall(r"^#+ +(.*)$", text, re.M):
        yield re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def check_links(tree):
    problems = []
    for path, text in tree.named(r"\.md$").items():
        prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", prose):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            full = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
            is_folder = any(other.startswith(full.rstrip("/") + "/") for other in tree)
            if full not in tree and not is_folder:
                problems.append(f"{path}: the link {target} leads nowhere")
            elif anchor and full.endswith(".md") and anchor not in slugs(tree[full]):
                problems.append(f"{path}: {target}: no such heading")
    return problems


LITERAL_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'|//[^\n]*|/\*.*?\*/', re.S)
# In comments: `name`, `A::b`, name(), A::b and bare words with an underscore.
NAMES_IN_COMMENTS = re.compile(r"`([A-Za-z_]\w*(?:::\w+)*)(?:\(\))?`|\b((?:[A-Za-z_]\w*::)+\w+)|\b([A-Za-z_]\w*)\(\)"
                               r"|\b([a-z]\w*_\w+)\b")
FILES_IN_COMMENTS = re.compile(r"(?<![\w./<~-])((?:[\w.-]+/)*[\w-]+\.(?:h|cpp|md))\b(?![/:]{2}|-)")
# Words of other languages, and examples.
NO_NAMES_OF_OURS = {"systemctl", "BaseAppConfig", "other_function", "k_orders", "raedy",
                    "PascalCase", "ScriptDirectory", "RatisRoles"}


def comments_of(text):
    """(line, text) of each comment."""
    for found in LITERAL_OR_COMMENT.finditer(text):
        if found.group().startswith("/"):
            yield text.count("\n", 0, found.start()) + 1, re.sub(r"\w+://\S+", "", found.group())


def without_comments(text):
    code = LITERAL_OR_COMMENT.sub(lambda found: "" if found.group().startswith("/") else found.group(), text)
    return INCLUDE.sub("", code)


TYPES_IN_PAGES = re.compile(r"\b(?:[A-Za-z_]\w*::)+\w+|^(?:[A-Z][a-z]+){2,}$")
CODE_MARK = re.compile(r"`([^`\n]+)`")


def check_names_in_comments(tree):
    """What a comment of src/ or a page names is there: identifiers are words of the code or the packs, files exist."""
    words, files, endings = set(), tree.named(r"\.(h|cpp)$"), set()
    for text in files.values():
        words.update(re.findall(r"\w+", without_comments(text)))
    for text in tree.named(r"^packs/.*\.yaml$|^dev$|CMakeLists\.txt$").values():
        words.update(re.findall(r"\w+", text))
    for path in tree:
        parts = path.split("/")
        words.add(parts[-1].split(".")[0])
        endings.update("/".join(parts[first:]) for first in range(len(parts)))
    problems = []
    for path, text in tree.named(r"^src/.*\.(h|cpp)$").items():
        for line, comment in comments_of(text):
            names = {part for groups in NAMES_IN_COMMENTS.findall(comment) for name in groups for part in name.split("::")}
            problems += [f"{path}:{line}: a comment names {name}, which is not in the sources"
                         for name in sorted(names - words - NO_NAMES_OF_OURS - {""})]
            problems += [f"{path}:{line}: a comment names {name}, and there is no such file"
                         for name in FILES_IN_COMMENTS.findall(comment) if name not in endings]
    for path, text in tree.named(r"\.md$").items():
        for number, line in enumerate(text.splitlines(), 1):
            for mark in CODE_MARK.findall(line):
                names = {part for name in TYPES_IN_PAGES.findall(mark) for part in name.split("::")}
                problems += [f"{path}:{number}: `{mark}`: {name} is not in the sources" for name in sorted(names - words - NO_NAMES_OF_OURS)]
                problems += [f"{path}:{number}: `{mark}`: there is no such file"
                             for name in re.findall(r"^(?:[\w-]+/)*(?!foo_|_test)[\w-]+\.(?:h|cpp)$", mark) if name not in endings]
    return problems


GLOSSARY = "docs/glossary.md"


def plain(text):
    """Letters alone: `TraceReplayer`, trace_replayer and "trace replayer" are one word."""
    return re.sub(r"[^a-z]", "", text.lower())


def check_glossary(tree):
    """Each term stands in the file that its row names, and README's words are rows of the glossary."""
    problems, meanings = [], {}
    for number, line in enumerate(tree.get(GLOSSARY, "").splitlines(), 1):
        row = re.match(r"\| (.*?) \| (.*?) \| .* \| \[.*?\]\((.*?)\) \|$", line)
        if row:
            path = os.path.normpath(os.path.join(os.path.dirname(GLOSSARY), row[3]))
            meanings[row[1]] = row[2]
            text = plain(path + tree.get(path, ""))
            problems += [f"{GLOSSARY}:{number}: {path} does not have the term \"{term.strip()}\""
                         for term in re.sub(r"\(.*?\)", "", row[1]).split(",") if plain(term) not in text]
    words = tree.get("README.md", "").partition("\n## Words\n")[2].partition("\n## ")[0]
    problems += [f"README.md: the meaning of \"{term}\" is another one in {GLOSSARY}"
                 for term, meaning in re.findall(r"^\| (.*?) \| (.*?) \|$", words, re.M)
                 if term not in ("word", "---") and meanings.get(term) != meaning]
    return problems


THREADS = re.compile(r"std::(?:j?thread\b(?!::)|async\()")


def check_threads(tree):
    """The gate runs the unit tests of each folder that starts threads with ThreadSanitizer."""
    listed = re.findall(r"^threaded=\((.*)\)", tree.get("dev", ""), re.M)
    folders = {os.path.dirname(path)[len("src/"):] for path, text in tree.named(r"^src/.*\.(h|cpp)$").items()
               if THREADS.search(without_comments(text))}
    return [f"dev: threaded=(...) has no {folder}, which starts threads"
            for folder in sorted(folders) if folder not in " ".join(listed).split()]


def check_interpreters(tree):
    """Where a test is given the target Python3::Interpreter, it was found: else ctest takes the name for a program."""
    return [f"{path}: uses Python3::Interpreter without find_package(Python3 ...) in front"
            for path, text in tree.named(r"CMakeLists\.txt$").items()
            if "COMMAND Python3::Interpreter" in text and "find_package(Python3" not in text.split("COMMAND Python3")[0]
            and "drydock_python_tests(" not in text.split("COMMAND Python3")[0]]


MARKS = "tests/sim/must_hit.txt"


def check_marks(tree):
    """Every COVERAGE_MARK of the sources is in the list that a sweep of the simulator must reach, once."""
    listed = [line for line in tree.get(MARKS, "").splitlines() if line and line[0] != "#"]
    marks = {mark: path for path, text in tree.named(r"^src/.*\.cpp$").items()
             for mark in re.findall(r'\bCOVERAGE_MARK\("([^"]+)"\)', text)}
    return ([f"{path}: the mark \"{mark}\" is not in {MARKS}"
             for mark, path in sorted(marks.items()) if mark not in listed]
            + [f"{MARKS}: nothing is marked \"{mark}\"" for mark in listed if mark not in marks])


# These write scripts, where a new line is a new line; visible.cpp is what say() stands on.
FORMATS_ITSELF = ("completion.cpp", "shell_quote.cpp", "visible.cpp")


def check_says(tree):
    """What people see is formatted by say(), whose arguments cannot begin a line of their own."""
    return [f"{path}:{number}: say() in place of fmt::format()"
            for path, text in tree.named(r"^src/cli/.*(?<!_test)\.cpp$").items()
            if os.path.basename(path) not in FORMATS_ITSELF
            for number, line in enumerate(text.splitlines(), 1) if "fmt::format(" in line]


KNOWN_PAGE = "tests/known/README.md"


def check_known_table(tree):
    """The table of known failures has a row for each case, in order, with the words of its case.yaml."""
    def row(path, text):
        value = {key: re.sub(r'^"(.*)"$', r"\1", rest) for key, rest in re.findall(r"^(\w+): (.*)$", text, re.M)}
        return (f"| `{path.split('/')[-2]}` | {value['title']} | {value['report']} | {value['stopped_by']} "
                f"| `{value['name']}` |")
    rows = [row(path, text) for path, text in tree.named(r"^tests/known/[^/]+/case\.yaml$").items()]
    listed = re.findall(r"^\| `[^`]+-[^`]+` \|.*\|$", tree.get(KNOWN_PAGE, ""), re.M)
    return ([f"{KNOWN_PAGE}: add the row\n{row}" for row in rows if row not in listed]
            + [f"{KNOWN_PAGE}: no case says\n{row}" for row in listed if row not in rows]
            + ([] if listed == sorted(listed) else [f"{KNOWN_PAGE}: the rows are not in the order of their names"]))


CHECKS = [check_layers, check_file_length, check_function_length, check_tests_registered, check_supervised,
          check_limits, check_sources_exist, check_tests_page, check_container, check_headers, check_leftovers, check_links,
          check_names_in_comments, check_glossary, check_threads, check_interpreters, check_marks,
          check_says, check_known_table, check_start_here]


class TheTree(unittest.TestCase):
    """The repository itself."""

    def test_is_tidy(self):
        tree = load_tree()
        self.assertGreater(len(tree.named(r"^src/.*\.h$")), 0, "not the repository's root")
        for path, text in tree.named(r"^src/.*\.(h|cpp)$").items():
            if text.count("\n") > FILE_LINES_AIM:
                print(f"note: {path}: {text.count(chr(10))} lines; the aim is {FILE_LINES_AIM}")
        for check in CHECKS:
            with self.subTest(check.__name__):
                problems = check(tree)
                self.assertEqual(problems, [], "\n" + "\n".join(problems))


CLEAN = {
    "src/LAYERS": "# comment\nbase:\nos: base\napp: base os\n",
    "src/base/CMakeLists.txt": "drydock_module(base)\n",
    "src/base/text.h": "// Text.\n#pragma once\n\n#include <sys/types.h>\n#include <string>\n"
                       "#include <tl/expected.hpp>\n",
    "src/base/text.cpp": '// See base/text.h, f() and `x`; "https://a/b_c".\n'
                         '#include "base/text.h"\n#include <fmt/format.h>\n\nint f() {\n    if (x) {\n'
                         "    }\n}\n",
    "src/base/text_test.cpp": '#include "app/app.h"\nTEST(A, B) {\n}\n',
    "src/app/app.h": '// The app.\n#pragma once\n#include "base/text.h"\n',
    "tests/e2e/CMakeLists.txt": "add_test(NAME roll COMMAND python3 \"${supervise}\" roll_test.py)\n",
    "tests/e2e/roll_test.py": "pass\n",
    "tests/README.md": "| [e2e](e2e/) | e2e, crash |\n| [known](known/) | packs |\nThe variable `DRYDOCK_TRUST=1`.\n",
    "src/os/CMakeLists.txt": "drydock_module(os)\n",
    "src/os/worker.cpp": "void f() {\n    std::thread other(g);  // as `f`\n}\n",
    "dev": "#!/bin/bash\nthreaded=(os)\nrun_build() {\n}\n",
    "Containerfile": "FROM debian\nCOPY dev ./\nRUN ./dev build\n",
    "README.md": "# Read me\n\n## Second part\n[a](src/LAYERS) [b](#second-part) [c](src/base/)\n"
                 "[d](https://example.org/x) `[e](nothing)`\n\n## Words\n\n"
                 "| word | means |\n| --- | --- |\n| worker | a thread |\n",
    "tests/known/etcd-1-lost/case.yaml": 'title: "lost"\nreport: "a/b#1"\nstopped_by: check\nname: stuck\n',
    KNOWN_PAGE: "| file | holds |\n| --- | --- |\n| `etcd-1-lost` | lost | a/b#1 | check | `stuck` |\n",
    GLOSSARY: "| term | meaning | in the field | where |\n| --- | --- | --- | --- |\n"
              "| worker | a thread | thread | [os/worker.cpp](../src/os/worker.cpp) |\n",
}

PLANTED = [
    (check_layers, "src/base/text.cpp", '#include "app/app.h"\n'),
    (check_layers, "src/base/text.cpp", '#include "base/missing.h"\n'),
    (check_layers, "src/new/file.h", "// New.\n#pragma once\n"),
    (check_layers, "src/LAYERS", "base: os\nos: base\napp: base os\n"),
    (check_file_length, "src/base/text.cpp", "int x;\n" * (FILE_LINES_MAX + 1)),
    (check_function_length, "src/base/text.cpp",
     "namespace a {\n\nint f(int a,\n      int b) {\n" + "    g();\n" * FUNCTION_LINES_MAX + "}\n\n}\n"),
    (check_function_length, "src/app/app.h",
     "class A {\npublic:\n    int f() {\n" + "        g();\n" * FUNCTION_LINES_MAX + "    }\n};\n"),
    (check_tests_registered, "tests/e2e/other_test.py", "pass\n"),
    (check_tests_registered, "tests/e2e/other.cpp", "TEST(A, B) {\n}\n"),
    (check_tests_registered, "src/app/app_test.cpp", "TEST(A, B) {\n}\n"),
    (check_supervised, "tests/e2e/CMakeLists.txt", "add_test(NAME roll COMMAND python3 roll_test.py)\n"),
    (check_sources_exist, "src/app/CMakeLists.txt", "set_source_files_properties(gone.cpp PROPERTIES X Y)\n"),
    (check_limits, "tests/e2e/roll_test.py", "RUN_SECONDS_MAX = 30.0\n"),
    (check_limits, "tests/e2e/roll_test.py", "done = run(words, timeout=30)\n"),
    (check_limits, "tests/e2e/CMakeLists.txt",
     "add_test(NAME roll COMMAND python3 \"${supervise}\" roll_test.py)\n"
     "set_tests_properties(roll PROPERTIES TIMEOUT 9)\n"),
    (check_container, "Containerfile", "FROM debian\nCOPY devel ./\n"),
    (check_container, "Containerfile", "FROM debian\nRUN ./dev prepare\n"),
    (check_tests_page, TESTS_PAGE, "`DRYDOCK_TRUST`\n"),
    (check_headers, "src/app/app.h", "#pragma once\n"),
    (check_headers, "src/app/app.h", "// The app.\n#include <string>\n"),
    (check_headers, "src/app/app.h", "//\n" * (PURPOSE_LINES_MAX + 1) + "#pragma once\n"),
    (check_headers, "src/app/app.h", "// The app.\n#pragma once\n#include <sqlite3.h>\n"),
    (check_headers, "src/app/app.h", "// The app.\n#pragma once\n#include <fmt/format.h>\n"),
    (check_headers, "src/app/app.h", "// The app.\n#pragma once\n#include <boost/graph>\n"),
    (check_leftovers, "src/base/text.cpp", "// TO" "DO later\n"),
    (check_leftovers, "README.md", "<<<<<" "<< HEAD\n"),
    (check_leftovers, "README.md", "see /wo" "rk/main/x\n"),
    (check_leftovers, "README.md", "see /ho" "me/ann/x\n"),
    (check_leftovers, "README.md", "get it at http:" "//10.0.0.1/x\n"),
    (check_leftovers, "README.md", "get it at https:" "//mirror.corp/x\n"),
    (check_links, "README.md", "[a](docs/missing.md)\n"),
    (check_links, "README.md", "# Here\n[a](#there)\n"),
    (check_names_in_comments, "src/base/text.cpp", "// Calls gone().\n"),
    (check_names_in_comments, "src/base/text.cpp", "int f();  // as `gone` says\n"),
    (check_names_in_comments, "src/base/text.cpp", "int f();  // as `f::gone` says\n"),
    (check_names_in_comments, "src/base/text.cpp", "// A k_gone_max of Text::gone.\nclass Text;\nint k_gone_max;\n"),
    (check_names_in_comments, "src/base/text.cpp", "// The number of gone_things.\n"),
    (check_names_in_comments, "src/base/text.cpp", "// See base/gone.h.\n"),
    (check_names_in_comments, "README.md", "See `base/gone.h`.\n"),
    (check_names_in_comments, "README.md", "See `f::gone`.\n"),
    (check_glossary, GLOSSARY, "| other thread | a thread | thread | [os](../src/os/worker.cpp) |\n"
                               "| gone | a thread | thread | [os](../src/os/worker.cpp) |\n"
                               "| worker | a thread | thread | [os](../src/os/worker.cpp) |\n"),
    (check_glossary, "README.md", "\n## Words\n| worker | a process |\n"),
    (check_threads, "dev", "#!/bin/bash\nthreaded=(base)\nrun_build() {\n}\n"),
    (check_interpreters, "tests/e2e/CMakeLists.txt",
     "add_test(NAME roll COMMAND Python3::Interpreter \"${supervise}\" roll_test.py)\n"),
    (check_marks, "src/base/text.cpp", 'void f() {\n    COVERAGE_MARK("rare");\n}\n'),
    (check_marks, MARKS, "rare\n"),
    (check_known_table, KNOWN_PAGE, "# Known\n"),
    (check_known_table, KNOWN_PAGE, "| `etcd-1-lost` | lost | a/b#1 | check | `quorum` |\n"),
    (check_start_here, "src/app/a.h", "// Another one. Start here is too late.\n#pragma once\n"),
    (check_says, "src/cli/render.cpp", 'void f() {\n    fmt::format("{}", name);\n}\n'),
]


class Planted(unittest.TestCase):
    """Each check finds what it is for, and only that."""

    def test_a_clean_tree_has_no_problems(self):
        for check in CHECKS:
            self.assertEqual(check(Tree(CLEAN)), [], check.__name__)

    def test_each_planted_violation_is_found_in_its_file(self):
        for check, path, text in PLANTED:
            with self.subTest(check=check.__name__, path=path, text=text[:60]):
                problems = check(Tree({**CLEAN, path: text}))
                self.assertEqual([p for p in problems if p.startswith(path)][:1], problems[:1])
                self.assertNotEqual(problems, [])

    def test_every_check_has_a_planted_violation(self):
        self.assertEqual({check for check, _, _ in PLANTED}, set(CHECKS))


if __name__ == "__main__":
    sys.exit(unittest.main())
