#!/usr/bin/env python3
"""Walks a copy of the database with the alembic of one release, and tells what became of it.

    rehearse.py --tools T --host H --port N --user U --database D --python P --ini I --config C --scratch S --copy NAME
                --result R --old REVISION --new REVISION STEP
    rehearse.py --tools T --host H --port N --user U --database D compare RESULT...

Steps. Each may be repeated, while the servers work; none changes D.
    copy      dumps D into the folder S, and restores the dump as the database NAME of the same server
    forward   S/migrate.py, the engine of the real leg, walks NAME from --old to --new
    back      the same package walks NAME back; schema and rows are compared with those of before
    away      drops NAME, writes R, a file of JSON, and removes S
    once      copy, forward, away. Exit 1 if the walk fails, or ends at another schema than a rehearsal that --known has

compare: exit 0 if D has the schema that the first RESULT ended with, and so have the others that began with the same one; 1 with
the digests if not; 2 if nobody can tell.

A step notes what it found in S/STEP.json, then its name in S/stage. A fresh install of a release has another schema than a migrated
database, so only a copy of the same history tells what will come.
"""

import argparse
import datetime
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time

NOISE = re.compile(r"^(--|\\(un)?restrict|$)")  # pg_dump since 15.14 writes a random word into its restrict lines
WORDS_MAX = 300  # characters of alembic's last words that are kept
LEFTOVER_SECONDS = 2  # nobody else walks a copy, so a session there is a dead one's
DIGEST_DIGITS = 16


class Failed(Exception):
    """Why the step cannot be done, as a sentence for people."""


class Server:
    """The PostgreSQL of the database and of its copy, asked by its own programs."""

    def __init__(self, job: argparse.Namespace):
        self._tools = job.tools
        os.environ.update(PGHOST=job.host, PGPORT=job.port, PGUSER=job.user, PGAPPNAME="drydock")

    def run(self, program: str, *words: str) -> str:
        """The output of a program. Raises Failed with its last line."""
        done = subprocess.run([os.path.join(self._tools, program), *words], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"{program}: {(done.stderr.strip() or 'no message').splitlines()[-1]}")
        return done.stdout

    def ask(self, database: str, query: str) -> list[str]:
        return self.run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", query).splitlines()

    def revision(self, database: str) -> str:
        """All rows of alembic_version, with commas."""
        return self.ask(database, "select string_agg(version_num, ',' order by version_num) from alembic_version")[0]

    def schema_digest(self, database: str) -> str:
        lines = self.run("pg_dump", "-s", "--no-owner", database).splitlines()
        return digest_of(line for line in lines if not NOISE.match(line))

    def rows_digest(self, database: str) -> str:
        """Over count and content of every table."""
        tables = self.ask(database, "select quote_ident(tablename) from pg_tables where schemaname = 'public' order by 1")
        one = "select {}, count(*), coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint), 0) from {} t"
        queries = [one.format("'" + name.replace("'", "''") + "'", name) for name in tables]
        return digest_of(self.ask(database, " union all ".join(queries) + " order by 1"))

    def drop(self, database: str) -> None:
        self.run("dropdb", "--if-exists", "--force", database)


def digest_of(lines: object) -> str:
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()[:DIGEST_DIGITS]


# Files ---------------------------------------------------------------------------------------------


def put(path: str, text: str) -> None:
    """Writes a file that is whole or not there."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".part", path)


def note(job: argparse.Namespace, step: str, **found: object) -> None:
    put(os.path.join(job.scratch, step + ".json"), json.dumps(found))
    put(os.path.join(job.scratch, "stage"), step)


def noted(job: argparse.Namespace, step: str) -> dict:
    """What a step found. Raises Failed if it was not done."""
    found = result_of(os.path.join(job.scratch, step + ".json"))
    if not found:
        raise Failed(f"the step `{step}` was not done: {job.scratch} has no {step}.json")
    return found


def result_of(path: str) -> dict:
    """A file of JSON; empty if there is none that can be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


# Steps ---------------------------------------------------------------------------------------------


def restore(job: argparse.Namespace, server: Server) -> None:
    """Makes the copy from the dump, in the place of one that is there."""
    server.drop(job.copy)
    server.run("createdb", job.copy)
    server.run("pg_restore", "--exit-on-error", "--single-transaction", "-d", job.copy, os.path.join(job.scratch, "dump"))


def copy(job: argparse.Namespace, server: Server) -> None:
    for name in ("dump", "copy.json", "forward.json", "back.json", "stage"):
        remove(os.path.join(job.scratch, name))
    os.makedirs(job.scratch, mode=0o700, exist_ok=True)
    server.run("pg_dump", "-Fc", "-f", os.path.join(job.scratch, "dump"), job.database)
    restore(job, server)
    found = server.revision(job.copy)
    if found != job.old:
        raise Failed(f"the database is at {found}, not at {job.old}")
    note(job, "copy", schema=server.schema_digest(job.copy), rows=server.rows_digest(job.copy))


def remove(path: str) -> None:
    if os.path.lexists(path):
        os.unlink(path)


def walk(job: argparse.Namespace, server: Server, way: str, revision: str) -> tuple[str, int]:
    """Alembic's last words if the walk failed and changed nothing, else nothing; and milliseconds."""
    before, began = server.revision(job.copy), time.monotonic()
    done = subprocess.run(
        [sys.executable, os.path.join(job.scratch, "migrate.py"), "--python", job.python, "--ini", job.ini, "--config", job.config,
         "--psql", os.path.join(job.tools, "psql"), "--host", job.host, "--port", job.port, "--user", job.user, "--database",
         job.copy, "--leftover", str(LEFTOVER_SECONDS), "--copy", way, revision],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    took = round((time.monotonic() - began) * 1000)
    print(done.stdout, flush=True)
    now = server.revision(job.copy)
    if now != (revision if done.returncode == 0 else before):
        raise Failed(f"the copy is at {now}, and the walk from {before} to {revision} ended with {done.returncode}")
    return ("" if done.returncode == 0 else last_words(done.stdout)), took


def last_words(output: str) -> str:
    """The database's own error if there is one, else the last line."""
    lines = output.strip().splitlines() or ["no message"]
    told = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b.*: ", line)]
    return re.sub(r"[^ -~]", " ", (told or lines)[-1])[:WORDS_MAX]


def forward(job: argparse.Namespace, server: Server) -> None:
    if server.revision(job.copy) != job.old:
        restore(job, server)  # an attempt before this one walked it
    failed, took = walk(job, server, "upgrade", job.new)
    note(job, "forward", failed=failed, ms=took, schema="" if failed else server.schema_digest(job.copy))


def back(job: argparse.Namespace, server: Server) -> None:
    if noted(job, "forward")["failed"]:
        note(job, "back", way="untried", failed="", ms=0)
        return
    if server.revision(job.copy) != job.new:
        walk(job, server, "upgrade", job.new)  # an attempt before this one walked it back
    failed, took = walk(job, server, "downgrade", job.old)
    note(job, "back", way="closed" if failed else way_of(job, server), failed=failed, ms=took)


def way_of(job: argparse.Namespace, server: Server) -> str:
    """Whether the way back that was walked gave everything back."""
    began = noted(job, "copy")
    same = began["schema"] == server.schema_digest(job.copy) and began["rows"] == server.rows_digest(job.copy)
    return "open" if same else "lossy"


def away(job: argparse.Namespace, server: Server) -> None:
    server.drop(job.copy)
    if os.path.exists(os.path.join(job.scratch, "back.json")):
        began, there, again = (noted(job, step) for step in ("copy", "forward", "back"))
        write_result(job, job.new, began, there, forward=not there["failed"], forward_ms=there["ms"], way_back=again["way"],
                     back_ms=again["ms"], failed=there["failed"], back_failed=again["failed"])
    shutil.rmtree(job.scratch, ignore_errors=True)


def write_result(job: argparse.Namespace, revision: str, began: dict, there: dict, **more: object) -> None:
    result = {"revision": revision, "from_digest": began["schema"], "digest": there["schema"],
              "at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")} | more
    put(job.result, json.dumps(result) + "\n")
    print(json.dumps(result), flush=True)


def once(job: argparse.Namespace, server: Server) -> None:
    """One walk, up or down; the result is the schema to expect."""
    remove(job.result)
    try:
        copy(job, server)
        failed, _ = walk(job, server, job.way, job.new)
        if failed:
            raise Failed(failed)
        began, there = noted(job, "copy"), {"schema": server.schema_digest(job.copy)}
        check_known(job, began, there)
        write_result(job, job.new, began, there)
    finally:
        server.drop(job.copy)
        remove(os.path.join(job.scratch, "dump"))


def is_of(result: dict, began: str) -> bool:
    """Whether a rehearsal of the hop walked a copy with the schema that this one began with."""
    return bool(result.get("forward")) and result.get("from_digest") == began


def check_known(job: argparse.Namespace, began: dict, there: dict) -> None:
    known = result_of(job.known) if job.known else {}
    if is_of(known, began["schema"]) and known["digest"] != there["schema"]:
        raise Failed(f"the copy ended with the schema {there['schema']}, and the rehearsal of {known['at']} with {known['digest']}: "
                     "one of the two is not what the leg will do")


def compare(job: argparse.Namespace, server: Server) -> int:
    results = [result_of(path) for path in job.results]
    if not results or "digest" not in results[0]:
        return 2
    wanted = {results[0]["digest"]} | {one["digest"] for one in results[1:] if is_of(one, results[0]["from_digest"])}
    found = server.schema_digest(job.database)
    print(f"{found}, rehearsed {', '.join(sorted(wanted))}")
    return 0 if wanted == {found} else 1


STEPS = {"copy": copy, "forward": forward, "back": back, "away": away, "once": once}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    for name in ("tools", "host", "port", "user", "database"):
        parser.add_argument("--" + name, required=True)
    for name in ("python", "ini", "config", "scratch", "copy", "result", "known", "old", "new"):
        parser.add_argument("--" + name, default="")
    parser.add_argument("--way", choices=("upgrade", "downgrade"), default="upgrade")
    parser.add_argument("step", choices=(*STEPS, "compare"))
    parser.add_argument("results", nargs="*")
    return parser.parse_args()


def main() -> int:
    os.umask(0o077)
    job = arguments()
    server = Server(job)
    try:
        if job.step == "compare":
            return compare(job, server)
        STEPS[job.step](job, server)
    except Failed as error:
        print(f"rehearse: {error}", flush=True)
        return 2 if job.step == "compare" else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
