"""A private PostgreSQL on loopback, of the server that Debian installed.

    with Postgres(base) as server:            # <base>/pg, a free port, no password
        server.run("create database one")
        server.rows("one", "select count(*) from users")

As root it runs under the account that the Debian package made: the server refuses root.
"""

import glob
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from typing import Any

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "common"))

import processes  # noqa: E402  (in ../common, like the next)
from machine import free_ports, tail, wait_until  # noqa: E402

import releases  # noqa: E402
from limits import scaled  # noqa: E402

ACCOUNT = "postgres"  # of Debian's package
USER = "postgres"
START_SECONDS_MAX = scaled(60)
SETTINGS = {"listen_addresses": "127.0.0.1", "max_connections": "100", "logging_collector": "off"}


def programs() -> str:
    """The folder of the newest installed server. Raises Unavailable."""
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    if not found:
        raise releases.Unavailable("no PostgreSQL server is installed.\n  ./dev setup installs Debian's")
    return os.path.dirname(max(found, key=lambda path: int(path.split("/")[4])))


class Postgres:
    def __init__(self, base: str, port: int | None = None, durable: bool = False):
        """`durable`: commits survive a power loss. Tests do without."""
        self.folder = os.path.join(os.path.abspath(base), "pg")
        self.port = port or free_ports(1)[0]
        self.settings = SETTINGS | ({} if durable else {"fsync": "off", "full_page_writes": "off"})

    def __enter__(self) -> "Postgres":
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def start(self) -> None:
        """Makes the data folder if there is none, starts the server and waits until it answers."""
        if not os.path.exists(os.path.join(self.folder, "PG_VERSION")):
            self._create()
        words = [f"-c{name}={value}" for name, value in self.settings.items()]
        with open(self.log, "ab") as log:
            process = subprocess.Popen([*_as_account(), os.path.join(programs(), "postgres"), "-D", self.folder,
                              "-p", str(self.port), f"-cunix_socket_directories={self.folder}", *words],
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                             start_new_session=True)
        threading.Thread(target=process.wait, daemon=True).start()  # no zombie that looks alive
        wait_until(self.is_ready, START_SECONDS_MAX,
                   lambda: "PostgreSQL does not answer; its log ends with\n" + "".join(tail(self.log)),
                   every=0.05)

    def stop(self) -> None:
        """A fast shutdown: sessions are ended, what they did not commit is rolled back."""
        pid = self.pid()
        if pid:
            processes.send(pid, signal.SIGINT)
            wait_until(lambda: self.pid() is None, START_SECONDS_MAX,
                       lambda: f"PostgreSQL (pid {pid}) does not end", every=0.02)

    @property
    def log(self) -> str:
        return self.folder + ".log"

    def pid(self) -> int | None:
        """The server's pid; None when it is down."""
        try:
            with open(os.path.join(self.folder, "postmaster.pid")) as file:
                pid = int(file.readline())
        except (OSError, ValueError):
            return None
        return pid if processes.command_line(pid) else None

    def is_ready(self) -> bool:
        return self._client("pg_isready", "-q").returncode == 0

    def rows(self, database: str, sql: str) -> list[list[str]]:
        """The rows of a query; empty strings stand for NULL. RuntimeError with the server's text."""
        done = self._client("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-F", "\t", "-d", database, "-c", sql)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]

    def value(self, database: str, sql: str) -> str:
        return self.rows(database, sql)[0][0]

    def run(self, sql: str, database: str = "postgres") -> None:
        self.rows(database, sql)

    def copy(self, database: str, name: str) -> str:
        """A copy of a database that nobody is connected to; replaces an older copy. Its name."""
        self.run(f'drop database if exists "{name}" with (force)')
        self.run(f'create database "{name}" template "{database}"')
        return name

    def revisions(self, database: str) -> list[str]:
        """Every row of alembic's own table: front ends hide more than one."""
        return [row[0] for row in self.rows(database, "select version_num from alembic_version order by 1")]

    def tables(self, database: str) -> set[str]:
        return {row[0] for row in self.rows(
            database, "select table_name from information_schema.tables where table_schema = 'public'")}

    def sessions(self, database: str) -> int:
        return int(self.value("postgres",
                              f"select count(*) from pg_stat_activity where datname = '{database}'"))

    def schema_digest(self, database: str) -> str:
        """16 hex digits over the schema as pg_dump writes it."""
        return hashlib.sha256("".join(self.schema(database)).encode()).hexdigest()[:16]

    def schema(self, database: str) -> list[str]:
        """The lines of the schema as pg_dump writes it, but for its \\restrict lines of random words."""
        done = self._client("pg_dump", "-s", "--no-owner", database, check=True)
        return [line for line in done.stdout.splitlines(keepends=True)
                if line.strip() and not line.startswith(("--", "\\restrict", "\\unrestrict"))]

    def columns(self, database: str, table: str) -> list[str]:
        """A table's columns by name."""
        return [row[0] for row in self.rows(
            database, "select column_name from information_schema.columns where "
                      f"table_schema = 'public' and table_name = '{table}' order by 1")]

    def data_digest(self, database: str, table: str, columns: list[str]) -> str:
        """16 hex digits over some columns of all rows; columns that are not there are passed over."""
        here = [name for name in columns if name in self.columns(database, table)]
        pairs = ", ".join(f"'{name}', \"{name}\"" for name in here)
        return self.value(database, "select substr(encode(sha256(coalesce(string_agg(line, E'\\n' order by line), "
                                    f"'')::bytea), 'hex'), 1, 16) from (select jsonb_build_object({pairs})::text "
                                    f'as line from "{table}") lines')

    def _create(self) -> None:
        os.makedirs(self.folder, exist_ok=True)
        if os.getuid() == 0:
            os.chmod(os.path.dirname(self.folder), 0o711)  # its own account has to get through
            shutil.chown(self.folder, ACCOUNT)
        subprocess.run([*_as_account(), os.path.join(programs(), "initdb"), "-D", self.folder, "-A",
                        "trust", "-U", USER, "--no-locale", "-E", "UTF8", "-N"], check=True,
                       stdout=subprocess.DEVNULL, cwd=self.folder)

    def _client(self, program: str, *words: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        return subprocess.run([os.path.join(programs(), program), "-h", "127.0.0.1", "-p", str(self.port),
                               "-U", USER, *words], capture_output=True, text=True, check=check, timeout=scaled(120))


def _as_account() -> list[str]:
    if os.getuid() != 0:
        return []
    return ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups", "--inh-caps=-all"]
