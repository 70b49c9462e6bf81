"""Trees of files with everything that a copier can lose, and what Python itself sees in a tree."""

import array
import fcntl
import hashlib
import os
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import unittest
from typing import Any

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path += [os.path.join(ROOT, "tests", "e2e"), os.path.join(ROOT, "tests", "field", "common")]

from program import Run, require_program, run_drydock  # noqa: E402,F401  (found by the line above)

FS_IOC_GETFLAGS, FS_IOC_SETFLAGS = 0x80086601, 0x40086602
IMMUTABLE, APPEND, NODUMP = 0x10, 0x20, 0x40
KEPT_FLAGS = IMMUTABLE | APPEND | NODUMP
OLD, FAR = -2_000_000_000, 13_569_465_600  # in 1906 and 2400


def require_root() -> None:
    if os.geteuid() != 0:
        raise unittest.SkipTest("owners and devices need root")


class TreeCase(unittest.TestCase):
    """A scratch folder, in which drydock keeps its state, too; `source` and `target` are not there yet."""

    def setUp(self) -> None:
        require_program()
        self.scratch = tempfile.mkdtemp(prefix="drydock-tree-")
        self.addCleanup(self.clean)
        self.source = os.path.join(self.scratch, "source")
        self.target = os.path.join(self.scratch, "target")

    def clean(self) -> None:
        clear_flags(self.scratch)
        subprocess.run(["rm", "-rf", self.scratch], check=False)  # rmtree knows no long paths

    def drydock(self, *words: str) -> Run:
        return run_drydock(list(words), self.scratch,
                           {"XDG_STATE_HOME": os.path.join(self.scratch, "state")})


def flags_of(path: str) -> int:
    if os.path.islink(path) or not (os.path.isdir(path) or os.path.isfile(path)):
        return 0
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return all_flags(file) & KEPT_FLAGS
    except OSError:
        return 0
    finally:
        os.close(file)


def all_flags(file: int) -> int:
    flags = array.array("i", [0])
    fcntl.ioctl(file, FS_IOC_GETFLAGS, flags)
    return flags[0]


def set_flags(path: str, flags: int) -> None:
    """The others stay: they tell how the file system keeps the file."""
    file = os.open(path, os.O_RDONLY)
    try:
        others = all_flags(file) & ~KEPT_FLAGS
        fcntl.ioctl(file, FS_IOC_SETFLAGS, array.array("i", [others | flags]))
    finally:
        os.close(file)


def clear_flags(root: str) -> None:
    """An immutable entry could not be removed."""
    for folder, _, files in os.walk(root):
        for path in [folder] + [os.path.join(folder, name) for name in files]:
            if flags_of(path):
                set_flags(path, 0)


def write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def acl(user: int) -> bytes:
    """user::rw-, user:USER:rwx, group::r--, mask::rwx, other::---, as the kernel has it."""
    entries = [(1, 6, 0xFFFFFFFF), (2, 7, user), (4, 4, 0xFFFFFFFF), (0x10, 7, 0xFFFFFFFF),
               (0x20, 0, 0xFFFFFFFF)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def make_edge_tree(root: str) -> None:
    """Times are set last, folders behind what is in them."""
    os.makedirs(os.path.join(root, "sub/inner"))
    os.makedirs(os.path.join(root, "locked"))

    def at(*parts: str) -> str:
        return os.path.join(root, *parts)
    write(at("plain"), b"content")
    write(at("empty"), b"")
    write(at("middle"), os.urandom(3 << 20))
    write(at("large"), os.urandom((40 << 20) + 17))
    os.link(at("plain"), at("sub/second name"))
    os.link(at("plain"), at("sub/inner/third name"))
    for name in (b"new\nline", b"\xff\xfe", b"-dash", b" space ", b"back\\slash", b"quote\"",
                 "é".encode(), b"e\xcc\x81", b"n" * 255):
        write(os.path.join(os.fsencode(root), name), name)
    for name in ("Case", "case"):
        write(at("sub", name), name.encode())
    with open(at("hole in the middle"), "wb") as file:
        file.write(b"a" * 4096)
        file.seek(8 << 20)
        file.write(b"b" * 4096)
    with open(at("all hole"), "wb") as file:
        file.truncate(64 << 20)
    with open(at("hole at the end"), "wb") as file:
        file.write(b"c" * 5000)
        file.truncate((1 << 44) - 4096)  # the most that ext4 holds
    os.symlink("nowhere", at("dangling"))
    os.symlink("/etc/passwd", at("outside"))
    os.symlink("x" * 1000, at("long link"))
    os.mkfifo(at("fifo"), 0o640)
    server = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(root)  # the path of a socket is short
    server.bind("socket")
    os.chdir(here)
    server.close()
    os.mknod(at("null"), 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(at("block"), 0o600 | stat.S_IFBLK, os.makedev(7, 200))
    write(at("setuid"), b"#!")
    os.chown(at("setuid"), 12345, 54321)
    os.chmod(at("setuid"), 0o6755)
    write(at("capable"), b"x")
    os.setxattr(at("capable"), "security.capability",
                struct.pack("<IIIII", 0x02000001, 0x2000, 0, 0, 0))
    write(at("with acl"), b"x")
    os.setxattr(at("with acl"), "system.posix_acl_access", acl(4711))
    os.setxattr(at("sub"), "system.posix_acl_default", acl(4712))
    write(at("sub/under default acl"), b"x")
    write(at("attributes"), b"x")
    os.setxattr(at("attributes"), "user.text", b"value")
    os.setxattr(at("attributes"), "user.binary", bytes(range(256)))
    os.setxattr(at("attributes"), "trusted.secret", b"")
    os.setxattr(at("dangling"), "trusted.link", b"on a link", follow_symlinks=False)
    os.lchown(at("dangling"), 7, 8)
    deep = os.open(root, os.O_RDONLY)
    for _ in range(30):  # 6,000 bytes: longer than a path may be
        os.mkdir("d" * 200, dir_fd=deep)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = inner
    os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=deep))
    os.close(deep)
    for number, path in enumerate(("old", "far")):
        write(at(path), b"t")
        os.utime(at(path), ns=(1, (OLD, FAR)[number] * 10**9 + 123_456_789))
    for path, flags in (("immutable", IMMUTABLE), ("appended", APPEND), ("sub/nodump", NODUMP)):
        write(at(path), b"f")
        set_flags(at(path), flags)
    write(at("locked", "inside"), b"x")
    set_flags(at("locked"), IMMUTABLE)
    os.utime(at("dangling"), ns=(5, 7_000_000_001), follow_symlinks=False)
    os.utime(at("fifo"), ns=(5, 8_000_000_002))
    os.chmod(at("sub/inner"), 0o2555)
    os.utime(at("sub/inner"), ns=(1, 9_000_000_003))
    os.utime(at("sub"), ns=(1, 10_000_000_004))
    os.chmod(root, 0o1770)
    os.utime(root, ns=(1, 11_000_000_005))


def facts(root: str) -> dict[bytes, tuple[Any, ...]]:
    """All that Python sees in a tree, by path from its root; names of one file have one number."""
    found: dict[bytes, tuple[Any, ...]] = {}
    numbers: dict[int, int] = {}

    def look(folder: int, name: bytes, path: bytes) -> None:
        here = os.fsencode(f"/proc/self/fd/{folder}/") + name
        entry = os.lstat(here)
        kind = stat.S_IFMT(entry.st_mode)
        number = numbers.setdefault(entry.st_ino, len(numbers)) if entry.st_nlink > 1 else -1
        if kind == stat.S_IFDIR:
            number = -1
        content: Any = None
        blocks: Any = None
        if kind == stat.S_IFREG:
            blocks = entry.st_blocks * 512 < entry.st_size
            content = (entry.st_size, digest(here, entry.st_size) if entry.st_size < 1 << 40 else "")
        elif kind == stat.S_IFLNK:
            content = os.readlink(here)
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            content = entry.st_rdev
        attributes = {name: os.getxattr(here, name, follow_symlinks=False)
                      for name in sorted(os.listxattr(here, follow_symlinks=False))}
        flags = flags_of(os.fsdecode(here)) if kind in (stat.S_IFREG, stat.S_IFDIR) else 0
        found[path] = (kind, entry.st_mode, entry.st_uid, entry.st_gid, entry.st_mtime_ns, content,
                       blocks, tuple(attributes.items()), flags, number)
        if kind == stat.S_IFDIR:
            inner = os.open(here, os.O_RDONLY)
            for child in sorted(os.listdir(inner)):
                look(inner, os.fsencode(child), path + b"/" + os.fsencode(child))
            os.close(inner)
    parent = os.open(os.path.dirname(root), os.O_RDONLY)
    look(parent, os.fsencode(os.path.basename(root)), b"")
    os.close(parent)
    return found


def digest(path: bytes, size: int) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest() if size else ""
