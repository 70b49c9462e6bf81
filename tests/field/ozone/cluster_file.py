"""What drydock reads about a cluster of ours: its cluster file."""

import json
import os
from typing import Any

import releases
import settings
from settings import Member

# Below a member's folder: what a cold copy takes. Not a datanode's blocks.
COPIED = {"scm": ("data/db", "data/ratis", "data/snapshot"),
          "om": ("data/meta", "data/db", "data/ratis", "data/snapshot"),
          "datanode": ("data/meta", "data/ratis")}


def write(base: str, members: list[Member], names: tuple[str, ...], daemon: bool = False,
          soak: str = "0s", cluster: str = "demo") -> str:
    """Writes <base>/cluster.yaml for the releases named; its path. With `daemon` the members are
    run by the distribution's script, else as plain processes."""
    folders = releases.ensure(*names)
    lines = [f"cluster: {cluster}", "system: ozone", "state: ./state", "",
             "hosts:", "  here: {connect: local}", "", "roles:"]
    for role in dict.fromkeys(member.role for member in members):
        own = {"home": f"{base}/${{member}}", **_settings(base, role)}
        lines += [f"  {role}:", "    host: here",
                  f"    service: {json.dumps(_daemon(role) if daemon else _process(role))}",
                  f'    release: {{link: "${{home}}/current", versions: {json.dumps(folders)}}}',
                  f"    settings: {json.dumps(own)}"]
    lines += ["", "members:"]
    for member in members:
        lines.append(f"  - {{role: {member.role}, name: {member.name}, "
                     f'settings: {{http_url: "{member.http_url}"}}}}')
    lines += ["", "policy:", f"  soak: {soak}",
              f"  backups: {{path: {base}/backups, keep: 2}}", ""]
    if held := [name for name in names if "+" in name]:
        lines += ["releases:", *(f"  {json.dumps(name)}: {json.dumps(_laws(name))}"
                                 for name in held), ""]
    path = os.path.join(base, "cluster.yaml")
    with open(path, "w") as file:
        file.write("\n".join(lines))
    return path


def _laws(name: str) -> dict[str, Any]:
    """A release that is held to older layouts, as the pack would describe it."""
    laws = {store: {"reads": [str(number) for number in range(layout + 1)], "writes": str(layout),
                    "raises": "on_finalize"}
            for store, layout in zip(("hdds", "om"), releases.layouts(name))}
    return {"series": ".".join(name.split(".")[:2])} | laws


def _process(role: str) -> dict[str, Any]:
    return {"process": {"argv": ["java", f"@${{home}}/current/{role}.args"], "cwd": "${home}",
                        "pid_file": "${home}/pid", "log": "${home}/log",
                        "stop": {"signal": "TERM", "within": "60s"}}}


def _daemon(role: str) -> dict[str, Any]:
    script = ["${release}/bin/ozone", "--config", "${home}/conf", "--daemon"]
    return {"command": {word: [*script, word, role] for word in ("start", "stop", "status")}}


def _settings(base: str, role: str) -> dict[str, str]:
    values = {}
    if role in COPIED:
        values["copy_dirs"] = ":".join(f"${{home}}/{name}" for name in COPIED[role])
    if role in ("scm", "om"):
        values |= {"ozone": "${release}/bin/ozone", "conf_dir": os.path.join(base, "cli", "conf")}
    if role in ("scm", "om", "recon"):
        values["db_dir"] = "${home}/data/db"
    if role in ("datanode", "om"):
        values["metadata_dir"] = "${home}/data/meta"
    if role == "om":
        values["service_id"] = settings.SERVICE
    return values
