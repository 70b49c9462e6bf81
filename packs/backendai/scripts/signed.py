#!/usr/bin/env python3
"""Signed calls to a manager; the keys are in ACCESS_KEY and SECRET_KEY.

    signed.py URL METHOD PATH [JSON]   prints the answer; exit 1 if it is an error
    signed.py URL auth                 the call that fails on a wrong schema and on wrong packages
    signed.py URL folder HOST          makes a folder on that host and removes it again

A GraphQL error comes with status 200, so the answer is read. Standard library only.
"""

import datetime
import hashlib
import hmac
import http.client
import json
import os
import random
import sys
import time
import urllib.parse
import uuid

API_VERSION = "v7.20230615"  # taken by 23.03 to 24.03
ANSWER_SECONDS_MAX = 20
AGAIN_SECONDS = (0.2, 0.4, 0.8, 1.6, 3.2)  # pauses before a call is repeated; the step may take a minute


def call(url: str, method: str, path: str, body: object = None,
         within: float = ANSWER_SECONDS_MAX) -> tuple[int, str]:
    """(status, text) of one call. OSError and http.client.HTTPException if nobody answers."""
    parts = urllib.parse.urlsplit(url)
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    kind = "application/octet-stream" if body is None else "application/json"
    headers = {"Date": now.isoformat(), "Content-Type": kind, "X-BackendAI-Version": API_VERSION,
               "Authorization": "BackendAI signMethod=HMAC-SHA256, credential="
                                f"{os.environ['ACCESS_KEY']}:{signature(method, path, parts.netloc, kind, now)}"}
    secure = parts.scheme == "https"
    connection = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(
        parts.netloc, timeout=within)
    try:
        connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def signature(method: str, path: str, host: str, kind: str, now: datetime.datetime) -> str:
    """The body is not signed: its place has the digest of nothing."""
    text = "\n".join([method, path, now.isoformat(), f"host:{host}", f"content-type:{kind}",
                      f"x-backendai-version:{API_VERSION}", hashlib.sha256(b"").hexdigest()])
    key = os.environ["SECRET_KEY"].encode()
    for part in (now.strftime("%Y%m%d"), host):
        key = hmac.new(key, part.encode(), "sha256").digest()
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def is_error(status: int, text: str) -> bool:
    return status >= 400 or '"errors"' in text or '"ok": false' in text


def insist(url: str, method: str, path: str, body: object = None) -> tuple[int, str]:
    """A call that is repeated while the answer is 500: of two clients that write at once PostgreSQL gives one up."""
    for pause in AGAIN_SECONDS:
        answer = call(url, method, path, body)
        if answer[0] < 500:
            return answer
        time.sleep(pause * random.uniform(0.5, 1.5))
    return call(url, method, path, body)


def probe_folder(url: str, host: str) -> tuple[int, str]:
    name = "drydock-probe-" + uuid.uuid4().hex[:8]
    made = insist(url, "POST", "/folders", {"name": name, "host": host})
    return made if is_error(*made) else insist(url, "DELETE", "/folders/" + name)


def main(words: list[str]) -> int:
    url, what = words[0], words[1]
    try:
        if what == "auth":
            status, text = call(url, "POST", "/auth", {"echo": "x"})
        elif what == "folder":
            status, text = probe_folder(url, words[2])
        else:
            status, text = call(url, what, words[2], json.loads(words[3]) if len(words) > 3 else None)
    except (OSError, http.client.HTTPException) as error:
        print(f"nobody answers at {url}: {error}")
        return 2
    print(text or status)
    return 1 if is_error(status, text) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
