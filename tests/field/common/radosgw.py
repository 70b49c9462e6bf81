"""A private S3 server of the test's own on loopback: Ceph's radosgw with a monitor and an OSD in memory, all of Debian.

    server = Server()                       # raises Unavailable where the packages are missing
    server.endpoint; server.request("PUT", "key", b"body"); server.close()
"""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid

from limits import scaled

SECONDS_MAX = scaled(60)
ACCESS_KEY, SECRET_KEY, BUCKET = "TESTACCESSKEY", "Secret-of-the-test+/=", "test-store"


class Unavailable(Exception):
    """There is no S3 server here; the text says why."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """Runs from its making to close(), with an empty bucket."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="drydock-s3-")
        self.processes: list[subprocess.Popen[bytes]] = []
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        try:
            self._start()
            self.request("PUT", "")
        except (Unavailable, subprocess.SubprocessError) as error:
            self.close()
            raise Unavailable(str(error)) from None

    def _start(self) -> None:
        missing = [name for name in ("radosgw", "ceph-mon", "ceph-osd", "ceph", "curl")
                   if not shutil.which(name)]
        if missing:
            raise Unavailable(f"{', '.join(missing)}: not installed (./dev setup --servers)")
        self._start_ceph()
        self._wait()

    def _spawn(self, *words: str) -> None:
        with open(os.path.join(self.folder, words[0] + ".out"), "wb") as log:
            self.processes.append(subprocess.Popen(words, stdout=log, stderr=log, cwd=self.folder))

    def _do(self, *words: str) -> str:
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=self.folder,
                              timeout=SECONDS_MAX)
        if done.returncode != 0:
            raise Unavailable(f"{words}: {done.stderr[-500:]}")
        return done.stdout

    def _start_ceph(self) -> None:
        # As it comes, ceph waits 1 s before it commits a map, 3 s for a monitor that was not there, and up to 5 s to look at a new
        # map. Each pool of radosgw is some maps. And the second half of an answer waits 40 ms for an acknowledgement of the first. A
        # radosgw that was killed is waited for 30 s when the next one makes a bucket.
        conf, cluster, osd = self.folder + "/ceph.conf", str(uuid.uuid4()), str(uuid.uuid4())
        monitor = f"[v2:127.0.0.1:{free_port()},v1:127.0.0.1:{free_port()}]"
        for name in ("mon", "osd", "rgw"):
            os.makedirs(os.path.join(self.folder, name))
        with open(conf, "w", encoding="utf-8") as file:
            file.write(f"""[global]
fsid = {cluster}
mon host = {monitor}
mon initial members = a
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
paxos propose interval = 0.02
paxos min wait = 0.01
objecter tick interval = 0.2
mon client hunt interval = 0.3
osd client watch timeout = 5
mon data avail crit = 1
mon data avail warn = 2
mon data = {self.folder}/mon
osd data = {self.folder}/osd
osd objectstore = memstore
memstore device bytes = 1073741824
rgw data = {self.folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{self.port} tcp_nodelay=1
run dir = {self.folder}
crash dir = {self.folder}
admin socket = {self.folder}/$name.asok
pid file = {self.folder}/$name.pid
log file = {self.folder}/$name.log
""")
        self._do("monmaptool", "--create", "--addv", "a", monitor, "--fsid", cluster, "monmap")
        self._do("ceph-mon", "-c", conf, "--mkfs", "-i", "a", "--monmap", "monmap")
        self._spawn("ceph-mon", "-c", conf, "-i", "a", "-f")
        self._do("ceph", "-c", conf, "--connect-timeout", "30", "osd", "new", osd)
        self._do("ceph-osd", "-c", conf, "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._spawn("ceph-osd", "-c", conf, "-i", "0", "-f")
        self.start_gateway()
        self._do("radosgw-admin", "-c", conf, "-n", "client.rgw", "user", "create", "--uid=test",
                 "--display-name=test", "--access-key=" + ACCESS_KEY, "--secret-key=" + SECRET_KEY)

    def start_gateway(self) -> None:
        self._spawn("radosgw", "-c", self.folder + "/ceph.conf", "-n", "client.rgw", "-f")

    def kill_gateway(self) -> None:
        """kill -9 of radosgw alone: the objects stay, and nobody answers."""
        gateway = self.processes.pop()
        gateway.kill()
        gateway.wait(SECONDS_MAX)

    def _wait(self) -> None:
        end = time.monotonic() + SECONDS_MAX
        while True:
            try:
                urllib.request.urlopen(self.endpoint + "/", timeout=scaled(5)).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                if time.monotonic() > end or any(one.poll() is not None for one in self.processes):
                    raise Unavailable("radosgw does not start") from None
                time.sleep(0.1)

    def request(self, method: str, key: str, body: bytes | None = None, code: int = 200) -> bytes:
        """By curl, so that the client under test is no judge of itself. `key` may be a pattern of curl:
        "{a,b}", "[1-9]"; the code is then that of the last request."""
        words = ["curl", "-sS", "-X", method, "--user", f"{ACCESS_KEY}:{SECRET_KEY}", "--aws-sigv4",
                 "aws:amz:us-east-1:s3", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD",
                 "-w", "%{http_code}", f"{self.endpoint}/{BUCKET}" + (f"/{key}" if key else "")]
        if body is not None:
            words += ["-H", "Content-Type: application/octet-stream", "--data-binary", "@-"]
        done = subprocess.run(words, input=body, capture_output=True, check=True,
                              timeout=SECONDS_MAX)
        if int(done.stdout[-3:]) != code:
            raise Unavailable(f"{method} {key}: {done.stdout[-500:]!r}")
        return done.stdout[:-3]

    def keys(self) -> dict[str, str]:
        """Size of each object, by its key; of the first page."""
        told = self.request("GET", "").decode()
        return dict(re.findall(r"<Key>([^<]*)</Key>.*?<Size>(\d+)</Size>", told))

    def close(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                process.kill()
            process.wait(SECONDS_MAX)
        shutil.rmtree(self.folder, ignore_errors=True)
