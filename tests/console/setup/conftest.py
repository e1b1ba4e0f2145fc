"""Operators in their browsers, and an account with sections, for the tests of the accounts pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from iam.directory.models import Role, Team
from iam.mirror.models import Account, Section
from iam.mirror.pull.sections import ALL
from tests import factories
from tests.iam.mirror.accounts.aws import cloud, standin_process

__all__ = ["cloud", "standin_process"]

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings: Any) -> None:
    """Uploads of a test go nowhere else."""
    settings.VAR = tmp_path


def signed_in(role: Role | None, **fields: Any) -> Client:
    """A browser in which somebody with this role has just signed in."""
    client = Client()
    client.force_login(factories.operator(role, **fields))
    return client


@pytest.fixture
def admin(db: None) -> Client:
    """An administrator's browser."""
    return signed_in(Role.ADMINISTRATOR)


@pytest.fixture
def auditor(db: None) -> Client:
    """An auditor's browser."""
    return signed_in(Role.AUDITOR, name="Tomas Lind")


@pytest.fixture
def team_lead(db: None) -> Client:
    """A team lead's browser."""
    team = Team.objects.create(slug="payments", name="Payments")
    return signed_in(Role.TEAM_LEAD, name="Elif Kaya", team=team)


@pytest.fixture
def account(db: None) -> Account:
    """A connected account that was read four minutes ago."""
    made = factories.account("447109238816", name="production", external_id="gh-4e07b81c2d95")
    at = datetime.now(tz=UTC) - timedelta(minutes=4)
    Section.objects.bulk_create(
        Section(account=made, name=name, state="complete", observed_at=at, attempted_at=at, count=12)
        for name in ALL
    )
    return made


def text_of(response: Any) -> str:
    """The page, with its white space made even, and no spaces that do not break."""
    return " ".join(response.content.decode().split())


def plain(response: Any) -> str:
    """The words of the page without its markup."""
    return " ".join(re.sub(r"<[^>]*>", "", response.content.decode()).split())
