"""A small OpenID Connect issuer on the loopback interface: it checks PKCE and the client's secret as a real
one does, and lies when told to.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from django.test import Client

CLIENT_ID, CLIENT_SECRET = "gatehouse", "an-issuer-secret-of-sufficient-length"
ACCESS_TOKEN = "an-access-token"
KEY_ID = "key-1"
ABSENT = object()
ENDPOINTS = {
    "discovery": "/.well-known/openid-configuration",
    "token": "/token",
    "keys": "/keys",
    "userinfo": "/userinfo",
}


@dataclass(frozen=True)
class Answer:
    """A raw answer in place of the right one."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    location: str = ""
    # Seconds between two bytes; 0 sends everything at once.
    pause: float = 0
    # The body is the whole answer, status line and headers included.
    is_raw: bool = False
    # The bytes of a body with pauses that were sent until the client had enough.
    sent: list[int] = field(default_factory=list)


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """One key for each name, generated once in a test process."""
    assert name
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


def public_jwk(name: str, key_id: str = KEY_ID, **fields: Any) -> dict[str, Any]:
    """The public half of that key, as an issuer publishes it."""
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(name).public_key(), as_dict=True)
    return {**jwk, "kid": key_id, "alg": "RS256", "use": "sig", **fields}


class Issuer:
    """What the company's directory says of the one person who signs in, and how it says so."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Claims of both the ID token and userinfo, and what differs in one of them (ABSENT removes a claim).
        self.claims: dict[str, Any] = {}
        self.token_claims: dict[str, Any] = {}
        self.userinfo_claims: dict[str, Any] = {}
        self.discovery: dict[str, Any] = {}
        self.token_fields: dict[str, Any] = {}
        self.keys: list[dict[str, Any]] = [public_jwk("issuer")]
        self.sign: Callable[[dict[str, Any]], str] = signed
        self.answers: dict[str, Answer] = {}
        self.nonce = self.challenge = ""
        self.refusals: list[str] = []
        self.asked: list[str] = []

    def authorize(self, address: str) -> dict[str, str]:
        """The person agrees at the issuer's page; what the browser brings back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{self.url}/authorize?")
        assert asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == CLIENT_ID
        assert set(asked["scope"].split()) >= {"openid", "email"}
        self.challenge = asked["code_challenge"]
        self.nonce = asked.get("nonce", "")
        return {"code": "one-code", "state": asked["state"]}

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenge:
            self.refusals.append("code_verifier")
            return 400, {"error": "invalid_grant"}
        if form.get("client_secret") != CLIENT_SECRET:
            self.refusals.append("client_secret")
            return 401, {"error": "invalid_client"}
        now = int(time.time())
        usual = {"iss": self.url, "aud": CLIENT_ID, "exp": now + 300, "iat": now, "nonce": self.nonce}
        claims = without_absent(usual | self.claims | self.token_claims)
        answer = {
            "access_token": ACCESS_TOKEN,
            "token_type": "Bearer",
            "id_token": self.sign(claims),
            **self.token_fields,
        }
        return 200, without_absent(answer)

    def document(self) -> dict[str, Any]:
        usual = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }
        return without_absent(usual | self.discovery)


def without_absent(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not ABSENT}


def signed(claims: dict[str, Any], *, key: str = "issuer", headers: dict[str, Any] | None = None) -> str:
    """A token as the issuer signs it; or with another of our keys, or another header. PyJWT would refuse odd
    claims.
    """
    header = without_absent({"alg": "RS256", "typ": "JWT", "kid": KEY_ID} | (headers or {}))
    unsigned = raw_token(header, claims).rpartition(".")[0]
    signature = rsa_key(key).sign(unsigned.encode(), PKCS1v15(), SHA256())
    return f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def raw_token(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A token that no library would write."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    return ".".join((part(json.dumps(header).encode()), part(json.dumps(claims).encode()), part(signature)))


def go_there(client: Client, query: str = "process=login&next=/profile/") -> Any:
    """Press the button on the sign-in page; the answer leads to the issuer."""
    return client.post(f"/sign-in/oidc/company/login/?{query}")


def come_back(client: Client, issuer: Issuer, there: Any) -> Any:
    """Agree at the issuer, and return with its answer."""
    assert there.status_code == 302, there.content.decode()
    return client.get("/sign-in/oidc/company/login/callback/", issuer.authorize(there["Location"]))


def through(client: Client, issuer: Issuer, **claims: Any) -> Any:
    """Go to the issuer and come back."""
    issuer.claims = claims
    return come_back(client, issuer, go_there(client))


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """The issuer on a free port."""
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            return

        def _send(self, answer: Answer) -> None:
            if not answer.is_raw:
                self._send_headers(answer)
            try:
                if not answer.pause:
                    self.wfile.write(answer.body)
                for byte in answer.body if answer.pause else b"":
                    if stopped.wait(answer.pause):
                        return
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    answer.sent.append(byte)
            except OSError:
                return  # the client has had enough

        def _send_headers(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            if answer.location:
                self.send_header("Location", answer.location)
            self.end_headers()

        def _answer(self, right: Callable[[], tuple[int, dict[str, Any]]]) -> None:
            path = self.path.partition("?")[0]
            name = next((name for name, known in ENDPOINTS.items() if known == path), path)
            issuer.asked.append(name)
            if name in issuer.answers:
                self._send(issuer.answers[name])
                return
            status, body = right()
            self._send(Answer(json.dumps(body).encode(), status))

        def do_GET(self) -> None:
            documents = {
                ENDPOINTS["discovery"]: issuer.document,
                ENDPOINTS["keys"]: lambda: {"keys": issuer.keys},
                ENDPOINTS["userinfo"]: lambda: without_absent(issuer.claims | issuer.userinfo_claims),
            }
            make = documents.get(self.path)
            self._answer(lambda: (200, make()) if make else (404, {}))

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._answer(lambda: issuer.token({name: values[0] for name, values in form.items()}))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield issuer
    finally:
        stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()
