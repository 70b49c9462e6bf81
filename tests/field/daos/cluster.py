"""A cluster file of drydock for a place of the double: every server a member on this host."""

import os

import install
from place import Place


def write(place: Place, drydock: str, release: str, releases: list[str], os_next: str = "none") -> str:
    """Its path. All members are linked to `release`."""
    for one in releases:
        install.install(place.path("opt"), one)
    for rank in range(place.ranks):
        os.makedirs(place.path(f"s{rank}"), exist_ok=True)
        link = place.path(f"s{rank}", "current")
        if not os.path.lexists(link):
            os.symlink(place.path("opt", release), link)
    versions = "\n".join(f'        "{one}": {place.path("opt", one)}' for one in releases)
    members = "\n".join(f"  - {{role: server, name: s{rank}, settings: {{rank: {rank}}}}}" for rank in range(place.ranks))
    return place.write("cluster.yaml", f"""cluster: daos
system: daos
state: ./state
hosts:
  here: {{connect: local}}
roles:
  server:
    host: here
    service:
      process:
        argv: [{install.PYTHON}, "${{release}}/lib/daos_server.py", start, -o, "{place.base}/server${{rank}}.yml"]
        pid_file: "{place.base}/${{member}}/pid"
        log: "{place.base}/${{member}}/log"
        stop: {{signal: TERM, within: 30s}}
    release:
      link: "{place.base}/${{member}}/current"
      versions:
{versions}
    settings:
      control: {place.path("control.yml")}
      agent_dir: {place.base}
      mounts: {place.path("mounts")}
      kept: {place.path("kept")}
      drydock: {drydock}
      os_root: {place.path("root")}
      os_next: "{os_next}"
members:
{members}
policy:
  soak: 0s
  backups: {{path: {place.path("backups")}, keep: 2}}
""")


def set_os(place: Place, name: str, version: str) -> None:
    """What the hosts of the servers run: for CentOS the level is in a file of its own, as there."""
    os.makedirs(place.path("root", "etc"), exist_ok=True)
    place.write("root/etc/os-release", f'ID="{name}"\nVERSION_ID="{version.split(".")[0] if name == "centos" else version}"\n')
    place.write("root/etc/redhat-release", f"CentOS Linux release {version}.2009 (Core)\n" if name == "centos" else "")
