"""What the tests of the lists share: a signed-in browser, and what a table shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from iam.directory.models import Role, RuleKind, Team, TeamRule
from tests import factories

SignIn = Callable[..., Client]
ROW = re.compile(r'<div class="who">.*?<a href="([^"]+)">(.*?)</a>', re.DOTALL)
TAB = re.compile(r'<a href="([^"]*)"[^>]*>([^<]+) <span class="count"[^>]*>([\d,]+)</span></a>')


@pytest.fixture(autouse=True)
def _nothing_counted_before() -> Iterator[None]:
    """Counts are kept between requests; between tests they are not."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def sign_in() -> SignIn:
    """Sign somebody in with a role; a team lead leads anyone who is in the group `payments-dev`."""

    def do(role: Role = Role.AUDITOR, **fields: Any) -> Client:
        if role is Role.TEAM_LEAD and "team" not in fields:
            fields["team"] = Team.objects.create(slug="payments", name="Payments")
            TeamRule.objects.create(team=fields["team"], kind=RuleKind.GROUP, value="payments-dev")
        client = Client()
        client.force_login(factories.operator(role, **{"name": f"The {role.label}"} | fields))
        return client

    return do


@pytest.fixture
def auditor(sign_in: SignIn) -> Client:
    """Somebody who sees everything and may export it."""
    return sign_in(Role.AUDITOR)


def shown(response: Any) -> list[str]:
    """The names in the rows of the table, in order."""
    assert response.status_code == 200, response.status_code
    return [unescape(name) for _, name in ROW.findall(response.content.decode())]


def tabs(response: Any) -> dict[str, int]:
    """The saved views with their counts."""
    return {label: int(count.replace(",", "")) for _, label, count in TAB.findall(response.content.decode())}


def link(response: Any, rel: str) -> str:
    """The address of the previous or next page, "" when there is none."""
    match = re.search(rf'<a href="([^"]+)"[^>]*rel="{rel}"', response.content.decode())
    return unescape(match.group(1)) if match else ""
