"""A release's database: made by its own `oneshot`, filled, and migrated by releases' own alembic.

A database of an old release can only be made so: the chain of revisions does not replay from nothing.
"""

import os
import re
import subprocess
from dataclasses import dataclass

from limits import scaled
from postgres import USER, Postgres
from releases import Environment

USERS, FOLDERS = 50, 500
ALEMBIC_SECONDS_MAX = scaled(120)
RAN = re.compile(r"Running (upgrade|downgrade) (.*?) -> (\w*)")

ALEMBIC_INI = """\
[alembic]
script_location = ai.backend.manager.models:alembic
sqlalchemy.url = postgresql+asyncpg://{user}:x@127.0.0.1:{port}/{database}
[loggers]
keys = root,alembic
[handlers]
keys = console
[formatters]
keys = generic
[logger_root]
level = WARN
handlers = console
[logger_alembic]
level = INFO
handlers =
qualname = alembic
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = generic
[formatter_generic]
format = %(levelname)-5.5s [%(name)s] %(message)s
"""

# What `backend.ai mgr schema` reads of it up to 23.09.0, without looking at anything that it names.
MANAGER_TOML = """\
[etcd]
namespace = "local"
addr = {{ host = "127.0.0.1", port = {etcd} }}
user = ""
password = ""
[db]
type = "postgresql"
addr = {{ host = "127.0.0.1", port = {port} }}
name = "{database}"
user = "{user}"
password = "x"
[manager]
num-proc = 1
service-addr = {{ host = "127.0.0.1", port = 1 }}
ssl-enabled = false
heartbeat-timeout = 40.0
ipc-base-path = "{folder}/ipc"
rpc-auth-manager-keypair = "{folder}/manager.key_secret"
distributed-lock = "filelock"
[docker-registry]
ssl-verify = false
[logging]
level = "INFO"
drivers = ["console"]
[logging.pkg-ns]
"" = "WARNING"
[logging.console]
colored = false
format = "verbose"
[debug]
enabled = false
"""

CONTENTS = """\
insert into domains (name, description, is_active, total_resource_slots, allowed_vfolder_hosts,
    allowed_docker_registries, dotfiles)
  values ('default', '', true, '{{}}', '{{}}', '{{}}', '\\x90');
{policies}
insert into keypair_resource_policies (name, default_for_unspecified, total_resource_slots, max_concurrent_sessions,
    max_containers_per_session, idle_timeout, allowed_vfolder_hosts, max_vfolder_count, max_vfolder_size)
  values ('default', 'UNLIMITED', '{{}}', 5, 1, 3600, '{{}}', 0, 0);
insert into groups (id, name, is_active, domain_name, total_resource_slots, allowed_vfolder_hosts, dotfiles{column})
  values (md5('group')::uuid, 'default', true, 'default', '{{}}', '{{}}', '\\x90'{value});
insert into users (uuid, username, email, password, need_password_change, full_name, domain_name, role, status{column})
  select md5('user' || i)::uuid, 'user' || i, 'user' || i || '@example.org', 'x', false, 'User ' || i, 'default',
    'user', 'active'{value} from generate_series(1, {users}) i;
insert into keypairs (user_id, access_key, secret_key, is_active, is_admin, resource_policy, rate_limit, num_queries,
    "user", dotfiles, bootstrap_script)
  select email, 'AK' || substr(md5(email), 1, 18), md5(email), true, false, 'default', 1000, 0, uuid, '\\x90', ''
    from users;
insert into vfolders (id, host, name, usage_mode, permission, ownership_type, cloneable, "user"{scope_column})
  select md5('folder' || i)::uuid, 'local:volume1', 'folder' || i, 'general', 'rw', 'user', false,
    md5('user' || (1 + i % {users}))::uuid{scope_value} from generate_series(1, {folders}) i;
"""
LIMITS = """\
select table_name, string_agg(column_name, ', '), string_agg('0', ', ') from information_schema.columns
  where table_name in ('user_resource_policies', 'project_resource_policies') and is_nullable = 'NO'
    and column_default is null and column_name <> 'name' group by 1
"""


@dataclass(frozen=True)
class Answer:
    """What an alembic call did, by its own words."""

    code: int
    text: str

    @property
    def ran(self) -> list[str]:
        """The revisions that it says it ran, in order: of a way down those that were taken back."""
        return [match[3] if match[1] == "upgrade" else match[2] for line in self.text.splitlines()
                if (match := RAN.search(line))]


class Database:
    """One database of a private PostgreSQL, with a folder for the two files that name it."""

    def __init__(self, server: Postgres, name: str, folder: str):
        self.server, self.name = server, name
        self.folder = os.path.join(folder, name)
        os.makedirs(os.path.join(self.folder, "ipc"), exist_ok=True)
        self._values = {"user": USER, "port": server.port, "database": name, "folder": self.folder}
        self._write("alembic.ini", ALEMBIC_INI.format(**self._values))
        self.use_etcd(1)
        self._write("manager.key_secret", "")  # 23.09.0 refuses every command without the file

    def use_etcd(self, port: int) -> None:
        """Names an etcd in manager.toml: one revision of 24.09 asks it, and waits for ever if it is away."""
        self._write("manager.toml", MANAGER_TOML.format(etcd=port, **self._values))

    def create(self, release: Environment) -> None:
        """A fresh database with the release's own schema."""
        self.server.run(f'drop database if exists "{self.name}" with (force)')
        self.server.run(f'create database "{self.name}"')
        done = self.manager(release, "schema", "oneshot")
        if done.code != 0 or len(self.server.revisions(self.name)) != 1:
            raise RuntimeError(f"{release.release} did not make its schema: {done.text[-2000:]}")

    def fill(self) -> None:
        """A domain, a group, policies, users with a key each, folders: by SQL, for any schema."""
        limits = self.server.rows(self.name, LIMITS)
        has_scope = "quota_scope_id" in self.server.columns(self.name, "vfolders")
        self.server.run(CONTENTS.format(
            users=USERS, folders=FOLDERS,
            policies="".join(f"insert into {table} (name, {names}) values ('default', {zeros});\n"
                             for table, names, zeros in limits),
            column=", resource_policy" if limits else "", value=", 'default'" if limits else "",
            scope_column=", quota_scope_id" if has_scope else "",
            scope_value=f", 'user:' || md5('user' || (1 + i % {USERS}))::uuid" if has_scope else ""),
            self.name)

    def copy(self, name: str) -> "Database":
        self.server.copy(self.name, name)
        return Database(self.server, name, os.path.dirname(self.folder))

    def alembic(self, release: Environment, *words: str) -> Answer:
        return self._run(release, release.alembic("-c", "alembic.ini", *words))

    def manager(self, release: Environment, *words: str) -> Answer:
        return self._run(release, release.manager(*words))

    @property
    def revisions(self) -> list[str]:
        return self.server.revisions(self.name)

    @property
    def digest(self) -> str:
        return self.server.schema_digest(self.name)

    def _run(self, release: Environment, command: list[str]) -> Answer:
        done = subprocess.run(command, cwd=self.folder, env=release.variables(), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=ALEMBIC_SECONDS_MAX)
        return Answer(done.returncode, done.stdout)

    def _write(self, name: str, text: str) -> None:
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)
