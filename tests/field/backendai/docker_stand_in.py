"""What an agent of 23.x asks of Docker, answered without Docker: no images, no containers.

    docker_stand_in.py PORT

It is a stand-in, and the tests and the demo say so: an agent comes up and reports to the manager; no
session can be started on it.
"""

import json
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LABELS = {"ai.backend.version": "999", "ai.backend.system": "1"}
RELAY = {"Id": "0", "Name": "/relay", "Config": {"Labels": LABELS}, "State": {"Status": "running"}}
ANSWERS = {
    "/version": {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12",
                 "KernelVersion": "6.1.0", "Os": "linux", "Arch": "amd64"},
    "/info": {"CgroupDriver": "systemd", "CgroupVersion": "2", "Driver": "overlay2",
              "Swarm": {"LocalNodeState": "inactive"}},
    "/images/json": [], "/containers/json": [],
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = re.sub(r"^/v[0-9.]+", "", self.path.split("?")[0])
        if path == "/events":
            self.hold()
        elif path in ANSWERS:
            self.answer(200, ANSWERS[path])
        elif "socket-relay" in path:
            self.answer(200, RELAY)
        else:
            self.answer(404, {"message": "no such thing: " + path})

    do_POST = do_DELETE = do_GET

    def answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hold(self) -> None:
        """A stream of events that never has one."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    server.serve_forever()
