"""MySQL is in the guide. On a real MariaDB backy2 cannot make a store, and drydock refuses such a configuration by name."""

import os
import shutil
import subprocess
import tempfile
import time
import unittest

import backy2
import s3
import stores
from stores import UNREADABLE, scaled

SECONDS_MAX = scaled(60)


class Server:
    """A private MariaDB on loopback, without a password."""

    def __init__(self) -> None:
        if not shutil.which("mariadbd") or not shutil.which("mariadb-install-db"):
            raise unittest.SkipTest("mariadb-server is not installed (./dev setup --servers)")
        self.folder = tempfile.mkdtemp(prefix="drydock-mariadb-")
        self.port = s3.free_port()
        # It refuses to run as root unless that is said.
        data, self.user = os.path.join(self.folder, "data"), "root" if os.geteuid() == 0 else ""
        user = [f"--user={self.user}"] if self.user else []
        subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={data}",
                        "--auth-root-authentication-method=normal", "--skip-test-db", *user],
                       check=True, capture_output=True, timeout=SECONDS_MAX)
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(
                ["mariadbd", "--no-defaults", f"--datadir={data}", f"--port={self.port}",
                 "--bind-address=127.0.0.1", f"--socket={self.folder}/socket", *user],
                stdout=log, stderr=log)
        end = time.monotonic() + SECONDS_MAX
        while self.sql("CREATE DATABASE backy2").returncode != 0:
            if time.monotonic() > end or self.process.poll() is not None:
                self.close()
                raise unittest.SkipTest("MariaDB does not start")
            time.sleep(0.2)

    def sql(self, words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["mariadb", "--no-defaults", "-u", "root", "-h", "127.0.0.1", "-P",
                               str(self.port), "-N", "-e", words], capture_output=True, text=True,
                              check=False, timeout=SECONDS_MAX)

    def engine(self) -> str:
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/backy2"

    def close(self) -> None:
        self.process.kill()
        self.process.wait(SECONDS_MAX)
        shutil.rmtree(self.folder, ignore_errors=True)


class MariaDb(stores.Case):
    def test_backy2_makes_no_store_and_drydock_says_so(self) -> None:
        server = Server()
        self.addCleanup(server.close)
        program = backy2.program()
        os.makedirs(os.path.join(self.scratch, "store"))
        made = backy2.RealStore(program, os.path.join(self.scratch, "store"), server.engine())
        made.run("initdb", code=100)
        with open(os.path.join(made.folder, "backy.log"), encoding="utf-8") as log:
            self.assertIn("VARCHAR requires a length on dialect mysql", log.read())
        self.assertEqual(server.sql("SHOW TABLES IN backy2").stdout, "")
        for command in ("inspect", "verify", "upgrade", "encrypt"):
            refused = self.json(command, made.config, code=UNREADABLE)["errors"][0]
            self.assertIn("MySQL", refused["message"])
            self.assertIn("drydock store import", refused["remedy"])


if __name__ == "__main__":
    unittest.main()
