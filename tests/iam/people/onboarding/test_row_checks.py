"""The rows of a run are checked: twins, people who are there, names that are taken, and last days. No AWS is
needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from iam.changes.errors import RefusedError
from iam.directory.models import Person, Role, Team
from iam.guard import viewer_for
from iam.linking.refresh import refresh_links
from iam.mirror.models import Account, TagSet
from iam.people.blueprints.models import BlueprintVersion
from iam.people.onboarding import row_checks, services
from iam.people.onboarding.models import OnboardingRun
from iam.people.onboarding.pasted_rows import read_sheet
from iam.people.runs import drafts
from iam.people.runs.models import RowStatus
from tests import factories
from tests.console import onboarding

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture(autouse=True)
def _shortly_before_midnight() -> Iterator[None]:
    """What is said of days is said of the day of the check, not of the day on which this file was read."""
    with time_machine.travel(NOW):
        yield


@pytest.fixture
def version() -> BlueprintVersion:
    """For the team payments, in one account, in which Maya is."""
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/w")
    maya = factories.user(account, "maya.okafor")
    tags = {"email": "Maya@Example.com"}
    TagSet.objects.create(
        account=account,
        entity=maya,
        tags=tags,
        valid_from=factories.FIRST_READ,
        observed_at=factories.FIRST_READ,
    )
    factories.person("Kofi Mensah", email="kofi@example.com", arns=(factories.user(account, "km").arn,))
    factories.person("Lena Berg", email="lena@example.com")
    refresh_links()
    team = Team.objects.create(slug="payments", name="Payments")
    return onboarding.blueprint(account, team, stay=30)


def staged(version: BlueprintVersion, *rows: str) -> OnboardingRun:
    lead = factories.person("Elif Kaya", email="elif@example.com")
    factories.assign(lead, Role.TEAM_LEAD, team=version.blueprint.team)
    text = "\n".join(["Name,E-mail,User name,Until", *rows])
    return row_checks.stage(viewer_for(lead), version=version, rows=read_sheet(text.encode()))


def test_twins_and_people_who_are_there_are_told_apart_from_those_who_are_ready(
    version: BlueprintVersion,
) -> None:
    run = staged(
        version,
        "Ada Adler,ada@example.com,,",
        "Ada Again,ADA@example.com,,",
        "Maya Okafor,maya@example.com,,",
        "Kofi Mensah,kofi@example.com,,",
        "Lena Berg,lena@example.com,,",
        "Maya Okafor,other.maya@example.com,,",
        "Mo,mo@example.com,MAYA.OKAFOR,",
        "山田太郎,taro@example.com,,",
        f"Late,late@example.com,,{TODAY + timedelta(days=31)}",
        f"Over,over@example.com,,{TODAY - timedelta(days=1)}",
    )
    rows_by_line = {person.line: person for person in run.people.all()}
    ready, bad, there = RowStatus.READY, RowStatus.BAD, RowStatus.EXISTING
    assert [rows_by_line[line].standing for line in range(2, 12)] == [
        ready,
        bad,
        there,
        there,
        ready,
        ready,
        *[bad] * 4,
    ]
    assert rows_by_line[3].problems == ["Line 2 has the same email address."]
    assert rows_by_line[4].problems == [
        "Someone with this email address already has an IAM user in production."
    ]
    assert rows_by_line[7].user_name == "maya.okafor2"
    assert rows_by_line[8].problems == ["The user name MAYA.OKAFOR is taken."]
    assert "Enter one" in rows_by_line[9].problems[0]
    assert rows_by_line[2].until == TODAY + timedelta(days=30)
    assert "allows 30 days" in rows_by_line[10].problems[0]
    assert "in the past" in rows_by_line[11].problems[0]


def test_names_that_were_written_come_before_those_that_are_made(version: BlueprintVersion) -> None:
    run = staged(
        version, "Ada Adler,a1@example.com,,", "Ada Adler,a2@example.com,,", "Zed,z@example.com,ada.adler2,"
    )
    assert [person.user_name for person in run.people.all()] == ["ada.adler", "ada.adler3", "ada.adler2"]


def test_who_is_known_already_keeps_who_they_are(version: BlueprintVersion) -> None:
    run = staged(version, "Lena Berg,lena@example.com,,")
    assert run.people.get().person_id == Person.objects.get(email="lena@example.com").pk


def test_a_draft_belongs_to_who_began_it_and_is_forgotten_after_a_week(version: BlueprintVersion) -> None:
    run = staged(version, "Ada Adler,ada@example.com,,")
    other = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")
    with pytest.raises(RefusedError, match="Only the person who started"):
        drafts.discard(other, run=run)
    assert drafts.delete_old_drafts(OnboardingRun) == 0
    OnboardingRun.objects.update(created_at=datetime.now(tz=UTC) - timedelta(days=8))
    assert drafts.delete_old_drafts(OnboardingRun) == 1
    assert not OnboardingRun.objects.exists()


def test_nobody_onboards_into_a_team_that_is_not_theirs(version: BlueprintVersion) -> None:
    stranger = factories.person("Sam Stone")
    factories.assign(stranger, Role.TEAM_LEAD, team=Team.objects.create(slug="data", name="Data"))
    with pytest.raises(RefusedError, match="your own teams"):
        row_checks.stage(viewer_for(stranger), version=version, rows=[])


def test_a_lead_does_not_learn_which_groups_others_have(version: BlueprintVersion) -> None:
    run = staged(version, "Ada Adler,ada@example.com,,")
    lead = viewer_for(Person.objects.get(email="elif@example.com"))
    sentences = []
    for _ in range(2):
        with pytest.raises(RefusedError) as refused:
            services.plan_run(run, list(run.people.all()), viewer=lead)
        sentences.append(refused.value.message)
        factories.group(Account.objects.get(), "payments-dev")
    assert sentences == ["production has no group “payments-dev” of your teams, as of the last sync."] * 2
