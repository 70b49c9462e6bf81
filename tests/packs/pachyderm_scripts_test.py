"""The scripts of packs/pachyderm beside doubles of pachctl and kubectl, which answer as they are told."""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "field", "common"))
sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from limits import scaled  # noqa: E402  (found by the lines above)
from pachyderm_doubles import KUBECTL, PACHCTL  # noqa: E402

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SCRIPTS = os.path.join(ROOT, "packs", "pachyderm", "scripts")

STATE = {
    "repos": {"images": ["a1", "a2"], "edges": ["b1"]}, "specs": ["s1"], "open": [], "pipelines": {"edges": True, "old": False},
    "jobs": {"edges": 3}, "files": {"images": {"/x": "one", "/d/y": "two"}}, "fsck": "No errors found.",
    "context": {"source": "IMPORTED", "namespace": "pach-new"},
}


def labelled(kind: str, namespace: str, name: str, uid: str, **more: object) -> dict:
    return {"kind": kind, "metadata": {"name": name, "namespace": namespace, "uid": uid, "labels": {"suite": "pachyderm", "app": name}}, **more}


def deployment(namespace: str, release: str, replicas: int = 1) -> dict:
    image = {"containers": [{"image": f"registry:5000/pachyderm/pachd:{release}"}]}
    return labelled("Deployment", namespace, "pachd", "u1", spec={"replicas": replicas, "template": {"spec": image}})


def service(namespace: str, port: int) -> dict:
    return labelled("Service", namespace, "pachd", "u2", spec={"ports": [{"name": "api-grpc-port", "port": 650, "nodePort": port}]})


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="drydock-pachyderm-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.pachctl = self.program("pachctl", f"#!{sys.executable} -IS\n{PACHCTL}")
        self.kubectl = self.program("kubectl", f"#!{sys.executable} -IS\n{KUBECTL}")
        self.set_state(STATE)
        self.set_kube({})

    def path(self, *names: str) -> str:
        return os.path.join(self.folder, *names)

    def program(self, name: str, text: str) -> str:
        with open(self.path(name), "w") as file:
            file.write(text)
        os.chmod(self.path(name), 0o755)
        return self.path(name)

    def write(self, name: str, value: object) -> str:
        with open(self.path(name), "w") as file:
            json.dump(value, file)
        return self.path(name)

    def read(self, *names: str) -> object:
        with open(self.path(*names)) as file:
            return json.load(file)

    def set_state(self, state: dict, **changes: object) -> None:
        self.write("state.json", {**state, **changes})

    def set_kube(self, objects: dict, namespaces: tuple = ("default", "pach-new"), leaked: tuple = ()) -> None:
        self.write("kube.json", {"objects": objects, "namespaces": list(namespaces), "leaked": list(leaked)})

    def run_script(self, name: str, *words: str, env: dict = {}) -> subprocess.CompletedProcess:
        argv = [sys.executable, "-IS"] if name.endswith(".py") else ["sh"]
        return subprocess.run([*argv, os.path.join(SCRIPTS, name), *words], capture_output=True, text=True, timeout=scaled(30),
                              stdin=subprocess.DEVNULL, env={**os.environ, **env})

    def at(self, namespace: str) -> list:
        return [self.kubectl, "/kube", "prod", namespace]


class Commits(Case):
    def commits(self, *words: str) -> subprocess.CompletedProcess:
        return self.run_script("commits.py", self.pachctl, *words)

    def note(self) -> None:
        self.assertEqual(self.commits("note", self.path("run", "commits.json"), self.path("run", "counts.json")).returncode, 0)

    def same(self) -> int:
        return self.commits("same", self.path("run", "commits.json")).returncode

    def test_open_ones_are_counted_in_specs_too(self) -> None:
        self.assertEqual(self.commits("open").stdout, "0\n")
        self.set_state(STATE, open=["a2", "s1"])
        self.assertEqual(self.commits("open").stdout, "2\n")

    def test_a_failing_pachctl_is_no_answer(self) -> None:
        self.set_state(STATE, fails=["list"])
        self.assertEqual((self.commits("open").stdout, self.commits("open").returncode), ("", 2))

    def test_the_fence_tells_a_commit_more_and_a_commit_less(self) -> None:
        self.assertEqual(self.same(), 2)  # nothing was noted: neither yes nor no
        self.note()
        self.assertEqual(self.same(), 0)
        for repos in ({"images": ["a1", "a2", "a3"], "edges": ["b1"]}, {"images": ["a1"], "edges": ["b1"]},
                      {"images": ["a1", "a2"], "edges": ["b1"], "new": []}):
            self.set_state(STATE, repos=repos)
            self.assertEqual(self.same(), 1, repos)
        self.set_state(STATE, specs=["s1", "s2"])  # somebody has started a pipeline
        self.assertEqual(self.same(), 1)

    def test_counts_are_what_extract_verify_takes(self) -> None:
        self.note()
        self.assertEqual(self.read("run", "counts.json"), {
            "repos": {"images": {"commits": 2, "branches": 1}, "edges": {"commits": 1, "branches": 1}}, "jobs": {"edges": 3, "old": 0}})

    def test_how_much_is_restored(self) -> None:
        self.note()
        for repos, told in (({}, "none"), ({"images": ["a1"]}, "some"), (STATE["repos"], "all"),
                            ({"images": ["a1"], "other": []}, "foreign"), ({"images": ["z9"]}, "foreign")):
            self.set_state(STATE, repos=repos, specs=["other"])
            self.assertEqual(self.commits("held", self.path("run", "commits.json")).stdout, told + "\n", repos)


class Pipelines(Case):
    def pipelines(self, *words: str) -> int:
        return self.run_script("pipelines.py", self.pachctl, *words).returncode

    def up(self) -> dict:
        return self.read("state.json")["pipelines"]

    def test_those_that_ran_are_started_again_and_no_other(self) -> None:
        self.assertEqual(self.pipelines("paused"), 1)
        self.assertEqual(self.pipelines("stop", self.path("stopped"), "--copy", self.path("copy")), 0)
        self.assertEqual(self.pipelines("paused"), 0)
        self.assertEqual(self.read("copy"), ["edges"])
        self.assertEqual(self.pipelines("start", self.path("stopped")), 0)
        self.assertEqual(self.up(), {"edges": True, "old": False})
        self.assertFalse(os.path.exists(self.path("stopped")))

    def test_a_second_attempt_keeps_what_the_first_has_noted(self) -> None:
        self.write("stopped", ["edges"])
        self.set_state(STATE, pipelines={"edges": False, "late": True})
        self.assertEqual(self.pipelines("stop", self.path("stopped")), 0)
        self.assertEqual(self.read("stopped"), ["edges", "late"])

    def test_restored_ones_that_were_stopped_stay_so(self) -> None:
        self.write("copy", ["edges"])
        self.set_state(STATE, pipelines={"edges": True, "old": True})
        self.pipelines("stop", self.path("stopped"), "--only", self.path("copy"))
        self.pipelines("start", self.path("stopped"))
        self.assertEqual(self.up(), {"edges": True, "old": False})

    def test_restored_ones_that_stay_stopped_start_if_they_ran_before(self) -> None:
        self.write("copy", ["edges"])
        self.set_state(STATE, pipelines={"edges": False, "old": False})
        self.pipelines("stop", self.path("stopped"), "--only", self.path("copy"))
        self.pipelines("start", self.path("stopped"))
        self.assertEqual(self.up(), {"edges": True, "old": False})


class Content(Case):
    def content(self, word: str) -> int:
        return self.run_script("content.py", self.pachctl, word, self.path("content.json")).returncode

    def test_paths_sizes_and_hashes_count_and_ids_do_not(self) -> None:
        self.assertEqual(self.content("same"), 2)
        self.assertEqual(self.content("note"), 0)
        self.assertEqual(list(self.read("content.json")), ["images@master"])  # edges is a pipeline's
        self.set_state(STATE, repos={"images": ["other", "ids"], "edges": []})
        self.assertEqual(self.content("same"), 0)
        for files in ({"/x": "one"}, {"/x": "one", "/d/y": "TWO"}, {"/x": "one", "/d/z": "two"}):
            self.set_state(STATE, files={"images": files})
            self.assertEqual(self.content("same"), 1, files)

    def test_how_many_files_were_listed_is_told(self) -> None:
        env = {"DRYDOCK_PROGRESS": self.path("progress.json")}
        self.assertEqual(self.run_script("content.py", self.pachctl, "note", self.path("content.json"), env=env).returncode, 0)
        self.assertEqual(self.read("progress.json"), {"done": 2, "unit": "files"})  # /x and /d; the next one comes 2 s later


class Small(Case):
    def test_fsck_is_believed_by_its_words(self) -> None:
        for text, code in (("No errors found.", 0), ("Error: commit has no parent", 1), ("something else", 2),
                           ("Error: a\nNo errors found.", 1)):
            self.set_state(STATE, fsck=text)
            self.assertEqual(self.run_script("fsck.sh", self.pachctl).returncode, code, text)

    def test_the_namespace_of_the_active_context(self) -> None:
        self.assertEqual(self.run_script("context.sh", self.pachctl).stdout, "pach-new\n")
        self.set_state(STATE, context={"source": "NONE"})
        self.assertEqual(self.run_script("context.sh", self.pachctl).stdout, "default\n")

    def test_the_address_is_changed_only_where_a_node_is_named(self) -> None:
        self.run_script("address.sh", self.pachctl, "-", "30649")
        self.assertNotIn("pachd_address", self.read("state.json")["context"])
        self.run_script("address.sh", self.pachctl, "10.0.0.7", "30649")
        self.assertEqual(self.read("state.json")["context"]["pachd_address"], "10.0.0.7:30649")

    def test_the_release_that_runs(self) -> None:
        self.assertEqual(self.run_script("running.sh", *self.at("default")).stdout, "")
        self.set_kube({"default/deployments/pachd": deployment("default", "1.9.12")})
        self.assertEqual(self.run_script("running.sh", *self.at("default")).stdout, "1.9.12\n")
        self.set_kube({"default/deployments/pachd": deployment("default", "1.9.12", 0)})
        self.assertEqual(self.run_script("running.sh", *self.at("default")).stdout, "")
        self.assertEqual(self.run_script("running.sh", *self.at("default"), "any").stdout, "1.9.12\n")

    def test_ports_of_a_pause_that_others_have_are_named(self) -> None:
        moves = ("pachd:30650=30649", "etcd:32379=32378")
        own, rival = {"default/services/pachd": service("default", 30650)}, service("rival", 30649)
        etcd = labelled("Service", "default", "etcd", "u3", spec={"ports": [{"nodePort": 30649}]})
        for objects, told in ((own, "free"), ({"default/services/pachd": service("default", 30649)}, "free"), ({}, "free"),
                              (own | {"rival/services/pachd": rival}, "services/pachd of namespace rival has node port 30649"),
                              (own | {"default/services/etcd": etcd}, "services/etcd of namespace default has node port 30649")):
            self.set_kube(objects)
            self.assertEqual(self.run_script("ports.py", *self.at("default"), *moves).stdout, told + "\n")

    def test_writes_are_those_of_the_side_that_serves(self) -> None:
        entry = self.program("entry", "#!/bin/sh\necho blue\n")
        places = "blue=prod/default green=prod/pach-new"
        for objects, told in (({}, "refused"), ({"default/deployments/pachd": deployment("default", "1.9.12")}, "refused"),
                              ({"default/deployments/pachd": deployment("default", "1"), "default/services/pachd": service("default", 30650)}, "accepted"),
                              ({"default/deployments/pachd": deployment("default", "1"), "default/services/pachd": service("default", 30649)}, "refused"),
                              ({"default/deployments/pachd": deployment("default", "1", 0), "default/services/pachd": service("default", 30650)}, "refused")):
            self.set_kube(objects)
            self.assertEqual(self.run_script("writes.py", *self.at("pach-new"), "30649", places, entry).stdout, told + "\n")
        own = "blue=prod/default/31000 green=prod/pach-new"
        for port, told in ((30649, "accepted"), (31000, "refused")):
            self.set_kube({"default/deployments/pachd": deployment("default", "1"), "default/services/pachd": service("default", port)})
            self.assertEqual(self.run_script("writes.py", *self.at("pach-new"), "30649", own, entry).stdout, told + "\n")
        self.program("entry", "#!/bin/sh\necho purple\n")
        self.assertEqual(self.run_script("writes.py", *self.at("default"), "30649", places, entry).stdout, "")


class Dump(Case):
    def dump(self, word: str, verdict: str, code: int = 0) -> int:
        drydock = self.program("drydock", f"#!/bin/sh\necho '{{\n  \"verdict\": \"{verdict}\"}}'\nexit {code}\n")
        return self.run_script("dump.sh", word, drydock, self.path("run"), self.pachctl).returncode

    def test_a_file_has_its_name_only_when_it_was_counted(self) -> None:
        self.assertEqual(self.dump("check", "complete"), 1)
        for verdict, code in (("unproved", 0), ("wrong", 1)):
            self.assertEqual(self.dump("make", verdict, code), 1)
            self.assertFalse(os.path.exists(self.path("run", "metadata")))
        self.assertEqual(self.dump("make", "complete"), 0)
        self.assertEqual(self.dump("check", "complete"), 0)
        self.assertEqual(self.dump("check", "unproved"), 1)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("run", "metadata")).st_mode), 0o600)
        with open(self.path("calls")) as file:
            self.assertEqual(set(file.read().splitlines()), {"extract --no-objects"})

    def test_an_extract_that_fails_leaves_no_dump(self) -> None:
        self.set_state(STATE, fails=["extract"])
        self.assertEqual(self.dump("make", "complete"), 1)
        self.assertFalse(os.path.exists(self.path("run", "metadata")))

    def test_a_clone_is_whole_only_when_it_was_compared(self) -> None:
        for code, state in ((1, "some"), (0, "all")):
            drydock = self.program("drydock", f"#!/bin/sh\n[ $1 = copy ] || exit {code}\n")
            self.run_script("clone.sh", "copy", drydock, self.path("run"), "s3://a", "s3://b")
            self.assertEqual(self.clone_state(), "copied")
            self.run_script("clone.sh", "verify", drydock, self.path("run"), "s3://a", "s3://b")
            self.assertEqual(self.clone_state(), state)

    def test_a_copy_that_broke_off_is_none(self) -> None:
        """So that a step which was ended for its stall, or whose answer was lost, is begun again."""
        drydock = self.program("drydock", "#!/bin/sh\nexit 9\n")
        for addresses in (("s3://a", "s3://b"), ("a", "b", drydock)):
            self.assertEqual(self.run_script("clone.sh", "copy", drydock, self.path("run"), *addresses).returncode, 9)
            self.assertEqual(self.clone_state(), "some")

    def test_a_pause_reaches_who_copies_and_who_compares(self) -> None:
        """Who copies decides when, and what its end was. A comparison is cut off, and says nothing of the clone."""
        patient = "trap 'touch asked; exit $(cat code)' TERM; touch begun; while :; do sleep 0.05; done"
        hasty = "touch begun; exec sleep 60"
        for word, body, code, wanted, state in (("copy", patient, 75, 75, "some"), ("copy", patient, 0, 0, "copied"),
                                                ("copy", patient, 3, 3, "some"), ("verify", hasty, 75, 75, "copied")):
            for addresses in (("s3://a", "s3://b"), ("a", "b")):
                self.assertEqual(self.paused(word, body, code, addresses), wanted, (word, code, addresses))
                self.assertEqual(self.clone_state(), state)

    def paused(self, word: str, body: str, code: int, addresses: tuple) -> int:
        """The exit code of clone.sh that is asked to stop when a program with this body is at work."""
        mover = self.program("mover", f"#!/bin/sh\ncd {self.path()}\nrm -f begun asked\necho {code} >code\n{body}\n")
        os.makedirs(self.path("run"), exist_ok=True)
        with open(self.path("run", "clone"), "w") as file:
            file.write("state=copied\n")
        begun = subprocess.Popen(["sh", os.path.join(SCRIPTS, "clone.sh"), word, mover, self.path("run"), *addresses, mover],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(begun.kill)
        deadline = time.monotonic() + scaled(30)
        while not os.path.exists(self.path("begun")):
            self.assertLess(time.monotonic(), deadline, "it does not begin")
            time.sleep(0.02)
        begun.terminate()
        ended = begun.wait(scaled(30))
        self.assertEqual(os.path.exists(self.path("asked")), word == "copy")
        os.remove(self.path("begun"))
        return ended

    def clone_state(self) -> str:
        with open(self.path("run", "clone")) as file:
            return file.readline().strip().removeprefix("state=")

    def test_a_clone_that_has_more_is_not_whole(self) -> None:
        drydock = self.program("drydock", "#!/bin/sh\n[ $1 = verify ] && [ $2 = s3://b ] && exit 1\nexit 0\n")
        done = self.run_script("clone.sh", "verify", drydock, self.path("run"), "s3://a", "s3://b")
        self.assertEqual(done.returncode, 1)
        self.assertIn("s3://b was not found equal to s3://a", done.stderr)
        with open(self.path("run", "clone")) as file:
            self.assertIn("state=some\n", file.read())

    def test_a_clone_by_a_program_of_the_operator_is_compared_by_its_lists(self) -> None:
        """What that program says of its copy is not believed. A list that is empty, or without hashes, proves nothing."""
        good = "5 h1 a b\n7 h2 c\n"
        for old, new, code, told in ((good, "7 h2 c\n5 h1 a b\n", 0, ""), (good, "5 h1 a b\n7 other c\n", 1, "> 7 other c"),
                                     (good, "5 h1 a b\n", 1, "< 7 h2 c"), ("", "", 1, "lists no object"),
                                     ("5 - a\n", "5 - a\n", 1, "no size, hash and name: 5 - a"), (good, "fails", 1, "failed")):
            for side, text in (("old", old), ("new", new)):
                with open(self.path(side), "w") as file:
                    file.write(text)
            mover = self.program("mover", f'#!/bin/sh\ncd {self.path()}\n[ $1 = copy ] && exit\ngrep -q fails $2 && exit 1\ncat $2\n')
            for word in ("copy", "verify"):
                done = self.run_script("clone.sh", word, "/bin/false", self.path("run"), "old", "new", mover)
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
            self.assertIn(told, done.stdout)
            with open(self.path("run", "clone")) as file:
                self.assertIn("state=some\n" if code else "state=all\n", file.read())

    def test_the_root_token_stays_in_a_private_file(self) -> None:
        os.makedirs(self.path("run"))
        shutil.copy(self.path("state.json"), self.path("run", "metadata"))
        done = self.run_script("restore.sh", self.pachctl, self.path("run"))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        with open(self.path("run", "restore.log")) as file:
            self.assertIn("abc123", file.read())
        self.assertEqual(stat.S_IMODE(os.stat(self.path("run", "restore.log")).st_mode), 0o600)
        self.set_state(STATE, fails=["restore"])
        done = self.run_script("restore.sh", self.pachctl, self.path("run"))
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("abc123", done.stdout)

    def test_a_restore_tells_how_much_of_the_dump_was_read(self) -> None:
        os.makedirs(self.path("run"))
        with open(self.path("run", "metadata"), "w") as file:
            file.write("x" * 5000)
        slow = f"for _ in $(seq 200); do [ -e {self.path('progress.json')} ] && exit 0; sleep 0.1; done; exit 1"
        pachctl = self.program("slow", f"#!/bin/sh\ndd bs=1000 count=3 of=/dev/null 2>/dev/null\n{slow}\n")
        done = self.run_script("restore.sh", pachctl, self.path("run"), env={"DRYDOCK_PROGRESS": self.path("progress.json")})
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.read("progress.json"), {"done": 3000, "of": 5000, "unit": "bytes"})

    def test_only_the_release_that_is_meant_is_emptied(self) -> None:
        self.set_state(STATE, release="1.9.12")
        done = self.run_script("empty.sh", self.pachctl, "1.10.5")
        self.assertEqual(done.returncode, 1)
        self.assertIn("pachd answers as `1.9.12` and not as 1.10.5: nothing was deleted", done.stdout)
        self.set_state(STATE, release="1.10.5", fails=["version"])
        self.assertEqual(self.run_script("empty.sh", self.pachctl, "1.10.5").returncode, 1)
        self.assertEqual(self.read("state.json")["repos"], STATE["repos"])
        self.set_state(STATE, release="1.10.5")
        self.assertEqual(self.run_script("empty.sh", self.pachctl, "1.10.5").returncode, 0)
        self.assertEqual(self.read("state.json")["repos"], {})


class Twin(Case):
    def manifest(self, *more: dict) -> str:
        with open(self.path("manifest.json"), "w") as file:  # as pachctl prints it: no list, nothing between
            for one in ({"kind": "ServiceAccount", "metadata": {"name": "pachyderm"}}, *more,
                        {"kind": "Service", "metadata": {"name": "pachd"}, "spec": {"ports": [{"name": "api-grpc-port", "nodePort": 30650}]}}):
                file.write(json.dumps(one, indent=2))
        return self.path("manifest.json")

    def twin(self, word: str, manifest: str, ports: str = "30650=31650") -> subprocess.CompletedProcess:
        return self.run_script("twin.py", word, manifest, ports, *self.at("pach-new"))

    def test_it_has_ports_of_its_own_and_leaves_the_old_one_alone(self) -> None:
        old = service("default", 30650)
        self.set_kube({"default/services/pachd": old})
        self.assertEqual(self.twin("check", self.manifest()).returncode, 0)
        self.assertEqual(self.twin("deploy", self.manifest()).returncode, 0)
        objects = self.read("kube.json")["objects"]
        self.assertEqual(objects["default/services/pachd"], old)
        self.assertEqual(objects["pach-new/services/pachd"]["spec"]["ports"][0]["nodePort"], 31650)
        self.assertEqual(self.twin("deploy", self.manifest()).returncode, 0)  # again: all of it is there
        self.assertEqual(self.read("kube.json")["objects"], objects)

    def test_a_rival_for_a_port_is_named(self) -> None:
        self.set_kube({"default/services/pachd": service("default", 30650)})
        done = self.twin("check", self.manifest(), "-")
        self.assertEqual(done.returncode, 1)
        self.assertIn("node port 30650 of pach-new/pachd is held by default/pachd", done.stderr)

    def test_what_belongs_to_the_whole_cluster_is_refused(self) -> None:
        for one, word in (({"kind": "ClusterRoleBinding", "metadata": {"name": "pachyderm"}}, "--local-roles"),
                          ({"kind": "Secret", "metadata": {"name": "s", "namespace": "default"}}, "not in pach-new"),
                          ({"kind": "RoleBinding", "metadata": {"name": "r"}, "subjects": [{"namespace": "default"}]}, "gives rights"),
                          ({"kind": "StorageClass", "metadata": {"name": "etcd-storage-class"}}, "make it yourself")):
            done = self.twin("deploy", self.manifest(one))
            self.assertEqual(done.returncode, 1, one)
            self.assertIn(word, done.stderr)
            self.assertEqual(self.read("kube.json")["objects"], {})

    def test_a_port_that_nobody_has_is_waited_for(self) -> None:
        self.set_kube({}, leaked=(31650,))
        told = {"DRYDOCK_PROGRESS": self.path("progress.json")}
        done = self.run_script("twin.py", "deploy", self.manifest(), "30650=31650", *self.at("pach-new"), env=told)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("taken by nobody", done.stdout)
        wait = self.read("kube.json")["told"]["waits"]
        self.assertIn("to free a node port of Service pachd", wait["for"])
        self.assertEqual(wait["until_ms"] - wait["since_ms"], 720_000)
        self.assertEqual(self.read("progress.json"), {}, "it waits no more")

    def test_another_object_of_the_name_is_not_taken_over(self) -> None:
        self.set_kube({"pach-new/services/pachd": service("pach-new", 32000)})
        done = self.twin("deploy", self.manifest())
        self.assertEqual(done.returncode, 1)
        self.assertIn("is another one", done.stderr)


class Undeploy(Case):
    def setUp(self) -> None:
        super().setUp()
        self.objects = {"default/deployments/pachd": deployment("default", "1.9.12"), "default/services/pachd": service("default", 30650),
                        "default/serviceaccounts/pachyderm": labelled("ServiceAccount", "default", "pachyderm", "u3"),
                        "pach-new/deployments/pachd": deployment("pach-new", "1.10.5"), "pach-new/services/pachd": service("pach-new", 31650)}
        self.set_kube(self.objects)

    def undeploy(self, namespace: str = "default") -> subprocess.CompletedProcess:
        return self.run_script("undeploy.py", *self.at(namespace), self.path("run", "undeployed.json"))

    def left(self) -> list:
        return sorted(self.read("kube.json")["objects"])

    def test_the_other_namespace_stays(self) -> None:
        done = self.undeploy()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.left(), ["pach-new/deployments/pachd", "pach-new/services/pachd"])
        self.assertEqual({one["uid"] for one in self.read("run", "undeployed.json")}, {"u1", "u2", "u3"})
        self.assertEqual(self.undeploy().returncode, 0)  # again: all of it is gone

    def test_what_was_made_anew_is_left_alone(self) -> None:
        os.makedirs(self.path("run"))
        self.write("run/undeployed.json", [{"path": "api/v1/namespaces/default/services", "name": "pachd", "uid": "gone"}])
        done = self.undeploy()
        self.assertEqual(done.returncode, 1)
        self.assertIn("made anew", done.stderr)
        self.assertEqual(self.left(), sorted(self.objects))

    def test_a_namespace_that_is_not_there_is_no_empty_one(self) -> None:
        done = self.undeploy("nosuch")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not found", done.stderr)

    def test_two_installations_in_one_namespace_are_not_told_apart(self) -> None:
        second = deployment("default", "1.10.5")
        second["metadata"]["name"] = "pachd-2"
        self.set_kube({**self.objects, "default/deployments/pachd-2": second})
        done = self.undeploy()
        self.assertIn("share namespace", done.stderr)
        self.assertEqual(len(self.left()), len(self.objects) + 1)


class Chart(Case):
    def test_a_preflight_is_believed_by_its_words(self) -> None:
        for words, code, wanted in (("all preflight checks OK; it is safe to upgrade this environment to Pachyderm 2.8.0", 0, 0), ("done", 0, 1)):
            program = self.program("preflight", f"#!/bin/sh\necho '{words}'\nexit {code}\n")
            self.assertEqual(self.run_script("preflight.sh", program, "2.8.0", self.path("run")).returncode, wanted)
            self.assertEqual(os.path.exists(self.path("run", "preflight")), wanted == 0)
            shutil.rmtree(self.path("run"))

    def test_a_dump_that_cannot_be_listed_has_no_name(self) -> None:
        self.program("pg_dump", '#!/bin/sh\nfor w in "$@"; do case $w in --file=*) echo x >"${w#--file=}" ;; esac; done\n')
        for code in (1, 0):
            self.program("pg_restore", f"#!/bin/sh\nexit {code}\n")
            words = ["dump", self.path("run"), self.folder, "h", "5432", "u", "n"]
            self.assertEqual(self.run_script("database.sh", *words).returncode, code)
            self.assertEqual(os.path.exists(self.path("run", "pachyderm.dump")), code == 0)

    def test_every_worker_is_scaled_by_its_name(self) -> None:
        log = self.path("scaled")
        kubectl = self.program("kubectl", f'#!/bin/sh\ncase "$*" in *" get "*) printf "replicationcontroller/a\\nreplicationcontroller/b\\n" ;; *) echo "$*" >>{log} ;; esac\n')
        self.assertEqual(self.run_script("workers.sh", kubectl, "/kube", "prod", "default").returncode, 0)
        with open(log) as file:
            self.assertEqual([line.split()[-2] for line in file], ["replicationcontroller/a", "replicationcontroller/b"])


if __name__ == "__main__":
    unittest.main()
