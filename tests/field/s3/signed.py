"""Requests to an S3 server, signed by the test itself: drydock is no judge of itself, and curl of Debian 12 signs some
requests in a wrong way."""

import datetime
import hashlib
import hmac
import http.client
from urllib.parse import urlsplit


def _sign(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), "sha256").digest()


def headers_of(method: str, host: str, path: str, body: bytes, headers: dict[str, str], access_key: str,
               secret_key: str) -> dict[str, str]:
    """The headers of a request, with its signature. `path` is encoded; its query is sorted, with a `=` each."""
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    every = {name.lower(): value for name, value in headers.items()}
    every |= {"host": host, "x-amz-date": stamp, "x-amz-content-sha256": digest}
    names = ";".join(sorted(every))
    where, _, query = path.partition("?")
    lines = [method, where, query] + [f"{name}:{every[name]}" for name in sorted(every)] + ["", names, digest]
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256("\n".join(lines).encode()).hexdigest()])
    key = b"AWS4" + secret_key.encode()
    for part in scope.split("/"):
        key = _sign(key, part)
    every["authorization"] = (f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, "
                              f"Signature={_sign(key, text).hex()}")
    return every


class Connection:
    """One connection to a server, with one key."""

    def __init__(self, endpoint: str, access_key: str, secret_key: str, seconds_max: float) -> None:
        self.host = urlsplit(endpoint).netloc
        self.access_key, self.secret_key = access_key, secret_key
        self.connection = http.client.HTTPConnection(self.host, timeout=seconds_max)

    def request(self, method: str, path: str, body: bytes = b"",
                headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
        """Status, headers with names in lower case, and body. `path` is "/BUCKET/KEY?QUERY", encoded."""
        signed = headers_of(method, self.host, path, body, headers or {}, self.access_key, self.secret_key)
        self.connection.request(method, path, body, signed)
        answer = self.connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def close(self) -> None:
        self.connection.close()
