"""Real etcd releases side by side, for tests and the demo, without touching the system.

Debian 12 ships etcd 3.4, Debian 13 ships 3.5; both run on either. `ensure()` downloads the packages
from the mirror that this machine's apt uses, with apt's own signature checks but its own lists and
cache, and unpacks the programs into the cache folder:

    <cache>/etcd-3.4.23/{etcd,etcdctl}        <cache>/3.4 -> etcd-3.4.23
    <cache>/etcd-3.5.16/{etcd,etcdctl,...}    <cache>/3.5 -> etcd-3.5.16

The versions are what `etcd --version` says, so a newer patch release on the mirror is fine. A second
call only reads two links. Several processes may call it at once.
"""

import fcntl
import glob
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "common"))

import debian  # noqa: E402  (in ../common)
from debian import Unavailable  # noqa: E402

SUITES = {"3.4": "bookworm", "3.5": "trixie"}  # series of etcd -> Debian suite that ships it
PACKAGES = ["etcd-server", "etcd-client"]
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
DOWNLOAD_SECONDS_MAX = 300


def cache_folder() -> str:
    """Where releases and prepared clusters are kept, shared by all clones of one user."""
    return debian.cache_folder("etcd")


def cached() -> dict[str, str]:
    """Series -> folder of its release, for those that are already there."""
    cache = cache_folder()
    links = {series: os.path.join(cache, series) for series in SUITES}
    return {series: os.path.realpath(link) for series, link in links.items()
            if os.access(os.path.join(link, "etcd"), os.X_OK)}


def ensure() -> dict[str, str]:
    """Series -> folder of its release; downloads what is missing. Raises Unavailable."""
    found = cached()
    if len(found) == len(SUITES):
        return found
    os.makedirs(cache_folder(), exist_ok=True)
    with open(os.path.join(cache_folder(), "releases.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for series, suite in SUITES.items():
            if series not in cached():
                _install(series, suite)
    return cached()


def version_of(folder: str) -> str:
    """The version of the release in a folder, by its name (which is what `etcd --version` said)."""
    return os.path.basename(os.path.realpath(folder)).removeprefix("etcd-")


def _install(series: str, suite: str) -> None:
    for left in glob.glob(os.path.join(cache_folder(), "part-*")):  # by a download that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="part-", dir=cache_folder()) as work:
        print(f"etcd {series}: downloading from {suite} ...", file=sys.stderr, flush=True)
        _download(work, suite)
        programs = os.path.join(work, "root", "usr", "bin")
        version = _ask_version(os.path.join(programs, "etcd"))
        if not version.startswith(series + "."):
            raise Unavailable(f"{suite} ships etcd {version}, and {series} is needed.\n"
                              "  Put an older mirror into the machine's apt sources.")
        name = f"etcd-{version}"
        shutil.rmtree(os.path.join(cache_folder(), name), ignore_errors=True)
        os.rename(programs, os.path.join(cache_folder(), name))
        os.symlink(name, os.path.join(work, "link"))
        os.rename(os.path.join(work, "link"), os.path.join(cache_folder(), series))


def _download(work: str, suite: str) -> None:
    mirror = debian.mirror(list(SUITES.values()))
    for folder in ("lists/partial", "cache/archives/partial", "parts", "root"):
        os.makedirs(os.path.join(work, folder))
    open(os.path.join(work, "status"), "w").close()
    with open(os.path.join(work, "sources.list"), "w") as file:
        file.write(f"deb [signed-by={KEYRING}] {mirror} {suite} main\n")
    apt = ["apt-get", "-q", "-c", _apt_settings(work)]
    _run(apt + ["update"], work, mirror)
    _run(apt + ["download"] + PACKAGES, work, mirror)
    for package in (name for name in os.listdir(work) if name.endswith(".deb")):
        _run(["dpkg", "-x", package, "root"], work, mirror)


def _apt_settings(work: str) -> str:
    """A settings file for apt that keeps it inside `work` and switches the machine's hooks off."""
    path = os.path.join(work, "apt.conf")
    with open(path, "w") as file:
        file.write(f'Dir::Etc::sourcelist "{work}/sources.list";\n'
                   f'Dir::Etc::sourceparts "{work}/parts";\n'
                   f'Dir::Etc::preferencesparts "{work}/parts";\n'
                   f'Dir::State::lists "{work}/lists";\n'
                   f'Dir::State::status "{work}/status";\n'
                   f'Dir::Cache "{work}/cache";\n'
                   'Acquire::Languages "none";\n'
                   'Acquire::Retries "2";\n'
                   'Acquire::http::Timeout "20";\n'
                   'APT::Sandbox::User "";\n'  # the cache is in a home folder, closed to _apt
                   "#clear APT::Update::Post-Invoke;\n"
                   "#clear APT::Update::Post-Invoke-Success;\n")
    return path


def _run(command: list[str], work: str, mirror: str) -> None:
    try:
        done = subprocess.run(command, cwd=work, capture_output=True, text=True,
                              timeout=DOWNLOAD_SECONDS_MAX, env=debian.environment())
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{mirror} did not deliver within {DOWNLOAD_SECONDS_MAX} s.\n"
                          "  Try again, or put a nearer mirror into the apt sources.") from None
    # apt-get update exits 0 with only warnings when nothing could be fetched.
    failed = [line for line in done.stderr.splitlines() if line.startswith(("E:", "Err:"))
              or "Failed to fetch" in line]
    if done.returncode != 0 or failed:
        raise Unavailable(f"`{' '.join(command[:1] + command[-1:])}` failed with mirror {mirror}:\n  "
                          + "\n  ".join(failed or [done.stderr.strip() or "no message"])
                          + "\n  Check that the mirror in the machine's apt sources is reachable.")


def _ask_version(program: str) -> str:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20)
    return answer.stdout.split("\n")[0].removeprefix("etcd Version:").strip()


def main() -> int:
    try:
        for folder in ensure().values():
            print(folder)
    except Unavailable as error:
        print(f"The etcd releases are not to be had: {error}", file=sys.stderr)
        return 1
    return 0
