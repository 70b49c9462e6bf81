#!/usr/bin/python3
"""A FUSE file system over a folder that has a fault, or takes some names for the same: a double of disks that the kernels of test
machines cannot mount (quotas, casefold of ext4, vfat, a block that cannot be read).

    odd_disk.py FOLDER MOUNT [--quota BYTES] [--broken NAME] [--fold] [--type NAME] [--log FILE]

With --quota, whoever writes more than so many bytes gets EDQUOT. The second half of a file with the --broken name can be neither read
nor written: EIO. With --fold, names that differ in case or in the form of Unicode only are names of one entry, which keeps
the name that it was made with. --type is that of the mount, behind `fuse.`; the --log tells of syncs and of direct opens. Attributes, links and devices are those of the folder. It ends when it is unmounted.
"""

import argparse
import errno
import os
import stat
import unicodedata
from collections.abc import Callable
from typing import Any

import pyfuse3
import trio

HALF = 64 << 10  # of a broken file


def folded(name: bytes) -> str:
    text = name.decode(errors="surrogateescape")
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def call(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    try:
        return function(*arguments, **named)
    except OSError as error:
        raise pyfuse3.FUSEError(error.errno) from None


class OddDisk(pyfuse3.Operations):  # type: ignore[misc]  # pyfuse3 has no types
    """`paths` knows each entry that the kernel knows, by its number; a file with several names has a number for each."""

    def __init__(self, options: argparse.Namespace):
        super().__init__()
        self.options = options
        self.written = 0
        self.paths: dict[int, bytes] = {pyfuse3.ROOT_INODE: os.fsencode(os.path.abspath(options.folder))}
        self.numbers = {path: number for number, path in self.paths.items()}
        self.next_number = pyfuse3.ROOT_INODE + 1

    def below(self, parent: int, name: bytes) -> bytes:
        folder = self.paths[parent]
        path = os.path.join(folder, name)
        if self.options.fold and not os.path.lexists(path):
            wanted = folded(name)
            for other in call(os.listdir, folder):
                if folded(other) == wanted:
                    return os.path.join(folder, other)
        return path

    def number_of(self, path: bytes) -> int:
        if path not in self.numbers:
            self.numbers[path] = self.next_number
            self.paths[self.next_number] = path
            self.next_number += 1
        return self.numbers[path]

    def forget_path(self, path: bytes) -> None:
        for known in [known for known in self.numbers if known == path or known.startswith(path + b"/")]:
            del self.numbers[known]

    def told(self, path: bytes) -> Any:
        found, told = call(os.lstat, path), pyfuse3.EntryAttributes()
        told.st_ino = self.number_of(path)
        for name in ("st_mode", "st_nlink", "st_uid", "st_gid", "st_rdev", "st_size", "st_blocks", "st_blksize",
                     "st_atime_ns", "st_mtime_ns", "st_ctime_ns"):
            setattr(told, name, getattr(found, name))
        told.entry_timeout = told.attr_timeout = 0
        return told

    async def lookup(self, parent: int, name: bytes, ctx: Any = None) -> Any:
        return self.told(self.below(parent, name))

    async def getattr(self, inode: int, ctx: Any = None) -> Any:
        return self.told(self.paths[inode])

    async def setattr(self, inode: int, attr: Any, fields: Any, handle: int | None, ctx: Any) -> Any:
        path = self.paths[inode]
        if fields.update_uid or fields.update_gid:
            call(os.chown, path, attr.st_uid if fields.update_uid else -1, attr.st_gid if fields.update_gid else -1, follow_symlinks=False)
        if fields.update_size:
            call(os.truncate, path, attr.st_size)
        if fields.update_mode:
            call(os.chmod, path, stat.S_IMODE(attr.st_mode))
        if fields.update_mtime or fields.update_atime:
            found = call(os.lstat, path)
            times = (attr.st_atime_ns if fields.update_atime else found.st_atime_ns,
                     attr.st_mtime_ns if fields.update_mtime else found.st_mtime_ns)
            call(os.utime, path, ns=times, follow_symlinks=False)
        return self.told(path)

    def make(self, parent: int, name: bytes, ctx: Any, function: Callable[..., Any], *arguments: Any) -> bytes:
        path = self.below(parent, name)
        call(function, *[path if argument is ... else argument for argument in arguments])
        call(os.chown, path, ctx.uid, ctx.gid, follow_symlinks=False)
        return path

    async def mkdir(self, parent: int, name: bytes, mode: int, ctx: Any) -> Any:
        return self.told(self.make(parent, name, ctx, os.mkdir, ..., mode & ~ctx.umask))

    async def mknod(self, parent: int, name: bytes, mode: int, rdev: int, ctx: Any) -> Any:
        return self.told(self.make(parent, name, ctx, os.mknod, ..., mode & ~ctx.umask, rdev))

    async def symlink(self, parent: int, name: bytes, target: bytes, ctx: Any) -> Any:
        return self.told(self.make(parent, name, ctx, os.symlink, target, ...))

    async def link(self, inode: int, parent: int, name: bytes, ctx: Any) -> Any:
        path = self.below(parent, name)
        call(os.link, self.paths[inode], path, follow_symlinks=False)
        return self.told(path)

    async def readlink(self, inode: int, ctx: Any) -> bytes:
        return bytes(call(os.readlink, self.paths[inode]))

    async def unlink(self, parent: int, name: bytes, ctx: Any) -> None:
        path = self.below(parent, name)
        call(os.unlink, path)
        self.forget_path(path)

    async def rmdir(self, parent: int, name: bytes, ctx: Any) -> None:
        path = self.below(parent, name)
        call(os.rmdir, path)
        self.forget_path(path)

    async def rename(self, old: int, old_name: bytes, new: int, new_name: bytes, flags: int, ctx: Any) -> None:
        source, target = self.below(old, old_name), self.below(new, new_name)
        if flags == 1 and os.path.lexists(target):  # RENAME_NOREPLACE
            raise pyfuse3.FUSEError(errno.EEXIST)
        if flags > 1:
            raise pyfuse3.FUSEError(errno.EINVAL)
        call(os.rename, source, target)
        self.forget_path(target)
        for path in [path for path in self.numbers if path == source or path.startswith(source + b"/")]:
            number = self.numbers.pop(path)
            self.paths[number] = target + path[len(source):]
            self.numbers[self.paths[number]] = number

    async def opendir(self, inode: int, ctx: Any) -> int:
        return inode

    async def readdir(self, handle: int, start: int, token: Any) -> None:
        folder = self.paths[handle]
        for at, name in enumerate(sorted(call(os.listdir, folder))[start:], start + 1):
            if not pyfuse3.readdir_reply(token, name, self.told(os.path.join(folder, name)), at):
                break

    def log(self, what: str, path: str | bytes) -> None:
        if self.options.log:
            with open(self.options.log, "a", encoding="utf-8") as file:
                file.write(f"{what} {os.path.basename(os.fsdecode(path))}\n")

    async def open(self, inode: int, flags: int, ctx: Any) -> Any:
        if flags & os.O_DIRECT:
            self.log("direct", self.paths[inode])
        return pyfuse3.FileInfo(fh=call(os.open, self.paths[inode], flags & ~(os.O_DIRECT | os.O_APPEND | os.O_NOATIME)))

    async def create(self, parent: int, name: bytes, mode: int, flags: int, ctx: Any) -> Any:
        path = self.below(parent, name)
        handle = call(os.open, path, (flags | os.O_CREAT) & ~(os.O_DIRECT | os.O_APPEND | os.O_NOATIME), mode & ~ctx.umask)
        call(os.fchown, handle, ctx.uid, ctx.gid)
        return pyfuse3.FileInfo(fh=handle), self.told(path)

    def check_blocks(self, handle: int, end: int) -> None:
        name = os.path.basename(os.readlink(f"/proc/self/fd/{handle}"))
        if name == self.options.broken and end > HALF:
            raise pyfuse3.FUSEError(errno.EIO)

    async def read(self, handle: int, offset: int, size: int) -> bytes:
        self.check_blocks(handle, offset + min(size, 1))
        data = bytes(call(os.pread, handle, size, offset))
        self.check_blocks(handle, offset + len(data))
        return data

    async def write(self, handle: int, offset: int, data: bytes) -> int:
        self.check_blocks(handle, offset + len(data))
        self.written += len(data)
        if self.options.quota and self.written > self.options.quota:
            raise pyfuse3.FUSEError(errno.EDQUOT)
        return int(call(os.pwrite, handle, data, offset))

    async def fsync(self, handle: int, datasync: bool) -> None:
        self.log("sync", os.readlink(f"/proc/self/fd/{handle}"))
        call(os.fsync, handle)

    async def release(self, handle: int) -> None:
        os.close(handle)

    async def setxattr(self, inode: int, name: bytes, value: bytes, ctx: Any) -> None:
        call(os.setxattr, self.paths[inode], name, value, follow_symlinks=False)

    async def getxattr(self, inode: int, name: bytes, ctx: Any) -> bytes:
        return bytes(call(os.getxattr, self.paths[inode], name, follow_symlinks=False))

    async def listxattr(self, inode: int, ctx: Any) -> list[bytes]:
        return [os.fsencode(name) for name in call(os.listxattr, self.paths[inode], follow_symlinks=False)]

    async def removexattr(self, inode: int, name: bytes, ctx: Any) -> None:
        call(os.removexattr, self.paths[inode], name, follow_symlinks=False)

    async def statfs(self, ctx: Any) -> Any:
        found, told = os.statvfs(self.options.folder), pyfuse3.StatvfsData()
        for name in ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail", "f_namemax"):
            setattr(told, name, getattr(found, name))
        return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder")
    parser.add_argument("mount")
    parser.add_argument("--quota", type=int, default=0)
    parser.add_argument("--broken", default="")
    parser.add_argument("--fold", action="store_true")
    parser.add_argument("--type", default="odd")
    parser.add_argument("--log", default="")
    options = parser.parse_args()
    how = {*pyfuse3.default_options, "fsname=odd_disk", f"subtype={options.type}", "default_permissions", "allow_other"}
    pyfuse3.init(OddDisk(options), options.mount, how)
    try:
        trio.run(pyfuse3.main)
    finally:
        pyfuse3.close()


if __name__ == "__main__":
    main()
