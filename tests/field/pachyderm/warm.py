"""Runs the double's pachctl without its start: a server that has loaded everything, and forks for each command.

    warm.py serve SOCKET           in the interpreter that has the classes; until it is ended
    warm.py SOCKET WORD...         by any Python 3.9, with -I -S: a command of pachctl, as if it were run itself

The start of Python with gRPC takes ten times as long as a command, and drydock asks often. The command has the standard
streams, the environment and the folder of its caller, and ends with it: a killed caller kills its command.
"""

import sys

HEAD = 4  # bytes of the size of a request


def call(path: str, words: list[str]) -> int:
    """Hands a command over; its exit code. 255 where the server is lost. Imports little: this is what starts each time."""
    import _socket
    import posix
    from _struct import pack
    fields = [posix.getcwdb(), str(len(words)).encode(), *(word.encode("utf-8", "surrogateescape") for word in words),
              *(name + b"=" + value for name, value in posix.environ.items())]
    body = b"\0".join(fields)
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    server.connect(path)
    server.sendmsg([pack("<I", len(body))], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, pack("<3i", 0, 1, 2))])
    while body:
        body = body[server.send(body):]
    told = server.recv(1)
    return told[0] if told else 255


class Server:
    def __init__(self, path: str):
        import selectors
        import socket
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(64)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.read = selectors.EVENT_READ
        self.running: set[int] = set()

    def run(self) -> None:
        """Begins a command for each caller, and ends those whose caller is gone."""
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    self.begin()
                elif key.data[0] in self.running:  # its caller and itself may end at once
                    self.end(*key.data)

    def begin(self) -> None:
        import os
        import socket
        caller, _ = self.listener.accept()
        head, streams, _, _ = socket.recv_fds(caller, HEAD, 3)
        request = b""
        while len(request) < int.from_bytes(head, "little"):
            request += caller.recv(65536)
        pid = os.fork()
        if pid == 0:
            self.become(caller, request, streams)
        for stream in streams:
            os.close(stream)
        self.running.add(pid)
        process = os.pidfd_open(pid)
        for one in (caller, process):
            self.selector.register(one, self.read, (pid, process, caller))

    def end(self, pid: int, process: int, caller: "socket.socket") -> None:  # type: ignore[name-defined] # noqa: F821
        """Its end or its caller's: whichever is first."""
        import os
        import signal
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.running.discard(pid)
        for one in (caller, process):
            self.selector.unregister(one)
        os.close(process)
        caller.close()

    @staticmethod
    def become(caller: "socket.socket", request: bytes, streams: list[int]) -> None:  # type: ignore[name-defined] # noqa: F821
        """The command, in a process of its own; tells its exit code and ends."""
        import os
        import traceback
        code = 254
        try:
            code = run(request.split(b"\0"), streams)
        except BaseException:  # noqa: B902  (nothing may get back into the server)
            traceback.print_exc()
        finally:
            caller.send(bytes([code]))
            os._exit(0)


def run(fields: list[bytes], streams: list[int]) -> int:
    import os

    import commands
    folder, count, *rest = fields
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(folder)
    os.environ.clear()
    for field in rest[int(count):]:
        name, _, value = os.fsdecode(field).partition("=")
        os.environ[name] = value
    code = commands.main([os.fsdecode(word) for word in rest[:int(count)]])
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return int(code or 0)


def serve(path: str) -> None:
    import os
    sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
    import commands  # noqa: F401
    import protocol
    for name in ("admin", "admin_grpc", "pfs", "pfs_grpc", "pps", "pps_grpc", "version", "version_grpc"):
        protocol.module(name)
    Server(path).run()


if __name__ == "__main__":
    sys.exit(serve(sys.argv[2]) if sys.argv[1] == "serve" else call(sys.argv[1], sys.argv[2:]))
