"""A small OpenID Connect issuer on the loopback interface, which checks PKCE and the client's secret as a real one does."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt

CLIENT_ID, CLIENT_SECRET = "gatehouse", "an-issuer-secret-of-sufficient-length"


class Issuer:
    """What the company's directory says of the one person who signs in."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.claims: dict[str, Any] = {}
        self.challenge = ""
        self.refusals: list[str] = []

    def authorize(self, address: str) -> dict[str, str]:
        """The person agrees at the issuer's page; what the browser brings back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{self.url}/authorize?")
        assert asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == CLIENT_ID
        assert set(asked["scope"].split()) >= {"openid", "email"}
        self.challenge = asked["code_challenge"]
        return {"code": "one-code", "state": asked["state"]}

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenge:
            self.refusals.append("code_verifier")
            return 400, {"error": "invalid_grant"}
        if form.get("client_secret") != CLIENT_SECRET:
            self.refusals.append("client_secret")
            return 401, {"error": "invalid_client"}
        claims = {"iss": self.url, "aud": CLIENT_ID, "exp": 4_000_000_000, "iat": 1, **self.claims}
        return 200, {
            "access_token": "an-access-token",
            "token_type": "Bearer",
            "id_token": jwt.encode(claims, CLIENT_SECRET, algorithm="HS256"),
        }


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """The issuer on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            return

        def _send(self, body: dict[str, Any], status: int = 200) -> None:
            payload = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def do_GET(self) -> None:
            if self.path == "/.well-known/openid-configuration":
                self._send(
                    {
                        "issuer": issuer.url,
                        "authorization_endpoint": f"{issuer.url}/authorize",
                        "token_endpoint": f"{issuer.url}/token",
                        "userinfo_endpoint": f"{issuer.url}/userinfo",
                        "jwks_uri": f"{issuer.url}/keys",
                        "token_endpoint_auth_methods_supported": ["client_secret_post"],
                    }
                )
            else:
                self._send(issuer.claims)

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, body = issuer.token({name: values[0] for name, values in form.items()})
            self._send(body, status)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
