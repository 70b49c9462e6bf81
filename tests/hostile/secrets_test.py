"""Who gets which secret, and who can read it."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import hostile
import rogue
from hostile import DONE, NEW
from program import program, scaled

VALUES = {f"m{number}": f"s3cret-of-m{number}-xyzzy" for number in (1, 2, 3)}


class Secrets(hostile.Case):
    def begin_with_secrets(self) -> None:
        """Each member has a secret of its own in its environment."""
        self.begin(lines=["h1", "h2", "h3"])
        self.environment |= {f"TOY_{name}": value for name, value in VALUES.items()}
        with open(self.cluster_file, encoding="utf-8") as file:
            text = file.read()
        text = text.replace("env: {", 'env: {TOY_PASSWORD: "${password}", ')
        for name in VALUES:
            text = text.replace(
                f"host: h{name[1]}}}",
                f"host: h{name[1]}, settings: {{password: {{secret: {{env: TOY_{name}}}}}}}}}")
        with open(self.cluster_file, "w", encoding="utf-8") as file:
            file.write(text)

    def test_each_host_gets_its_own(self) -> None:
        """No request to a host has a secret that it does not name; nothing on disk has one."""
        self.begin_with_secrets()
        self.make_plan()
        self.drydock("apply", self.plan, expect=DONE)
        self.assert_all_on(NEW)
        for host in ("h1", "h2", "h3"):
            own = VALUES["m" + host[1]]
            told = json.dumps(self.requests(host))
            self.assertIn(own, told)
            for value in set(VALUES.values()) - {own}:
                self.assertNotIn(value, told, f"{host} got a secret of another member")
            for request in self.requests(host):
                self.assert_named(request)
        self.assert_on_no_disk()

    def assert_named(self, request: dict) -> None:
        rest = json.dumps({key: value for key, value in request.items() if key != "secrets"})
        for name, value in request.get("secrets", {}).items():
            self.assertIn(f"${{secret:{name}}}", rest)
            self.assertNotIn(value, rest)

    def assert_on_no_disk(self) -> None:
        for folder, _, names in os.walk(self.scratch):
            if os.path.basename(os.path.dirname(folder)) == "lines":
                continue  # what rogue.py wrote down
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    data = file.read()
                for value in VALUES.values():
                    self.assertNotIn(value.encode(), data, os.path.join(folder, name))


NOBODY = 65534
LOOK = """for pid; do
    ls /proc/$pid/fd/0 >/dev/null 2>&1 && echo fd
    head -c 1 /proc/$pid/environ >/dev/null 2>&1 && echo environ
    head -c 1 /proc/$pid/maps >/dev/null 2>&1 && echo maps
done; true"""


@unittest.skipUnless(os.getuid() == 0, "needs a second user")
class SameAccount(unittest.TestCase):
    def test_agent_and_supervisor(self) -> None:
        """Another process of the agent's own account reads neither its files nor its memory."""
        folder = tempfile.mkdtemp(prefix="drydock-private-")
        self.addCleanup(shutil.rmtree, folder)
        shutil.copy(program(), os.path.join(folder, "drydock"))
        state = os.path.join(folder, "state")
        os.mkdir(state, 0o700)
        for path in (folder, state, os.path.join(folder, "drydock")):
            os.chown(path, NOBODY, NOBODY)
        agent = subprocess.Popen([os.path.join(folder, "drydock"), "agent", "--state", state],
                                 user=NOBODY, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.kill)
        self.addCleanup(agent.stdin.close)
        self.addCleanup(agent.stdout.close)
        agent.stdout.readline()
        agent.stdin.write(rogue.bytes_of({
            "n": 1, "do": "exec", "epoch": 1, "run": "r", "action": "a", "attempt": 1,
            "secrets": {"s": "a-secret-of-this-test"},
            "request": {"kind": "command", "argv": ["sleep", "3"],
                        "env": {"PASSWORD": "${secret:s}"}}}))
        agent.stdin.flush()
        supervisor = self.child_of(agent.pid)
        time.sleep(0.3)  # it has read its order
        self.assertEqual(self.look(agent.pid, supervisor), [])
        self.assertNotEqual(self.look(os.getpid(), user=0), [])  # the look itself works

    def child_of(self, pid: int) -> int:
        deadline = time.monotonic() + scaled(10)
        while time.monotonic() < deadline:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
                children = file.read().split()
            if children:
                return int(children[0])
            time.sleep(0.01)
        self.fail("no supervisor was started")

    @staticmethod
    def look(*pids: int, user: int = NOBODY) -> list[str]:
        done = subprocess.run(["sh", "-c", LOOK, "look", *map(str, pids)], user=user,
                              capture_output=True, text=True, check=True)
        return done.stdout.split()


if __name__ == "__main__":
    hostile.main()
