"""The root file system of the hosts: a small Debian 12 with systemd, sshd and sudo, made once.

    <cache>/hosts/bookworm-<digest of what is in it>/

debootstrap makes it from the mirror that this machine's apt uses. It is never written to: each host
lays its own folder over it. Several processes may call ensure() at once.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

import debian
from limits import scaled

PACKAGES = ["systemd", "systemd-sysv", "dbus", "openssh-server", "iproute2", "nftables", "sudo",
            "ca-certificates"]
SUITE = "bookworm"
ACCOUNT = "deploy"  # who logs in: no root, but sudo without a password
DEBOOTSTRAP_SECONDS_MAX = scaled(600)


def folder() -> str:
    digest = hashlib.sha256("\n".join(PACKAGES + settings()).encode()).hexdigest()[:12]
    return os.path.join(debian.cache_folder("hosts"), f"{SUITE}-{digest}")


def ensure() -> str:
    """The folder of the tree; makes it if it is missing. Raises debian.Unavailable."""
    if os.path.isdir(folder()):
        return folder()
    cache = debian.cache_folder("hosts")
    os.makedirs(cache, exist_ok=True)
    with open(os.path.join(cache, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(folder()):
            _make(os.path.join(cache, "part"))
    return folder()


def _make(part: str) -> None:
    shutil.rmtree(part, ignore_errors=True)  # of an attempt that was killed
    if not shutil.which("debootstrap"):
        raise debian.Unavailable("debootstrap is not installed: ./dev setup")
    print("the hosts' root tree is made once, in a minute or more ...", file=sys.stderr, flush=True)
    _run(["debootstrap", "--variant=minbase", "--include=" + ",".join(PACKAGES), SUITE, part,
          debian.mirror([SUITE])])
    for command in settings():
        _run(["chroot", part, "sh", "-euc", command])
    os.rename(part, folder())


def settings() -> list[str]:
    """What is done to a fresh tree: as root, inside of it."""
    return [
        # All hosts share the machine's consoles and clock.
        "systemctl mask console-getty.service getty@tty1.service systemd-timesyncd.service",
        "systemctl disable apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer",
        "printf '127.0.0.1 localhost\\n' > /etc/hosts",
        f"useradd --create-home --shell /bin/bash {ACCOUNT}",
        f"echo '{ACCOUNT} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{ACCOUNT}",
        # Each host makes its own keys. Without UseDNS no login waits for a name server.
        "rm -f /etc/ssh/ssh_host_*",
        "printf 'UseDNS no\\nMaxStartups 100\\n' > /etc/ssh/sshd_config.d/test.conf",
        "rm -f /var/cache/apt/archives/*.deb",
    ]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEBOOTSTRAP_SECONDS_MAX,
                          env=debian.environment(), stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        last = "\n  ".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise debian.Unavailable(f"`{command[0]}` failed:\n  {last}")
