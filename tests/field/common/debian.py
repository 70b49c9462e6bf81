"""The Debian mirror that this machine's apt uses, for tests that download packages by themselves."""

import os
import subprocess

from limits import scaled


class Unavailable(Exception):
    """What a test needs is neither cached nor to be had; the text says why and what helps."""


def cache_folder(name: str) -> str:
    """The folder of that name in the cache, which all clones of one user share."""
    top = os.environ.get("DRYDOCK_CACHE") or os.environ.get("XDG_CACHE_HOME")
    return os.path.join(os.path.abspath(top or os.path.expanduser("~/.cache")), "drydock", name)


def environment() -> dict[str, str]:
    return os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}


def mirror(suites: list[str]) -> str:
    """The mirror of the machine's own apt sources, whatever form they are written in."""
    try:
        listing = subprocess.run(["apt-get", "update", "--print-uris"], capture_output=True,
                                 text=True, timeout=scaled(60), env=environment())
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"apt-get does not run here: {error}.\n  What the test needs comes as "
                          "Debian packages; use a Debian machine.") from error
    archives = [line.split("'")[1].split("/dists/", 1) for line in listing.stdout.splitlines()
                if line.startswith("'") and "/dists/" in line]
    main = [(server, suite.split("/")[0]) for server, suite in archives
            if "-" not in suite.split("/")[0]]  # not -security, -updates, -backports
    debian = [server for server, suite in main if suite in suites] or \
             [server for server, _ in main if server.rstrip("/").endswith("debian")]
    if not debian:
        raise Unavailable("No Debian mirror is in this machine's apt sources.\n  Add one to "
                          "/etc/apt/sources.list.d, such as the line\n"
                          "  deb http://MIRROR/debian bookworm main")
    return debian[0]
