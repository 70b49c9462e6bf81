"""What drydock reads about a cluster of ours: its cluster file."""

import json
import os
from typing import TYPE_CHECKING, Any

import postgres
import releases
import settings

if TYPE_CHECKING:
    from cluster import Cluster

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(releases.HERE)))
CHECKS = {"manager": "import ai.backend.manager.server", "storage": "import ai.backend.storage.server",
          "agent": "import ai.backend.agent.server", "web": "import ai.backend.web.server"}


def write(cluster: "Cluster", names: tuple[str, ...], soak: str, made: tuple[str, ...] = ()) -> str:
    """Writes <base>/cluster.yaml for the releases named (as the index spells them); its path. The
    environments of `made` are not there: drydock has to make them, below <base>/made."""
    from cluster import DATABASE, MODULES, ROLES
    folders = {releases.spelled(name): cluster.path(f"made/{name}") if name in made
               else releases.ensure(name).folder for name in names}
    pins = {releases.spelled(name): os.path.join(releases.HERE, "pins", f"{name}.txt") for name in names}
    lines = ["cluster: demo", "system: backendai", "state: ./state", "",
             "hosts:", "  here: {connect: local}", "", "roles:"]
    for role in ROLES:
        module, file, title = MODULES[role]
        home = cluster.path(role)
        service = {"process": {
            "argv": ["${release}/bin/python", "-m", module, "-f", f"{home}/{file}"], "title": title,
            "cwd": home, "pid_file": f"{home}/pid", "log": f"{home}/log", "env": cluster.environment,
            "stop": {"signal": "TERM", "within": "60s"}}}
        release = {"link": f"{home}/current", "versions": folders,
                   "venv": {"python": "/usr/bin/python3.11", "pins": pins,
                            "wheels": releases.wheels_folder(),
                            "check": ["bin/python", "-c", CHECKS[role]]}}
        lines += [f"  {role}:", "    host: here", f"    service: {json.dumps(service)}",
                  f"    release: {json.dumps(release)}",
                  f"    settings: {json.dumps(_settings(cluster, role, DATABASE))}"]
    lines += ["", "members:", *(f"  - {{role: {role}, name: {role}-1}}" for role in ROLES), "",
              "policy:", f"  soak: {soak}", f"  backups: {{path: {cluster.path('backups')}, keep: 2}}", ""]
    path = cluster.path("cluster.yaml")
    with open(path, "w") as out:
        out.write("\n".join(lines))
    return path


def _settings(cluster: "Cluster", role: str, database: str) -> dict[str, Any]:
    ports = cluster.ports
    database_of = {"db_host": "127.0.0.1", "db_port": str(ports["postgres"]), "db_user": postgres.USER,
                   "db_name": database}
    if role == "manager":
        return database_of | {
            "url": cluster.url, "config": cluster.path("manager/manager.toml"),
            "alembic_ini": cluster.path("manager/alembic.ini"), "db_tools": postgres.programs(),
            "drydock": os.path.abspath(os.environ.get("DRYDOCK") or os.path.join(ROOT, "build", "drydock")),
            "keypair": cluster.path("manager/keys/manager.key_secret"),
            "access_key": settings.ADMIN["access_key"],
            "secret_key": {"secret": {"file": _secret(cluster)}}, "vfolder_host": "local:volume1"}
    if role == "agent":
        return database_of | {"agent_id": "i-agent-1"}
    if role == "storage":
        return {"url": f"http://127.0.0.1:{ports['storage_manager']}",
                "config": cluster.path("storage/storage-proxy.toml")}
    return {"url": f"http://127.0.0.1:{ports['web']}", "config": cluster.path("web/webserver.conf")}


def _secret(cluster: "Cluster") -> str:
    path = cluster.path("secret_key")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(settings.ADMIN["secret_key"])
    return path
