"""The made-up trail: the same every time, plausible, and with the stories that are listed."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.demo import past
from console.demo.organisation.build import northline
from console.demo.organisation.guardrails import BEFORE_MFA
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin import ids
from console.demo.trail.files import trail_files
from console.demo.trail.records import requires_mfa
from iam.activity.ingest import DeliveredFile, ingest
from iam.activity.models import TrailCaller, TrailEvent, TrailFile

PLANTED = json.loads((Path(__file__).parent / "planted_activity.json").read_text(encoding="utf-8"))
UNTIL = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def files() -> list[tuple[str, bytes]]:
    return list(trail_files(northline(), UNTIL))


@pytest.fixture
def _stored(db: None, files: list[tuple[str, bytes]]) -> None:
    report = ingest((DeliveredFile(*file) for file in files), "sample")
    assert report.quarantined == []
    assert report.repeated == 0
    assert report.stored > 10_000


def test_the_same_moment_gives_the_same_bytes(files: list[tuple[str, bytes]]) -> None:
    def digest(made: list[tuple[str, bytes]]) -> str:
        return hashlib.sha256(b"".join(name.encode() + content for name, content in made)).hexdigest()

    assert digest(files) == digest(list(trail_files(northline(), UNTIL)))
    assert sum(len(content) for _, content in files) < 2_000_000


@pytest.mark.usefixtures("_stored")
def test_every_planted_story_is_in_the_trail() -> None:
    for story in PLANTED["stories"]:
        assert _matching(story).count() == story["events"], story


def _matching(story: dict[str, Any]) -> Any:
    service, _, action = story["action"].partition(":")
    fields = {"mfa": "mfa", "tool": "tool", "address": "source_address"}
    more = {column: story[name] for name, column in fields.items() if name in story}
    return TrailEvent.objects.filter(
        account_id=ACCOUNT_IDS[story["account"]],
        caller__name=story["principal"],
        service=service,
        action=action,
        is_denied=story["result"] == "denied",
        **more,
    )


@pytest.mark.usefixtures("_stored")
def test_what_was_never_used_is_not_in_the_trail() -> None:
    for unused in PLANTED["unused"]:
        events = TrailEvent.objects.filter(
            account_id=ACCOUNT_IDS[unused["account"]],
            caller__name=unused["principal"],
            service__in=unused["services"],
        )
        assert not events.exists(), unused


@pytest.mark.usefixtures("_stored")
def test_no_call_succeeds_that_a_policy_denies_without_mfa() -> None:
    """A group of the data account denies its members everything but a few calls without MFA."""
    strict = {}
    for account in northline().accounts:
        for user in account.users:
            if requires_mfa(account, user):
                strict[ids.stable("AIDA", account.id, "user", user.name)] = user.name
    assert len(strict) > 20
    events = TrailEvent.objects.filter(caller__unique_id__in=strict, is_denied=False).exclude(mfa=True)
    without = events.exclude(action="ConsoleLogin").values_list("service", "action").distinct()
    assert {f"{service}:{action}" for service, action in without} <= set(BEFORE_MFA)
    assert TrailEvent.objects.filter(caller__unique_id__in=strict, mfa=True).count() > 100


@pytest.mark.usefixtures("_stored")
def test_every_user_and_role_is_one_of_the_organization() -> None:
    known = set()
    for account in northline().accounts:
        known |= {ids.stable("AIDA", account.id, "user", user.name) for user in account.users}
        known |= {ids.stable("AROA", account.id, "role", role.name) for role in account.roles}
    callers = TrailCaller.objects.filter(kind__in=("user", "role")).values_list("unique_id", flat=True)
    assert set(callers) <= known
    assert TrailCaller.objects.filter(kind="user").count() > 200


@pytest.mark.usefixtures("_stored")
def test_no_event_lies_outside_of_ninety_days() -> None:
    moments = TrailEvent.objects.order_by("at").values_list("at", flat=True)
    assert (UNTIL - moments[0]).days <= 90
    assert list(moments)[-1] <= UNTIL


@pytest.mark.django_db
def test_the_sample_reads_its_past_once(settings: Any) -> None:
    settings.SAMPLE_DATA = False
    assert past.read_sample_trail() is None
    settings.SAMPLE_DATA = True
    report = past.read_sample_trail()
    assert report is not None
    assert report.stored > 10_000
    assert past.read_sample_trail() is None
    assert TrailFile.objects.filter(source="sample").count() == report.files
