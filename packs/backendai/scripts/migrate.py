#!/usr/bin/env python3
"""Walks the schema with the alembic of one release, and believes neither its exit code nor its silence.

    migrate.py --python P --ini I --config C --psql Q --host H --port N --user U --database D [--deadline S]
               [--lock-timeout S] [--leftover S] [--copy] upgrade|downgrade REVISION
    migrate.py ... services    only the first of these

With --copy, D is a copy of the database that I names. The engine is the same. The first of these is left out, since the release's
configuration may not lie there yet; a revision whose text names etcd is refused, since it would change the real one.

1. The release takes manager.toml, etcd answers, and so does the Redis that etcd names: one revision of 24.09 waits for ever without
   them, and holds 13 exclusive locks meanwhile.
2. A session that an earlier migration left on the server is waited for, then ended: its client is gone, so it can only roll back.
   Nobody else is connected. alembic_version has one row.
3. alembic runs to REVISION, in one transaction, with a lock_timeout and a deadline. Behind the deadline its process is ended, then its
   session on the server. It dies with this script.
4. alembic_version is read: its one row is REVISION. Else the exit code is 1.

Called with --engine it is the second process: the release's own Python, with alembic's front end in it.
"""

import argparse
import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

NAME = "drydock migrate"  # of the migration's sessions on the server; facts know it
QUERY_SECONDS_MAX = 30
SERVICE_SECONDS_MAX = 60
END_SECONDS_MAX = 10
TAIL_CHARACTERS = 2000
PR_SET_PDEATHSIG = 1
OWN_COMMIT = re.compile(r"\bcommit\s*;?\s*[\"')]|autocommit_block|transaction_per_migration\s*=\s*True", re.IGNORECASE)


class Refused(Exception):
    """What is wrong, as a sentence for people. Nothing was changed, or all of it was rolled back."""


# The server ----------------------------------------------------------------------------------------


class Server:
    """The database, asked through psql; its sessions are named as drydock's probes are."""

    def __init__(self, job: argparse.Namespace):
        self._words = [job.psql, "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", job.host, "-p", job.port, "-U", job.user, "-d",
                       job.database]

    def ask(self, query: str) -> list[str]:
        try:
            done = subprocess.run([*self._words, "-c", query], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=QUERY_SECONDS_MAX, env=os.environ | {"PGAPPNAME": "drydock"}, check=False)
        except subprocess.TimeoutExpired:
            raise Refused(f"the database does not answer within {QUERY_SECONDS_MAX} s") from None
        if done.returncode != 0:
            raise Refused(f"the database does not answer: {done.stderr.strip()}")
        return done.stdout.splitlines()

    def sessions(self, condition: str) -> list[str]:
        """A line for each client session: pid, state, what it waits for, its query."""
        return self.ask("select concat_ws(' ', pid, application_name, state, wait_event_type, left(query, 80)) from "
                        "pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and "
                        f"backend_type = 'client backend' and application_name {condition}")

    def ours(self) -> list[str]:
        return self.sessions(f"= '{NAME}'")

    def end_ours(self) -> None:
        """Ends the sessions of migrations. Raises Refused if the server still has them after that."""
        until = time.monotonic() + END_SECONDS_MAX
        while self.ours():
            self.ask(f"select pg_terminate_backend(pid) from pg_stat_activity where application_name = '{NAME}' and "
                     "datname = current_database()")
            if time.monotonic() > until:
                raise Refused(f"the server does not end the session of the migration: {self.ours()}")
            time.sleep(0.2)

    def revisions(self) -> list[str]:
        return self.ask("select version_num from alembic_version order by 1")

    def row(self) -> str:
        """The one row of alembic_version."""
        rows = self.revisions()
        if len(rows) != 1:
            raise Refused(f"alembic_version has {len(rows)} rows: {', '.join(rows) or 'none'}; front ends hide that")
        return rows[0]


# Before --------------------------------------------------------------------------------------------


def parsed_config(path: str) -> dict:
    import tomllib  # not in the Python of every release's engine
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except (OSError, ValueError) as error:
        raise Refused(f"{path}: {error}") from None


def address_of(value: object) -> tuple[str, int]:
    if isinstance(value, dict):
        return str(value["host"]), int(value["port"])
    host, _, port = str(value).rpartition(":")
    return host, int(port)


def check_answers(name: str, address: tuple[str, int], says: bytes = b"", hears: tuple[bytes, ...] = ()) -> None:
    try:
        with socket.create_connection(address, timeout=5) as connection:
            connection.settimeout(5)
            connection.sendall(says)
            heard = connection.recv(64) if hears else b""
    except OSError as error:
        raise Refused(f"{name} does not answer at {address[0]}:{address[1]}: {error}") from None
    if hears and not heard.startswith(hears):
        raise Refused(f"{name} does not answer at {address[0]}:{address[1]}: it says {heard!r}")


def redis_of(job: argparse.Namespace) -> tuple[str, int]:
    """The address of Redis that etcd has, read by the release's own command: it takes config and etcd, then."""
    words = [job.python, "-m", "ai.backend.cli", "mgr", "etcd", "get", "config/redis/addr"]
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              cwd=os.path.dirname(job.config), timeout=SERVICE_SECONDS_MAX, preexec_fn=die_with_parent)
    except subprocess.TimeoutExpired:
        raise Refused(f"the release's own `mgr etcd get` does not end within {SERVICE_SECONDS_MAX} s: etcd answers, and "
                      "not as it should") from None
    found = re.findall(r"^(?:\S+@)?([\w.-]+:\d+)\s*$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or not found:
        raise Refused(f"{job.config} is not taken by the release, or etcd has no config/redis/addr:\n"
                      + (done.stdout + done.stderr)[-TAIL_CHARACTERS:])
    return address_of(found[-1])


def check_services(job: argparse.Namespace) -> None:
    config = parsed_config(job.config)
    try:
        etcd = address_of(config["etcd"]["addr"])
    except (KeyError, TypeError, ValueError):
        raise Refused(f"{job.config} is not taken by the release: it has no etcd.addr") from None
    check_answers("etcd", etcd)
    check_answers("redis", redis_of(job), b"PING\r\n", (b"+PONG", b"-NOAUTH", b"-NOPERM"))


def end_leftovers(job: argparse.Namespace, server: Server) -> None:
    """Waits for sessions of killed migrations, then ends them: without a client nothing can be committed."""
    until = time.monotonic() + job.leftover
    while server.ours():
        if time.monotonic() > until:
            print(f"ended a session that an earlier migration left: {'; '.join(server.ours())}", flush=True)
            server.end_ours()
            return
        time.sleep(0.5)


def check_alone(server: Server) -> None:
    others = server.sessions(f"not in ('drydock', '{NAME}')")
    if others:
        raise Refused("somebody else is connected to the database:\n" + "\n".join(others))


# The engine ----------------------------------------------------------------------------------------


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def walk(job: argparse.Namespace, server: Server) -> int:
    """Runs alembic to its end or to the deadline; its exit code."""
    engine = subprocess.Popen([job.python, os.path.abspath(__file__), "--engine", *sys.argv[1:]], stdin=subprocess.DEVNULL,
                              cwd=os.path.dirname(job.ini), preexec_fn=die_with_parent)
    try:
        return engine.wait(job.deadline)
    except subprocess.TimeoutExpired:
        engine.kill()
        engine.wait()
        server.end_ours()
        raise Refused(f"alembic did not end within {job.deadline:g} s; it was ended, and so was its session on the server. "
                      f"alembic_version: {', '.join(server.revisions())}") from None


def tell(done: int, of: int) -> None:
    """To the run that this script is a step of."""
    path = os.environ.get("DRYDOCK_PROGRESS")
    if path:
        with open(path + ".part", "w", encoding="utf-8") as file:
            json.dump({"done": done, "of": of, "unit": "revisions"}, file)
        os.replace(path + ".part", path)


def count_revisions(total: int) -> None:
    """Tells progress by what alembic logs, whatever alembic.ini does with its log."""
    import alembic.runtime.migration as migration
    plain, seen = migration.log.info, [0]

    def info(text: str, *words: object, **named: object) -> None:
        if text.startswith("Running"):
            print("alembic: " + text % words, flush=True)
            tell(seen[0], total)
            seen[0] += 1
        plain(text, *words, **named)
    migration.log.info = info


def name_sessions(job: argparse.Namespace) -> None:
    """Each new connection gets its name and lock_timeout, whatever driver env.py takes."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "connect")
    def configure(connection: object, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"select set_config('application_name', '{NAME}', false), "
                       f"set_config('lock_timeout', '{job.lock_timeout}s', false)")
        cursor.close()
        connection.commit()


def revisions_to_run(job: argparse.Namespace, config: object) -> list:
    """The package's own revisions between the database's row and the one that is asked for."""
    from alembic.script import ScriptDirectory
    script = ScriptDirectory.from_config(config)
    for revision in (job.row, job.revision):
        script.get_revision(revision)  # "Can't locate revision": an error with its name
    lower, upper = (job.row, job.revision) if job.way == "upgrade" else (job.revision, job.row)
    return list(script.iterate_revisions(upper, lower)) if lower != upper else []


def check_one_transaction(revisions: list) -> None:
    """A revision that commits by itself leaves a schema between two revisions when it is killed."""
    for revision in revisions:
        with open(revision.path, encoding="utf-8") as file:
            found = OWN_COMMIT.search(file.read())
        if found:
            raise Refused(f"revision {revision.revision} commits by itself ({found.group(0)!r}): a kill would leave half of it. "
                          "Walk it by hand, on a database that was copied before")


def check_copy_only(revisions: list) -> None:
    """A revision that changes etcd cannot be walked on a copy of the database alone."""
    for revision in revisions:
        with open(revision.path, encoding="utf-8") as file:
            if "etcd" in file.read():
                raise Refused(f"revision {revision.revision} changes etcd: a copy of the database alone is no rehearsal, and this "
                              "would change the real one")


def config_of(job: argparse.Namespace) -> object:
    """The release's alembic.ini; for a copy its URL names the copy."""
    import alembic.config
    import sqlalchemy.engine
    config = alembic.config.Config(job.ini)
    if job.copy:
        url = sqlalchemy.engine.make_url(config.get_main_option("sqlalchemy.url")).set(database=job.database)
        config.set_main_option("sqlalchemy.url", url.render_as_string(hide_password=False).replace("%", "%%"))
    return config


def run_engine(job: argparse.Namespace) -> int:
    import alembic.command
    config = config_of(job)
    revisions = revisions_to_run(job, config)
    check_one_transaction(revisions)
    if job.copy:
        check_copy_only(revisions)
    print(f"{len(revisions)} revisions in one transaction", flush=True)
    count_revisions(len(revisions))
    name_sessions(job)
    (alembic.command.upgrade if job.way == "upgrade" else alembic.command.downgrade)(config, job.revision)
    tell(len(revisions), len(revisions))
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    for name in ("python", "ini", "config", "psql", "host", "port", "user", "database"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--deadline", type=float, default=1800)
    parser.add_argument("--lock-timeout", type=int, default=30)
    parser.add_argument("--leftover", type=float, default=30)
    parser.add_argument("--copy", action="store_true")
    parser.add_argument("--engine", action="store_true")
    parser.add_argument("--row", default=os.environ.get("DRYDOCK_MIGRATE_ROW"))
    parser.add_argument("way", choices=("upgrade", "downgrade", "services"))
    parser.add_argument("revision", nargs="?", default="")
    return parser.parse_args()


def migrate(job: argparse.Namespace) -> int:
    server = Server(job)
    if not job.copy:
        check_services(job)
    if job.way == "services":
        return 0
    end_leftovers(job, server)
    check_alone(server)
    os.environ["DRYDOCK_MIGRATE_ROW"] = server.row()
    code = walk(job, server)
    server.end_ours()
    row = server.row()
    print(f"alembic_version: {row}", flush=True)
    if code != 0 or row != job.revision:
        raise Refused(f"alembic ended with {code}, and the schema is at {row}, not at {job.revision}")
    return 0


def main() -> int:
    job = arguments()
    try:
        return run_engine(job) if job.engine else migrate(job)
    except Refused as error:
        print(f"migrate: {error}", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
