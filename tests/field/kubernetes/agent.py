"""drydock's agent, spoken to in frames, with the probe and the action `kubernetes`."""

import json
import os
import struct
import subprocess
from typing import Any

from limits import scaled

JOURNAL = "j" * 32


class Agent:
    def __init__(self, state: str, words: list[str] | None = None, program: str = ""):
        """`words` is any command that leads to an agent; `program` is its path there."""
        command = [*(words or []), program or os.environ["DRYDOCK_AGENT"], "agent", "--state", state]
        self._number = 0
        self._attempts = 0
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._process.stdout.readline()
        self.ask(do="fence", epoch=1, owner={"cluster": "c", "journal": JOURNAL, "who": "a test",
                                             "claims": [], "leases": [[1, "0" * 16]]})

    def send(self, **request: Any) -> int:
        self._number += 1
        body = json.dumps({"n": self._number, **request}).encode()
        self._process.stdin.write(struct.pack(">I", len(body)) + body)
        self._process.stdin.flush()
        return self._number

    def receive(self) -> Any:
        """The next answer; frames of progress before it are passed over."""
        while True:
            size, = struct.unpack(">I", self._process.stdout.read(4))
            answer = json.loads(self._process.stdout.read(size))
            if "progress" not in answer:
                return answer

    def ask(self, **request: Any) -> Any:
        self.send(**request)
        return self.receive()

    def probe(self, *probes: dict[str, Any]) -> list[dict[str, Any]]:
        listed = [{"id": str(number), "kind": "kubernetes", "deadline_ms": int(scaled(10) * 1000), **one}
                  for number, one in enumerate(probes)]
        return self.ask(do="probe", probes=listed)["facts"]

    def begin(self, request: dict[str, Any], within: float = 30) -> None:
        """Begins an action; its result is that of result()."""
        self._attempts += 1
        self.send(do="exec", journal=JOURNAL, epoch=1, run="r", action="a", attempt=self._attempts,
                  head={"sequence": 1, "hash": "0" * 64},
                  request={"kind": "kubernetes", "timeout_ms": int(scaled(within) * 1000), **request})

    def result(self) -> dict[str, Any]:
        return self.receive()["result"]

    def act(self, request: dict[str, Any], within: float = 30) -> dict[str, Any]:
        self.begin(request, within)
        return self.result()

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(scaled(20))
        self._process.stdout.close()
