"""Between kill and resume somebody changes the cluster, the plan or the journal: each is named, and
nothing is written first."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from typing import Any

import harness  # first: it knows where the others are
import api
import cluster
from harness import DONE, MOVED, NO

QUOTA = 32 << 20  # bytes: full after a few seconds of writing


class Moved(harness.Case):
    """Every test begins with a run that waits at its gate, its conductor gone: two members are new,
    the held one, which led, is old."""

    def at_the_gate(self, begin: bool = True) -> None:
        if begin:
            self.begin(write=True, rate=20)
        self.to_the_gate()
        self.held = next(name for name, version in zip(self.cluster.members, self.versions())
                         if version == self.old)
        self.rolled = next(name for name in self.cluster.members if name != self.held)

    def assert_detected(self, *words: str, code: int = MOVED, command: str = "resume") -> str:
        """The answer names all words, nothing was touched, and the next look says the same."""
        before = self.touched()
        done = self.drydock(command, expect=code)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(self.touched(), before, "something was touched")
        return done.stderr

    def assert_goes_on(self) -> None:
        """What was moved is back: the run ends as if nothing had been."""
        self.cluster.wait_healthy()
        self.finish()
        self.assertEqual(self.versions(), [self.new] * 3)
        self.assert_nothing_lost()
        self.drydock("journal", "verify", expect=DONE)

    # The cluster

    def test_a_binary_is_replaced(self) -> None:
        self.begin()
        own = self.own_releases()
        self.at_the_gate(begin=False)
        target = os.path.join(own[self.new], "etcd")
        shutil.copy(target, target + ".kept")
        with open(target + ".next", "wb") as file, open(target, "rb") as old:
            file.write(old.read() + b"and more")
        os.chmod(target + ".next", 0o755)
        os.rename(target + ".next", target)
        self.assert_detected(f"{self.held}/new_binary", "expected", "found")
        os.rename(target + ".kept", target)
        self.assert_goes_on()

    def test_a_member_is_stopped(self) -> None:
        self.at_the_gate()
        self.cluster.stop(self.rolled)
        self.assert_detected(f"{self.rolled}/running", self.new, "nothing")
        self.cluster.start(self.rolled)
        self.assert_goes_on()

    def test_a_member_runs_another_release(self) -> None:
        self.at_the_gate()
        self.cluster.stop(self.rolled)
        self.cluster.install("3.4", self.rolled)
        self.cluster.start(self.rolled)
        self.cluster.wait_healthy()
        self.assert_detected(f"{self.rolled}/running", self.new, self.old)
        self.cluster.stop(self.rolled)
        self.cluster.install("3.5", self.rolled)
        self.cluster.start(self.rolled)
        self.assert_goes_on()

    def test_a_member_is_added(self) -> None:
        self.at_the_gate()
        answers: list[tuple[int, dict[str, Any]]] = []

        def is_added() -> bool:  # refused until all members have been connected for some seconds
            answers.append(api.call(self.port("m1"), "/v3/cluster/member/add",
                                    {"peerURLs": ["http://127.0.0.1:1"]}))
            return answers[-1][0] == 200
        cluster.wait_until(is_added, 20, lambda: f"{answers[-1]}")
        self.assert_detected("members_seen")
        api.ask(self.port("m1"), "/v3/cluster/member/remove",
                {"ID": answers[-1][1]["member"]["ID"]})
        self.assert_goes_on()

    def test_a_member_is_on_another_clusters_data(self) -> None:
        self.at_the_gate()
        other = self.other_cluster()
        member = self.cluster.members[self.rolled]
        cluster_id = self.cluster.status(self.rolled)["header"]["cluster_id"]
        self.cluster.stop(self.rolled)
        os.rename(member.data, member.data + ".kept")
        subprocess.run(["cp", "-a", other, member.data], check=True)
        self.cluster.start(self.rolled)
        self.cluster.wait_healthy(self.rolled)  # it looks healthy
        self.assert_detected(f"{self.rolled}/cluster_id", cluster_id)
        self.cluster.kill(self.rolled)
        shutil.rmtree(member.data)
        os.rename(member.data + ".kept", member.data)
        self.cluster.start(self.rolled)
        self.assert_goes_on()

    def test_auth_is_turned_on(self) -> None:
        self.at_the_gate()
        self.load.stop()
        self.load = None
        self.etcdctl("user", "add", "root:secret")
        self.etcdctl("user", "grant-role", "root", "root")
        self.etcdctl("auth", "enable")
        self.assert_detected("auth_on")
        self.etcdctl("--user", "root:secret", "auth", "disable")
        self.assert_goes_on()

    def test_the_quota_is_full(self) -> None:
        self.begin()
        self.small_quota()
        self.to_the_gate()
        self.fill()
        told = self.assert_detected("errors")
        self.assertIn("NOSPACE", told)
        self.make_room()
        self.cluster.wait_healthy()
        self.finish()
        self.assertEqual(self.versions(), [self.new] * 3)

    # The plan and the journal

    def test_the_plan_file_is_edited(self) -> None:
        self.at_the_gate()
        kept = self.edit_file(self.plan, self.new, "3.5.99")
        self.assert_detected(self.plan, "changed", code=MOVED)
        os.rename(kept, self.plan)
        self.assert_goes_on()

    def test_an_edited_plan_is_not_applied(self) -> None:
        self.begin()
        self.make_plan()
        self.edit_file(self.plan, f'"to":"{self.new}"', '"to":"3.5.99"')
        before = self.touched()
        done = self.drydock("apply", self.plan, expect=NO)
        self.assertIn("digest", done.stderr)
        self.assertEqual(self.touched(), before)
        self.assertFalse(os.path.exists(os.path.join(self.scratch, "state", "journal.db")))

    def test_the_stored_plan_is_edited(self) -> None:
        self.at_the_gate()
        runs = os.path.join(self.scratch, "state", "runs")
        stored = os.path.join(runs, os.listdir(runs)[0])
        kept = self.edit_file(stored, self.new, "3.5.99")
        self.assert_detected(stored, code=NO)
        self.drydock("journal", "verify", expect=NO)
        os.rename(kept, stored)
        self.assert_goes_on()

    def test_a_journal_row_is_edited(self) -> None:
        self.each(["wall_ms = wall_ms + 1", "events = (SELECT events FROM records LIMIT 1)",
                   "hash = zeroblob(32)"], Moved.row_edited)

    def row_edited(self, change: str) -> None:
        self.at_the_gate()
        self.sql(f"UPDATE records SET {change} WHERE place = "
                 "(SELECT place FROM records ORDER BY place LIMIT 1 OFFSET 14)")
        self.assert_detected("record 15", code=NO)
        self.assertIn("record 15", self.drydock("journal", "verify", expect=NO).stderr)
        self.assert_detected("record 15", code=NO, command="downgrade")

    def test_a_journal_row_is_gone(self) -> None:
        self.each(["14", "31"], Moved.row_gone)

    def row_gone(self, before: str) -> None:
        self.at_the_gate()
        self.sql("DELETE FROM records WHERE place = (SELECT place FROM records ORDER BY place "
                 f"LIMIT 1 OFFSET min({before}, (SELECT count(*) FROM records) - 1))")
        self.assert_detected("is missing", code=NO)

    # Helpers

    def port(self, name: str) -> int:
        return self.cluster.members[name].client_port

    def etcdctl(self, *words: str) -> str:
        program = os.path.join(self.cluster.release_folders["3.4"], "etcdctl")
        limits = ["--command-timeout=60s", "--dial-timeout=60s"]  # its own 5 s: a busy machine
        return subprocess.run([program, "--endpoints", self.cluster.endpoints, *limits, *words],
                              check=True, env={"ETCDCTL_API": "3"}, stdout=subprocess.PIPE,
                              text=True).stdout  # what it complains of is seen

    def own_releases(self) -> dict[str, str]:
        """The members' releases as copies in the scratch folder, which tests may spoil."""
        for series, folder in self.cluster.release_folders.items():
            own = os.path.join(self.scratch, "releases", os.path.basename(folder))
            shutil.copytree(folder, own)
            self.cluster.release_folders[series] = own
        self.cluster.stop()
        self.cluster.install("3.4")
        self.cluster.start()
        self.cluster.wait_healthy()
        self.cluster_file = self.cluster.write_cluster_file()
        return {self.old: self.cluster.release_folders["3.4"],
                self.new: self.cluster.release_folders["3.5"]}

    def other_cluster(self) -> str:
        """A copy of the data of a member of another cluster, of the same name and addresses."""
        folder = os.path.join(self.scratch, "other")
        made = cluster.Cluster(folder, size=1)
        with made:
            member = made.members["m1"]
            made.install("3.5")
            made.start()
            made.wait_healthy()
            made.put("strange", "data")
            made.stop()
            os.rename(member.data, folder + ".data")
        return folder + ".data"

    def small_quota(self) -> None:
        template = self.cluster._template
        self.cluster._template = lambda: [*template(), "--quota-backend-bytes", str(QUOTA)]
        self.cluster.stop()
        self.cluster.start()
        self.cluster.wait_healthy()
        self.cluster_file = self.cluster.write_cluster_file()

    def fill(self) -> None:
        with self.assertRaises(api.NoAnswer):
            for number in range(400):
                self.cluster.put(f"fill/{number}", "x" * 500_000)

    def make_room(self) -> None:
        self.etcdctl("del", "fill/", "--prefix")
        self.etcdctl("compact", str(self.cluster.revision()))
        self.etcdctl("defrag")
        self.etcdctl("alarm", "disarm")
        self.cluster.put("room", "made")  # 3.4 cannot hash the very revision that is compacted

    def edit_file(self, path: str, old: str, new: str) -> str:
        """Changes a file; the path of what it was."""
        with open(path) as file:
            text = file.read()
        self.assertIn(old, text)
        os.rename(path, path + ".kept")
        with open(path, "w") as file:
            file.write(text.replace(old, new))
        os.chmod(path, 0o600)
        return path + ".kept"

    def sql(self, statement: str) -> None:
        path = os.path.join(self.scratch, "state", "journal.db")
        with contextlib.closing(sqlite3.connect(path)) as journal, journal:
            self.assertEqual(journal.execute(statement).rowcount, 1, statement)


if __name__ == "__main__":
    harness.main()
