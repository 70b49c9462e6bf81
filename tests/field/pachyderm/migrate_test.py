#!/usr/bin/env python3
"""Whole migrations of the double by drydock: each fault is found before clients are cut over, and nothing is lost.

In the order of their names, in one world: the last test goes all the way, so nothing is behind it.
"""

import os
import subprocess
import threading
import time
import unittest

import double
import migration
from migrate_case import DONE, IS_FULL, KILLED, NO, WAITS, Case, full_only, scaled

PARTS = 6  # in which a migration is killed; at every record with DRYDOCK_PACHYDERM_FULL
KILLS_MAX = 400
COMMAND_SECONDS_MAX = scaled(60)
RECORDS = 120  # of a migration, about
FILES_MIN = 60
BESIDE = "by-hand"  # where somebody runs the guide's own deployment


class Migrate(Case):
    def test_1_who_writes_in_the_pause_is_found(self) -> None:
        """A pipeline is started and a commit made by somebody inside of Kubernetes, whom node ports do not hold back."""
        self.make_plan()
        self.hooks.once("during-clone", self.until_dumped(), self.inside("start", "pipeline", "edges"),
                        self.inside("create", "repo", "sneaked"))
        self.halted("apply", self.plan, told="somebody wrote")
        self.go_back()
        self.pachctl(self.world.old, "delete", "repo", "sneaked")

    @full_only
    def test_2_garbage_collection_in_the_pause_is_found(self) -> None:
        """What it deletes no commit names. But the bucket changes under the clone, so the clone is of no one state."""
        self.make_garbage()
        self.make_plan()
        before = set(self.world.keys(self.world.old.store.bucket))
        self.hooks.once("after-clone", self.inside("garbage-collect"))
        self.halted("apply", self.plan, told="read the clone again and compare it")
        self.assertGreater(before - set(self.world.keys(self.world.old.store.bucket)), set(), "nothing was collected")
        self.go_back()

    @full_only
    def test_3_an_open_commit_is_waited_for(self) -> None:
        self.pachctl(self.world.old, "start", "commit", "texts@master")
        self.make_plan()
        run = self.begin("apply", self.plan)
        self.wait_for_step("no commit is open on pach-old")
        self.assertFalse(os.path.exists(self.run_folder() + "/commits.json"), "it was noted in spite of an open commit")
        self.pachctl(self.world.old, "finish", "commit", "texts@master")
        done = run.wait(scaled(300))
        self.assertEqual(done.code, WAITS, done.text())
        self.go_back()

    def test_4_killed_at_records_and_resumed(self) -> None:
        self.make_plan()
        died = self.killed_all_the_way(("apply", self.plan), WAITS)
        died += self.killed_all_the_way(("downgrade",), DONE)
        self.assert_old_serves()
        self.world.remove_new()
        print(f"drydock was killed {died} times on the way to the gate and back", flush=True)

    def test_5_all_the_way_past_every_fault(self) -> None:
        before = self.world.state(self.world.old)
        self.make_plan()
        self.past_rivals_to_the_deployment()
        self.past_a_restore_that_broke_off()
        self.cut_over()
        self.undeploy()
        self.assertEqual(migration.missing(before, self.world.state(self.world.new)), [])

    # The parts of the long way

    def past_rivals_to_the_deployment(self) -> None:
        """A rival on a port of the pause. Then, all in one clone: the dump loses its end, a rival takes a port of before, and
        somebody runs the guide's own deployment."""
        port = self.world.file.port(self.world.old, is_paused=True)
        self.rival(port)
        self.halted("apply", self.plan, told=f"services/rival of namespace default has node port {port}")
        self.assertFalse(os.path.exists(self.run_folder() + "/pipelines.json"), "pipelines were stopped before it was seen")
        self.remove_rival()
        dump = self.run_folder() + "/metadata"
        self.hooks.once("during-clone", self.until_dumped(), f"cp {dump} {dump}-whole", f"truncate -s 1000 {dump}",
                        self.rival_by_kubectl(migration.installation.PACHD_PORT),
                        " ".join(self.world.site.server.kubectl("create", "namespace", BESIDE)), self.world.guide_line(BESIDE), "exit 0")
        self.halted("resume", told="nothing was committed meanwhile")
        os.replace(dump + "-whole", dump)
        self.world.remove_namespace(BESIDE)  # the half of a twin goes, with its ports; the binding stays what it was made
        self.halted("resume", told="services/rival of namespace default has it")
        self.remove_rival()
        self.drydock("resume", expect=WAITS)
        self.binding_is_pointed_back("give-back", BESIDE)

    def binding_is_pointed_back(self, gate: str, holder: str) -> None:
        """The ClusterRoleBinding is another's: it is pointed back once a person has approved, and not before."""
        for _ in range(2):
            self.assertEqual(self.world.site.binding(), [holder])
            done = self.drydock("resume", expect=WAITS)
            self.assertIn(f"drydock approve {gate}", done.text())
        self.drydock("approve", gate)

    def past_a_restore_that_broke_off(self) -> None:
        """pachd dies when it has half of the dump. The half is found, and deleted once a person has approved; then all is restored."""
        dump, half = self.run_folder() + "/metadata", os.path.join(self.scratch, "half")
        count, = double.pachyderm.batch(["count", dump])
        double.pachyderm.batch(["cut", dump, str(count["ops"] // 2), half])
        until_dead = f"for _ in $(seq 300); do [ -e {half}-dead ] || sleep 0.1; done"
        self.hooks.once("during-restore", f"(cat {half}; touch {half}-there; {until_dead}) | $1 restore")
        run = self.begin("resume")
        migration.wait_until(lambda: os.path.exists(half + "-there"), scaled(240), lambda: "nothing is restored")
        migration.wait_until(lambda: len(self.listed(self.world.new, "list", "repo")) > 0, scaled(60), lambda: "no half")
        self.world.site.node.doubles[self.world.new.namespace].kill("pachd")
        with open(half + "-dead", "w", encoding="utf-8"):
            pass
        done = run.wait(scaled(400))
        self.assertEqual(done.code, WAITS, done.text())
        self.assertEqual(self.world.site.binding(), [self.world.old.namespace])
        self.assertIn("drydock approve clean", done.text())
        half_restored = self.held_commits()
        self.assertGreater(half_restored, set())
        self.drydock("approve", "clean")
        self.drydock("resume", expect=WAITS)
        self.assertGreater(self.held_commits(), half_restored)

    def held_commits(self) -> set[str]:
        """Of the new installation, in all repos."""
        repos = [one["repo"]["name"] for one in self.listed(self.world.new, "list", "repo")]
        return {one["commit"]["id"] for repo in repos for one in self.listed(self.world.new, "list", "commit", repo)}

    def cut_over(self) -> None:
        """The loader plays back while drydock compares; drydock is killed, too."""
        self.assertGreater(self.world.replay(), 0)
        self.drydock("approve", "replay")
        self.take_the_binding()
        self.drydock("resume", expect=WAITS)
        self.binding_is_pointed_back("give-back-again", self.world.new.namespace)
        self.drydock("resume", expect=WAITS)
        self.assertEqual(self.world.site.binding(), [self.world.old.namespace])
        self.drydock("approve", "cut-over")
        ends = threading.Event()
        loader = threading.Thread(target=self.replay_until, args=(ends,))
        loader.start()
        try:
            self.killed_all_the_way(("resume",), WAITS)
        finally:
            ends.set()
            loader.join()
        self.assertEqual(self.world.serving(), "green")
        self.world.wait_written(3)
        self.assert_nothing_lost(self.world.new)
        refused = self.drydock("downgrade", expect=NO)
        self.assertIn("what clients wrote since the cut-over stays on the other side only", " ".join(refused.text().split()))

    def undeploy(self) -> None:
        self.drydock("approve", "undeploy")
        self.drydock("resume", env={"DRYDOCK_CRASH": "action.ended:after"}, expect=KILLED)
        self.assertEqual(self.world.running(self.world.old), "none")  # and with it all that its facts are read from
        self.killed_all_the_way(("resume",), DONE)
        self.assertEqual(self.world.running(self.world.old), "none")
        self.assertEqual(self.world.running(self.world.new), migration.NEW)
        self.assertEqual(self.world.site.binding(), [self.world.old.namespace], "what belongs to the whole cluster stays")
        self.world.wait_written(3)
        self.assert_nothing_lost(self.world.new)
        self.assertGreater(len(self.world.keys(self.world.old.store.bucket)), FILES_MIN)
        self.drydock("journal", "verify")

    # Faults

    def inside(self, *words: str) -> str:
        """A line of shell: pachctl from inside of Kubernetes."""
        return self.world.inside_line(self.world.old, *words)

    def take_the_binding(self) -> None:
        """Somebody applies the new one's ClusterRoleBinding, as the guide's own command does."""
        subject = {"kind": "ServiceAccount", "name": "pachyderm", "namespace": self.world.new.namespace}
        self.world.site.server.merge("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/pachyderm", {"subjects": [subject]})

    def make_garbage(self) -> None:
        self.pachctl(self.world.old, "create", "repo", "rubbish")
        subprocess.run(["sh", "-c", f"echo rubbish | {self.inside('put', 'file', 'rubbish@master:/one')}"], check=True,
                       timeout=COMMAND_SECONDS_MAX)
        self.pachctl(self.world.old, "delete", "repo", "rubbish")

    def rival_by_kubectl(self, port: int) -> str:
        words = ["create", "service", "nodeport", "rival", "--tcp=80:80", f"--node-port={port}", "--namespace=default"]
        return " ".join(self.world.site.server.kubectl(*words))

    def wait_for_step(self, title: str) -> None:
        """Until the run is at a step."""
        migration.wait_until(lambda: title in self.drydock("status", "--json", expect=None).stdout, scaled(120),
                             lambda: f"it is never at: {title}", every=1)
        time.sleep(2)

    def killed_all_the_way(self, words: tuple[str, ...], end: int) -> int:
        """Runs it to its end with conductors that die one after another; how many died."""
        records = 2 if IS_FULL else RECORDS // PARTS
        for died in range(KILLS_MAX):
            moment = ("sent", "after", "before")[died % 3]
            done = self.drydock(*words, env={"DRYDOCK_CRASH": f"{records + died % 3}:{moment}"}, expect=None)
            if done.code != KILLED:
                self.assertEqual(done.code, end, done.text())
                return died
            words = ("resume",)
        self.fail(f"it does not end: {done.text()}")


if __name__ == "__main__":
    unittest.main()
