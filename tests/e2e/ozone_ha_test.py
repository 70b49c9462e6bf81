"""Three OMs and three SCMs: all are prepared, and whoever leads dies or changes in the middle."""

import time

import ozone_harness  # first: it knows where the others are
import keys
import settings
from cluster import Shape
from ozone_harness import DONE, NEW, OLD, RUN_SECONDS_MAX, WAITS, Running, in_full

DEAD_SECONDS = 3.0  # of a server that dies and is started again


class Ha(ozone_harness.Case):
    @in_full
    def test_there_and_back_and_finalized(self) -> None:
        self.begin_fresh(Shape(scms=3, oms=3), (OLD, NEW))
        keys.put(self.cluster, "old")
        old = self.layouts_on_disk()

        self.make_plan()
        running = self.start_drydock("apply", self.plan)
        self.wait(lambda: self.command_pids("om", "prepare"), "the OMs are being prepared")
        self.leader_dies("om")
        self.ends(running, WAITS)
        self.assert_runs(NEW, old)
        self.assert_keys("old")
        keys.put(self.cluster, "new")

        self.leader_changes()
        self.drydock("downgrade", expect=DONE)
        self.assert_runs(OLD, old)
        self.assert_keys("old", "new")

        self.to_the_gate()
        self.assert_runs(NEW, old)
        self.approve()
        running = self.start_drydock("resume")
        self.wait(lambda: self.cluster.layout_on_disk(self.leader("scm")) == 10,
                  "SCM has raised its layout")
        self.leader_dies("scm")
        self.wait(lambda: self.command_pids("om", "finalizeupgrade"), "the OMs are being finalized")
        self.leader_dies("om")
        self.ends(running, DONE)
        self.assert_finalized()
        self.assert_keys("old", "new")

    def leader(self, role: str) -> str:
        """Who leads, as the servers themselves say."""
        found = ""

        def one_leads() -> str:
            nonlocal found
            found = next((member.name for member in self.cluster.of(role) if (
                bean := self.cluster.jmx(member.name, "Ratis:service=RaftServer,*"))
                and bean.get("Role", "").strip() == "LEADER"), "")
            return found
        self.wait(one_leads, f"one {role} leads")
        return found

    def leader_dies(self, role: str) -> None:
        """And comes back as it was, when another has taken over."""
        name = self.leader(role)
        upgraded = self.cluster.version(name) == NEW
        self.cluster.kill(name)
        time.sleep(DEAD_SECONDS)
        self.assertNotEqual(self.leader(role), name)
        self.cluster.start(name)
        self.wait(lambda: self.cluster.version(name), f"{name} is back")
        self.assertEqual(self.cluster.version(name) == NEW, upgraded)

    def leader_changes(self) -> None:
        """OM's: nobody dies."""
        before = self.leader("om")
        to = next(om.name for om in self.cluster.of("om") if om.name != before)
        done = self.cluster.ozone("admin", "om", "transfer", f"--service-id={settings.SERVICE}",
                                  f"--newLeaderId={to}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.wait(lambda: self.leader("om") != before, "another OM leads")

    def ends(self, running: Running, code: int) -> None:
        done = running.wait(RUN_SECONDS_MAX)
        self.assertEqual(done.code, code, done.text())

    def assert_runs(self, release: str, layouts: dict[str, int]) -> None:
        """All servers run a release and take writes; nothing is finalized."""
        self.assertEqual((self.versions(), self.layouts_on_disk()), ({release}, layouts))
        self.assertFalse(any(self.cluster.prepared(om.name) for om in self.cluster.of("om")))


if __name__ == "__main__":
    ozone_harness.main()
