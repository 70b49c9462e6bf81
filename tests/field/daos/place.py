"""A place with releases of the double, servers that run and a container that is mounted: what the tests share.

    with Place(ranks=1) as place:
        place.start("1.2.0")
        place.dmg("system", "query")
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from typing import Any

import install
from system import System

WAIT_SECONDS = 60


class Place:
    def __init__(self, ranks: int = 1, upgrade_seconds: float = 0.5, base: str = ""):
        """In a folder of its own, or in this one, which is there and stays."""
        self.base = base or tempfile.mkdtemp(prefix="drydock-daos-")
        self.system = System.make(os.path.join(self.base, "system"), ranks, upgrade_seconds)
        self.ranks, self.release = ranks, ""
        self._servers: list[subprocess.Popen[bytes]] = []
        self._mounts: list[str] = []
        self.write("control.yml", f"system: {self.system.folder}\n")
        self.write("daos_agent.yml", f"system: {self.system.folder}\n")
        for rank in range(ranks):
            self.write(f"server{rank}.yml", f"system: {self.system.folder}\nrank: {rank}\n")

    def __enter__(self) -> "Place":
        return self

    def close(self) -> None:
        """Ends all mounts and servers, and leaves the files."""
        for mount in self._mounts:
            self.unmount(mount)
        self.stop()

    def __exit__(self, *_: Any) -> None:
        self.close()
        shutil.rmtree(self.base, ignore_errors=True)

    def path(self, *names: str) -> str:
        return os.path.join(self.base, *names)

    def write(self, name: str, text: str) -> str:
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def start(self, release: str) -> None:
        """All servers, with this release; back when each has an engine that serves, waits or failed."""
        self.stop()
        self.release = release
        folder = install.install(self.path("opt"), release)
        for rank in range(self.ranks):
            argv = [os.path.join(folder, "bin", "daos_server"), "start", "-o", self.path(f"server{rank}.yml")]
            self._servers.append(subprocess.Popen(argv, stdout=subprocess.DEVNULL))
        self._wait_started()

    def _wait_started(self) -> None:
        ends = time.monotonic() + WAIT_SECONDS
        while "Stopped" in self.states() or len(self.system.running()) < self.ranks:
            if time.monotonic() > ends:
                raise TimeoutError("the servers of the double do not start")
            time.sleep(0.05)

    def start_linked(self, release: str) -> None:
        """All servers by their links s0/current and so on, as drydock would; it may stop them and start others."""
        self.release = release
        for rank in range(self.ranks):
            program = [install.PYTHON, self.path(f"s{rank}", "current", "lib", "daos_server.py"), "start", "-o", self.path(f"server{rank}.yml")]
            subprocess.run(["setsid", "-f", *program], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self._wait_started()

    def stop(self) -> None:
        for pid in self._pids():
            os.kill(pid, signal.SIGTERM)
        for server in self._servers:
            server.send_signal(signal.SIGTERM)
            server.wait(WAIT_SECONDS)
        self._servers.clear()

    def _pids(self) -> list[int]:
        """Servers of this place that nobody waits for."""
        waited = [server.pid for server in self._servers]
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
                if int(name) not in waited and any(word.startswith(os.fsencode(self.path("server"))) for word in words[2:]):
                    found.append(int(name))
        return found

    def states(self) -> list[str]:
        with self.system.change() as state:
            return [row["state"] for row in state["ranks"]]

    def run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        """A program of the release that was started last."""
        path = os.path.join(install.install(self.path("opt"), self.release), "bin", program)
        env = {**os.environ, "DAOS_AGENT_DRPC_DIR": self.base}
        return subprocess.run([path, *words], capture_output=True, text=True, env=env, timeout=WAIT_SECONDS, check=False)

    def dmg(self, *words: str) -> str:
        return self._said(self.run("dmg", "-o", self.path("control.yml"), *words))

    def daos(self, *words: str) -> str:
        return self._said(self.run("daos", *words))

    def refused(self, program: str, *words: str) -> str:
        """What a command that fails says."""
        before = ["-o", self.path("control.yml")] if program == "dmg" else []
        done = self.run(program, *before, *words)
        if done.returncode == 0:
            raise AssertionError(f"{program} {' '.join(words)} was not refused: {done.stdout}")
        return done.stderr

    def mount(self, pool: str, container: str) -> str:
        folder = self.path(f"mount{len(self._mounts)}")
        os.mkdir(folder)
        self._mounts.append(folder)
        done = subprocess.run([os.path.join(install.install(self.path("opt"), self.release), "bin", "dfuse"), "--mountpoint", folder, "--pool", pool,
                               "--container", container], env={**os.environ, "DAOS_AGENT_DRPC_DIR": self.base}, timeout=WAIT_SECONDS, check=False)
        if done.returncode:
            raise AssertionError(f"dfuse did not mount {pool}/{container}")
        return folder

    @staticmethod
    def unmount(folder: str) -> None:
        subprocess.run(["fusermount3", "-u", "-q", folder], check=False, timeout=WAIT_SECONDS)

    @staticmethod
    def _said(done: subprocess.CompletedProcess[str]) -> str:
        if done.returncode:
            raise AssertionError(f"{done.args}: {done.stderr}")
        return done.stdout
