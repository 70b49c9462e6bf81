#!/usr/bin/env python3
"""Tests the double of Pachyderm: what it says is judged by Pachyderm's own client, `drydock extract`, and the bucket itself."""

import contextlib
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(os.path.dirname(HERE), "common"), os.path.join(os.path.dirname(HERE), "s3")]

import double  # noqa: E402
import radosgw  # noqa: E402  (in ../common)
import signed  # noqa: E402  (in ../s3)
from limits import scaled  # noqa: E402
from machine import wait_until  # noqa: E402

try:
    double.hand_over(__file__)
except double.Unavailable as error:
    print(f"Ran 0 tests\n{error}\nOK (skipped=1)", file=sys.stderr)
    sys.exit(0)

import load  # noqa: E402  (first: it takes the whole of Pachyderm's package, and protocol.py only a part if nobody did)

import commands  # noqa: E402
import grpc  # noqa: E402
import protocol  # noqa: E402
import snappy  # noqa: E402
import stream  # noqa: E402

DRYDOCK = os.environ.get("DRYDOCK") or os.path.join(HERE, "..", "..", "..", "build", "drydock")
FILES, PIPELINES = 60, 2
NEVER = (["export"], ["extract", "--no-object"], ["config", "use-context", "x"], ["start", "pipelines"])
server: Any = None
old: Any = None
new: Any = None


def setUpModule() -> None:
    """An old installation with some data, and a new one that is empty, both over one bucket."""
    global server, old, new
    try:
        server = radosgw.Server()
    except radosgw.Unavailable as error:
        raise unittest.SkipTest(str(error)) from None
    unittest.addModuleCleanup(server.close)
    base = tempfile.mkdtemp(prefix="drydock-pachyderm-")
    unittest.addModuleCleanup(shutil.rmtree, base, ignore_errors=True)
    store = double.Store(server.endpoint, radosgw.BUCKET, radosgw.ACCESS_KEY, radosgw.SECRET_KEY)
    old = double.Double(os.path.join(base, "old"), store, "1.10.5")
    unittest.addModuleCleanup(old.close)
    new = double.Double(os.path.join(base, "new"), store, "1.11.9")
    unittest.addModuleCleanup(new.close)
    old.start()
    new.start()
    load.fill(load.connect(old.address), FILES, PIPELINES)


class Answer:
    """What a command of pachctl did, run in this process: its start takes longest."""

    def __init__(self, of: Any, words: tuple[str, ...], data: bytes):
        out, errors = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
        before, given = os.environ.copy(), sys.stdin
        os.environ.update({"PACH_CONFIG": of.config, "PACHCTL_RELEASE": of.release})
        sys.stdin = io.TextIOWrapper(io.BytesIO(data))
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
                self.code = commands.main(list(words))
        finally:
            sys.stdin = given
            os.environ.clear()
            os.environ.update(before)
        out.flush()
        errors.flush()
        self.out, self.errors = out.buffer.getvalue(), errors.buffer.getvalue().decode()  # type: ignore[attr-defined]


def run(of: Any, *words: str, data: bytes = b"") -> Answer:
    return Answer(of, words, data)


def ask(of: Any, *words: str, data: bytes = b"") -> str:
    answer = run(of, *words, data=data)
    if answer.code != 0:
        raise AssertionError(f"pachctl {words}: {answer.errors}")
    return answer.out.decode()


def listed(of: Any, *words: str) -> list[Any]:
    return double.json_values(ask(of, *words, "--raw"))


def extract(of: Any) -> bytes:
    answer = run(of, "extract", "--no-objects")
    assert answer.code == 0, answer.errors
    return answer.out


def cut(data: bytes, ops: int) -> bytes:
    """The first ops of a stream, as a whole stream."""
    out = io.BytesIO()
    stream.write(out, iter(list(stream.ops(io.BytesIO(data)))[:ops]))
    return out.getvalue()


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.scratch = tempfile.mkdtemp(prefix="drydock-pachyderm-")
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.before, self.after = load.connect(old.address), load.connect(new.address)

    def s3(self, method: str, key: str) -> tuple[int, dict[str, str], bytes]:
        """A request for one key as it is stored."""
        with contextlib.closing(signed.Connection(server.endpoint, radosgw.ACCESS_KEY, radosgw.SECRET_KEY,
                                                  scaled(60))) as connection:
            return connection.request(method, f"/{radosgw.BUCKET}/{key}")

    def clear_new(self) -> None:
        ask(new, "delete", "all", data=b"y\n")
        self.assertEqual(listed(new, "list", "repo"), [])

    def inspect(self, data: bytes) -> Any:
        """What `drydock extract inspect` says."""
        path = os.path.join(self.scratch, "file")
        with open(path, "wb") as file:
            file.write(data)
        done = subprocess.run([DRYDOCK, "extract", "inspect", path, "--json"], capture_output=True, check=False,
                              timeout=scaled(60))
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)


class Client(Case):
    """Pachyderm's own client, and the double's one beside it."""

    def test_versions_and_cluster(self) -> None:
        found = self.before.get_remote_version()
        self.assertEqual((found.major, found.minor, found.micro), (1, 10, 5))
        self.assertEqual(ask(old, "inspect", "cluster").strip(), self.before.inspect_cluster().id)
        rows = [line.split() for line in ask(old, "version").splitlines()]
        self.assertEqual(rows, [["COMPONENT", "VERSION"], ["pachctl", "1.10.5"], ["pachd", "1.10.5"]])
        self.assertEqual(ask(old, "version", "--client-only"), "1.10.5\n")

    def test_pachctl_lists_what_the_client_sees(self) -> None:
        self.assertEqual([one["repo"]["name"] for one in listed(old, "list", "repo")],
                         [one.repo.name for one in self.before.list_repo()])
        commits = listed(old, "list", "commit", "images")
        self.assertEqual([one["commit"]["id"] for one in commits],
                         [one.commit.id for one in self.before.list_commit("images")])
        self.assertIn("finished", commits[0])
        self.assertEqual([one["head"]["id"] for one in listed(old, "list", "branch", "images")],
                         [one.head.id for one in self.before.list_branch("images")])
        self.assertEqual({one["pipeline"]["name"]: one["state"] for one in listed(old, "list", "pipeline")},
                         {"edges": "PIPELINE_RUNNING", "edges-2": "PIPELINE_RUNNING"})
        jobs = listed(old, "list", "job", "--pipeline", "edges")
        self.assertEqual([one["job"]["id"] for one in jobs], [one.job.id for one in self.before.list_job("edges")])
        self.assertEqual({one["state"] for one in jobs}, {"JOB_SUCCESS"})
        files = listed(old, "list", "file", "images@master")
        self.assertEqual([one["file"]["path"] for one in files],
                         [one.file.path for one in self.before.list_file(("images", "master"), "/")])
        self.assertEqual(len(files), FILES)
        self.assertEqual(len(listed(old, "glob", "file", "texts@master:/**")), 4)
        self.assertEqual(ask(old, "get", "file", "texts@master:/of/a/folder"), "some text")

    def test_a_file_is_an_object_by_its_hash(self) -> None:
        [info] = [one for one in self.before.list_file(("images", "master"), "/") if one.file.path == "/image-00007"]
        content = b"".join(self.before.get_file(("images", "master"), "/image-00007"))
        name = hashlib.sha512(content).hexdigest()
        self.assertEqual([one.hash for one in info.objects], [name])
        place = protocol.pfs.BlockRef.FromString(self.stored(f"pach/object/{name}"))
        block = self.stored(f"pach/block/{place.block.hash}")
        self.assertEqual(block[place.range.lower:place.range.upper], content)

    def stored(self, name: str) -> bytes:
        status, _, body = self.s3("GET", name[::-1])
        self.assertEqual(status, 200, name)
        return body

    def test_what_never_existed_fails(self) -> None:
        for words in NEVER:
            answer = run(old, *words)
            self.assertEqual((answer.code, answer.out), (1, b""), words)
            self.assertRegex(answer.errors, "unknown (command|flag)")
        done = old.run("export")
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b'unknown command "export" for "pachctl"', done.stderr)

    def test_errors_are_those_of_pachyderm(self) -> None:
        for words, text in ((["create", "repo", "images"], 'cannot create "images" as it already exists'),
                            (["inspect", "commit", "images@nobody"], "commit nobody not found in repo images"),
                            (["inspect", "pipeline", "nobody"], 'pipeline "nobody" not found'),
                            (["start", "commit", "edges@master"], "cannot start a commit on an output branch")):
            answer = run(old, *words)
            self.assertEqual(answer.code, 1)
            self.assertIn(text, answer.errors)
        with self.assertRaises(grpc.RpcError):
            self.before.create_repo("images")

    def test_a_killed_pachd_loses_nothing(self) -> None:
        places = os.path.join(self.scratch, "address"), os.path.join(self.scratch, "log")
        with open(places[0], "w", encoding="utf-8") as file:
            file.write(old.address)
        writer = load.Writer(*places)
        thread = threading.Thread(target=lambda: writer.work(), daemon=True)
        thread.start()
        wait_until(lambda: len(list(load.entries(places[1]))) > 3, scaled(60), lambda: "nothing is written", every=0.05)
        old.restart_pachd()
        count = len(list(load.entries(places[1])))
        wait_until(lambda: len(list(load.entries(places[1]))) > count + 3, scaled(60), lambda: "it does not go on", every=0.05)
        writer.ends = True
        thread.join(scaled(60))
        found = load.verify(load.connect(old.address), places[1])
        self.assertEqual((found["missing"], found["different"]), ([], []))
        self.assertGreater(found["acknowledged"], count)
        load.connect(old.address).delete_file(("loads", "master"), "/000001")
        found = load.verify(load.connect(old.address), places[1])
        self.assertEqual([entry["path"] for entry in found["missing"]], ["/000001"])
        load.connect(old.address).delete_repo("loads")


class Migration(Case):
    """Extract and restore."""

    def test_extract_has_what_the_cluster_has(self) -> None:
        found = self.inspect(extract(old))
        repos = [info.repo.name for info in self.before.list_repo()] + [protocol.SPEC_REPO]
        counts = {"repo": len(repos), "commit": sum(len(list(self.before.list_commit(name))) for name in repos),
                  "branch": sum(len(self.before.list_branch(name)) for name in repos),
                  "pipeline": PIPELINES, "job": len(list(self.before.list_job()))}
        self.assertEqual({kind: found["counts"][kind] for kind in counts}, counts)
        self.assertEqual(found["op_versions"], {"1.10": found["ops"]})

    def test_restored_it_is_the_same(self) -> None:
        self.clear_new()
        ask(new, "restore", "--no-token", data=extract(old))
        self.assertEqual(load.state(self.after), load.state(self.before))
        self.assertEqual(len(self.after.list_pipeline().pipeline_info), PIPELINES)
        again = run(new, "restore", "--no-token", data=extract(old))
        self.assertEqual((again.code, again.errors), (0, ""))
        jobs = [len(list(client.list_job())) for client in (self.before, self.after)]
        self.assertEqual(jobs[1], 2 * jobs[0], "a stream that is restored again makes its jobs again")

    def test_a_restore_that_is_killed_leaves_a_part_and_can_be_repeated(self) -> None:
        self.clear_new()
        data = extract(old)
        ask(new, "restore", "--no-token", data=cut(data, 6))
        part = len(listed(new, "list", "repo"))
        self.assertTrue(0 < part)
        killer = threading.Thread(target=self.kill_in_the_middle)
        killer.start()
        answer = run(new, "restore", "--no-token", data=data)
        killer.join(scaled(60))
        self.assertEqual(answer.code, 1)
        self.assertIn("WARNING: Your cluster might be in an invalid state", answer.errors)
        new.start_pachd()
        new.wait_ready()
        self.after = load.connect(new.address)
        self.assertNotEqual(load.state(self.after)["pipelines"], load.state(self.before)["pipelines"])
        ask(new, "restore", "--no-token", data=data)
        self.assertEqual(load.state(self.after)["repos"], load.state(self.before)["repos"])

    def kill_in_the_middle(self) -> None:
        """As soon as a commit is restored: the pipelines come last."""
        client = load.connect(new.address)
        wait_until(lambda: any(list(client.list_commit(info.repo.name)) for info in client.list_repo()), scaled(60),
                   lambda: "nothing is restored", every=0.001)
        new.kill("pachd")

    def test_a_stream_that_is_cut(self) -> None:
        self.clear_new()
        data = extract(old)
        every = len(list(stream.ops(io.BytesIO(data))))
        answer = run(new, "restore", "--no-token", data=cut(data, every - 2))
        self.assertEqual((answer.code, answer.out, answer.errors), (0, b"", ""))
        self.assertNotEqual(load.state(self.after)["jobs"], load.state(self.before)["jobs"])
        every_record = b"".join(stream.framed(op) for op in stream.ops(io.BytesIO(data)))
        inside = snappy.StreamCompressor().compress(every_record[:-20])
        for broken, text in ((data[:-20], "snappy: corrupt input"), (inside, "unexpected EOF")):
            answer = run(new, "restore", "--no-token", data=broken)
            self.assertEqual(answer.code, 1)
            self.assertIn(text + "\nWARNING: Your cluster might be in an invalid state", answer.errors)

    def test_two_versions_in_one_stream_are_refused(self) -> None:
        self.clear_new()
        ask(new, "create", "repo", "other")
        both = list(stream.ops(io.BytesIO(extract(old)))) + list(stream.ops(io.BytesIO(extract(new))))
        out = io.BytesIO()
        stream.write(out, iter(both))
        answer = run(new, "restore", "--no-token", data=out.getvalue())
        self.assertEqual(answer.code, 1)
        self.assertIn("cannot mix different versions", answer.errors)
        self.assertEqual(len(self.after.list_repo()), len(self.before.list_repo()) + 1, "what came before stays")

    def test_with_a_url_no_objects_is_lost(self) -> None:
        ask(new, "delete", "all", data=b"y\n")
        ask(new, "create", "repo", "images")
        ask(new, "put", "file", "images@master:/a", data=b"content")
        ask(new, "extract", "--no-objects", "--url", f"s3://{radosgw.BUCKET}/backup")
        _, _, data = self.s3("GET", "backup")
        self.assertGreater(self.inspect(data)["counts"]["block"], 0)
        self.s3("DELETE", "backup")

    def test_an_open_commit(self) -> None:
        self.clear_new()
        ask(new, "create", "repo", "images")
        ask(new, "put", "file", "images@master:/a", data=b"content")
        started = ask(new, "start", "commit", "images@master").strip()
        ask(new, "put", "file", "images@master:/b", data=b"not yet")
        self.assertEqual([one["commit"]["id"] for one in listed(new, "list", "commit", "images") if "finished" not in one],
                         [started])
        answer = run(new, "start", "commit", "images@master")
        self.assertIn(f"parent commit images@{started} has not been finished", answer.errors)
        with open(new.log("pachd"), encoding="utf-8") as file:
            self.assertNotIn(started, file.read())
        extract(new)
        with open(new.log("pachd"), encoding="utf-8") as file:
            self.assertIn(f'Commit "{started}" is not finished', file.read())
        ask(new, "finish", "commit", "images@master")
        self.assertEqual(ask(new, "get", "file", "images@master:/b"), "not yet")


class Garbage(Case):
    """Stopped pipelines, and what is deleted then."""

    def setUp(self) -> None:
        """In a folder of its own: the other installation's objects are named by no commit of this one."""
        super().setUp()
        self.clear_new()
        new.root = "garbage"
        self.addCleanup(new.restart_pachd)
        self.addCleanup(setattr, new, "root", "pach")
        self.addCleanup(ask, new, "delete", "all", data=b"y\n")
        new.restart_pachd()

    def test_it_deletes_what_nobody_names(self) -> None:
        ask(new, "create", "repo", "images")
        ask(new, "put", "file", "images@master:/kept", data=b"kept for ever")
        ask(new, "put", "file", "images@master:/gone", data=b"soon gone")
        ask(new, "create", "pipeline", "-f", "-", data=json.dumps({
            "pipeline": {"name": "edges"}, "transform": {"image": "image:1", "cmd": ["sh"]},
            "input": {"pfs": {"repo": "images", "glob": "/*"}}}).encode())
        self.wait_for_state("PIPELINE_RUNNING")
        answer = run(new, "garbage-collect")
        self.assertIn("all pipelines must be stopped to run garbage collection, pipeline: edges is not", answer.errors)
        ask(new, "stop", "pipeline", "edges")
        self.wait_for_state("PIPELINE_PAUSED")
        self.assertNotIn("directProvenance", listed(new, "list", "branch", "edges")[0])
        ask(new, "start", "commit", "images@other")
        ask(new, "put", "file", "images@other:/open", data=b"of an open commit")
        ask(new, "garbage-collect")
        self.assertEqual(ask(new, "get", "file", "images@master:/kept"), "kept for ever")
        self.assertEqual(run(new, "get", "file", "images@other:/open").code, 1)
        self.assertEqual(ask(new, "fsck"), "No errors found.\n")
        ask(new, "start", "pipeline", "edges")
        self.wait_for_state("PIPELINE_RUNNING")

    def wait_for_state(self, state: str) -> None:
        wait_until(lambda: [one.get("state") for one in listed(new, "list", "pipeline")] == [state], scaled(30),
                   lambda: f"the pipeline is not {state}", every=0.1)


if __name__ == "__main__":
    unittest.main()
