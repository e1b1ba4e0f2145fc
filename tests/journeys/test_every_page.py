"""Every page that a person can reach: no axe violation in light and dark, wide and narrow, no CSP report, no
script error; and no term of IAM that a member reads without an explanation.
"""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from console.web.iam_terms import unexplained
from tests.journeys.axe import SOURCE, WIDE, in_every_look
from tests.journeys.conftest import Running, SignIn, running_web

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

ROLES = ("ines.duarte", "hana.sato", "elif.kaya", "tomas.lind", "amara.diallo")
MEMBER = "tomas.lind"
MAX_PAGES = 150
SKIPPED = ("/sign-in/logout", "/export", ".csv", ".json", "/static/")

HREF = re.compile(r'<a\s[^>]*?href="([^"]+)"(?![^>]*\sdownload\b)')
"""Of a page, and not of a file to be saved."""
TEMPLATE = re.compile(r"/templates/(?!new/)[a-z-]+/")
"""The templates differ by their slugs, which are words."""
ACT = re.compile(r"/act/(?!delete/|create-role/)[a-z-]+/")
"""So do the acts; of those with a receipt at once, and of those with a policy to write, one is looked at as
well.
"""
SERVICE = re.compile(r"/(services|access)/(?!who-can/|compare/|simulate/)[a-z0-9-]+/")
"""And the services of AWS, of which there are hundreds."""

LOADS = "document.querySelector('.htmx-request') !== null"


def shape(address: str) -> str:
    """An address with its numbers taken out: one page of each shape is looked at."""
    parts = urlsplit(address).path.split("/")
    numberless = "/".join("#" if any(c.isdigit() for c in part) else part for part in parts)
    return SERVICE.sub(r"/\1/#/", ACT.sub("/act/#/", TEMPLATE.sub("/templates/#/", numberless)))


def links(text: str) -> list[str]:
    """The addresses of this console that a page links to, as the server wrote them."""
    matches = [unescape(href) for href in HREF.findall(text)]
    return [h for h in matches if h.startswith("/") and not any(s in h for s in SKIPPED)]


def wide_and_light(page: Page, address: str) -> str:
    """Open the page as `look` takes it; the text that the server has sent."""
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 200, f"{address} answered {answer.status}"
    # What a page loads after itself belongs to it.
    if page.evaluate(LOADS):
        page.wait_for_function(f"() => !({LOADS})", polling=50)
    return answer.text()


def fetched(page: Page, address: str) -> str:
    """The text that the server sends, of a page that is not looked at."""
    answer = page.request.get(address)
    assert answer.status == 200, f"{address} answered {answer.status}"
    return answer.text()


def look(page: Page, address: str) -> list[str]:
    """What is wrong with a page: all rules in light, the contrasts in dark, on a phone the rules and the
    width.
    """
    wide_and_light(page, address)
    return [f"{address}: {line}" for line in in_every_look(page)]


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, prepared: Path, redis_url: str) -> Iterator[Running]:
    """A web server alone: nothing is asked for."""
    var = tmp_path_factory.mktemp("pages") / "var"
    shutil.copytree(prepared, var)
    with running_web(var, redis_url) as started:
        yield started


@pytest.mark.parametrize("username", ROLES)
def test_every_page_passes_axe_in_light_and_dark(sign_in: SignIn, username: str, looked_at: set[str]) -> None:
    page = sign_in(username)
    page.context.add_init_script(SOURCE)
    problems: list[str] = []
    queue, seen = ["/"], {"/"}
    # One address of each shape, found by following links from the start page.
    for address in itertools.islice(iter(lambda: queue.pop(0) if queue else "", ""), MAX_PAGES):
        # The overview differs by role; a page that another role has shown already does not.
        if address == "/" or shape(address) not in looked_at:
            looked_at.add(shape(address))
            text = wide_and_light(page, address)
            problems += [f"{address}: {line}" for line in in_every_look(page)]
        else:
            text = fetched(page, address)
        if username == MEMBER:
            main = text.partition("<main")[2]
            problems += [f"{address}: unexplained: {term.sentence}" for term in unexplained(main)]
        for link in links(text):
            if shape(link) not in seen:
                seen.add(shape(link))
                queue.append(link)
    assert not problems, "\n".join(problems)


@pytest.fixture(scope="module")
def looked_at() -> set[str]:
    """Shapes of the addresses that have been looked at."""
    return set()
