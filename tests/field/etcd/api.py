"""etcd's HTTP gateway, the few calls that tests need. JSON in and out, each call with a deadline."""

import base64
import http.client
import json
import time
from typing import Any, Callable, TypeVar

from limits import scaled

T = TypeVar("T")

CALL_SECONDS_MAX = scaled(5)
ELECTION_SECONDS_MAX = scaled(20)


class NoAnswer(Exception):
    """Nothing listens, it did not answer in time, or the answer is no JSON."""


def call(port: int, path: str, body: dict[str, Any] | None = None, method: str = "",
         within: float = CALL_SECONDS_MAX) -> tuple[int, Any]:
    """(HTTP status, answer) of one call on loopback: GET without a body, else POST."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=within)
    try:
        connection.request(method or ("GET" if body is None else "POST"), path,
                           None if body is None else json.dumps(body))
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, _parse(text)
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"127.0.0.1:{port}{path}: {error}") from error
    finally:
        connection.close()


def ask(port: int, path: str, body: dict[str, Any] | None = None, method: str = "",
        within: float = CALL_SECONDS_MAX) -> Any:
    """The answer of a call that must succeed."""
    return _succeeded(port, path, *call(port, path, body, method, within))


def ask_in_time(port: int, path: str, body: dict[str, Any]) -> Any:
    """The same of a read, which an election may turn away (503) on a busy machine."""
    return _succeeded(port, path, *outlast_election(lambda: call(port, path, body),
                                                    lambda answer: answer[0] == 503))


def outlast_election(read: Callable[[], T], is_turned_away: Callable[[T], bool]) -> T:
    """What `read` gives, read again for a while as long as an election turns it away."""
    end = time.monotonic() + ELECTION_SECONDS_MAX
    while is_turned_away(given := read()) and time.monotonic() < end:
        time.sleep(0.2)
    return given


def _succeeded(port: int, path: str, status: int, answer: Any) -> Any:
    if status != 200:
        raise NoAnswer(f"127.0.0.1:{port}{path}: {status} {answer}")
    return answer


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decode(text: str) -> str:
    return base64.b64decode(text).decode()


def _parse(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.decode(errors="replace")
