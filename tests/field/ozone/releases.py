"""Real Ozone releases side by side, for tests and the demo, without touching the system.

The jars come from the Maven repository that this machine's `mvn` is configured for, each checked
against its digest in jars.txt, once, into the cache folder. The class path of each role is the one
that the release itself says: every role's jar has it inside, as <artifactId>.classpath. So nothing
is left to Maven's own choice of versions, and no parent POM is needed.

    <cache>/jars/*.jar                       of all releases, 330 MB
    <cache>/2.2.1/                           a release as it is: layouts HDDS 10, OM 9
    <cache>/2.2.0+h4o3/                      2.2.0 that is held to the layouts HDDS 4, OM 3
    <cache>/<release>/bin/ozone              the command line, and `ozone --daemon`
    <cache>/<release>/bin/ozone-om           a role in the foreground; also -scm -datanode ...
    <cache>/<release>/om.args                its Java arguments: `java @<release>/om.args`

A release before 2.2.0 is not to be had as jars. "2.2.0+h4o3" stands for one: two small classes of
ours (layout/) before its jars let it know only the features up to these layouts, which are those
that 1.3.0 has, and say so when they are asked for their version. Everything else is 2.2.0 as
shipped. As a version it sorts before 2.2.0.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from xml.sax.saxutils import escape

HERE = os.path.dirname(os.path.abspath(__file__))
OLD, NEW = "2.2.0+h4o3", "2.2.1"
BETWEEN = "2.2.0+h7o6"  # as 1.4.1 has them: for two hops
LAYOUTS = {"2.2.0": (10, 9), "2.2.1": (10, 9)}  # what the releases have when nothing holds them
NAME = re.compile(r"(\d+\.\d+\.\d+)(?:\+h(\d+)o(\d+))?$")
FETCH_SECONDS_MAX = 900
COPY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:2.10:copy"


@dataclass(frozen=True)
class Role:
    artifacts: tuple[str, ...]  # whose lists are its class path, the first one's jar first
    main: str
    heap: str


ROLES = {
    "scm": Role(("hdds-server-scm",),
                "org.apache.hadoop.hdds.scm.server.StorageContainerManagerStarter", "512m"),
    "om": Role(("ozone-manager",), "org.apache.hadoop.ozone.om.OzoneManagerStarter", "768m"),
    "datanode": Role(("ozone-datanode",), "org.apache.hadoop.ozone.HddsDatanodeService", "512m"),
    "recon": Role(("ozone-recon",), "org.apache.hadoop.ozone.recon.ReconServer", "512m"),
    "s3g": Role(("ozone-s3gateway",), "org.apache.hadoop.ozone.s3.Gateway", "512m"),
    "cli": Role(("ozone-cli-admin", "ozone-cli-shell", "ozone-freon"), "", "256m"),
}

# For Java 17, as the distribution's own script has them; then what makes a start quick.
FLAGS = """\
--add-opens java.base/java.lang=ALL-UNNAMED
--add-opens java.base/java.lang.reflect=ALL-UNNAMED
--add-opens java.base/java.nio=ALL-UNNAMED
--add-opens java.management/com.sun.jmx.mbeanserver=ALL-UNNAMED
--add-exports java.management/com.sun.jmx.mbeanserver=ALL-UNNAMED
-Dorg.apache.ratis.thirdparty.io.netty.tryReflectionSetAccessible=true
-Dorg.apache.ratis.thirdparty.io.netty.allocator.useCacheForAllThreads=false
-Djava.net.preferIPv4Stack=true
-XX:+UseSerialGC
-XX:TieredStopAtLevel=1
-XX:-UsePerfData
"""


class Unavailable(Exception):
    """The releases are neither cached nor to be had; the text says why and what helps."""


def cache_folder() -> str:
    """Where releases and saved clusters are kept, shared by all clones of one user."""
    top = os.environ.get("DRYDOCK_CACHE") or os.environ.get("XDG_CACHE_HOME")
    return os.path.join(os.path.abspath(top or os.path.expanduser("~/.cache")), "drydock", "ozone")


def ensure(*names: str) -> dict[str, str]:
    """Release -> its folder, for those named (OLD and NEW when none is). Raises Unavailable."""
    wanted = names or (OLD, NEW)
    folders = {name: os.path.join(cache_folder(), name) for name in wanted}
    made_from = digest()
    missing = [name for name in wanted if _read(os.path.join(folders[name], "made")) != made_from]
    if missing:
        os.makedirs(cache_folder(), exist_ok=True)
        with open(os.path.join(cache_folder(), "releases.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _fetch_jars()
            for name in missing:
                _make(name, made_from)
    return folders


def layouts(name: str) -> tuple[int, int]:
    """The layouts (HDDS, OM) of a release's software."""
    base, hdds, om = _parts(name)
    most = LAYOUTS[base]
    return (int(hdds or most[0]), int(om or most[1]))


def class_path(name: str, role: str) -> list[str]:
    """The jars of a role, in the order that the release itself gives them."""
    base, hdds, _ = _parts(name)
    found: list[str] = [os.path.join(cache_folder(), name, "layout.jar")] if hdds else []
    for artifact in ROLES[role].artifacts:
        own = _jar(f"{artifact}-{base}")
        with zipfile.ZipFile(own) as archive:
            text = archive.read(f"{artifact}.classpath").decode().strip()
        listed = [_jar(os.path.basename(entry).removesuffix(".jar"))
                  for entry in text.removeprefix("classpath=").split(":")]
        found += [jar for jar in [own, *listed] if jar not in found]
    return found


def _jar(name: str) -> str:
    return os.path.join(cache_folder(), "jars", name + ".jar")


def _parts(name: str) -> tuple[str, str | None, str | None]:
    match = NAME.match(name)
    if not match or match[1] not in LAYOUTS:
        raise Unavailable(f'there is no Ozone release "{name}" here; there are '
                          f'{" and ".join(LAYOUTS)}, each also held to older layouts, as in {OLD}')
    return match[1], match[2], match[3]


# A release's folder


def _make(name: str, made_from: str) -> None:
    """Puts a release together beside its place, and then there in one go: one may be in use."""
    base, hdds, _ = _parts(name)
    folder = os.path.join(cache_folder(), name)
    with tempfile.TemporaryDirectory(prefix="part-", dir=cache_folder()) as work:
        new = os.path.join(work, "new")
        os.makedirs(os.path.join(new, "bin"))
        if hdds:
            _make_layout(name, os.path.join(new, "layout.jar"), base)
        compile_java(os.path.join(HERE, "client"), os.path.join(work, "client"),
                     class_path(name, "cli"))
        run(["jar", "--create", "--file", os.path.join(new, "client.jar"),
             "-C", os.path.join(work, "client"), "."])
        shutil.copy(os.path.join(HERE, "ozone.sh"), os.path.join(new, "bin", "ozone"))
        for role in ROLES:
            _make_role(name, new, role)
        _write(os.path.join(new, "made"), made_from)
        if os.path.exists(folder):
            os.rename(folder, os.path.join(work, "old"))
        os.rename(new, folder)


def _make_role(name: str, folder: str, role: str) -> None:
    # In a distribution all jars lie in the release's folder. Here one does, for those that are only
    # known by the files that they have open.
    own = [os.path.join(cache_folder(), name, "client.jar")] if role in ("recon", "s3g") else []
    path = ":".join([*own, *class_path(name, role)])
    flags = f"{FLAGS}-Xmx{ROLES[role].heap}\n" \
            f"-XX:SharedArchiveFile={_quoted(archive(name, role))}\n"
    if "+" in name:
        hdds, om = layouts(name)
        flags += f"-Ddrydock.layout.hdds={hdds}\n-Ddrydock.layout.om={om}\n"
    _write(os.path.join(folder, f"{role}.cp"), path + "\n")
    _write(os.path.join(folder, f"{role}.flags"), flags)
    if role != "cli":
        _write(os.path.join(folder, f"{role}.main"), ROLES[role].main + "\n")
        _write(os.path.join(folder, f"{role}.args"), ARGUMENTS.format(
            flags=flags, path=_quoted(path + ":conf"), main=ROLES[role].main))
        program = os.path.join(folder, "bin", f"ozone-{role}")
        _write(program, LAUNCHER.format(role=role))
        os.chmod(program, 0o755)


def archive(name: str, role: str) -> str:
    """The class data archive of a role, which is used if it is there."""
    return os.path.join(cache_folder(), "archives", name, f"{role}.jsa")


def _make_layout(name: str, jar: str, base: str) -> None:
    """Makes the jar that holds a release to older layouts and gives it its own version."""
    known = class_path(base, "om") + class_path(base, "scm")
    with tempfile.TemporaryDirectory(prefix="part-", dir=cache_folder()) as work:
        compile_java(os.path.join(HERE, "layout"), work, known)
        for source, file in (("hdds-common", "hdds-version-info.properties"),
                             ("ozone-common", "ozone-version-info.properties")):
            with zipfile.ZipFile(_jar(f"{source}-{base}")) as archive_of_it:
                text = archive_of_it.read(file).decode()
            _write(os.path.join(work, file), text.replace(f"version={base}", f"version={name}"))
        run(["jar", "--create", "--date=2026-01-01T00:00:00Z", "--file", jar, "-C", work, "."])
    # Java takes an archive for another jar's by the time: the same content gets the same time.
    with open(jar, "rb") as file:
        stamp = int(hashlib.file_digest(file, "sha256").hexdigest()[:7], 16)
    os.utime(jar, (stamp, stamp))


def compile_java(sources: str, folder: str, known: list[str]) -> None:
    """Compiles a folder of Java files of ours, against the jars given."""
    files = [os.path.join(sources, file) for file in sorted(os.listdir(sources))]
    run(["javac", "-nowarn", "-d", folder, "-cp", ":".join(known), *files])


def run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except OSError as error:
        raise Unavailable(f"{command[0]} does not run here: {error}.\n"
                          "  ./dev setup installs a Java development kit.") from error
    if done.returncode != 0:
        raise Unavailable(f"{command[0]} failed:\n  {done.stdout.strip()[:2000]}")


def digest() -> str:
    """What the releases' folders were made from."""
    made_from = hashlib.sha256(cache_folder().encode())
    java = [f"{folder}/{name}" for folder in ("client", "layout")
            for name in sorted(os.listdir(os.path.join(HERE, folder)))]
    for name in ["jars.txt", "ozone.sh", "releases.py", *java]:
        with open(os.path.join(HERE, name), "rb") as file:
            made_from.update(file.read())
    return made_from.hexdigest()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _read(path: str) -> str:
    with contextlib.suppress(OSError), open(path) as file:
        return file.read()
    return ""


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


# A role's arguments, for a process that runs in its member's folder, which has conf/ and tmp/. The
# folder conf comes last: a class data archive needs jars first.
ARGUMENTS = """\
{flags}-Djava.io.tmpdir=tmp
-Djdk.net.hosts.file=conf/hosts
-Dlog4j.configuration=file:conf/log4j.properties
-cp {path}
{main}
"""

LAUNCHER = """\
#!/bin/sh
# Runs in the member's folder, which has conf/ and tmp/.
exec java "@$(dirname "$(dirname "$(readlink -f "$0")")")/{role}.args" "$@"
"""

# The jars


def _fetch_jars() -> None:
    wanted = _wanted()
    folder = os.path.join(cache_folder(), "jars")
    if all(os.path.exists(os.path.join(folder, jar)) for jar in wanted):
        return
    for left in os.listdir(cache_folder()):  # by a download that was killed
        if left.startswith("part-"):
            shutil.rmtree(os.path.join(cache_folder(), left), ignore_errors=True)
    print("ozone: downloading 330 MB of jars ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="part-", dir=cache_folder()) as work:
        _download(work, [coordinate for coordinate, _ in wanted.values()])
        for jar, (coordinate, digest) in wanted.items():
            with open(os.path.join(work, "jars", jar), "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    raise Unavailable(f"{coordinate} is not the file that jars.txt names.\n"
                                      "  See what the machine's Maven repository gives out.")
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(os.path.join(work, "jars"), folder)


def _wanted() -> dict[str, tuple[str, str]]:
    """Name of each jar -> (group:artifact:version[:classifier], its SHA-256)."""
    wanted = {}
    with open(os.path.join(HERE, "jars.txt")) as file:
        for line in file:
            coordinate, digest = line.split()
            _, artifact, version, *classifier = coordinate.split(":")
            wanted["-".join([artifact, version, *classifier]) + ".jar"] = (coordinate, digest)
    return wanted


def _download(work: str, coordinates: list[str]) -> None:
    """Copies the jars to work/jars; only they are asked for, no POM and nothing they depend on."""
    pom = os.path.join(work, "pom.xml")
    with open(pom, "w") as file:
        file.write(POM.format(folder=escape(os.path.join(work, "jars")),
                              items="\n".join(map(_item, coordinates))))
    command = ["mvn", "-B", "-q", "-ntp", f"-Dmaven.repo.local={work}/repository", "-f", pom,
               COPY_PLUGIN]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=FETCH_SECONDS_MAX)
    except OSError as error:
        raise Unavailable(f"mvn does not run here: {error}.\n  ./dev setup installs it.") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"the jars did not come in {FETCH_SECONDS_MAX} s") from error
    if done.returncode != 0:
        failed = [line for line in done.stdout.splitlines() if "ERROR" in line][:3]
        raise Unavailable("mvn could not fetch the jars:\n  " + "\n  ".join(failed)
                          + "\n  Check what repository the machine's Maven settings name.")


def _item(coordinate: str) -> str:
    names = ("groupId", "artifactId", "version", "classifier")
    fields = "".join(f"<{name}>{value}</{name}>"
                     for name, value in zip(names, coordinate.split(":")))
    return f"<artifactItem>{fields}</artifactItem>"


POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>drydock</groupId><artifactId>ozone-jars</artifactId><version>1</version>
<packaging>pom</packaging>
<build><plugins><plugin>
<groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId>
<version>2.10</version>
<configuration><outputDirectory>{folder}</outputDirectory><artifactItems>
{items}
</artifactItems></configuration>
</plugin></plugins></build></project>
"""


def main() -> int:
    try:
        for folder in ensure(*sys.argv[1:]).values():
            print(folder)
    except Unavailable as error:
        print(f"The Ozone releases are not to be had: {error}", file=sys.stderr)
        return 1
    return 0
