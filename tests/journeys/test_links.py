"""Every link and every form on every page, as every role of the sample organization: none leads to an error.

Pages are fetched, not drawn. Of pages whose addresses differ by numbers only, a few are fetched. Forms are
sent with the values that the page gives them, once all links were followed: nothing that they answer may be
an error, and what they lead to is a page.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest

from tests.journeys.conftest import Running, running_web
from tests.journeys.http_session import Answer, HttpSession
from tests.journeys.pages import Form, PageParser, parse
from tests.journeys.test_every_page import shape
from tests.table_columns import idle_columns

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

ROLES = {
    "administrator": "ines.duarte",
    "approver": "hana.sato",
    "team lead": "elif.kaya",
    "auditor": "amara.diallo",
    "member": "tomas.lind",
}
ALIKE = {"administrator": 2}
"""So many pages of one shape a role fetches: what differs between them is the data. Others fetch one, and
none for a further name in its query, since the administrator sees all that they see.
"""
MAX_PAGES = 900
IS_FINE = {200, 204, 422}
"""422: the form says what is missing."""
NEVER_SENT = re.compile(r"^/sign-in/")
"""Ends or changes the session by which the next page is fetched."""
LEAKED = re.compile(r"<[\w.]+ object|<function|<bound|object at 0x|/None/|=None\b|\bNone$|{{|{%|%7B%7B")
"""What Python or a template shows where a value is missing."""


@pytest.fixture
def console(tmp_path: Path, prepared: Path, redis_url: str) -> Iterator[Running]:
    """A web server for each role, since forms are sent to it."""
    shutil.copytree(prepared, tmp_path / "var")
    with running_web(tmp_path / "var", redis_url) as started:
        yield started


def names_in(address: str) -> set[str]:
    """The names in the query of an address."""
    return {name for name, _ in parse_qsl(urlsplit(address).query, keep_blank_values=True)}


class Crawl:
    """One role's walk over all pages from the overview."""

    def __init__(self, session: HttpSession, *, alike: int) -> None:
        self._session, self._alike = session, alike
        self.problems: list[str] = []
        self.fetched: Counter[str] = Counter()
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        self.forms: dict[tuple[str, tuple[str, ...]], tuple[str, Form]] = {}

    def follow_links(self) -> None:
        """Fetch what can be reached, each shape a few times."""
        queue, seen = [("/", "the start")], {"/"}
        while queue and self.fetched.total() < MAX_PAGES:
            address, origin = queue.pop(0)
            if not self._is_new(address):
                continue
            parsed = self._get(address, origin)
            if parsed is None:
                continue
            for form in parsed.forms:
                self._note_form(form, address)
            for link in parsed.links:
                target = self._target(link, address, parsed)
                if target and target not in seen:
                    seen.add(target)
                    queue.append((target, address))
        assert not queue, f"{len(queue)} pages are left: is a shape missing?"

    def _is_new(self, address: str) -> bool:
        """Whether few pages of this shape were fetched, or none with one of the names in its query."""
        kind, names = shape(address), names_in(address)
        has_enough = self.fetched[kind] >= self._alike
        if has_enough and (self._alike == 1 or names <= self._names[kind]):
            return False
        self.fetched[kind] += 1
        self._names[kind] |= names
        return True

    def _get(self, address: str, origin: str) -> PageParser | None:
        answer = self._session.get(address)
        if answer.status not in IS_FINE:
            self.problems.append(f"{address} answers {answer.status}; linked from {origin}")
            return None
        if not answer.content_type.startswith("text/html"):
            return None
        page = answer.text()
        self.problems += [f"{address} has a column {head!r} without anything" for head in idle_columns(page)]
        return parse(page)

    def _target(self, link: str, base: str, parsed: PageParser) -> str:
        """The address in this console that a link leads to; empty where it leads elsewhere or is not
        followed.
        """
        if LEAKED.search(link):
            self.problems.append(f"{base} links to {link!r}")
            return ""
        if link.startswith("#"):
            if link[1:] and link[1:] not in parsed.ids:
                self.problems.append(f"{base} links to {link!r}, which is not on it")
            return ""
        joined = urljoin(base, link)
        parts = urlsplit(joined)
        if parts.scheme or parts.netloc or parts.path.startswith("/static/") or NEVER_SENT.search(parts.path):
            return ""
        return joined.partition("#")[0]

    def _note_form(self, form: Form, address: str) -> None:
        action = urljoin(address, form.action or address).partition("#")[0]
        if LEAKED.search(form.action):
            self.problems.append(f"{address} has a form to {form.action!r}")
        elif not urlsplit(action).scheme and not NEVER_SENT.search(urlsplit(action).path):
            self.forms.setdefault(
                (shape(action), form.key), (address, Form(action, form.method, form.fields, form.buttons))
            )

    def send_forms(self) -> None:
        """Send each form as its page gives it, while it is still there."""
        for origin, form in list(self.forms.values()):
            for number in range(len(form.bodies())):
                fresh = form if form.method == "get" else self._again(origin, form)
                if fresh is None or number >= len(fresh.bodies()):
                    break
                self._send(fresh, fresh.bodies()[number], origin)

    def _again(self, origin: str, form: Form) -> Form | None:
        """The form with a fresh token; None where an earlier form has ended what it is about."""
        answer = self._session.get(origin)
        if answer.status != 200:
            return None
        for other in parse(answer.text()).forms:
            if (
                other.key == form.key
                and urljoin(origin, other.action or origin).partition("#")[0] == form.action
            ):
                return Form(form.action, other.method, other.fields, other.buttons)
        return None

    def _send(self, form: Form, body: str, origin: str) -> None:
        if form.method == "get":
            joint = "&" if "?" in form.action else "?"
            answer = self._session.get(form.action.partition("?")[0] + joint.replace("&", "?") + body)
        else:
            answer = self._session.post(form.action, body, page=origin)
        self._judge(answer, form, origin)

    def _judge(self, answer: Answer, form: Form, origin: str) -> None:
        if answer.status not in IS_FINE:
            self.problems.append(
                f"{form.method} {form.action} answers {answer.status} at {answer.url}; form of {origin}"
            )


@pytest.mark.parametrize("role", ROLES)
def test_no_link_and_no_form_leads_to_an_error(console: Running, role: str) -> None:
    session = HttpSession(console.url)
    session.sign_in(ROLES[role])
    crawl = Crawl(session, alike=ALIKE.get(role, 1))
    crawl.follow_links()
    assert crawl.fetched.total() > 10, crawl.problems
    crawl.send_forms()
    assert not crawl.problems, f"{len(crawl.problems)} problems:\n" + "\n".join(crawl.problems)
