#!/usr/bin/env python3
"""Tests the double of Pachyderm: what it says is judged by Pachyderm's own client, `drydock extract`, and the bucket itself."""

import hashlib
import io
import os
import subprocess
import sys
import threading
import unittest

import judge  # first: it finds the others
import grpc
import load
import protocol
import snappy
import stream
from judge import FILES, PIPELINES, Case, ask, cut, extract, listed, run
from limits import scaled
from machine import wait_until

OBJECTS = os.path.join(judge.HERE, "..", "..", "..", "examples", "pachyderm-objects")
NEVER = (["export"], ["extract", "--no-object"], ["config", "use-context", "x"], ["start", "pipelines"])


def setUpModule() -> None:
    judge.start_all()


class Client(Case):
    """Pachyderm's own client, and the double's one beside it."""

    def test_versions_and_cluster(self) -> None:
        found = self.before.get_remote_version()
        self.assertEqual((found.major, found.minor, found.micro), (1, 10, 5))
        self.assertEqual(ask(judge.old, "inspect", "cluster").strip(), self.before.inspect_cluster().id)
        rows = [line.split() for line in ask(judge.old, "version").splitlines()]
        self.assertEqual(rows, [["COMPONENT", "VERSION"], ["pachctl", "1.10.5"], ["pachd", "1.10.5"]])
        self.assertEqual(ask(judge.old, "version", "--client-only"), "1.10.5\n")

    def test_pachctl_lists_what_the_client_sees(self) -> None:
        self.assertEqual([one["repo"]["name"] for one in listed(judge.old, "list", "repo")],
                         [one.repo.name for one in self.before.list_repo()])
        commits = listed(judge.old, "list", "commit", "images")
        self.assertEqual([one["commit"]["id"] for one in commits],
                         [one.commit.id for one in self.before.list_commit("images")])
        self.assertIn("finished", commits[0])
        self.assertEqual([one["head"]["id"] for one in listed(judge.old, "list", "branch", "images")],
                         [one.head.id for one in self.before.list_branch("images")])
        self.assertEqual({one["pipeline"]["name"]: one["state"] for one in listed(judge.old, "list", "pipeline")},
                         {"edges": "PIPELINE_RUNNING", "edges-2": "PIPELINE_RUNNING"})
        jobs = listed(judge.old, "list", "job", "--pipeline", "edges")
        self.assertEqual([one["job"]["id"] for one in jobs], [one.job.id for one in self.before.list_job("edges")])
        self.assertEqual({one["state"] for one in jobs}, {"JOB_SUCCESS"})
        files = listed(judge.old, "list", "file", "images@master")
        self.assertEqual([one["file"]["path"] for one in files],
                         [one.file.path for one in self.before.list_file(("images", "master"), "/")])
        self.assertEqual(len(files), FILES)
        self.assertEqual(len(listed(judge.old, "glob", "file", "texts@master:/**")), 4)
        self.assertEqual(ask(judge.old, "get", "file", "texts@master:/of/a/folder"), "some text")

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

    def test_a_bucket_is_proved_by_the_names_of_its_objects(self) -> None:
        """By examples/pachyderm-objects: a block with other bytes and one that is gone are found, and nothing else."""
        code, told = self.objects()
        self.assertEqual(code, 0, told)
        self.assertGreater(int(told.split()[0]), FILES // 2)
        names = [hashlib.sha512(load.content_of("image", number)).hexdigest() for number in (3, 4)]
        places = [protocol.pfs.BlockRef.FromString(self.stored(f"pach/object/{name}")) for name in names]
        keys = [f"pach/block/{place.block.hash}"[::-1] for place in places]
        bodies = [self.s3("GET", key)[2] for key in keys]
        self.assertNotEqual(keys[0], keys[1])
        try:
            self.s3("PUT", keys[0], bodies[0][:-2] + b"?\n")
            self.s3("DELETE", keys[1])
            code, told = self.objects()
        finally:
            for key, body in zip(keys, bodies):
                self.s3("PUT", key, body)
        self.assertEqual(code, 1, told)
        lines = sorted(line for line in told.splitlines() if line.startswith("object/"))
        self.assertEqual([line.split(":")[0] for line in lines], sorted(f"object/{name}" for name in names))
        self.assertRegex(told, f"object/{names[0]}: block .* has other bytes")
        self.assertRegex(told, f"object/{names[1]}: .*404")
        self.assertEqual(self.objects()[0], 0)
        self.assertEqual(self.objects("--root", "nowhere"), (1, "0 objects have the content that they are named after, 0 have not\n"
                                                                "no object was found: see --root and --reverse\n"))

    def objects(self, *words: str) -> tuple[int, str]:
        """Exit code and output of the program, on this bucket."""
        done = subprocess.run([sys.executable, OBJECTS, f"s3://{judge.radosgw.BUCKET}", "--root", "pach", "--reverse", *words],
                              env=os.environ | {"AWS_ENDPOINT_URL": judge.server.endpoint, "AWS_ACCESS_KEY_ID": judge.radosgw.ACCESS_KEY,
                                                "AWS_SECRET_ACCESS_KEY": judge.radosgw.SECRET_KEY},
                              capture_output=True, text=True, check=False, timeout=scaled(60))
        return done.returncode, done.stdout + done.stderr

    def test_what_never_existed_fails(self) -> None:
        for words in NEVER:
            answer = run(judge.old, *words)
            self.assertEqual((answer.code, answer.out), (1, b""), words)
            self.assertRegex(answer.errors, "unknown (command|flag)")
        done = judge.old.run("export")
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b'unknown command "export" for "pachctl"', done.stderr)

    def test_errors_are_those_of_pachyderm(self) -> None:
        for words, text in ((["create", "repo", "images"], 'cannot create "images" as it already exists'),
                            (["inspect", "commit", "images@nobody"], "commit nobody not found in repo images"),
                            (["inspect", "pipeline", "nobody"], 'pipeline "nobody" not found'),
                            (["start", "commit", "edges@master"], "cannot start a commit on an output branch")):
            answer = run(judge.old, *words)
            self.assertEqual(answer.code, 1)
            self.assertIn(text, answer.errors)
        with self.assertRaises(grpc.RpcError):
            self.before.create_repo("images")

    def kill_etcd(self) -> None:
        judge.old.kill("etcd")
        judge.old.start_etcd()

    def kill_bucket(self) -> None:
        judge.server.kill_gateway()
        judge.server.start_gateway()

    def test_killed_parts_lose_nothing(self) -> None:
        places = os.path.join(self.scratch, "address"), os.path.join(self.scratch, "log")
        with open(places[0], "w", encoding="utf-8") as file:
            file.write(judge.old.address)
        writer = load.Writer(*places)
        thread = threading.Thread(target=lambda: writer.work(), daemon=True)
        thread.start()
        wait_until(lambda: len(list(load.entries(places[1]))) > 3, scaled(60), lambda: "nothing is written", every=0.05)
        for kill in (judge.old.restart_pachd, self.kill_etcd, self.kill_bucket):
            kill()
            count = len(list(load.entries(places[1])))
            wait_until(lambda: len(list(load.entries(places[1]))) > count + 3, scaled(60), lambda: "it does not go on",
                       every=0.05)
        writer.ends = True
        thread.join(scaled(60))
        found = load.verify(load.connect(judge.old.address), places[1], is_content=False)
        self.assertEqual((found["missing"], found["different"]), ([], []))
        self.assertGreater(found["acknowledged"], count)
        load.connect(judge.old.address).delete_file(("loads", "master"), "/000001")
        found = load.verify(load.connect(judge.old.address), places[1], is_content=False)
        self.assertEqual([entry["path"] for entry in found["missing"]], ["/000001"])
        load.connect(judge.old.address).delete_repo("loads")


class Migration(Case):
    """Extract and restore."""

    def test_extract_has_what_the_cluster_has(self) -> None:
        found = self.inspect(extract(judge.old))
        repos = [info.repo.name for info in self.before.list_repo()] + [protocol.SPEC_REPO]
        counts = {"repo": len(repos), "commit": sum(len(list(self.before.list_commit(name))) for name in repos),
                  "branch": sum(len(self.before.list_branch(name)) for name in repos),
                  "pipeline": PIPELINES, "job": len(list(self.before.list_job()))}
        self.assertEqual({kind: found["counts"][kind] for kind in counts}, counts)
        self.assertEqual(found["op_versions"], {"1.10": found["ops"]})

    def test_restored_it_is_the_same(self) -> None:
        self.clear_new()
        ask(judge.new, "restore", "--no-token", data=extract(judge.old))
        self.assertEqual(load.state(self.after), load.state(self.before))
        self.assertEqual(len(self.after.list_pipeline().pipeline_info), PIPELINES)
        again = run(judge.new, "restore", "--no-token", data=extract(judge.old))
        self.assertEqual((again.code, again.errors), (0, ""))
        jobs = [len(list(client.list_job())) for client in (self.before, self.after)]
        self.assertEqual(jobs[1], 2 * jobs[0], "a stream that is restored again makes its jobs again")

    def test_a_restore_that_is_killed_leaves_a_part_and_can_be_repeated(self) -> None:
        self.clear_new()
        data = extract(judge.old)
        ask(judge.new, "restore", "--no-token", data=cut(data, 6))
        part = len(listed(judge.new, "list", "repo"))
        self.assertTrue(0 < part)
        killer = threading.Thread(target=self.kill_in_the_middle)
        killer.start()
        answer = run(judge.new, "restore", "--no-token", data=data)
        killer.join(scaled(60))
        self.assertEqual(answer.code, 1)
        self.assertIn("WARNING: Your cluster might be in an invalid state", answer.errors)
        judge.new.start_pachd()
        judge.new.wait_ready()
        self.after = load.connect(judge.new.address)
        self.assertNotEqual(load.state(self.after)["pipelines"], load.state(self.before)["pipelines"])
        ask(judge.new, "restore", "--no-token", data=data)
        self.assertEqual(load.state(self.after)["repos"], load.state(self.before)["repos"])

    def kill_in_the_middle(self) -> None:
        """As soon as a commit is restored: the pipelines come last."""
        client = load.connect(judge.new.address)
        wait_until(lambda: any(list(client.list_commit(info.repo.name)) for info in client.list_repo()), scaled(60),
                   lambda: "nothing is restored", every=0.001)
        judge.new.kill("pachd")

    def test_a_stream_that_is_cut(self) -> None:
        self.clear_new()
        data = extract(judge.old)
        every = len(list(stream.ops(io.BytesIO(data))))
        answer = run(judge.new, "restore", "--no-token", data=cut(data, every - 2))
        self.assertEqual((answer.code, answer.out, answer.errors), (0, b"", ""))
        self.assertNotEqual(load.state(self.after)["jobs"], load.state(self.before)["jobs"])
        every_record = b"".join(stream.framed(op) for op in stream.ops(io.BytesIO(data)))
        inside = snappy.StreamCompressor().compress(every_record[:-20])
        for broken, text in ((data[:-20], "snappy: corrupt input"), (inside, "unexpected EOF")):
            answer = run(judge.new, "restore", "--no-token", data=broken)
            self.assertEqual(answer.code, 1)
            self.assertIn(text + "\nWARNING: Your cluster might be in an invalid state", answer.errors)

    def test_two_versions_in_one_stream_are_refused(self) -> None:
        self.clear_new()
        ask(judge.new, "create", "repo", "other")
        both = list(stream.ops(io.BytesIO(extract(judge.old)))) + list(stream.ops(io.BytesIO(extract(judge.new))))
        out = io.BytesIO()
        stream.write(out, iter(both))
        answer = run(judge.new, "restore", "--no-token", data=out.getvalue())
        self.assertEqual(answer.code, 1)
        self.assertIn("cannot mix different versions", answer.errors)
        self.assertEqual(len(self.after.list_repo()), len(self.before.list_repo()) + 1, "what came before stays")

    def test_with_a_url_no_objects_is_lost(self) -> None:
        ask(judge.new, "delete", "all", data=b"y\n")
        ask(judge.new, "create", "repo", "images")
        ask(judge.new, "put", "file", "images@master:/a", data=b"content")
        ask(judge.new, "extract", "--no-objects", "--url", f"s3://{judge.radosgw.BUCKET}/backup")
        _, _, data = self.s3("GET", "backup")
        self.assertGreater(self.inspect(data)["counts"]["block"], 0)
        self.s3("DELETE", "backup")

    def test_an_open_commit(self) -> None:
        self.clear_new()
        ask(judge.new, "create", "repo", "images")
        ask(judge.new, "put", "file", "images@master:/a", data=b"content")
        started = ask(judge.new, "start", "commit", "images@master").strip()
        ask(judge.new, "put", "file", "images@master:/b", data=b"not yet")
        self.assertEqual([one["commit"]["id"] for one in listed(judge.new, "list", "commit", "images") if "finished" not in one],
                         [started])
        answer = run(judge.new, "start", "commit", "images@master")
        self.assertIn(f"parent commit images@{started} has not been finished", answer.errors)
        with open(judge.new.log("pachd"), encoding="utf-8") as file:
            self.assertNotIn(started, file.read())
        extract(judge.new)
        with open(judge.new.log("pachd"), encoding="utf-8") as file:
            self.assertIn(f'Commit "{started}" is not finished', file.read())
        ask(judge.new, "finish", "commit", "images@master")
        self.assertEqual(ask(judge.new, "get", "file", "images@master:/b"), "not yet")


if __name__ == "__main__":
    unittest.main()
