"""A user whose MFA devices were not read is unknown on every page and in every file: never on, never off, and
counted apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from django.test import Client
from django.urls import reverse

from iam.directory.models import Identity, Person, Role
from iam.mirror.mfa import UNKNOWN, has_mfa
from iam.mirror.models import EdgeKind, Entity, UserCredentials
from iam.people.campaigns.models import Campaign, CampaignEnding, Participant
from tests import factories
from tests.console.identities.lists.conftest import _nothing_counted_before

__all__ = ["_nothing_counted_before"]
pytestmark = pytest.mark.django_db
ROOT: Final = Path(__file__).resolve().parents[3]
GREEN: Final = re.compile(r'data-tone="ok"')
RED: Final = re.compile(r'data-tone="bad"')


def group_page(user: Entity) -> str:
    group = factories.group(user.account, "payments-dev")
    factories.edge(EdgeKind.MEMBER, user, group)
    return reverse("identities:group", args=[group.pk])


def campaign_page(user: Entity) -> str:
    now = datetime.now(tz=UTC)
    author = Person.objects.get(name="Ines Duarte")
    campaign = Campaign.objects.create(
        name="By December",
        reason="PCI",
        due=now.date() + timedelta(days=9),
        ending=CampaignEnding.NOTIFY,
        begun_by=author,
        begun_at=now,
    )
    Participant.objects.create(campaign=campaign, user=user, joined_at=now)
    return reverse("mfa:campaign", args=[campaign.pk])


PAGES: Final[dict[str, Callable[[Entity], str]]] = {
    "IAM users": lambda user: reverse("identities:people"),
    "a user": lambda user: reverse("identities:person", args=[user.pk]),
    "credentials of a user": lambda user: reverse("identities:person-credentials", args=[user.pk]),
    "MFA": lambda user: reverse("mfa:fleet"),
    "overview": lambda user: reverse("dashboard:overview"),
    "persons": lambda user: reverse("linking:persons"),
    "users of a person": lambda user: reverse("linking:person", args=[user.pk]),
    "a group": group_page,
    "a campaign": campaign_page,
}


def shown(page: str, word: str, *, has_password: bool | None = True) -> str:
    """The page with one user of whom this is known, as an administrator reads it."""
    account = factories.account()
    user = factories.user(account, "maya.okafor", credentials={"mfa": word, "has_password": has_password})
    person = factories.person("Maya Okafor")
    Identity.objects.create(person=person, user_arn=user.arn)
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    answer = client.get(PAGES[page](user))
    assert answer.status_code == 200
    body = answer.content.decode()
    return body.partition("<main")[2] or body


@pytest.mark.parametrize("word", UNKNOWN)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_calls_it_unknown(page: str, word: str) -> None:
    text = shown(page, word)
    assert "nknown" in text
    for claim in ("On wherever", ">On<", "MFA is on", "Registered", "MFA missing", "No device"):
        assert claim not in text, claim


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_is_green_with_a_device_is_less_so_without_knowledge(page: str) -> None:
    """The same page, with a device, without one and unknown: unknown has neither the green of the first nor
    the red of the second.
    """
    pages = {}
    for word in ("virtual", "none", "unknown"):
        UserCredentials.objects.all().delete()
        pages[word] = count_marks(page, word)
    green, red, unknown = pages["virtual"], pages["none"], pages["unknown"]
    assert unknown[0] < green[0] or green[0] == red[0]
    assert unknown[1] < red[1] or red[1] == green[1]


def count_marks(page: str, word: str) -> tuple[int, int]:
    from django.core.cache import cache
    from django.db import transaction

    cache.clear()
    sid = transaction.savepoint()
    try:
        text = shown(page, word)
    finally:
        transaction.savepoint_rollback(sid)
    return len(GREEN.findall(text)), len(RED.findall(text))


@pytest.mark.parametrize("word", UNKNOWN)
def test_the_fleet_counts_it_apart_and_lists_it_under_its_tab(word: str) -> None:
    account = factories.account()
    factories.user(account, "maya.okafor", credentials={"mfa": word, "has_password": True})
    factories.user(account, "with-app", credentials={"mfa": "virtual", "has_password": True})
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    page = client.get(reverse("mfa:fleet"), {"view": "unknown"}).content.decode()
    assert "maya.okafor" in page
    assert "with-app" not in page
    file = b"".join(client.get(reverse("mfa:fleet-export", args=["csv"])).streaming_content).decode()  # type: ignore[attr-defined]
    row = next(line for line in file.splitlines() if "maya.okafor" in line)
    assert ",unknown," in row.lower()
    assert "Registered" not in row


def test_the_words_have_one_meaning() -> None:
    answers = {
        word: has_mfa(word) for word in ("none", "virtual", "hardware", "security-key", "several", *UNKNOWN)
    }
    assert answers == {
        "none": False,
        "virtual": True,
        "hardware": True,
        "security-key": True,
        "several": True,
        "unread": None,
        "unknown": None,
    }
    assert has_mfa(None) is None


ALLOWED: Final = {
    # They refuse, forbid or look closer where something may be there: unknown counts as there.
    "iam/changes/services/deletion.py",
    "iam/changes/drift/sign_in_reversals.py",
    "iam/people/enrolment/queries.py",
    "console/identities/details/people.py",
    # They show each of the words apart.
    "console/identities/lists/people.py",
    "templates/identities/person_credentials.html",
    "templates/dashboard/overview.html",
    "iam/mirror/mfa.py",
    # It leaves out the unknown first.
    "iam/mirror/queries/differences.py",
}


def test_nobody_else_takes_not_none_for_on() -> None:
    """`mfa != "none"` and `mfa not in ("none", "unread")` call the unknown green; `iam.mirror.mfa.has_mfa`
    does not.
    """
    takes = re.compile(
        r"""mfa["'\]]*\s*(!=|not in)\s*\(?["']none["']|exclude\(\s*mfa(__in)?=\[?["']none["']"""
    )
    unhandled = set()
    for folder, ending in (("iam", "py"), ("console", "py"), ("templates", "html")):
        for file in (ROOT / folder).rglob(f"*.{ending}"):
            if "migrations" not in file.parts and takes.search(file.read_text(encoding="utf-8")):
                unhandled.add(str(file.relative_to(ROOT)))
    assert unhandled <= ALLOWED, unhandled - ALLOWED
