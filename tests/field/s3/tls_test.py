"""Buckets behind TLS: a private CA is trusted where it is named, and nobody is asked whose certificate is not right."""

import http.server
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", name) for name in ("store", "e2e")]

import stores  # noqa: E402  (also finds ../common)
from limits import scaled  # noqa: E402
from program import DONE, NO, program, require_program  # noqa: E402

EMPTY = (b'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name>'
         b"<KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>")


class Bucket(http.server.BaseHTTPRequestHandler):
    """An empty one. It notes who was let in."""

    protocol_version = "HTTP/1.1"
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.headers.get("Authorization", ""))
        self.send_response(200)
        self.send_header("Content-Length", str(len(EMPTY)))
        self.end_headers()
        self.wfile.write(EMPTY)

    def log_message(self, *_: object) -> None:
        pass


def openssl(folder: str, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=scaled(60))


def make_authority(folder: str, name: str) -> None:
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
            "-out", f"{name}.pem")


def make_certificate(folder: str, authority: str, name: str, names: str) -> None:
    """`names` are those that it is good for, as openssl writes them."""
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    with open(os.path.join(folder, f"{name}.ext"), "w", encoding="utf-8") as file:
        file.write(f"subjectAltName={names}\n")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial",
            "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")


class Tls(stores.Case):
    folder: str

    @classmethod
    def setUpClass(cls) -> None:
        require_program()
        if not shutil.which("openssl"):
            raise unittest.SkipTest("openssl is not installed: it makes the certificates")
        cls.folder = tempfile.mkdtemp(prefix="drydock-tls-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        make_authority(cls.folder, "own")
        make_authority(cls.folder, "foreign")
        make_certificate(cls.folder, "own", "here", "IP:127.0.0.1")
        make_certificate(cls.folder, "own", "elsewhere", "DNS:elsewhere.example")

    def serve(self, certificate: str) -> str:
        """Its address."""
        Bucket.asked.clear()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(os.path.join(self.folder, f"{certificate}.{end}") for end in ("pem", "key")))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that goes away is what is tested
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"https://127.0.0.1:{server.server_address[1]}"

    def ask(self, endpoint: str, authority: str) -> "subprocess.CompletedProcess[bytes]":
        """Lists the bucket; with the authority as AWS's own variable names it, or none."""
        own = {"HOME": self.scratch, "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "secret",
               "NO_COLOR": "1"}
        own |= {"AWS_CA_BUNDLE": os.path.join(self.folder, f"{authority}.pem")} if authority else {}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.run([program(), "manifest", "s3://bucket", "-o", os.path.join(self.scratch, "manifest"), "--json"],
                              env=kept | own, capture_output=True, check=False, timeout=scaled(60))

    def test_a_private_authority_that_is_named_is_trusted(self) -> None:
        done = self.ask(self.serve("here"), "own")
        self.assertEqual(done.returncode, DONE, done.stdout + done.stderr)
        self.assertIn("AWS4-HMAC-SHA256 Credential=KEY/", Bucket.asked[0])

    def test_who_is_not_trusted_gets_no_request(self) -> None:
        for certificate, authority in (("here", ""), ("here", "foreign"), ("elsewhere", "own")):
            with self.subTest(certificate=certificate, authority=authority):
                done = self.ask(self.serve(certificate), authority)
                self.assertEqual(done.returncode, NO, done.stdout + done.stderr)
                self.assertEqual(stores.parse(done)["errors"][0]["code"], "s3.certificate")
                self.assertEqual(Bucket.asked, [])


if __name__ == "__main__":
    unittest.main()
