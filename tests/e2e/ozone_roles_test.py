"""Ways of running Ozone, and the servers that only some clusters have: the distribution's script,
Recon and the S3 gateway."""

import json
import os
import subprocess

import ozone_harness  # first: it knows where the others are
import keys
from cluster import Shape
from ozone_harness import DONE, NEW, OLD, WAITS, in_full
from program import scaled


class Script(ozone_harness.Case):
    @in_full
    def test_the_distributions_script_starts_and_stops(self) -> None:
        """There and back and finalized by `ozone --daemon`, whose double the harness has."""
        self.begin(start=False, daemon=True)
        for name in self.cluster.members:
            self.daemon("start", name)
        self.cluster.wait_ready()
        self.to_the_gate()
        self.assertEqual(self.versions(), {NEW})
        keys.put(self.cluster, "new")
        self.drydock("downgrade", expect=DONE)
        self.assertEqual(self.versions(), {OLD})
        self.assert_keys("golden", "new")
        self.to_the_gate()
        self.finish()
        self.assert_finalized()
        self.assert_keys("golden", "new")
        for name in self.cluster.members:
            self.assertIn("is running as process", self.daemon("status", name))

    def daemon(self, word: str, name: str) -> str:
        member = self.cluster.members[name]
        done = subprocess.run([os.path.join(member.current, "bin", "ozone"), "--config",
                               member.below("conf"), "--daemon", word, member.role],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=scaled(60))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout


class Others(ozone_harness.Case):
    @in_full
    def test_recon_and_the_s3_gateway(self) -> None:
        """They go along. A Recon that does not come up is told of, and stops nothing."""
        self.begin_fresh(Shape(recon=True, s3g=True), (OLD, NEW))
        for name in ("recon", "s3g"):  # a plan is bound to what it has seen
            self.wait(lambda: self.fact(f"{name}/ready"), f"{name} is ready")
        keys.put(self.cluster, "old")
        self.to_the_gate()
        self.assert_others(NEW)
        self.drydock("downgrade", expect=DONE)
        self.assert_others(OLD)
        self.assertIn("db.before-", " ".join(os.listdir(self.cluster.members["recon"].below("data"))))

        self.break_recon()
        self.make_plan()
        waits = self.drydock("apply", self.plan, expect=WAITS)
        self.assertIn("(the run goes on without it)", waits.text())
        self.assert_left_out()
        self.assertEqual(self.fact("s3g/running"), NEW)
        self.finish()
        self.assert_left_out()
        self.assert_finalized()
        self.assert_keys("old")

    def break_recon(self) -> None:
        """From its next start on: it cannot listen there."""
        path = self.cluster.members["recon"].below("conf", "ozone-site.xml")
        with open(path) as file:
            text = file.read()
        name = "<name>ozone.recon.http-address</name><value>"
        self.assertIn(name, text)
        with open(path, "w") as file:
            file.write(text.replace(name, name + "192.0.2.1:1,"))

    def assert_left_out(self) -> None:
        status = self.drydock("status", "--json")
        left = " ".join(json.loads(status.stdout)["left_out"])
        self.assertIn("start recon on 2.2.1: it failed, and the run goes on without it", left)

    def assert_others(self, release: str) -> None:
        self.assertEqual(self.versions(), {release})
        for name in ("recon", "s3g"):
            self.assertEqual((self.fact(f"{name}/running"), self.fact(f"{name}/ready")),
                             (release, True), name)
        self.assert_keys("old")

    def fact(self, key: str) -> object:
        return json.loads(self.drydock("survey", "--json").stdout)["facts"][key].get("value")


if __name__ == "__main__":
    ozone_harness.main()
