"""`connect` is any command that leads to an agent's standard input and output."""

import os
import pathlib
import subprocess
import sys

import harness  # finds the field's modules

import cluster as field

HOSTS = "here: {connect: local}"
IN_NAMESPACE = """
import sys
sys.path.insert(0, sys.argv[2])
import golden
made = golden.golden(sys.argv[1])
made.write_cluster_file(soak="0s")
made.close(keep_running=True)
"""


class ConnectTest(harness.Case):
    def lead_to(self, hosts: str) -> None:
        """Replaces the cluster file's one local host."""
        file = pathlib.Path(self.cluster_file)
        text = file.read_text()
        self.assertIn(HOSTS, text)
        backups = f"soak: 0s\n  backups: {{path: {self.scratch}/backups}}"
        file.write_text(text.replace(HOSTS, hosts).replace("soak: 0s", backups))

    def host(self, name: str, connect: str) -> str:
        agent = os.path.abspath(harness.program())
        return f"{name}: {{connect: {connect}, agent: {agent}, state: {self.scratch}/hosts/{name}}}"

    def upgrade(self) -> None:
        self.drydock("plan", "--to", self.new, "-o", self.plan, expect=0)
        self.drydock("apply", self.plan, "--approve", self.gate(), expect=0)

    def test_a_shell_that_greets_first(self) -> None:
        """Three hosts, each behind a wrapper that prints a banner before the agent speaks."""
        self.begin(write=True)
        wrapper = "[sh, -c, 'echo welcome to this host; exec \"$0\" \"$@\"']"
        self.lead_to("\n  ".join(self.host(name, wrapper) for name in ("here", "there", "elsewhere")))
        file = pathlib.Path(self.cluster_file)
        text = file.read_text()
        for member, name in (("m2", "there"), ("m3", "elsewhere")):
            text = text.replace(f"name: {member},", f"name: {member}, host: {name},")
        file.write_text(text)
        self.upgrade()
        self.assertEqual(self.versions(), [self.new] * 3)
        self.assert_nothing_lost()
        for name in ("here", "there", "elsewhere"):
            self.assertTrue(os.listdir(f"{self.scratch}/hosts/{name}"), f"{name} was never worked on")

    def test_a_network_namespace(self) -> None:
        """The members live in a namespace of their own; the conductor is outside."""
        if os.geteuid() != 0:
            self.skipTest("making a network namespace needs root")
        namespace = f"drydock{os.getpid()}"
        made = subprocess.run(["ip", "netns", "add", namespace], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            self.skipTest(f"no network namespaces here: {made.stderr.strip()}")
        self.addCleanup(subprocess.run, ["ip", "netns", "del", namespace], check=False)
        inside = ["ip", "netns", "exec", namespace]
        subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
        self.begin()
        self.cluster.close()
        base = os.path.join(self.scratch, "inside")
        subprocess.run([*inside, sys.executable, "-c", IN_NAMESPACE, base, os.path.dirname(field.__file__)], check=True)
        self.addCleanup(field.Cluster(base).close)
        self.cluster_file = os.path.join(base, "cluster.yaml")
        self.lead_to(self.host("here", f"[ip, netns, exec, {namespace}]"))
        self.upgrade()
        answer = subprocess.run([*inside, "curl", "-s", self.client_url(base)], capture_output=True, text=True, check=True)
        self.assertIn(f'"etcdserver":"{self.new}"', answer.stdout)
        self.assertIn('"etcdcluster":"3.5.0"', answer.stdout)

    def client_url(self, base: str) -> str:
        text = pathlib.Path(base, "cluster.yaml").read_text()
        return text.split('client_url: "', 1)[1].split('"', 1)[0] + "/version"


if __name__ == "__main__":
    harness.main()
