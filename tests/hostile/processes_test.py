"""Which process counts as a member's: none of another user, of another program, none of two."""

import os
import shutil
import subprocess
import unittest

import hostile
from hostile import DONE, OLD, REFUSED, USAGE

NOBODY = 65534


class Processes(hostile.Case):
    def begin_without_m1(self) -> None:
        """m1 is down, and no pid file leads anywhere."""
        self.begin()
        self.cluster.kill("m1")
        os.unlink(self.cluster.path("members", "m1", "pid"))

    def start_as_m1(self, program: str, user: int | None = None) -> "subprocess.Popen[bytes]":
        """A process with the arguments and the environment of m1."""
        process = subprocess.Popen(
            [program, "serve", "m1", self.cluster.path("members", "m1")], user=user,
            env={"PATH": os.environ["PATH"], "TOY_END_SECONDS": "0"}, cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def release(self) -> str:
        return self.cluster.path("releases", OLD, "toy_member")

    def assert_down(self, why: str) -> None:
        facts = self.facts()
        self.assertEqual(facts["m1/service"]["value"], "stopped", why)
        self.assertEqual(facts["m1/running"]["status"], "absent", why)

    def test_its_own(self) -> None:
        """The same start, by the right user from the right folder, is m1."""
        self.begin_without_m1()
        self.start_as_m1(self.release())
        self.wait_for(lambda: self.cluster.is_up("m1"), "m1 to serve")
        self.assertEqual(self.facts()["m1/service"]["value"], "running")

    @unittest.skipUnless(os.getuid() == 0, "needs a second user")
    def test_of_another_user(self) -> None:
        """A process of another user with the arguments of m1 is not m1, and is not signalled."""
        self.begin_without_m1()
        self.make_accessible()
        imposter = self.start_as_m1(self.release(), user=NOBODY)
        self.wait_for(lambda: self.cluster.is_up("m1"), "the imposter to serve")
        self.assert_down("it is another user's")
        self.assertIsNone(imposter.poll())

    def make_accessible(self) -> None:
        for folder in ("", "members", "releases", f"releases/{OLD}"):
            os.chmod(self.cluster.path(folder), 0o711)
        home = self.cluster.path("members", "m1")
        os.chmod(home, 0o777)
        for name in os.listdir(home):
            if not os.path.islink(os.path.join(home, name)):
                os.chmod(os.path.join(home, name), 0o666)
        os.chmod(self.release(), 0o755)

    def test_of_another_program(self) -> None:
        """A program outside of m1's releases is not m1, whatever its name and its arguments."""
        self.begin_without_m1()
        elsewhere = os.path.join(self.scratch, "elsewhere")
        os.mkdir(elsewhere)
        shutil.copy(self.release(), elsewhere)
        self.start_as_m1(os.path.join(elsewhere, "toy_member"))
        self.wait_for(lambda: self.cluster.is_up("m1"), "the imposter to serve")
        self.assert_down("its program is no release of m1")

    def test_two(self) -> None:
        """Two processes that fit are a doubt, and not the older one."""
        self.begin_without_m1()
        both = [self.start_as_m1(self.release()) for _ in range(2)]
        self.wait_for(lambda: self.cluster.is_up("m1"), "m1 to serve")
        fact = self.facts()["m1/service"]
        self.assertEqual(fact["status"], "unknown")
        for process in both:
            self.assertIn(str(process.pid), fact["evidence"])

    def test_one_argument_more(self) -> None:
        """A member that runs with an argument which the cluster file lacks is told of before
        anything is stopped, and the argument is named."""
        self.begin()
        self.forget("serve, ")
        for member in self.cluster.members:
            os.unlink(self.cluster.path("members", member, "pid"))
        survey = self.drydock("survey", "--json")
        self.assertIn("it has `serve` too", survey.text())
        done = self.drydock("plan", "--to", "2.0", "-o", self.plan)
        if done.code == DONE:
            done = self.drydock("apply", self.plan)
        self.assertIn(done.code, REFUSED, done.text())
        self.assertIn("`serve`", self.words_of(done))
        self.assert_at_least_up(3)

    def forget(self, word: str) -> None:
        self.use(word, "")

    def test_alike(self) -> None:
        """Members of one host that differ by their link alone are refused when the file is read."""
        self.begin()
        self.cluster_file = self.cluster.write_cluster_file(host_of=lambda member: "h1")
        self.use(f'tool: "{self.release()}"',
                 f'tool: "{self.cluster.path("members")}/${{member}}/current/toy_member"')
        self.drydock("survey", expect=DONE)
        self.forget(f', "${{member}}", "{self.cluster.path("members")}/${{member}}"')
        done = self.drydock("survey", expect=USAGE)
        self.assertIn("m1 and m2 on host h1 cannot be told apart", self.words_of(done))


if __name__ == "__main__":
    hostile.main()
