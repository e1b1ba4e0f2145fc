"""A review that was signed off, attacked by SQL: the database refuses, and verification names what was
altered without its triggers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from iam.audit.reviews import triggers
from iam.audit.reviews.campaigns import begin_next
from iam.audit.reviews.models import ReviewCampaign, ReviewItem
from iam.audit.reviews.sign_off import acknowledge, sign
from iam.audit.reviews.triggers import CAMPAIGNS, TABLES
from iam.audit.reviews.verification import altered_reviews
from iam.directory.models import Role
from iam.journal.models import JournalVerification
from iam.journal.queries import journal_size
from iam.journal.tasks import verify_regularly
from iam.people.runs.models import RunState
from tests import factories
from tests.iam.audit.reviews import made

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
ROWS, ACCESSES = TABLES


def frozen(world: made.World, **terms: object) -> ReviewCampaign:
    campaign = made.opened(world, **terms)
    now = datetime.now(tz=UTC)
    ReviewItem.objects.filter(campaign=campaign).update(
        decision="keep", decided_by=world.lead.person_id, decided_name="Elif", decided_at=now
    )
    sign(campaign, note="All of it", actor=world.administrator, now=now)
    acknowledge(campaign, is_accepted=True, note="Seen", actor=world.approver, now=now)
    campaign.refresh_from_db()
    return campaign


def value_of(campaign: ReviewCampaign) -> str:
    """The key of a review as this database has it, in quotes."""
    return f"'{campaign.pk.hex}'" if connection.vendor == "sqlite" else f"'{campaign.pk}'"


def refusal_of(statement: str) -> str:
    """What the database says of a statement that it refuses; "" where it carries it out."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        return str(error)
    return ""


COLUMNS = {
    "name": "'Other'",
    "state": "'running'",
    "decided": "99",
    "signed_name": "'Mallory'",
    "signed_at": "'2020-01-01 00:00:00+00'",
    "signed_note": "'x'",
    "acknowledged_by": "NULL",
    "acknowledged_name": "'Mallory'",
    "digest": "'x'",
    "terms": "'{}'",
    "facts": "'{}'",
    "due_at": "'2030-01-01 00:00:00+00'",
    "owner_id": "'00000000000000000000000000000000'",
}
ATTACKS = {
    "its key": "UPDATE {reviews} SET id = '00000000000000000000000000000001' WHERE id = {id}",
    "its removal": "DELETE FROM {reviews} WHERE id = {id}",
    "all at once": "UPDATE {reviews} SET name = 'Other'",
    "a row": "UPDATE {rows} SET decision = 'revoke' WHERE campaign_id = {id}",
    "the removal of a row": "DELETE FROM {rows} WHERE campaign_id = {id}",
    "a row moved out": "UPDATE {rows} SET campaign_id = {other} WHERE campaign_id = {id}",
    "a row moved in": "UPDATE {rows} SET campaign_id = {id}, target = 'x' WHERE campaign_id = {other}",
    "what it allows": "UPDATE {accesses} SET lines = '[]' WHERE campaign_id = {id}",
    "an access moved in": "UPDATE {accesses} SET campaign_id = {id}, key = 'x' WHERE campaign_id = {other}",
}
SQLITE_ATTACKS = {
    "a review in its place": "INSERT OR REPLACE INTO {reviews} SELECT * FROM {reviews} WHERE id = {id}",
    "another that takes its key": "UPDATE OR REPLACE {reviews} SET id = {id} WHERE id = {other}",
    "a row that takes the key of another": "UPDATE OR REPLACE {rows} SET id = ({first_row}) "
    "WHERE id = (SELECT MIN(id) FROM {rows} WHERE campaign_id = {other})",
    "an access that takes the key of another": "UPDATE OR REPLACE {accesses} SET id = ({first_access}) "
    "WHERE id = (SELECT MIN(id) FROM {accesses} WHERE campaign_id = {other})",
}
POSTGRESQL_ATTACKS = {
    "all rows at once": "TRUNCATE {rows} CASCADE",
    "all reviews at once": "TRUNCATE {reviews} CASCADE",
    "rows as replication writes them": "SET LOCAL session_replication_role = replica; "
    "UPDATE {rows} SET decision = 'revoke' WHERE campaign_id = {id}",
}


def attacks(campaign: ReviewCampaign, other: ReviewCampaign) -> dict[str, str]:
    """The statements, each by what it would alter."""
    own = SQLITE_ATTACKS if connection.vendor == "sqlite" else POSTGRESQL_ATTACKS
    number = value_of(campaign)
    places = {
        "id": number,
        "other": value_of(other),
        "reviews": CAMPAIGNS,
        "rows": ROWS,
        "accesses": ACCESSES,
        "first_row": f"SELECT MIN(id) FROM {ROWS} WHERE campaign_id = {number}",
        "first_access": f"SELECT MIN(id) FROM {ACCESSES} WHERE campaign_id = {number}",
    }
    statements = {name: text.format(**places) for name, text in (ATTACKS | own).items()}
    for column, value in COLUMNS.items():
        statements[f"its {column}"] = f"UPDATE {CAMPAIGNS} SET {column} = {value} WHERE id = {number}"
    return statements


def test_no_statement_alters_what_was_signed_off() -> None:
    world = made.world()
    other = made.opened(world)
    campaign = frozen(world)
    # PostgreSQL truncates no table that has foreign keys to check.
    connection.check_constraints()
    for name, statement in attacks(campaign, other).items():
        assert "never changes" in refusal_of(statement), name
    assert altered_reviews() == []
    # The other review is still in progress, and can be altered and removed.
    ReviewItem.objects.filter(campaign=other).update(decision="keep")
    ReviewCampaign.objects.filter(pk=other.pk).update(name="Renamed")
    other.delete()


def test_the_next_of_its_series_still_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iam.nudge.send", lambda *_, **__: True)
    campaign = frozen(made.world(), months=6)
    assert campaign.next_at is not None
    assert begin_next(campaign, now=campaign.next_at) is not None
    assert ReviewCampaign.objects.get(pk=campaign.pk).next_at is None
    assert altered_reviews() == []


def lift_triggers() -> None:
    """As the owner of the tables can. PostgreSQL alters no table that has foreign keys to check."""
    connection.check_constraints()
    triggers.drop(connection)


def _update(campaign: ReviewCampaign, **values: object) -> None:
    ReviewCampaign.objects.filter(pk=campaign.pk).update(**values)


def _rename(campaign: ReviewCampaign) -> None:
    _update(campaign, acknowledged_name="Mallory")


def _decide(campaign: ReviewCampaign) -> None:
    row = campaign.rows.order_by("pk").first()
    assert row is not None
    campaign.rows.filter(pk=row.pk).update(decided_name="Mallory")


def _insert(campaign: ReviewCampaign) -> None:
    row = campaign.rows.order_by("pk").first()
    assert row is not None
    row.pk, row.target = None, "another"
    row.save(force_insert=True)


GONE = "is gone or no longer so"
CHANGES: dict[str, tuple[Callable[[ReviewCampaign], object], str]] = {
    "the review": (_rename, "The record of review REV-"),
    "a row": (_decide, "The rows of review REV-"),
    "a row more": (_insert, "The rows of review REV-"),
    "a row less": (lambda each: each.rows.order_by("pk")[:1].get().delete(), "The rows of review REV-"),
    "its digest too": (lambda each: _update(each, digest="x"), "The record"),
    "what it allows": (lambda each: each.accesses.update(lines=["Nothing"]), "The record"),
    "what replay says": (lambda each: each.rows.update(replay={"state": "known"}), "The record"),
    "its sign-off": (lambda each: _update(each, state="running"), GONE),
    "all of it": (lambda each: each.delete(), GONE),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_verification_names_what_was_altered_without_triggers(
    change: tuple[Callable[[ReviewCampaign], object], str],
) -> None:
    world = made.world()
    untouched, campaign = frozen(world), frozen(world)
    assert altered_reviews() == []
    alter, sentence = change
    reference = campaign.reference
    lift_triggers()
    alter(campaign)
    connection.check_constraints()
    triggers.create(connection)
    (said,) = altered_reviews()
    assert sentence in said
    assert reference in said
    assert untouched.reference not in said


def test_a_sign_off_that_nobody_acknowledged_is_named() -> None:
    campaign = made.opened(made.world())
    ReviewCampaign.objects.filter(pk=campaign.pk).update(
        state=RunState.DONE, ended_at=campaign.due_at + timedelta(1)
    )
    (said,) = altered_reviews()
    assert "the journal has no acknowledgement" in said


def test_the_command_names_altered_reviews_and_missing_triggers_and_restores_them() -> None:
    campaign = frozen(made.world())
    assert triggers.missing(connection) == []
    lift_triggers()
    _rename(campaign)
    connection.check_constraints()
    assert len(triggers.missing(connection)) >= 8
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_journal", "--json", stdout=out)
    assert ended.value.code == 1
    told = json.loads(out.getvalue())
    assert campaign.reference in told["altered_reviews"][0]
    assert f"{CAMPAIGNS}_frozen_update" in told["missing_triggers"]
    with pytest.raises(SystemExit):
        call_command("verify_journal", "--restore-triggers", stdout=StringIO())
    assert triggers.missing(connection) == []


def _page(client: Client) -> str:
    return " ".join(client.get(reverse("audit:journal")).content.decode().split())


def test_the_verification_of_the_journal_compares_them_and_the_page_says_what_it_found() -> None:
    client = Client()
    client.force_login(factories.operator(Role.AUDITOR))
    verify_regularly()
    assert JournalVerification.objects.latest("id").records == 0
    assert "signed-off review" not in _page(client)
    campaign = frozen(made.world())
    verify_regularly()
    done = JournalVerification.objects.latest("id")
    assert (done.holds, done.records, done.record_problem) == (True, 1, "")
    assert "1 signed-off review is as it was acknowledged." in _page(client)
    lift_triggers()
    _rename(campaign)
    connection.check_constraints()
    verify_regularly()
    done = JournalVerification.objects.latest("id")
    # The chain holds; it is the review that was altered, and the triggers are gone.
    assert (done.holds, done.records, done.record_problems) == (True, 1, 2)
    page = _page(client)
    assert "a signed-off review isn’t as acknowledged" in page
    assert f"The record of review {campaign.reference}" in page
    assert "1 more problem: see" in page
    assert 'class="done-panel" data-tone="bad"' in page
    triggers.create(connection)
    verify_regularly()
    assert JournalVerification.objects.latest("id").record_problems == 1
    assert journal_size().is_record_altered
