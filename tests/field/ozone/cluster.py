"""A real Ozone cluster of plain processes on loopback, in one folder.

    with Cluster(base) as cluster:              # scm1 om1 dn1 dn2 dn3; folders made, none started
        cluster.install(releases.OLD)           # all release links; install(releases.NEW, "om1")
        cluster.initialise()                    # once; also starts everything
        cluster.wait_ready()
        cluster.client.put("vol1", "buck1", "key", b"content")
        cluster.ozone("admin", "om", "prepare", "--service-id=omservice")
        cluster.stop()
        cluster.install(releases.NEW)
        cluster.start(upgrade=True)             # OMs with --upgrade

    <base>/<member>/conf data tmp log pid current -> the release's folder
    <base>/cli/conf                             for the command line and clients

A member's process is `java @<base>/<member>/current/<role>.args`, run in the member's folder.
OMs listen on 127.x.y.1, .2 and .3, since all of them need the default port; all other ports are
any free ones. So several clusters can run at once.

Leaving the `with` ends every process that runs in the folder, whoever started it, also when this
process is killed. Which process is which member is always read from /proc, because drydock stops
and starts members too.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "common"))

import archives  # noqa: E402
import client  # noqa: E402
import cluster_file  # noqa: E402
import processes  # noqa: E402  (in ../common, like the next)
import releases  # noqa: E402
import settings  # noqa: E402
from limits import scaled  # noqa: E402
from machine import free_ports, is_free, tail, wait_until  # noqa: E402
from settings import Member  # noqa: E402

READY_SECONDS_MAX = scaled(120)
STOP_SECONDS_MAX = scaled(60)
COMMAND_SECONDS_MAX = scaled(180)
HTTP_SECONDS_MAX = scaled(3)

INFO = {"scm": "StorageContainerManager,name=StorageContainerManagerInfo",
        "om": "OzoneManager,name=OzoneManagerInfo",
        "datanode": "HddsDatanodeService,name=HddsDatanodeServiceInfo"}


@dataclass(frozen=True)
class Shape:
    """How many of each; `str()` names it."""
    scms: int = 1
    oms: int = 1
    datanodes: int = 3
    recon: bool = False
    s3g: bool = False

    def members(self) -> list[tuple[str, str]]:
        """(role, name) of each, in the order of a start."""
        return ([("scm", f"scm{i + 1}") for i in range(self.scms)]
                + [("datanode", f"dn{i + 1}") for i in range(self.datanodes)]
                + [("om", f"om{i + 1}") for i in range(self.oms)]
                + [("recon", "recon")] * self.recon + [("s3g", "s3g")] * self.s3g)

    def ports(self) -> int:
        return sum(len(settings.PORTS[role]) for role, _ in self.members())

    def __str__(self) -> str:
        return (f"{self.scms}-{self.oms}-{self.datanodes}" + "-recon" * self.recon
                + "-s3g" * self.s3g)


class Cluster:
    def __init__(self, base: str, shape: Shape = Shape(), ports: list[int] | None = None,
                 prefix: str = ""):
        """Makes the folders. `prefix`: the first three numbers of the addresses."""
        self.base = os.path.realpath(base)
        self.shape = shape
        chosen = ports or free_ports(shape.ports())
        prefix = prefix or free_prefix()
        self.members = {member.name: member for member in self._members(chosen, prefix)}
        self._write_conf()
        self.client = client.Client(self._cli())
        self.record = ""  # a folder: processes write there which classes they load
        self._started = 0
        self.on_close = contextlib.ExitStack()
        self._watch = processes.Watch(self.base)

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # Starting and stopping

    def install(self, release: str, *names: str) -> None:
        """Points members' release links to a release; running members are not touched."""
        folder = releases.ensure(release)[release]
        for member in self.chosen(names):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(member.current + ".new")
            os.symlink(folder, member.current + ".new")
            os.rename(member.current + ".new", member.current)

    def initialise(self) -> None:
        """Makes the cluster's first data with the installed release, and starts all members."""
        for member in self.of("scm"):
            self._first(member.name, "--init" if member.name == "scm1" else "--bootstrap")
            self.start(member.name)
            wait_until(lambda: self.scm_ready(member), READY_SECONDS_MAX,
                       lambda: f"{member.name} does not come up:\n" + self.log_end(member.name))
        for member in self.of("om"):
            self._first(member.name, "--init")
        self.start(*(name for name, member in self.members.items() if member.role != "scm"))

    def _first(self, name: str, argument: str) -> None:
        if self.once(name, argument) != 0:
            raise RuntimeError(f"{name} {argument} failed:\n{self.log_end(name)}")

    def once(self, name: str, *arguments: str) -> int:
        """Runs a member's program to its end, as for --init or a start that is refused; its exit
        code. What it says is in its log."""
        member = self.members[name]
        with open(member.log, "ab") as log:
            return subprocess.run([*self.command(member), *arguments], stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=log, cwd=member.folder,
                                  env=self._environment(member.role),
                                  timeout=READY_SECONDS_MAX).returncode

    def start(self, *names: str, upgrade: bool = False, downgrade: bool = False) -> None:
        """Starts members (all when none is named) without waiting for them; OMs with a flag."""
        flags = ["--upgrade"] * upgrade + ["--downgrade"] * downgrade
        for member in self.chosen(names):
            with open(member.log, "ab") as log:
                process = subprocess.Popen(
                    self.command(member) + (flags if member.role == "om" else []),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=member.folder,
                    start_new_session=True, env=self._environment(member.role))
            # Without a wait a member that drydock stops would stay as a zombie, and look alive.
            threading.Thread(target=process.wait, daemon=True).start()
            with open(member.pid_file, "w") as file:
                file.write(f"{process.pid}\n")

    def stop(self, *names: str) -> None:
        """SIGTERM, all at once, and waits until the processes are gone."""
        self._signal(names, signal.SIGTERM)

    def kill(self, *names: str) -> None:
        """kill -9, and waits until the processes are gone."""
        self._signal(names, signal.SIGKILL)

    @staticmethod
    def command(member: Member) -> list[str]:
        return ["java", f"@{member.current}/{member.role}.args"]

    def log_end(self, name: str, lines: int = 20) -> str:
        return "".join(tail(self.members[name].log, lines))

    def pid(self, name: str) -> int | None:
        """The pid of a member's process; None when there is none."""
        found = processes.running_in(self.members[name].folder, "java")
        return found[0] if found else None

    # Reading

    def jmx(self, name: str, bean: str) -> dict[str, Any] | None:
        """The first bean that answers to a name; None when the member does not."""
        url = f"{self.members[name].http_url}/jmx?qry=" + urllib.parse.quote(bean, safe=":=,*")
        with contextlib.suppress(OSError, urllib.error.URLError, ValueError):
            with urllib.request.urlopen(url, timeout=HTTP_SECONDS_MAX) as answer:
                beans = json.load(answer)["beans"]
                return beans[0] if beans else None
        return None

    def layouts(self, name: str) -> tuple[int, int] | None:
        """(on disk, of the software), as a running SCM, OM or datanode itself says."""
        kind = "OMLayout" if self.members[name].role == "om" else "HDDSLayout"
        bean = self.jmx(name, f"Hadoop:service=LayoutVersionManager,name={kind}VersionManager")
        return (bean["MetadataLayoutVersion"], bean["SoftwareLayoutVersion"]) if bean else None

    def layout_on_disk(self, name: str) -> int:
        """What the member's VERSION file says."""
        with open(self.version_file(name)) as file:
            return int(dict(line.strip().split("=", 1) for line in file
                            if "=" in line)["layoutVersion"])

    def version_file(self, name: str) -> str:
        return self.members[name].below("data", *{
            "scm": ("db", "scm", "current"), "om": ("db", "om", "current"),
            "datanode": ("meta", "dnlayoutversion")}[self.members[name].role], "VERSION")

    def version(self, name: str) -> str | None:
        """The release that a running SCM, OM or datanode says it is."""
        bean = self.jmx(name, f"Hadoop:service={INFO[self.members[name].role]},"
                              "component=ServerRuntime")
        return bean["SoftwareVersion"] if bean else None

    def prepared(self, name: str) -> bool:
        """Whether an OM has its prepare marker."""
        return os.path.exists(self.members[name].below("data", "meta", "current", "prepareMarker"))

    def nodes(self) -> dict[str, int]:
        """How many datanodes in service SCM has in each state, those with none left out."""
        for member in self.of("scm"):
            bean = self.jmx(member.name, "Hadoop:service=SCMNodeManager,name=SCMNodeManagerInfo")
            for state in bean["NodeCount"] if bean else []:
                if state["key"] == "IN_SERVICE":
                    return {each["key"]: each["value"] for each in state["value"] if each["value"]}
        return {}

    def safe_mode(self) -> bool | None:
        """Whether SCM is in safe mode; None when it does not answer."""
        found = [self.jmx(member.name, f"Hadoop:service={INFO['scm']},component=ServerRuntime")
                 for member in self.of("scm")]
        known = [bean["InSafeMode"] for bean in found if bean]
        return any(known) if known else None

    def status(self, role: str) -> str:
        """`finalizationstatus` of "scm" or "om"."""
        more = [f"--service-id={settings.SERVICE}"] if role == "om" else []
        return self.ozone("admin", role, "finalizationstatus", *more).stdout.strip()

    # Waiting

    def scm_ready(self, member: Member) -> bool:
        return not is_free(member.ports["client"], member.address) \
            and self.layouts(member.name) is not None

    def wait_ready(self, within: float = READY_SECONDS_MAX) -> None:
        """Until SCM is out of safe mode with all datanodes, and every OM serves."""
        wait_until(lambda: self.safe_mode() is False
                   and sum(self.nodes().values()) == self.shape.datanodes, within,
                   lambda: f"safe mode {self.safe_mode()}, datanodes {self.nodes()}", every=0.1)
        wait_until(lambda: all(self.layouts(om.name) for om in self.of("om")), within,
                   lambda: "an OM does not answer", every=0.1)
        wait_until(self._om_leads, within, lambda: "no OM leads", every=0.1)

    def wait_nodes(self, within: float = READY_SECONDS_MAX, **wanted: int) -> None:
        """Until SCM counts its datanodes like this: wait_nodes(HEALTHY=3)."""
        wait_until(lambda: self.nodes() == wanted, within, lambda: f"{self.nodes()}", every=0.1)

    def _om_leads(self) -> bool:
        """A read through the client needs a leader that serves."""
        try:
            self.client.keys("any-volume", "any-bucket")
        except client.Refused as refused:
            return refused.code == "VOLUME_NOT_FOUND"
        return True

    # The command line

    def ozone(self, *words: str, within: float = COMMAND_SECONDS_MAX) \
            -> subprocess.CompletedProcess[str]:
        """Runs `ozone admin ...`, `ozone sh ...`, `ozone freon ...` of OM's release."""
        command = self.ozone_command() + list(words)
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=within, env=self._environment("cli"), cwd=self._cli())

    def ozone_command(self) -> list[str]:
        return [os.path.join(self.members["om1"].current, "bin", "ozone"), "--config",
                os.path.join(self._cli(), "conf")]

    def prepare(self) -> subprocess.CompletedProcess[str]:
        return self.ozone("admin", "om", "prepare", f"--service-id={settings.SERVICE}",
                          "--transaction-apply-check-interval=1")

    def finalize(self, role: str, within: float = COMMAND_SECONDS_MAX) \
            -> subprocess.CompletedProcess[str]:
        more = [f"--service-id={settings.SERVICE}"] if role == "om" else []
        return self.ozone("admin", role, "finalizeupgrade", *more, within=within)

    # For drydock

    def write_cluster_file(self, *names: str, daemon: bool = False, soak: str = "0s") -> str:
        """Writes <base>/cluster.yaml for these releases (OLD and NEW when none is); its path."""
        return cluster_file.write(self.base, list(self.members.values()),
                                  names or (releases.OLD, releases.NEW), daemon, soak)

    # Ending

    def reap(self) -> list[int]:
        """Ends every process of the folder, whoever started it; their pids."""
        return processes.end_all(self.base)

    def close(self, keep_running: bool = False) -> None:
        """Ends everything, or leaves it all running for a person to play with."""
        self.client.close()
        if not keep_running:
            self.reap()
        self._watch.stop()
        self.on_close.close()

    def of(self, role: str) -> list[Member]:
        return [member for member in self.members.values() if member.role == role]

    def chosen(self, names: tuple[str, ...]) -> list[Member]:
        return [self.members[name] for name in names or self.members]

    def _members(self, ports: list[int], prefix: str) -> list[Member]:
        left, made = iter(ports), []
        for role, name in self.shape.members():
            number = int(name[-1]) if role in ("scm", "om") else 1
            made.append(Member(role, name, os.path.join(self.base, name), f"{prefix}.{number}",
                               {port: next(left) for port in settings.PORTS[role]}))
        return made

    def _write_conf(self) -> None:
        members = list(self.members.values())
        common = settings.of_cluster(members)
        for member in members:
            os.makedirs(member.below("tmp"), exist_ok=True)
            os.makedirs(member.below("data"), exist_ok=True)
            settings.write_conf(member.below("conf"), common | settings.of_member(member), members,
                                "INFO", _script(member.folder))
        os.makedirs(os.path.join(self._cli(), "tmp"), exist_ok=True)
        settings.write_conf(os.path.join(self._cli(), "conf"), common, members, "ERROR",
                            _script(self._cli()))

    def _environment(self, role: str) -> dict[str, str]:
        self._started += 1
        kept = {name: os.environ[name] for name in ("PATH", "JAVA_HOME") if name in os.environ}
        return kept | (archives.recording(self.record, role, self._started) if self.record else {})

    def _cli(self) -> str:
        return os.path.join(self.base, "cli")

    def _signal(self, names: tuple[str, ...], number: int) -> None:
        pids = {member.name: pid for member in self.chosen(names)
                if (pid := self.pid(member.name))}
        for pid in pids.values():
            processes.send(pid, number)
        for name, pid in pids.items():
            wait_until(lambda: not processes.command_line(pid), STOP_SECONDS_MAX,
                       lambda: f"{name} (pid {pid}) does not end")


def free_prefix() -> str:
    """Three numbers of an address on loopback where no OM listens."""
    while not is_free_prefix(prefix := f"127.78.{random.randrange(1, 255)}"):
        pass
    return prefix


def is_free_prefix(prefix: str) -> bool:
    return all(is_free(settings.OM_PORT, f"{prefix}.{number}") for number in (1, 2, 3))


def _script(folder: str) -> dict[str, str]:
    """What the distribution's script reads from ozone-env.sh."""
    return {"OZONE_PID_DIR": folder, "OZONE_LOG_DIR": folder,
            "OZONE_OPTS": f"-Djava.io.tmpdir={folder}/tmp"}
