"""The configuration files of a cluster of ours, as the servers of 23.03 and 23.09 want them.

Two files have two forms: both are written, as <name>.<series>. 23.03.11 refuses the port of the storage
proxy's monitor page, and without it later releases take 49300, which may be in use.
"""

import json
import os

from database import ALEMBIC_INI
from postgres import USER

LOGGING = """\
[logging]
level = "INFO"
drivers = ["console"]
[logging.pkg-ns]
"" = "WARNING"
"aiotools" = "INFO"
"ai.backend" = "INFO"
[logging.console]
colored = false
format = "verbose"
[debug]
enabled = false
"""
ETCD = """\
[etcd]
namespace = "local"
addr = {{ host = "127.0.0.1", port = {etcd} }}
user = ""
password = ""
"""
MANAGER = """\
[db]
type = "postgresql"
addr = {{ host = "127.0.0.1", port = {postgres} }}
name = "{database}"
user = "{user}"
password = "x"
[manager]
num-proc = 1
service-addr = {{ host = "127.0.0.1", port = {manager} }}
ssl-enabled = false
heartbeat-timeout = 40.0
ipc-base-path = "{base}/manager/ipc"
rpc-auth-manager-keypair = "{base}/manager/keys/manager.key_secret"
pid-file = "{base}/manager/own.pid"
distributed-lock = "filelock"
aiomonitor-port = {manager_monitor}
aiomonitor-webui-port = {manager_monitor_web}
[docker-registry]
ssl-verify = false
"""
STORAGE = """\
[storage-proxy]
node-id = "i-storage-proxy-local"
num-proc = 1
pid-file = "{base}/storage/own.pid"
event-loop = "uvloop"
ipc-base-path = "{base}/storage/ipc"
scandir-limit = 1000
max-upload-size = "100g"
secret = "some-secret-private-for-storage-proxy"
session-expire = "1d"
aiomonitor-port = {storage_monitor}
{storage_more}[api.client]
service-addr = {{ host = "127.0.0.1", port = {storage_client} }}
ssl-enabled = false
[api.manager]
service-addr = {{ host = "127.0.0.1", port = {storage_manager} }}
ssl-enabled = false
secret = "some-secret-shared-with-manager"
[volume.volume1]
backend = "vfs"
path = "{base}/volume"
"""
WEB = """\
[service]
ip = "127.0.0.1"
port = {web}
wsproxy.url = ""
mode = "webui"
[resources]
[environments]
[plugin]
[pipeline]
[ui]
brand = "field"
[api]
domain = "default"
endpoint = "http://127.0.0.1:{manager}"
text = "field"
ssl_verify = false
[session]
{web_session}
[license]
"""
WEB_MORE = """\
[webserver]
ipc-base-path = "{base}/web/ipc"
pid-file = "{base}/web/own.pid"
"""
AGENT = """\
[agent]
backend = "docker"
rpc-listen-addr = {{ host = "127.0.0.1", port = {agent} }}
agent-sock-port = {agent_socket}
id = "i-agent-1"
ipc-base-path = "{base}/agent/ipc"
var-base-path = "{base}/agent/var"
pid-file = "{base}/agent/own.pid"
image-commit-path = "{base}/agent/commit"
scaling-group = "default"
region = "field"
instance-type = "default"
event-loop = "uvloop"
aiomonitor-port = {agent_monitor}
aiomonitor-webui-port = {agent_monitor_web}
metadata-server-port = {agent_metadata}
[container]
bind-host = "127.0.0.1"
port-range = [{containers}, {containers_end}]
stats-type = "docker"
sandbox-type = "docker"
scratch-type = "hostdir"
scratch-root = "{base}/agent/scratches"
[resource]
reserved-cpu = 0
reserved-mem = "256M"
reserved-disk = "1G"
[watcher]
"""
PERMISSIONS = ["create-vfolder", "modify-vfolder", "delete-vfolder", "mount-in-session", "upload-file",
               "download-file", "invite-others", "set-user-specific-permission"]
GROUP = "2de2b969-1d04-48a6-af16-0bc8adb3c831"
ADMIN = {"access_key": "AKIAFIELDADMIN000000", "secret_key": "fieldadminsecretfieldadminsecretfieldad1"}
SOMEBODY = {"access_key": "AKIAFIELDUSER0000000", "secret_key": "fielduserssecretfielduserssecretfieldus1"}
FOLDERS = ("manager/ipc", "manager/keys", "storage/ipc", "web/ipc", "agent/ipc", "agent/var",
           "agent/commit", "agent/scratches", "volume")


def write(base: str, database: str, ports: dict[str, int]) -> None:
    """Writes every file below `base`."""
    for folder in FOLDERS:
        os.makedirs(os.path.join(base, folder), exist_ok=True)
    values = ports | {"base": base, "database": database, "user": USER}
    head = ETCD.format(**values)
    files = {"manager/manager.toml": head + MANAGER.format(**values) + LOGGING,
             "manager/alembic.ini": ALEMBIC_INI.format(user=USER, port=ports["postgres"], database=database),
             "agent/agent.toml": head + AGENT.format(**values) + LOGGING,
             "volume/version.txt": "3\n"}
    for series in ("23.03", "23.09"):
        files |= _of_series(series, head, values)
    for name, text in files.items():
        with open(os.path.join(base, name), "w") as file:
            file.write(text)


def use(base: str, release: str) -> None:
    """Points the two files that have two forms to the newest form that a release takes."""
    use_storage(base, release)
    _switch(os.path.join(base, "web/webserver.conf"), release[:5])


def use_storage(base: str, release: str) -> None:
    """The same for the storage proxy alone, which reads its file at its next start."""
    _switch(os.path.join(base, "storage/storage-proxy.toml"), "23.03" if release == "23.03.11" else "23.09")


def _switch(link: str, series: str) -> None:
    if os.path.lexists(link):
        os.unlink(link)
    os.symlink(f"{os.path.basename(link)}.{series}", link)


def _of_series(series: str, head: str, values: dict[str, object]) -> dict[str, str]:
    is_old = series == "23.03"
    redis = values["redis"]
    session = f'redis.host = "127.0.0.1"\nredis.port = {redis}' if is_old \
        else f'redis.addr = "127.0.0.1:{redis}"'
    more = "" if is_old else f"aiomonitor-webui-port = {values['storage_monitor_web']}\n"
    web = WEB.format(web_session=session, **values)
    return {f"storage/storage-proxy.toml.{series}":
            head + STORAGE.format(storage_more=more, **values) + LOGGING,
            f"web/webserver.conf.{series}":
            web if is_old else web + WEB_MORE.format(**values) + LOGGING}


def volumes(ports: dict[str, int]) -> dict[str, str]:
    """etcd's keys below /sorna/local that the servers want."""
    proxy = "volumes/proxies/local/"
    return {"config/redis/addr": f"127.0.0.1:{ports['redis']}", "volumes/_types/user": "",
            "volumes/_types/group": "", "volumes/default_host": "local:volume1",
            "volumes/exposed_volume_info": "percentage",
            proxy + "client_api": f"http://127.0.0.1:{ports['storage_client']}",
            proxy + "manager_api": f"http://127.0.0.1:{ports['storage_manager']}",
            proxy + "secret": "some-secret-shared-with-manager", proxy + "ssl_verify": "false"}


def fixture() -> str:
    """What `backend.ai mgr fixture populate` reads: a domain, a group, two users with keys."""
    policy = {"name": "default", "max_vfolder_size": -1}
    users = [_user("f38dea23-50fa-42a0-b5ae-338f5f4693f4", "admin", "superadmin"),
             _user("dfa9da54-4b28-432f-be29-c0d680c7a412", "user", "user")]
    return json.dumps({
        "domains": [_domain({"name": "default"})],
        "user_resource_policies": [policy], "project_resource_policies": [policy],
        "groups": [{"id": GROUP, "name": "default", "description": "", "is_active": True,
                    "domain_name": "default", "resource_policy": "default",
                    "total_resource_slots": {}, "allowed_vfolder_hosts": {}}],
        "scaling_groups": [{"name": "default", "description": "", "is_active": True, "driver": "static",
                            "driver_opts": {}, "scheduler": "fifo", "scheduler_opts": {}}],
        "sgroups_for_domains": [{"scaling_group": "default", "domain": "default"}],
        "users": users,
        "association_groups_users": [{"group_id": GROUP, "user_id": user["uuid"]} for user in users],
        "keypair_resource_policies": [{
            "name": "default", "default_for_unspecified": "UNLIMITED", "total_resource_slots": {},
            "max_session_lifetime": 0, "max_concurrent_sessions": 5, "max_containers_per_session": 1,
            "max_vfolder_count": 0, "max_vfolder_size": 0, "idle_timeout": 3600,
            "allowed_vfolder_hosts": {"local:volume1": PERMISSIONS}}],
        "keypairs": [_keypair(users[0], ADMIN, True), _keypair(users[1], SOMEBODY, False)]})


def _domain(one: dict[str, object]) -> dict[str, object]:
    return one | {"description": "", "is_active": True, "total_resource_slots": {},
                  "allowed_vfolder_hosts": {}, "allowed_docker_registries": []}


def _user(uuid: str, name: str, role: str) -> dict[str, object]:
    return {"uuid": uuid, "username": name, "email": f"{name}@example.org", "password": "fieldpw-1",
            "need_password_change": False, "full_name": name, "description": "", "status": "active",
            "status_info": "admin-requested", "domain_name": "default", "resource_policy": "default",
            "role": role}


def _keypair(user: dict[str, object], key: dict[str, str], is_admin: bool) -> dict[str, object]:
    return {"user_id": user["email"], **key, "is_active": True, "resource_policy": "default",
            "rate_limit": 30000, "num_queries": 0, "is_admin": is_admin, "user": user["uuid"]}
