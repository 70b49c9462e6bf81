"""Keys in a running cluster, by one Java process that lives as long as the cluster does."""

import base64
import os
import select
import subprocess
import time

import releases
from limits import scaled

ANSWER_SECONDS_MAX = scaled(120)  # a write waits while SCM finalizes


class Refused(Exception):
    """Ozone did not do it. `code` is OM's, such as NOT_SUPPORTED_OPERATION_WHEN_PREPARED."""

    def __init__(self, code: str, message: str):
        super().__init__(f"{code} {message}")
        self.code = code


class Client:
    """One command at a time. Names of volumes, buckets and snapshots have 3 to 63 letters."""

    def __init__(self, folder: str, release: str = releases.NEW):
        """`folder` has conf/ and tmp/; the process starts with the first command."""
        self.folder = folder
        self.release = release
        self._process: subprocess.Popen[bytes] | None = None

    def volume(self, volume: str) -> None:
        self._ask("volume", volume)

    def bucket(self, volume: str, bucket: str) -> None:
        self._ask("bucket", volume, bucket)

    def put(self, volume: str, bucket: str, key: str, content: bytes) -> None:
        self._ask("put", volume, bucket, key, base64.b64encode(content).decode())

    def get(self, volume: str, bucket: str, key: str) -> bytes:
        return base64.b64decode(self._ask("get", volume, bucket, key))

    def delete(self, volume: str, bucket: str, key: str) -> None:
        self._ask("delete", volume, bucket, key)

    def keys(self, volume: str, bucket: str) -> list[str]:
        answer = self._ask("list", volume, bucket)
        return answer.split("\t") if answer else []

    def snapshot(self, volume: str, bucket: str, name: str) -> None:
        self._ask("snapshot", volume, bucket, name)

    def close(self) -> None:
        """Ends the process; the next command starts another."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None

    def _ask(self, *words: str) -> str:
        if not self._process or self._process.poll() is not None:
            self._start()
        try:
            self._process.stdin.write(("\t".join(words) + "\n").encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            self.close()
            raise Refused("NO_CLIENT", "the client process has ended") from None
        kind, _, rest = self._line(words[0]).partition("\t")
        if kind != "ok":
            raise Refused(*rest.split("\t", 1))
        return rest

    def _start(self) -> None:
        self.close()
        release = os.path.join(releases.cache_folder(), self.release)
        with open(os.path.join(release, "cli.cp")) as file:
            path = file.read().strip()
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self._process = subprocess.Popen(
                ["java", f"@{release}/cli.flags", "-Djava.io.tmpdir=tmp",
                 "-Djdk.net.hosts.file=conf/hosts",
                 "-Dlog4j.configuration=file:conf/log4j.properties",
                 "-cp", f"{path}:{release}/client.jar:conf", "Client"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=self.folder,
                start_new_session=True)
        os.set_blocking(self._process.stdout.fileno(), False)

    def _line(self, what: str) -> str:
        """The next answer. After a deadline the process is given up: its answer would be the
        next command's."""
        deadline, text = time.monotonic() + ANSWER_SECONDS_MAX, b""
        while not text.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left < 0 or not select.select([self._process.stdout], [], [], left)[0]:
                self.close()
                raise Refused("NO_ANSWER", f"{what}: none within {ANSWER_SECONDS_MAX:g} s")
            part = self._process.stdout.read()
            if part == b"":
                self.close()
                raise Refused("NO_CLIENT", f"{what}: the client process has ended")
            text += part or b""
        return text.decode().rstrip("\n")
