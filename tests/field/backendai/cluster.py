"""A real Backend.AI cluster of plain processes on loopback, in one scratch folder.

    with Cluster(base) as cluster:           # PostgreSQL, etcd and Redis run; nothing else
        cluster.create("23.3.11")            # its own schema, a fixture, the release links
        cluster.start()
        cluster.write_cluster_file(...)      # <base>/cluster.yaml, what drydock reads

    <base>/manager storage agent web         each with its files, log, pid and `current` -> a release
    <base>/pg redis etcd volume              the stores

The servers are the real ones. The agent speaks to a stand-in for Docker (docker_stand_in.py), so no
session can be started. Leaving the `with` ends every process of the folder, whoever started it.
"""

import contextlib
import http.client
import importlib.util
import json
import os
import subprocess
import sys
import threading
from typing import Any

from postgres import Postgres  # first: it knows where the others are

import processes
from machine import free_ports, tail, wait_until

import releases
import settings
from limits import scaled

ROLES = ("storage", "manager", "agent", "web")  # in the order in which they start
DATABASE = "backend"
UP_SECONDS_MAX, STOP_SECONDS_MAX, AGENT_SECONDS_MAX = scaled(60), scaled(60), scaled(30)
PORTS = ("postgres", "redis", "etcd", "etcd_peer", "docker", "manager", "manager_monitor",
         "manager_monitor_web", "storage_client", "storage_manager", "storage_monitor",
         "storage_monitor_web", "web", "agent", "agent_socket", "agent_monitor", "agent_monitor_web",
         "agent_metadata", "containers")
MODULES = {"manager": ("ai.backend.manager.server", "manager.toml", "backend.ai: manager"),
           "storage": ("ai.backend.storage.server", "storage-proxy.toml", "backend.ai: storage-proxy"),
           "agent": ("ai.backend.agent.server", "agent.toml", "backend.ai: agent"),
           "web": ("ai.backend.web.server", "webserver.conf", "backend.ai: webserver")}
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(releases.HERE)))


def _load(name: str, path: str) -> Any:
    """A module of another folder, whose name some module of ours has too."""
    spec = importlib.util.spec_from_file_location(name, os.path.join(ROOT, path))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


etcd_releases = _load("etcd_releases", "tests/field/etcd/releases.py")
signed = _load("signed", "packs/backendai/scripts/signed.py")


class Cluster:
    def __init__(self, base: str, ports: dict[str, int] | None = None):
        self.base = os.path.abspath(base)
        os.makedirs(self.base, exist_ok=True)
        self._programs = self._find_programs()
        self.ports = ports or dict(zip(PORTS, free_ports(len(PORTS))))
        self.ports["containers_end"] = self.ports["containers"] + 50  # never used: there are none
        self.server = Postgres(self.base, self.ports["postgres"])
        self._watch = processes.Watch(self.base)
        self.environment = {"DOCKER_HOST": f"tcp://127.0.0.1:{self.ports['docker']}",
                            "PYTHONDONTWRITEBYTECODE": "1"}
        os.environ.update(ACCESS_KEY=settings.ADMIN["access_key"], SECRET_KEY=settings.ADMIN["secret_key"])

    def __enter__(self) -> "Cluster":
        try:
            self.start_stores()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # Stores

    def start_stores(self) -> None:
        for name in ("redis", "etcd"):
            os.makedirs(self.path(name), exist_ok=True)
        settings.write(self.base, DATABASE, self.ports)
        self.server.start()
        redis, etcd, peer = (self.ports[name] for name in ("redis", "etcd", "etcd_peer"))
        self._spawn("redis", [self._programs["redis"], "--port", str(redis), "--bind", "127.0.0.1",
                              "--dir", self.path("redis"), "--save", "", "--appendonly", "yes"])
        self._spawn("etcd", [self._programs["etcd"], "--name", "e1", "--data-dir", self.path("etcd/data"),
                             "--listen-client-urls", f"http://127.0.0.1:{etcd}",
                             "--advertise-client-urls", f"http://127.0.0.1:{etcd}",
                             "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                             "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
                             "--initial-cluster", f"e1=http://127.0.0.1:{peer}", "--log-level", "warn"])
        self._spawn("docker", [sys.executable, os.path.join(releases.HERE, "docker_stand_in.py"),
                               str(self.ports["docker"])])
        wait_until(lambda: self._answers(etcd, "/health") and self._answers(self.ports["docker"], "/version"),
                   UP_SECONDS_MAX, lambda: "etcd does not answer:\n" + "".join(tail(self.path("etcd.log"))), 0.05)

    def create(self, release: str) -> None:
        """A fresh database and etcd with what a site has on its first day, and the release's links."""
        environment = releases.ensure(release)
        self.install(release)
        self.server.run(f'create database "{DATABASE}"')
        for key, value in settings.volumes(self.ports).items():
            self.etcdctl("put", "/sorna/local/" + key, value)
        with open(self.path("fixture.json"), "w") as file:
            file.write(settings.fixture())
        if releases.spelled(release) >= "23.09":  # refuses even this without the file
            open(self.path("manager/keys/manager.key_secret"), "w").close()
            self.run_manager(environment, "generate-rpc-keypair", self.path("manager/keys"), "manager")
        for words in (("schema", "oneshot"), ("fixture", "populate", self.path("fixture.json"))):
            self.run_manager(environment, *words)
        if self.server.value(DATABASE, "select count(*) from keypairs") != "2":
            raise RuntimeError("`mgr fixture populate` left a part out")
        if "main_access_key" in self.server.columns(DATABASE, "users"):  # which it leaves empty
            self.server.run('update users set main_access_key = (select access_key from keypairs k '
                            'where k."user" = uuid)', DATABASE)

    def run_manager(self, environment: releases.Environment, *words: str) -> str:
        """Runs `backend.ai mgr ...` of a release in the manager's folder; its output."""
        done = subprocess.run(environment.manager(*words), cwd=self.path("manager"), text=True,
                              env=environment.variables() | self.environment, timeout=scaled(120),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError(f"mgr {' '.join(words)}: {done.stdout[-2000:]}")
        return done.stdout

    def etcdctl(self, *words: str) -> str:
        return subprocess.run([self._programs["etcdctl"], "--endpoints", f"127.0.0.1:{self.ports['etcd']}",
                               *words], env={"ETCDCTL_API": "3"}, capture_output=True, text=True,
                              check=True).stdout

    # Servers

    def install(self, release: str, *roles: str) -> None:
        """Points release links; running servers are not touched. The configuration follows."""
        for role in roles or ROLES:
            link = self.path(f"{role}/current")
            with contextlib.suppress(FileNotFoundError):
                os.unlink(link)
            os.symlink(releases.ensure(release).folder, link)
        if not roles:
            settings.use(self.base, releases.spelled(release))

    def prepare(self, release: str) -> None:
        """What an operator does to the files before a leg to a release as makers spell it."""
        settings.use_storage(self.base, release)

    def start(self, *roles: str) -> None:
        """Starts servers and waits until they answer; the agent until its row says ALIVE."""
        for role in roles or ROLES:
            self.launch(role)
            try:
                self._wait_up(role, AGENT_SECONDS_MAX if role == "agent" else UP_SECONDS_MAX)
            except TimeoutError:
                if role != "agent":
                    raise
                self._start_agent_again()

    def launch(self, role: str) -> None:
        """Starts one server without waiting for it."""
        process = self._spawn(role, self.command(role), self.path(f"{role}/log"), self.path(role))
        with open(self.path(f"{role}/pid"), "w") as file:
            file.write(f"{process.pid}\n")

    def _start_agent_again(self) -> None:
        """On a busy machine a manager of 23.03 was seen never to take the heartbeats of a new agent."""
        print("the manager takes no heartbeat of the agent; both are started again", file=sys.stderr)
        self.stop("agent", "manager")
        for role in ("manager", "agent"):
            self.launch(role)
            self._wait_up(role, UP_SECONDS_MAX)

    def _wait_up(self, role: str, within: float) -> None:
        wait_until(lambda: self.is_up(role), within,
                   lambda: f"{role} does not come up; its log ends with\n"
                           + "".join(tail(self.path(f"{role}/log"), 15)), 0.05)

    def stop(self, *roles: str) -> None:
        for role in roles or ROLES[::-1]:
            for pid in self.pids(role):
                processes.send(pid, 15)
            wait_until(lambda: not self.pids(role), STOP_SECONDS_MAX, lambda: f"{role} does not end", 0.05)

    def command(self, role: str) -> list[str]:
        module, file, _ = MODULES[role]
        return [self.path(f"{role}/current/bin/python"), "-m", module, "-f", self.path(f"{role}/{file}")]

    def pids(self, role: str) -> list[int]:
        """The processes of a role, its workers included: all have its folder as theirs."""
        return [pid for pid in processes.of_scratch(self.base)
                if processes.folder_of(pid) == self.path(role)]

    def is_up(self, role: str) -> bool:
        if role == "agent":
            rows = self.server.rows(DATABASE, "select status from agents")
            return rows == [["ALIVE"]]
        port = {"manager": "manager", "storage": "storage_manager", "web": "web"}[role]
        return self._answers(self.ports[port], "/")

    # Reading

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['manager']}"

    def call(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        return signed.call(self.url, method, path, body)

    def version(self) -> str:
        return json.loads(self._get(self.ports["manager"], "/"))["manager"]

    def status(self) -> str:
        """running or frozen, as the manager says."""
        return json.loads(self._get(self.ports["manager"], "/manager/status"))["status"]

    @property
    def digest(self) -> str:
        return self.server.schema_digest(DATABASE)

    @property
    def revisions(self) -> list[str]:
        return self.server.revisions(DATABASE)

    def path(self, name: str) -> str:
        return os.path.join(self.base, name)

    def write_cluster_file(self, *names: str, soak: str = "0s", made: tuple[str, ...] = ()) -> str:
        """Writes <base>/cluster.yaml for these releases; its path."""
        import cluster_file
        return cluster_file.write(self, names, soak, made)

    # Ending

    def close(self, keep_running: bool = False) -> None:
        """Ends everything, or leaves it all running for a person to play with."""
        if not keep_running:
            processes.end_all(self.base)
        self._watch.stop()

    def _find_programs(self) -> dict[str, str]:
        """Redis' server is the same program as its checker, which comes without a service."""
        checker = "/usr/bin/redis-check-rdb"
        if not os.access(checker, os.X_OK):
            raise releases.Unavailable("no Redis is installed.\n  ./dev setup installs Debian's")
        redis = self.path("redis-server")
        with contextlib.suppress(FileExistsError):
            os.symlink(checker, redis)
        try:
            etcd = etcd_releases.ensure()["3.4"]
        except etcd_releases.Unavailable as error:
            raise releases.Unavailable(str(error)) from None
        return {"redis": redis, "etcd": os.path.join(etcd, "etcd"), "etcdctl": os.path.join(etcd, "etcdctl")}

    def _spawn(self, name: str, argv: list[str], log: str = "", folder: str = "") -> subprocess.Popen[bytes]:
        with open(log or self.path(f"{name}.log"), "ab") as output:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                       cwd=folder or self.base, start_new_session=True,
                                       env={"PATH": os.environ["PATH"]} | self.environment)
        threading.Thread(target=process.wait, daemon=True).start()  # no zombie that looks alive
        return process

    def _answers(self, port: int, path: str) -> bool:
        try:
            self._get(port, path)
            return True
        except (OSError, http.client.HTTPException, ValueError):
            return False

    def _get(self, port: int, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=scaled(5))
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status != 200:
                raise ValueError(f"{path}: {answer.status} {text[:200]}")
            return text
        finally:
            connection.close()

