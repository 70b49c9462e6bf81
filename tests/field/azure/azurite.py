"""A real azcopy and Azurite, a store that speaks the protocol of Azure Blob Storage: both are packages of npm.

    with Azurite(base) as store:                # one process on loopback
        store.make("old")                       # a container, with its SAS token in store.tokens
        store.put("old", "a/b", b"content")
        store.url("old")                        # http://127.0.0.1:PORT/devstoreaccount1/old

They are installed once and kept outside the repository. Azurite does not have the two requests by which azcopy lets one store copy
from another.
"""

import base64
import contextlib
import fcntl
import hashlib
import hmac
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
from typing import Any
from urllib.parse import quote, urlencode

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))

from limits import scaled  # noqa: E402
from machine import free_ports, tail, wait_until  # noqa: E402

PACKAGES = {"azurite": "3.35.0", "@azure-tools/azcopy-linux": "10.32.2"}  # later ones of azurite need node 22
INSTALL_SECONDS_MAX, READY_SECONDS_MAX, STOP_SECONDS_MAX = scaled(240), scaled(30), scaled(10)
# The account that every Azurite has; its key is in its documentation.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class Unavailable(Exception):
    """They cannot be had here; the text says why."""


def ensure(may_install: bool = True) -> str:
    """The folder with both. Raises Unavailable."""
    top = os.environ.get("DRYDOCK_CACHE") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    name = "-".join(PACKAGES.values())
    folder = os.path.join(os.path.abspath(top), "drydock", "azure", name)
    if not os.path.exists(folder):
        if not may_install:
            raise Unavailable("azcopy and Azurite are not installed: ./dev test store-full does it")
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        with open(os.path.join(os.path.dirname(folder), "install.lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(folder):
                _install(folder)
    _look_at(azcopy(folder))
    return folder


def azcopy(folder: str) -> str:
    return os.path.join(folder, "node_modules", "@azure-tools", "azcopy-linux", "dist", "bin", "azcopy_linux_amd64")


def _install(folder: str) -> None:
    if not shutil.which("npm"):
        raise Unavailable("there is no npm on this machine")
    with tempfile.TemporaryDirectory(prefix="part-", dir=os.path.dirname(folder)) as work:
        made = os.path.join(work, "made")
        os.mkdir(made)
        words = [f"{name}@{version}" for name, version in PACKAGES.items()]
        try:
            done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *words], cwd=made, check=False,
                                  capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"npm took over {INSTALL_SECONDS_MAX:.0f} s") from None
        if done.returncode != 0:
            raise Unavailable(f"npm failed: {done.stderr.strip()[-500:]}")
        os.chmod(azcopy(made), 0o755)
        os.rename(made, folder)


def _look_at(program: str) -> None:
    """The package is for one kind of processor, and the program needs a library."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=READY_SECONDS_MAX)
    except OSError as error:
        raise Unavailable(f"azcopy does not run here: {error}") from None
    if done.returncode != 0:
        raise Unavailable(f"azcopy does not run here; it needs the package libsecret-1-0: {done.stderr.strip()[-300:]}")


class Azurite:
    def __init__(self, base: str):
        self.base, self.folder = os.path.abspath(base), ensure()
        self.tokens = os.path.join(self.base, "tokens")
        self.port = free_ports(1)[0]
        os.makedirs(self.tokens)

    def __enter__(self) -> "Azurite":
        program = os.path.join(self.folder, "node_modules", "azurite", "dist", "src", "blob", "main.js")
        data = os.path.join(self.base, "data")
        os.makedirs(data)
        with open(os.path.join(self.base, "azurite.log"), "wb") as log:
            self._process = subprocess.Popen(
                ["node", program, "--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--location", data, "--silent",
                 "--disableTelemetry", "--skipApiVersionCheck"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.base)
        try:
            wait_until(self._answers, READY_SECONDS_MAX, lambda: "Azurite does not answer\n" + "".join(tail(log.name)), every=0.1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.kill()
        self._process.wait(STOP_SECONDS_MAX)

    def url(self, container: str) -> str:
        return f"http://127.0.0.1:{self.port}/{ACCOUNT}/{container}"

    def make(self, container: str) -> None:
        self._ask("PUT", container, "", {"restype": "container"})
        with open(os.path.join(self.tokens, container + ".sas"), "w", encoding="utf-8") as file:
            file.write(sas() + "\n")

    def put(self, container: str, name: str, content: bytes) -> None:
        self._ask("PUT", container, name, {}, content)

    def delete(self, container: str, name: str) -> None:
        self._ask("DELETE", container, name, {})

    def _ask(self, method: str, container: str, name: str, more: dict[str, str], body: bytes = b"") -> None:
        path = f"/{ACCOUNT}/{container}" + (f"/{quote(name)}" if name else "")
        query = "&".join(filter(None, (urlencode(more), sas())))
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=READY_SECONDS_MAX)) as connection:
            connection.request(method, f"{path}?{query}", body, {"x-ms-blob-type": "BlockBlob"} if name else {})
            answer = connection.getresponse()
            text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")

    def _answers(self) -> bool:
        try:
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=scaled(1))) as connection:
                connection.request("GET", "/")
                return connection.getresponse().status > 0
        except OSError:
            return False


def sas(version: str = "2021-12-02", ends: str = "2099-01-01T00:00:00Z") -> str:
    """A token with every right on the account."""
    rights, services, kinds, protocols = "rwdlac", "b", "sco", "https,http"
    text = "\n".join([ACCOUNT, rights, services, kinds, "", ends, "", protocols, version, "", ""])
    signature = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()
    return urlencode({"sv": version, "ss": services, "srt": kinds, "sp": rights, "se": ends, "spr": protocols, "sig": signature})
