"""Somebody who is signed in and fetches pages without drawing them: no browser has to pass them on."""

from __future__ import annotations

import http.client
from contextlib import closing
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from string import punctuation
from urllib.parse import quote, urlencode, urljoin, urlsplit

from console.demo.password import PASSWORD
from tests.journeys.pages import parse

MAX_REDIRECTS = 20
REDIRECTS = {301, 302, 303, 307, 308}
SIGN_IN = "/sign-in/"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered at its last address."""

    status: int
    url: str
    content_type: str
    content: bytes

    def text(self) -> str:
        """The page."""
        return self.content.decode()


@dataclass(slots=True)
class HttpSession:
    """Keeps cookies, and follows redirects as a browser does."""

    origin: str
    cookies: dict[str, str] = field(default_factory=dict)

    def sign_in(self, username: str) -> None:
        """By the form, with the password of the sample organization."""
        page = parse(self.get(SIGN_IN).text())
        form = next(form for form in page.forms if any(name == "password" for name, _ in form.fields))
        body = urlencode(dict(form.fields) | {"login": username, "password": PASSWORD})
        answer = self.post(urljoin(SIGN_IN, form.action), body, page=SIGN_IN)
        assert answer.status == 200, answer.text()
        assert not urlsplit(answer.url).path.startswith(SIGN_IN), answer.url

    def get(self, address: str) -> Answer:
        """Fetch a page."""
        return self._follow("GET", address, None, {})

    def post(self, address: str, body: str, *, page: str) -> Answer:
        """Send a form of a page."""
        headers = {"Content-Type": FORM, "Origin": self.origin, "Referer": urljoin(self.origin, page)}
        return self._follow("POST", address, body, headers)

    def _follow(self, method: str, address: str, body: str | None, headers: dict[str, str]) -> Answer:
        url = urljoin(self.origin, address)
        for _ in range(MAX_REDIRECTS):
            status, answer, content = self._request(method, url, body, headers)
            if status not in REDIRECTS:
                return Answer(status, url, answer.get("Content-Type", ""), content)
            url = urljoin(url, answer["Location"])
            assert url.startswith(f"{self.origin}/"), f"{address} leads to {url}"
            if status not in {307, 308}:
                method, body, headers = "GET", None, {}
        raise AssertionError(f"{address} is redirected without end")

    def _request(
        self, method: str, url: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        sent = headers | {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        path = quote(url.removeprefix(self.origin).partition("#")[0], safe=punctuation)
        with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=240)) as connection:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            content = answer.read()
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return answer.status, answer.headers, content
