"""The double of `dfuse`: a real FUSE file system over a container of the double, which holds what DFS of its release holds.

    dfuse --mountpoint DIR --pool P --container C [--foreground]

Up to 2.0 times are whole seconds, and all entries show the owner of the container. In all releases there are no further names of
a file, no fifos, sockets, devices and ACLs; a hole cannot be seen. It ends when it is unmounted.
"""

import errno
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, cast

import pyfuse3
import system as daos
import trio
from daos import connect
from system import Refused
from text import Words

RELEASE = daos.own_release()
IS_COARSE = daos.series(RELEASE) in ("1.0", "1.2", "2.0")
SECOND_NS = 1_000_000_000
STICKY = 0o1000
MOUNT_SECONDS = 60


class Container(pyfuse3.Operations):  # type: ignore[misc]  # pyfuse3 has no types
    """Entries are files of a folder. `paths` knows each that the kernel knows, by its number."""

    def __init__(self, folder: str, owner: tuple[int, int]):
        super().__init__()
        self.owner = owner
        self.paths: dict[int, bytes] = {pyfuse3.ROOT_INODE: os.fsencode(folder)}
        self.numbers: dict[bytes, int] = {self.paths[pyfuse3.ROOT_INODE]: pyfuse3.ROOT_INODE}

    # Entries

    async def lookup(self, parent: int, name: bytes, ctx: Any = None) -> Any:
        return self._attributes(self._below(parent, name))

    async def getattr(self, inode: int, ctx: Any = None) -> Any:
        return self._attributes(self.paths[inode])

    async def setattr(self, inode: int, attr: Any, fields: Any, handle: int | None, ctx: Any) -> Any:
        path = self.paths[inode]
        if fields.update_uid or fields.update_gid:
            self._change_owner(path, attr, fields)
        if fields.update_size:
            os.truncate(handle if handle is not None else path, attr.st_size)
        if fields.update_mode:
            os.chmod(path, attr.st_mode & 0o7777 & ~STICKY)
        if fields.update_mtime or fields.update_atime:
            found = os.lstat(path)
            asked = attr.st_mtime_ns if fields.update_mtime else found.st_mtime_ns
            os.utime(path, ns=(_held(asked), _held(asked)), follow_symlinks=False)
        return self._attributes(path)

    async def mkdir(self, parent: int, name: bytes, mode: int, ctx: Any) -> Any:
        path = self._below(parent, name)
        _call(os.mkdir, path)
        os.chmod(path, mode & 0o7777 & ~ctx.umask & ~STICKY)
        return self._attributes(path)

    async def mknod(self, parent: int, name: bytes, mode: int, rdev: int, ctx: Any) -> Any:
        raise pyfuse3.FUSEError(errno.ENOTSUP)

    async def link(self, inode: int, parent: int, name: bytes, ctx: Any) -> Any:
        raise pyfuse3.FUSEError(errno.ENOTSUP)

    async def symlink(self, parent: int, name: bytes, target: bytes, ctx: Any) -> Any:
        path = self._below(parent, name)
        _call(os.symlink, target, path)
        return self._attributes(path)

    async def readlink(self, inode: int, ctx: Any) -> bytes:
        return cast(bytes, _call(os.readlink, self.paths[inode]))

    async def unlink(self, parent: int, name: bytes, ctx: Any) -> None:
        _call(os.unlink, self._below(parent, name))
        self._forget(self._below(parent, name))

    async def rmdir(self, parent: int, name: bytes, ctx: Any) -> None:
        _call(os.rmdir, self._below(parent, name))
        self._forget(self._below(parent, name))

    async def rename(self, old: int, old_name: bytes, new: int, new_name: bytes, flags: int, ctx: Any) -> None:
        source, target = self._below(old, old_name), self._below(new, new_name)
        if flags == 1 and os.path.lexists(target):  # RENAME_NOREPLACE
            raise pyfuse3.FUSEError(errno.EEXIST)
        if flags > 1:
            raise pyfuse3.FUSEError(errno.EINVAL)
        _call(os.rename, source, target)
        self._forget(target)
        for path, number in list(self.numbers.items()):
            if path == source or path.startswith(source + b"/"):
                del self.numbers[path]
                self.paths[number] = target + path[len(source):]
                self.numbers[self.paths[number]] = number

    # Folders

    async def opendir(self, inode: int, ctx: Any) -> int:
        return inode

    async def readdir(self, handle: int, start: int, token: Any) -> None:
        """Without . and .., as in DFS."""
        folder = self.paths[handle]
        for at, name in enumerate(sorted(_call(os.listdir, folder))[start:], start + 1):
            if not pyfuse3.readdir_reply(token, name, self._attributes(os.path.join(folder, name)), at):
                break

    # Content

    async def open(self, inode: int, flags: int, ctx: Any) -> Any:
        return pyfuse3.FileInfo(fh=_call(os.open, self.paths[inode], (flags | os.O_NOFOLLOW) & ~(os.O_DIRECT | os.O_APPEND | os.O_NOATIME)))

    async def create(self, parent: int, name: bytes, mode: int, flags: int, ctx: Any) -> Any:
        path = self._below(parent, name)
        handle = _call(os.open, path, (flags | os.O_CREAT) & ~(os.O_DIRECT | os.O_APPEND | os.O_NOATIME), 0o600)
        os.chmod(path, mode & 0o7777 & ~ctx.umask & ~STICKY)
        return pyfuse3.FileInfo(fh=handle), self._attributes(path)

    async def read(self, handle: int, offset: int, size: int) -> bytes:
        return cast(bytes, _call(os.pread, handle, size, offset))

    async def write(self, handle: int, offset: int, data: bytes) -> int:
        return cast(int, _call(os.pwrite, handle, data, offset))

    async def fsync(self, handle: int, datasync: bool) -> None:
        _call(os.fsync, handle)

    async def release(self, handle: int) -> None:
        os.close(handle)

    # Extended attributes: any name but those of POSIX ACLs.

    async def setxattr(self, inode: int, name: bytes, value: bytes, ctx: Any) -> None:
        if name.startswith(b"system.posix_acl"):
            raise pyfuse3.FUSEError(errno.ENOTSUP)
        _call(os.setxattr, self.paths[inode], name, value, follow=False)

    async def getxattr(self, inode: int, name: bytes, ctx: Any) -> bytes:
        return cast(bytes, _call(os.getxattr, self.paths[inode], name, follow=False))

    async def listxattr(self, inode: int, ctx: Any) -> Sequence[bytes]:
        return [os.fsencode(name) for name in _call(os.listxattr, self.paths[inode], follow=False)]

    async def removexattr(self, inode: int, name: bytes, ctx: Any) -> None:
        _call(os.removexattr, self.paths[inode], name, follow=False)

    async def statfs(self, ctx: Any) -> Any:
        found, told = os.statvfs(self.paths[pyfuse3.ROOT_INODE]), pyfuse3.StatvfsData()
        for name in ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail", "f_namemax"):
            setattr(told, name, getattr(found, name))
        return told

    # Inside

    def _below(self, parent: int, name: bytes) -> bytes:
        return os.path.join(self.paths[parent], name)

    def _forget(self, path: bytes) -> None:
        self.paths.pop(self.numbers.pop(path, -1), None)

    def _number(self, path: bytes) -> int:
        """Stable in one session only: counted, never the disk's own."""
        if path not in self.numbers:
            self.numbers[path] = max(self.paths) + 1
            self.paths[self.numbers[path]] = path
        return self.numbers[path]

    def _attributes(self, path: bytes) -> Any:
        found, told = _call(os.lstat, path), pyfuse3.EntryAttributes()
        told.st_ino = self._number(path)
        told.st_mode, told.st_size = found.st_mode, found.st_size
        told.st_nlink, told.st_rdev, told.st_blksize, told.st_blocks = 1, 0, 1 << 20, (found.st_size + 511) // 512
        told.st_uid, told.st_gid = self.owner if IS_COARSE else (found.st_uid, found.st_gid)
        told.st_mtime_ns = _held(found.st_mtime_ns)
        told.st_ctime_ns = _held(found.st_ctime_ns)
        told.st_atime_ns = max(told.st_ctime_ns, told.st_mtime_ns)
        told.entry_timeout = told.attr_timeout = 1
        return told

    def _change_owner(self, path: bytes, attr: Any, fields: Any) -> None:
        if IS_COARSE:
            raise pyfuse3.FUSEError(errno.ENOTSUP)
        os.chown(path, attr.st_uid if fields.update_uid else -1, attr.st_gid if fields.update_gid else -1, follow_symlinks=False)


def _held(time_ns: int) -> int:
    """What this release keeps of a time."""
    return time_ns // SECOND_NS * SECOND_NS if IS_COARSE else time_ns


def _call(function: Any, *arguments: Any, follow: bool = True) -> Any:
    """The error of the disk is that of the file system. `follow` is for functions that know it."""
    try:
        return function(*arguments) if follow else function(*arguments, follow_symlinks=False)
    except OSError as error:
        raise pyfuse3.FUSEError(error.errno) from None


# The program

def main(argv: list[str]) -> int:
    words = Words(argv)
    mount = words.get("--mountpoint", "-m")
    if not words.has("--foreground", "-f"):
        return _in_background(argv, mount)
    try:
        folder, owner = _container(words)
    except Refused as error:
        print(f"ERROR: dfuse: Failed to connect to pool or container: {error}", file=sys.stderr)
        return 1
    options = {*pyfuse3.default_options, "fsname=dfuse", "subtype=daos", "default_permissions", "allow_other"}
    pyfuse3.init(Container(folder, owner), mount, options)
    try:
        trio.run(pyfuse3.main)
    finally:
        pyfuse3.close()
    return 0


def _in_background(argv: list[str], mount: str) -> int:
    """Comes back when the mount is there."""
    before, child = _device(mount), subprocess.Popen([sys.executable, __file__, *argv, "--foreground"], start_new_session=True,
                                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    ends = time.monotonic() + MOUNT_SECONDS
    while time.monotonic() < ends:
        if child.poll() is not None:
            return child.returncode or 1
        if _device(mount) != before:
            return 0
        time.sleep(0.02)
    child.kill()
    return 1


def _device(path: str) -> int:
    return os.stat(path).st_dev


def _container(words: Words) -> tuple[str, tuple[int, int]]:
    with connect().change() as state:
        pool = daos.require_pool(state, RELEASE, words.get("--pool"))
        found = daos.find(pool["containers"], words.get("--container", "--cont"), "container")
        if found["type"] != "POSIX":
            raise Refused("DER_INVAL(-1003): Invalid parameters: container is no POSIX container")
        return connect().data(pool, found), (_user(found["owner"]), _user(found["owner"], 3))


def _user(principal: str, field: int = 2) -> int:
    """The number of a user (field 2) or of its group (3); nobody where the host has no such user."""
    try:
        return int(pwd.getpwnam(principal.rstrip("@"))[field])
    except KeyError:
        return 65534


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
