"""The pages of docs/formats and the writers of those formats name the same keys.

Each test writes the format with the built program: a plan, a report of the checker, a journal, the answers of an agent.
tests/store, tests/vfolders, tests/extract and tests/field/s3 do the same for the formats of their commands.
"""

import json
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest
from typing import Any, Iterable

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.append(os.path.join(ROOT, "tests", "core"))

import harness  # noqa: E402  (found by the line above)
from harness import DONE, HALTED, KILLED, MOVED, NEW, NO, WAITS  # noqa: E402
from page import CODE, Page  # noqa: E402
from program import run_drydock  # noqa: E402

CONDITIONS = ("when", "guard", "then", "happened", "broken")
# By page: the folders of the sources that write the format.
WRITERS = {
    "plan": ("model", "app"),
    "events": ("run", "executor", "app", "model", "cli"),
    "traces": ("run", "checker", "cli"),
    "store": ("cli", "app", "mover/blocks"),
    "vfolders": ("cli", "app", "mover/rename"),
    "extract": ("cli", "app", "extract"),
    "s3": ("cli", "app", "mover/s3"),
    "tree": ("cli", "app", "mover/tree"),
    "journal": ("journal", "app"),
    "progress": ("agent", "cli"),
    "agent-protocol": ("agent", "pack", "app"),
}


def keys(objects: Iterable[dict[str, Any]]) -> set[str]:
    return {key for one in objects for key in one}


def sources_of(folder: str) -> list[str]:
    """The text of each source file below that folder of src/, without its tests."""
    found = []
    base = os.path.join(ROOT, "src", folder)
    for path, _, names in os.walk(base):
        for name in names:
            if name.endswith((".h", ".cpp")) and not name.endswith("_test.cpp"):
                with open(os.path.join(path, name), encoding="utf-8") as file:
                    found.append(file.read())
    return found


def names_in_table(header: str, table: str) -> set[str]:
    """The names of an enum, from its table in that header of src/."""
    with open(os.path.join(ROOT, "src", header), encoding="utf-8") as file:
        source = file.read()
    names = source[source.index(table):]
    return set(re.findall(r'"([a-z._]+)"', names[:names.index("}")]))


def edit(path: str, *changes: tuple[str, str]) -> None:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for old, new in changes:
        if old not in text:
            raise AssertionError(f"{path} has no `{old}`")
        text = text.replace(old, new)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Pages(unittest.TestCase):
    """Without a cluster."""

    # tree.md

    def test_manifest_of_a_folder(self) -> None:
        """The page has each key of a manifest, and of what copy, verify and manifest print."""
        scratch = tempfile.mkdtemp(prefix="drydock-formats-")
        self.addCleanup(shutil.rmtree, scratch)
        source, target, manifest = (os.path.join(scratch, name) for name in ("source", "target", "manifest"))
        os.makedirs(os.path.join(source, "folder"))
        for name in (b"file", b"folder/no \xff"):
            with open(os.path.join(source.encode(), name), "wb") as file:
                file.write(b"content")
        os.link(os.path.join(source, "file"), os.path.join(source, "second"))
        os.symlink("file", os.path.join(source, "link"))
        os.mkfifo(os.path.join(source, "fifo"))
        page = Page("tree")
        printed = []
        for words in (["copy", source, target], ["manifest", source, "-o", manifest], ["verify", manifest, target]):
            done = run_drydock([*words, "--json"], scratch)
            self.assertEqual(done.code, DONE, done.text())
            printed.append(json.loads(done.stdout))
        with open(manifest, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.assertEqual(lines[0]["format"], "drydock-tree-manifest")
        self.assertGreaterEqual({line["kind"] for line in lines[1:]}, {"file", "folder", "link", "fifo"})
        self.assertEqual(keys(lines) - page.words(), set())
        self.assertEqual(keys(printed) - page.words(), set())

    # All pages

    def test_each_page_has_writers(self) -> None:
        pages = {name[:-len(".md")] for name in os.listdir(os.path.join(ROOT, "docs", "formats")) if name.endswith(".md")}
        self.assertEqual(pages, set(WRITERS))

    def test_documented_keys_have_a_writer(self) -> None:
        """No page keeps a key that nothing writes any more: each is a word in the sources of its writers."""
        for name, folders in WRITERS.items():
            with self.subTest(name):
                words = {word for folder in folders for text in sources_of(folder)
                         for word in re.findall(r"\w+", text)}
                documented = {code for table in Page(name).tables for row in table[1:]
                              for code in CODE.findall(row[0]) if re.fullmatch(r"[a-z_]+", code)}
                self.assertEqual(documented - words, set())


class Formats(harness.Case):
    def assert_table(self, page: Page, head: str, objects: list[dict[str, Any]]) -> None:
        """The objects have the keys of that table; a key whose row says "left out" may be missing."""
        self.assertTrue(objects, f"nothing was written for `{head}`")
        rows = page.rows(head)
        documented = {word for row in rows for word in CODE.findall(row[0])}
        optional = {word for row in rows if "left out" in " ".join(row)
                    for word in CODE.findall(row[0])}
        written = keys(objects)
        self.assertEqual(written - documented, set(), f"{head}: written, and not on the page")
        self.assertEqual(documented - optional - written, set(),
                         f"{head}: on the page, and not written")

    def begin_rising(self) -> None:
        """A toy cluster whose new release raises its format, with a skew rule, a risk and a secret."""
        self.begin()
        pack = self.cluster.path("packs", "toy")
        edit(os.path.join(pack, "releases.yaml"),
             ('formats: ["1"]', 'shared: true, level: level, formats: ["1", "2"]'),
             ('  "2": {data: {reads: ["1"], writes: "1"}}',
              '  "2": {data: {reads: ["1", "2"], writes: "2", raises: when_all}}'))
        with open(os.path.join(pack, "releases.yaml"), "a", encoding="utf-8") as file:
            file.write('skew:\n  - {role: node, series_apart: 1, source: "a test"}\n'
                       'risks:\n  - {id: risk, when: [{fact: ready, of: any, is: false}], because: "it can",'
                       ' source: "a test"}\n')
        edit(os.path.join(pack, "pack.yaml"),
             ("settings:\n  node:\n", "settings:\n  node:\n    word: {type: text, help: \"a secret\"}\n"))
        with open(os.path.join(pack, "pack.yaml"), "a", encoding="utf-8") as file:
            file.write("  system:\n    level: {binds: level, type: release, derive: {lowest: told}}\n")
        edit(os.path.join(pack, "pack.yaml"),
             ("    ready: {", '    told: {type: release, probe: {command: {argv: [echo, "1"], regex: "(1)"}}}\n'
              "    ready: {"))
        edit(self.cluster_file,
             ("settings: {", 'settings: {word: {secret: {command: [echo, hush]}}, '),
             ("        env: {", '        env: {WORD: "${word}", '))

    # plan.md

    def test_plan(self) -> None:
        self.begin_rising()
        self.drydock("plan", "--to", NEW, "-o", self.plan, expect=(DONE, NO))
        self.assertTrue(os.path.exists(self.plan), self.drydock("plan", "--to", NEW).text())
        plan = self.read_json(self.plan)
        page = Page("plan")
        actions = plan["actions"]
        conditions = [one for action in actions for name in CONDITIONS for one in action[name]]
        for head, objects in (
                ("key", [plan]),
                ("of `roles`", plan["roles"]),
                ("of `hosts`", list(plan["hosts"].values())),
                ("of `secrets`", list(plan["secrets"].values())),
                ("of `sources`", list(plan["sources"].values())),
                ("of `actions`", actions),
                ("of `effects`", [effect for action in actions for effect in action["effects"]]),
                ("of a condition", conditions),
                ("of `stores`", plan["stores"]),
                ("of `laws`", plan["laws"]),
                ("of `skew`", plan["skew"]),
                ("of `point_of_no_return`", [plan["point_of_no_return"]]),
                ("of `ways_back`", plan["ways_back"]),
                ("of `risks`", plan["risks"]),
                ("of `check`", [plan["check"]])):
            self.assert_table(page, head, objects)
        for store in plan["stores"]:
            self.assertEqual(keys(store["laws"].values()) - page.row("of `stores`", "laws"), set())

    # traces.md

    def test_traces(self) -> None:
        """Of a plan whose quorum guard was taken out."""
        self.begin()
        edit(self.cluster.path("packs", "toy", "procedures", "upgrade.yaml"),
             ("        guard: [{quorum_without: this}]\n", ""))
        self.drydock("plan", "--to", NEW, "-o", self.plan, expect=NO)
        traces = os.path.join(self.scratch, "stories.json")
        self.drydock("check", self.plan, "--trace", traces, expect=NO)
        report = self.read_json(traces)
        page = Page("traces")
        self.assert_table(page, "of the report", [report])
        self.assertEqual(set(report["faults"]) - page.row("of the report", "faults"), set())
        self.assert_table(page, "of `violations`", report["violations"])
        for step in (step for one in report["violations"] for step in one["trace"]):
            self.assertEqual(set(step) - {"what"} - page.row("`what`", step["what"]), set(), step)
        words = ["sim", self.plan, "--trace", traces, "--json"]
        answer = json.loads(run_drydock(words, self.scratch, self.environment).stdout)
        self.assert_table(page, "of the answer", [answer])
        self.assert_table(page, "of `stories`", answer["stories"])

    def test_steps_of_traces(self) -> None:
        """The page has each kind of step that the checker tells, and no other."""
        kinds = names_in_table("run/trace_step.h", "k_trace_steps({")
        self.assertEqual(len(kinds), 31)
        self.assertEqual(Page("traces").first_column("`what`"), kinds)

    # events.md

    def test_types_of_events(self) -> None:
        """The page has each type of event that a run can record, and no other."""
        types = names_in_table("run/event.h", "k_event_types({")
        self.assertEqual(len(types), 18)
        self.assertEqual(Page("events").first_column("type"), types)

    def test_events(self) -> None:
        """Of runs that wait for a person, are noted, drift, pause, halt, end, are taken back and given up."""
        events = self.run_to_the_end() + self.run_into_a_halt_and_back() + self.run_with_a_lost_command()
        page = Page("events")
        told = {event["type"] for event in events}
        rare = {"action.progress"}  # of an action that takes longer than a test should; see below
        self.assertEqual(page.first_column("type") - told - rare, set(), "types that no run recorded")
        of_event = page.first_column("of an event") | {"sequence", "wall_ms"}
        for event in events:
            self.assertEqual(set(event) - of_event, set(), event)
            row = page.row("type", event["type"])
            self.assertIn(event.get("outcome", "done"), row | {"done"}, event)
            detail = event.get("detail") or {}
            if event["type"] in ("action.ended", "action.attached"):
                row |= {word for one in page.rows("when") for word in CODE.findall(one[1])}
            self.assertEqual(set(detail) - row, set(), event)
            for fact in (detail.get("facts") or {}).values():
                if isinstance(fact, dict) and event["outcome"] != "yes":
                    self.assertEqual(set(fact), page.first_column("of a fact"), event)
            for drift in detail.get("drift", []):
                self.assertEqual(set(drift) - page.row("key of `detail`", "drift"), set(), event)

    def test_progress(self) -> None:
        """The page has the parts of a report of progress that are recorded, and no other."""
        path = os.path.join(ROOT, "src", "executor", "runner_progress.cpp")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        parts = re.search(r"Json progress_part\(.*?\{((?:\"\w+\"(?:, )?)+)\}", text, re.S)
        self.assertIsNotNone(parts, path)
        self.assertEqual(set(re.findall(r"\w+", parts[1])), Page("events").row("type", "action.progress"))

    def test_page_of_progress(self) -> None:
        """The page has the keys that the agent takes from a progress file, and those of a line for machines."""
        page = Page("progress")
        taken = re.findall(r"for \(const char\* key : \{((?:\"\w+\"(?:, )?)+)\}", self.source("agent/attempt.cpp"))
        of_waits, of_file = (set(re.findall(r"\w+", keys)) for keys in taken)
        self.assertEqual(of_file | {"waits"}, page.first_column("key"))
        self.assertEqual(of_waits, page.first_column("key of `waits`"))
        entry = re.search(r"Json progress_entry\(.*?\n}", self.source("cli/progress.cpp"), re.S)
        line = re.search(r"void JsonLines::on_progress\(.*?\n}", self.source("cli/observers.cpp"), re.S)
        written = set(re.findall(r'"(\w+)"', entry[0])) - {"at_ms"}
        written |= set(re.findall(r'set\("(\w+)"', line[0]))
        self.assertEqual(written, page.first_column("of a line"))
        self.assertIn("`at_ms`", page.text)

    @staticmethod
    def source(name: str) -> str:
        with open(os.path.join(ROOT, "src", name), encoding="utf-8") as file:
            return file.read()

    def run_with_a_lost_command(self) -> list[dict[str, Any]]:
        """The conductor dies between the intent and its command; the next one asks the agent."""
        self.begin()
        self.make_plan()
        self.drydock("apply", self.plan, env={"DRYDOCK_CRASH": "action.intended:after"}, expect=KILLED)
        self.drydock("resume", expect=DONE)
        return self.all_events()

    def run_to_the_end(self) -> list[dict[str, Any]]:
        self.begin("gate")
        self.make_plan()
        self.drydock("apply", self.plan, expect=WAITS)
        self.drydock("note", "the disks were replaced", expect=DONE)
        self.cluster.kill("m3")
        self.drydock("resume", expect=MOVED)
        self.cluster.start("m3")
        self.wait_for(lambda: self.cluster.is_up("m3"), "m3 to serve")
        self.drydock("resume", expect=WAITS)
        self.drydock("approve", "go", expect=DONE)
        self.drydock("resume", expect=DONE)
        return self.all_events()

    def run_into_a_halt_and_back(self) -> list[dict[str, Any]]:
        self.begin()
        self.make_plan()
        self.kill_in_stop("m1", 2)
        running = self.start_drydock("resume")
        self.wait_for(lambda: self.types().count("conductor.started") == 2, "another conductor")
        self.drydock("pause", expect=(DONE, WAITS))
        running.wait()
        os.rename(self.cluster.path("releases", NEW), self.cluster.path("releases", "away"))
        self.drydock("resume", expect=HALTED)
        self.drydock("downgrade", expect=DONE)
        self.make_plan()
        self.kill_in_stop("m1", 1)
        self.drydock("abort", expect=DONE)
        return self.all_events()

    def all_events(self) -> list[dict[str, Any]]:
        ids = [run for run, in self.rows("SELECT id FROM runs ORDER BY number")]
        return [event for run in ids for event in self.events(run=run)]

    # journal.md

    def test_journal(self) -> None:
        """Each table of the database is on the page, column by column."""
        self.begin()
        self.make_plan()
        self.drydock("apply", self.plan, expect=DONE)
        page = Page("journal")
        with sqlite3.connect(os.path.join(self.scratch, "state", "journal.db")) as database:
            tables = [name for name, in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
            columns = {name: {row[1] for row in database.execute(f"PRAGMA table_info({name})")}
                       for name in tables}
        database.close()
        documented = {CODE.findall(table[0][0])[0]: {word for row in table[1:]
                                                     for word in CODE.findall(row[0])}
                      for table in page.tables if CODE.match(table[0][0])}
        self.assertEqual({name: documented.get(name) for name in tables}, columns)

    # agent-protocol.md

    def test_kinds_of_actions_and_probes(self) -> None:
        """The page has each kind of action and probe that an agent knows."""
        text = "".join(sources_of("agent"))
        for pattern in (r'ActionKind\{"(\w+)"', r'ProbeKind\{"(\w+)"'):
            kinds = set(re.findall(pattern, text))
            self.assertTrue(kinds, pattern)
            self.assertEqual(kinds - Page("agent-protocol").first_column("kind"), set())

    def test_agent_protocol(self) -> None:
        """The answers of an agent, and the files that it leaves."""
        self.begin()
        agent = Agent(os.path.join(self.scratch, "agent"))
        self.addCleanup(agent.close)
        owner = {"cluster": "c", "journal": "j" * 32, "who": "a person", "claims": [],
                 "leases": [[1, "0" * 16]]}
        key = {"journal": "j" * 32, "epoch": 1, "run": "r", "action": "a/b", "attempt": 1}
        head = {"sequence": 1, "hash": "0" * 64}
        request = {"kind": "command", "argv": ["/bin/true"], "timeout_ms": 5000}
        answers = [
            agent.ask(do="hello"), agent.ask(do="ping"), agent.ask(do="fence", epoch=1, owner=owner),
            agent.ask(do="probe", probes=[{"id": "f", "kind": "file", "path": "/nowhere", "as": "exists",
                                           "type": "bool"}]),
            agent.ask(do="exec", **key, head=head, request=request),
            agent.ask(do="attach", **key),
            agent.ask(do="attach", run="r", action="none", attempt=1, wait=False),
            agent.ask(do="hello", heads_of=""),
            agent.ask(do="exec", **key, request={**request, "argv": ["/bin/false"]}),
            agent.ask(do="nothing"),
        ]
        documented = {word for code in Page("agent-protocol").words() for word in re.findall(r"\w+", code)}
        for answer in answers:
            self.assertEqual(all_keys(answer) - documented, set(), answer)
        folder = os.path.join(agent.state, "r", "a+b.1")
        self.assertEqual(set(os.listdir(folder)) - self.files_of_page(), set())
        for name in ("request.json", "result.json", "containment.json"):
            self.assertEqual(all_keys(self.read_json(os.path.join(folder, name))) - documented, set(), name)
        with open(os.path.join(agent.state, ".fence"), encoding="utf-8") as file:
            self.assertEqual(all_keys(json.load(file)) - documented, set(), ".fence")

    @staticmethod
    def files_of_page() -> set[str]:
        return Page("agent-protocol").first_column("file")

    @staticmethod
    def read_json(path: str) -> Any:
        with open(path, encoding="utf-8") as file:
            return json.load(file)


def all_keys(value: Any) -> set[str]:
    """Of an answer, but not of `evidence`, which each kind of action and probe fills in its own way."""
    if isinstance(value, list):
        return {key for one in value for key in all_keys(one)}
    if not isinstance(value, dict):
        return set()
    return set(value) | {key for name, one in value.items() if name != "evidence" for key in all_keys(one)}


class Agent:
    """`drydock agent`, spoken to in frames."""

    def __init__(self, state: str):
        self.state = state
        self._number = 0
        self._process = subprocess.Popen([harness.program(), "agent", "--state", state],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._process.stdout.readline()

    def ask(self, **request: Any) -> Any:
        """Returns the answer; frames of progress before it are passed over."""
        self._number += 1
        body = json.dumps({"n": self._number, **request}).encode()
        self._process.stdin.write(struct.pack(">I", len(body)) + body)
        self._process.stdin.flush()
        while True:
            size, = struct.unpack(">I", self._process.stdout.read(4))
            answer = json.loads(self._process.stdout.read(size))
            if "progress" not in answer:
                return answer

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


if __name__ == "__main__":
    harness.main()
