"""A private versitygw on loopback: an S3 server whose objects are files of one folder.

    server = Server()                       # raises Unavailable where the program cannot be had
    server.endpoint; server.kill_gateway(); server.start_gateway(); server.close()
"""

import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from limits import scaled
from s3 import ACCESS_KEY, SECRET_KEY, free_port
import versity_build

SECONDS_MAX = scaled(30)


class Unavailable(Exception):
    """There is no such server here; the text says why."""


class Server:
    """Runs from its making to close()."""

    def __init__(self) -> None:
        try:
            self.program = os.path.join(versity_build.PROGRAM.ensure(may_build=False), "versitygw")
        except versity_build.Unavailable as error:
            raise Unavailable(str(error)) from error
        self.folder = tempfile.mkdtemp(prefix="drydock-versitygw-")
        for name in ("buckets", "versions", "accounts"):
            os.mkdir(os.path.join(self.folder, name))
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.gateway: subprocess.Popen[bytes] | None = None
        try:
            self.start_gateway()
        except Unavailable:
            self.close()
            raise

    def start_gateway(self) -> None:
        words = [self.program, "--port", f"127.0.0.1:{self.port}", "--access", ACCESS_KEY, "--secret", SECRET_KEY,
                 "--iam-dir", self.folder + "/accounts", "--quiet", "posix", "--versioning-dir",
                 self.folder + "/versions", self.folder + "/buckets"]
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.gateway = subprocess.Popen(words, stdout=log, stderr=log, cwd=self.folder)
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + SECONDS_MAX
        while True:
            try:
                urllib.request.urlopen(self.endpoint + "/", timeout=scaled(5)).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                if time.monotonic() > end or (self.gateway and self.gateway.poll() is not None):
                    raise Unavailable(f"versitygw does not start: {self._log()}") from None
                time.sleep(0.05)

    def _log(self) -> str:
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()[-1000:]

    def kill_gateway(self) -> None:
        """kill -9: the objects stay, and nobody answers."""
        if self.gateway:
            self.gateway.kill()
            self.gateway.wait(SECONDS_MAX)
            self.gateway = None

    def close(self) -> None:
        self.kill_gateway()
        shutil.rmtree(self.folder, ignore_errors=True)
