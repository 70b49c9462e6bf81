"""One installation of the double as plain processes: a real etcd of its own, and pachd. Kubernetes is not needed.

    with Double(base, bucket, release="1.10.5") as old:
        old.start()
        old.pachctl("list", "repo", "--raw")     # runs the double's client in this installation's context
        old.kill("pachd"); old.start_pachd()

    <base>/etcd/  etcd.log  pachd.log  config.json
"""

import importlib.util
import json
import os
import shlex
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
FIELD = os.path.dirname(HERE)
sys.path += [os.path.join(FIELD, "common"), os.path.join(FIELD, "etcd"), os.path.join(os.path.dirname(FIELD), "extract")]

import pachyderm  # noqa: E402  (in tests/extract)
import processes  # noqa: E402  (in ../common)
import releases  # noqa: E402  (etcd's)
from limits import scaled  # noqa: E402
from machine import free_ports, is_free, tail, wait_until  # noqa: E402

READY_SECONDS_MAX, STOP_SECONDS_MAX, COMMAND_SECONDS_MAX = scaled(30), scaled(15), scaled(120)


class Unavailable(Exception):
    """The double cannot run here; the text says why."""


@dataclass(frozen=True)
class Store:
    """A bucket of S3 and the keys to it."""
    endpoint: str
    bucket: str
    access_key: str
    secret_key: str
    reverse: bool = True

    @property
    def environment(self) -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}


def ensure() -> None:
    """Installs the classes and downloads etcd, if they are missing. Raises Unavailable."""
    try:
        pachyderm.python()
        releases.ensure()
    except (pachyderm.Unavailable, releases.Unavailable) as error:
        raise Unavailable(str(error)) from error


def hand_over(program: str) -> None:
    """Goes on with a program in the interpreter that has the classes, unless this is it. Raises Unavailable."""
    if importlib.util.find_spec("python_pachyderm"):
        return
    ensure()
    os.execv(pachyderm.python(), [pachyderm.python(), os.path.abspath(program), *sys.argv[1:]])


def write_pachctl(path: str, release: str, environment: dict[str, str] | None = None, warm: str = "") -> str:
    """Writes a program `pachctl` of a release, for a PATH; the path. It keeps what Python compiles beside itself, and uses the
    server of warm.py at the socket `warm` while that is there."""
    own = {"PACHCTL_RELEASE": release, "PYTHONPYCACHEPREFIX": path + ".pycache", "PYTHONDONTWRITEBYTECODE": ""}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in (own | (environment or {})).items()]
    if warm:
        words = shlex.join([sys.executable, "-I", "-S", os.path.join(HERE, "warm.py"), warm])
        lines.append(f'[ -S {shlex.quote(warm)} ] && exec {words} "$@"')
    words = shlex.join([pachyderm.python(), os.path.join(HERE, "pachctl")])
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(["#!/bin/sh", *lines, f'exec {words} "$@"', ""]))
    os.chmod(path, 0o755)
    return path


def start_warm(folder: str) -> str:
    """Starts the server of warm.py, which ends with the processes of the folder; its socket."""
    path = os.path.join(folder, "warm")
    with open(path + ".log", "ab") as log:
        server = subprocess.Popen([pachyderm.python(), os.path.join(HERE, "warm.py"), "serve", path], stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=log, cwd=folder, start_new_session=True,
                                  env=os.environ | {"DRYDOCK_SCRATCH": folder})
    threading.Thread(target=server.wait, daemon=True).start()
    wait_until(lambda: os.path.exists(path), READY_SECONDS_MAX, lambda: "".join(tail(path + ".log", 20)), every=0.05)
    return path


class Double:
    def __init__(self, base: str, store: Store, release: str = "1.10.5", job_seconds: float = 0,
                 restored_start: bool = False):
        self.base, self.store, self.release = os.path.abspath(base), store, release
        self.job_seconds, self.restored_start = job_seconds, restored_start
        self.root = "pach"  # the folder in the bucket; another one takes effect when pachd starts
        self.port, self.etcd_port, self.etcd_peer_port = free_ports(3)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        os.makedirs(self.base, exist_ok=True)
        self.config = os.path.join(self.base, "config.json")
        self._write_config()
        self._watch = processes.Watch(self.base)

    def __enter__(self) -> "Double":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    @property
    def _compiled(self) -> dict[str, str]:
        """Keeps what Python compiles, outside of the repository: pachctl starts often."""
        return {"PYTHONPYCACHEPREFIX": os.path.join(self.base, "pycache"), "PYTHONDONTWRITEBYTECODE": ""}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self.start_etcd()
        self.start_pachd()
        self.wait_ready()

    def start_etcd(self) -> None:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self.etcd_port, self.etcd_peer_port))
        self._run("etcd", [os.path.join(releases.ensure()["3.4"], "etcd"), "--data-dir", os.path.join(self.base, "etcd"),
                           "--listen-client-urls", client, "--advertise-client-urls", client,
                           "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                           "--initial-cluster", f"default={peer}", "--unsafe-no-fsync"], {})

    def start_pachd(self) -> None:
        words = [pachyderm.python(), os.path.join(HERE, "pachd"), "--release", self.release, "--port", str(self.port),
                 "--etcd", f"http://127.0.0.1:{self.etcd_port}", "--endpoint", self.store.endpoint,
                 "--bucket", self.store.bucket, "--root", self.root, "--job-seconds", str(self.job_seconds)]
        words += ["--reverse"] if self.store.reverse else []
        words += ["--restored-start"] if self.restored_start else []
        words += ["--no-workers-file", self._no_workers]
        self._run("pachd", words, self.store.environment)

    def wait_ready(self) -> None:
        wait_until(lambda: not is_free(self.port) or self._running["pachd"].poll() is not None, READY_SECONDS_MAX,
                   lambda: "pachd does not listen; its log ends with\n" + "".join(tail(self.log("pachd"), 20)), every=0.05)
        if self._running["pachd"].poll() is not None:
            raise Unavailable("pachd ended:\n" + "".join(tail(self.log("pachd"), 20)))

    def kill(self, part: str) -> None:
        """kill -9 of "pachd" or "etcd"."""
        process = self._running.pop(part)
        process.kill()
        wait_until(lambda: process.poll() is not None, STOP_SECONDS_MAX, lambda: f"{part} does not end")

    def restart_pachd(self) -> None:
        self.kill("pachd")
        self.start_pachd()
        self.wait_ready()

    def is_running(self, part: str) -> bool:
        return part in self._running and self._running[part].poll() is None

    def set_workers(self, may: bool) -> None:
        """Whether pipelines have workers; pachd looks at it all the time."""
        if may and os.path.exists(self._no_workers):
            os.unlink(self._no_workers)
        if not may:
            with open(self._no_workers, "w", encoding="utf-8"):
                pass

    @property
    def _no_workers(self) -> str:
        return os.path.join(self.base, "no-workers")

    def log(self, part: str) -> str:
        return os.path.join(self.base, part + ".log")

    # The client

    def command(self, *words: str) -> list[str]:
        return [pachyderm.python(), os.path.join(HERE, "pachctl"), *words]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"PACH_CONFIG": self.config, "PACHCTL_RELEASE": self.release, **self._compiled}

    def run(self, *words: str, data: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
        """A command of pachctl, whatever it answers."""
        return subprocess.run(self.command(*words), input=data, capture_output=True, check=False, env=self.environment,
                              timeout=COMMAND_SECONDS_MAX, stdin=None if data is not None else subprocess.DEVNULL)

    def pachctl(self, *words: str, data: bytes | None = None) -> bytes:
        """What a command prints. RuntimeError if it fails."""
        done = self.run(*words, data=data)
        if done.returncode != 0:
            raise RuntimeError(f"pachctl {' '.join(words)}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def listed(self, *words: str) -> list[Any]:
        """The JSON values that a command prints with --raw."""
        return json_values(self.pachctl(*words, "--raw").decode())

    def close(self) -> None:
        for part in list(self._running):
            self.kill(part)
        processes.end_all(self.base)
        self._watch.stop()

    def _write_config(self) -> None:
        context = {"source": "IMPORTED", "pachd_address": f"grpc://{self.address}", "namespace": "default"}
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump({"user_id": "double", "v2": {"active_context": "default", "contexts": {"default": context}}}, file)

    def _run(self, part: str, words: list[str], environment: dict[str, str]) -> None:
        with open(self.log(part), "ab") as log:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.base,
                                       start_new_session=True, env={"PATH": os.environ["PATH"], "HOME": self.base,
                                                                    "DRYDOCK_SCRATCH": self.base, **self._compiled,
                                            **environment})
        threading.Thread(target=process.wait, daemon=True).start()
        self._running[part] = process


def json_values(text: str) -> list[Any]:
    """JSON values that stand one after another, with or without a newline between them."""
    decoder, found, position = json.JSONDecoder(), [], 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        value, position = decoder.raw_decode(text, position)
        found.append(value)
    return found
