"""A private PostgreSQL server of the test's own: Debian's programs, a scratch folder, loopback."""

import glob
import os
import shutil
import socket
import subprocess
import tempfile
import time

from stores import scaled

SECONDS_MAX = scaled(60)
PASSWORD = "Secret-of-the-test"


class Unavailable(Exception):
    """There is no PostgreSQL here; the text says why."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """Runs from its making to close(). Databases are made from dumps."""

    def __init__(self) -> None:
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        if not found or not shutil.which("pg_dump"):
            raise Unavailable("the Debian package postgresql is not installed")
        self.programs = os.path.dirname(found[-1])
        # The server refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else None
        self.folder = tempfile.mkdtemp(prefix="drydock-postgres-")
        if self.user:
            shutil.chown(self.folder, self.user, self.user)
        self.port = _free_port()
        self.data = os.path.join(self.folder, "data")
        secret = os.path.join(self.folder, "password")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(PASSWORD)
        os.chmod(secret, 0o644)
        self._do("initdb", "-D", self.data, "-U", "backy", "-A", "scram-sha-256",
                 f"--pwfile={secret}", "-E", "UTF8", "--locale=C.UTF-8")
        self.start()

    def _do(self, program: str, *words: str) -> None:
        done = subprocess.run([os.path.join(self.programs, program), *words], user=self.user,
                              cwd=self.folder, capture_output=True, text=True, check=False,
                              timeout=SECONDS_MAX)
        if done.returncode != 0:
            raise Unavailable(f"{program}: {done.stdout[-500:]}{done.stderr[-500:]}")

    def start(self) -> None:
        options = ("-c", f"port={self.port}", "-c", "listen_addresses=127.0.0.1",
                   "-c", f"unix_socket_directories={self.folder}", "-c", "max_connections=30",
                   "-c", "shared_buffers=16MB")
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.programs, "postgres"), "-D", self.data, *options],
                user=self.user, cwd=self.folder, stdout=log, stderr=log)
        end = time.monotonic() + SECONDS_MAX
        while self.psql("postgres", "SELECT 1", check=False).returncode != 0:
            if time.monotonic() > end or self.process.poll() is not None:
                self.kill()
                raise Unavailable("the server does not start")
            time.sleep(0.1)

    def kill(self) -> None:
        """Ends the server at once, as a power cut would."""
        self.process.send_signal(3)  # SIGQUIT: immediate shutdown
        self.process.wait(SECONDS_MAX)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        return os.environ | {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "backy",
                             "PGPASSWORD": PASSWORD}

    def psql(self, database: str, sql: str, check: bool = True,
             ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
                               "-d", database, "-c", sql], env=self.environment(),
                              capture_output=True, text=True, check=check, timeout=SECONDS_MAX)

    def query(self, database: str, sql: str) -> list[str]:
        return self.psql(database, sql).stdout.splitlines()

    def load(self, database: str, dump: str) -> None:
        """Makes a database of a dump."""
        self.psql("postgres", f"CREATE DATABASE {database}")
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", dump],
                       env=self.environment(), check=True, capture_output=True, timeout=SECONDS_MAX)

    def schema_of(self, database: str) -> str:
        """What `pg_dump -s` writes, without what differs between minor releases of PostgreSQL."""
        dump = subprocess.run(["pg_dump", "-s", "--no-owner", "-N", "drydock_before_*", "-d", database],
                              env=self.environment(), check=True, capture_output=True, text=True,
                              timeout=SECONDS_MAX).stdout
        return "\n".join(line for line in dump.splitlines()
                         if not line.startswith(("\\restrict", "\\unrestrict", "-- Dumped")))

    def rows_of(self, database: str) -> dict[str, list[str]]:
        """All rows of the metadata, as texts."""
        tables = self.query(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {table: self.query(database, f"SELECT t::text FROM public.{table} t ORDER BY 1")
                for table in tables}

    def engine(self, database: str) -> str:
        """As backy2's configuration names it."""
        return f"postgresql://backy:{PASSWORD}@127.0.0.1:{self.port}/{database}"
