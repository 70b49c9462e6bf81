"""What each member of a cluster is configured with: its folder conf/.

One conf folder per process, because some of Ozone's code reads the files again and would not see
what the command line changed. The quick intervals cut the finalization of SCM from two minutes to
seconds; none changes what is done.
"""

import os
import socket
from dataclasses import dataclass, field

OM_PORT = 9862  # not to be chosen: `prepare` asks each OM on it, whatever is configured
SERVICE, SCM_SERVICE = "omservice", "scmservice"

# How many ports of its own a member needs, in this order.
PORTS = {
    "scm": ("client", "block", "datanode", "security", "http", "ratis", "grpc"),
    "om": ("http", "ratis"),
    "datanode": ("http", "ipc", "container", "server", "admin", "replication", "stream", "client"),
    "recon": ("http", "datanode"),
    "s3g": ("http", "web"),
}

QUICK = {
    "ozone.scm.close.container.wait.duration": "1s",
    "ozone.scm.pipeline.destroy.timeout": "2s",
    "ozone.scm.pipeline.scrub.interval": "2s",
    "ozone.scm.pipeline.creation.interval": "1s",
    "ozone.scm.pipeline.allocated.timeout": "2m",
    "ozone.om.ratis.minimum.timeout": "1s",
    "ozone.scm.ha.ratis.leader.election.timeout": "1s",
    "hdds.ratis.leader.election.minimum.timeout.duration": "1s",
    "hdds.heartbeat.initial-interval": "500ms",
    "hdds.heartbeat.interval": "500ms",
    "hdds.recon.heartbeat.interval": "1s",
    "ozone.scm.heartbeat.thread.interval": "500ms",
    "hdds.pipeline.report.interval": "1s",
    "hdds.container.report.interval": "5s",
    "hdds.scm.wait.time.after.safemode.exit": "5s",
}

SMALL = {
    "ozone.scm.pipeline.owner.container.count": "1",
    "ozone.scm.datanode.pipeline.limit": "1",
    "ozone.scm.container.size": "256MB",
    "ozone.scm.block.size": "16MB",
    "ozone.scm.datanode.ratis.volume.free-space.min": "10MB",
    "hdds.datanode.volume.min.free.space": "100MB",
    "hdds.datanode.volume.min.free.space.percent": "0",
    "ozone.scm.stale.node.interval": "60s",
    "ozone.scm.dead.node.interval": "2m",
}

ALL = {
    "ozone.security.enabled": "false",
    "ozone.acl.enabled": "false",
    "ozone.om.service.ids": SERVICE,
    "ozone.om.ratis.enable": "true",
    "ozone.om.s3.grpc.server_enabled": "false",
    "ozone.om.transport.class":
        "org.apache.hadoop.ozone.om.protocolPB.Hadoop3OmTransportFactory",
    "ozone.scm.service.ids": SCM_SERVICE,
    "ozone.scm.ratis.enable": "true",
    "ozone.scm.primordial.node.id": "scm1",
    "hdds.scm.safemode.min.datanode": "3",
    "ozone.server.default.replication": "3",
    "ozone.client.failover.max.attempts": "6",
    "ozone.filesystem.snapshot.enabled": "true",
    "hdds.prometheus.endpoint.enabled": "false",
}


@dataclass(frozen=True)
class Member:
    role: str
    name: str
    folder: str
    address: str
    ports: dict[str, int] = field(hash=False)

    def below(self, *names: str) -> str:
        return os.path.join(self.folder, *names)

    def place(self, port: str) -> str:
        return f"{self.address}:{self.ports[port]}"

    @property
    def http_url(self) -> str:
        """Where its JMX answers."""
        return "http://" + self.place("web" if self.role == "s3g" else "http")

    @property
    def service(self) -> str:
        """The suffix of its keys."""
        return f".{SERVICE if self.role == 'om' else SCM_SERVICE}.{self.name}"

    @property
    def current(self) -> str:
        return self.below("current")

    @property
    def log(self) -> str:
        return self.below("log")

    @property
    def pid_file(self) -> str:
        return self.below("pid")


def of_cluster(members: list[Member]) -> dict[str, str]:
    """What all processes have, servers and clients."""
    keys = ALL | QUICK | SMALL
    oms = [member for member in members if member.role == "om"]
    scms = [member for member in members if member.role == "scm"]
    keys[f"ozone.om.nodes.{SERVICE}"] = ",".join(om.name for om in oms)
    keys[f"ozone.scm.nodes.{SCM_SERVICE}"] = ",".join(scm.name for scm in scms)
    keys["ozone.scm.names"] = ",".join(scm.place("datanode") for scm in scms)
    for member in oms:
        keys |= _om(member)
    for member in scms:
        keys |= _scm(member)
    for member in members:
        if member.role == "recon":
            keys |= {"ozone.recon.address": member.place("datanode"),
                     "ozone.recon.http-address": member.place("http")}
    return keys


def _om(member: Member) -> dict[str, str]:
    return {
        "ozone.om.address" + member.service: member.address,
        "ozone.om.ratis.port" + member.service: str(member.ports["ratis"]),
        "ozone.om.http-address" + member.service: member.place("http"),
        "ozone.om.http-bind-host" + member.service: member.address,
    }


def _scm(member: Member) -> dict[str, str]:
    keys = {"ozone.scm.address" + member.service: member.address,
            "ozone.scm.http-address" + member.service: member.place("http"),
            "ozone.scm.http-bind-host" + member.service: member.address,
            "ozone.scm.ratis.port" + member.service: str(member.ports["ratis"]),
            "ozone.scm.grpc.port" + member.service: str(member.ports["grpc"])}
    for port, key in (("client", "client"), ("block", "block.client"), ("datanode", "datanode"),
                      ("security", "security.service")):
        keys[f"ozone.scm.{key}.address{member.service}"] = member.place(port)
        keys[f"ozone.scm.{key}.bind.host{member.service}"] = member.address
    return keys


def of_member(member: Member) -> dict[str, str]:
    """What only this process has: its folders, and a datanode's ports."""
    data = {name: member.below("data", name)
            for name in ("meta", "db", "ratis", "snapshot", "volume", "http")}
    keys = {"ozone.metadata.dirs": data["meta"], "ozone.http.basedir": data["http"]}
    return keys | {"scm": _own_scm, "om": _own_om, "datanode": _own_datanode, "recon": _own_recon,
                   "s3g": _own_s3g}[member.role](member, data)


def _own_scm(member: Member, data: dict[str, str]) -> dict[str, str]:
    return {"ozone.scm.node.id": member.name,
            "ozone.scm.db.dirs": data["db"],
            "ozone.scm.ha.ratis.storage.dir": data["ratis"],
            "ozone.scm.ha.ratis.snapshot.dir": data["snapshot"]}


def _own_om(member: Member, data: dict[str, str]) -> dict[str, str]:
    return {"ozone.om.node.id": member.name,
            "ozone.om.db.dirs": data["db"],
            "ozone.om.ratis.storage.dir": data["ratis"],
            "ozone.om.ratis.snapshot.dir": data["snapshot"]}


def _own_datanode(member: Member, data: dict[str, str]) -> dict[str, str]:
    ports = {"dfs.container.ratis.ipc": "ipc", "dfs.container.ipc": "container",
             "dfs.container.ratis.server.port": "server",
             "dfs.container.ratis.admin.port": "admin",
             "hdds.datanode.replication.port": "replication",
             "dfs.container.ratis.datastream.port": "stream",
             "hdds.datanode.client.port": "client"}
    return {key: str(member.ports[port]) for key, port in ports.items()} | {
        "dfs.datanode.hostname": member.address,
        "hdds.datanode.http-address": member.place("http"),
        "hdds.datanode.http-bind-host": member.address,
        "hdds.datanode.client.address": member.place("client"),
        "hdds.datanode.dir": data["volume"],
        "ozone.scm.datanode.id.dir": data["meta"],
        "dfs.container.ratis.datanode.storage.dir": data["ratis"]}


def _own_recon(member: Member, data: dict[str, str]) -> dict[str, str]:
    return {"ozone.recon.http-bind-host": member.address,
            "ozone.recon.datanode.address": member.place("datanode"),
            "ozone.recon.datanode.bind.host": member.address,
            "ozone.recon.db.dir": data["db"],
            "ozone.recon.om.db.dir": os.path.join(data["meta"], "om"),
            "ozone.recon.scm.db.dirs": os.path.join(data["meta"], "scm")}


def _own_s3g(member: Member, data: dict[str, str]) -> dict[str, str]:
    return {"ozone.s3g.http-address": member.place("http"),
            "ozone.s3g.http-bind-host": member.address,
            "ozone.s3g.webadmin.http-address": member.place("web"),
            "ozone.s3g.webadmin.http-bind-host": member.address}


# The files


def write_conf(folder: str, keys: dict[str, str], members: list[Member], level: str,
               environment: dict[str, str] | None = None) -> None:
    """Writes a conf folder; `environment` is for the distribution's script."""
    os.makedirs(folder, exist_ok=True)
    rows = "".join(f"<property><name>{key}</name><value>{value}</value></property>\n"
                   for key, value in sorted(keys.items()))
    # Java looks up every name here, and nowhere else: no member waits for a name server.
    names = {member.address: member.address for member in members} | {
        "127.0.0.1": f"localhost {socket.gethostname()}"}
    files = {"ozone-site.xml": f"<configuration>\n{rows}</configuration>\n",
             "log4j.properties": LOG.format(level=level),
             "hosts": "".join(f"{address} {name}\n" for address, name in names.items()),
             "ozone-env.sh": "".join(f"export {name}='{value}'\n"
                                     for name, value in (environment or {}).items())}
    for name, text in files.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)


LOG = """\
log4j.rootLogger={level},out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.target=System.err
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{{ISO8601}} [%t] %p %c: %m%n
"""
