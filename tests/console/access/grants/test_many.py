"""Grants of many people and accounts, and many grants: a page shows the first, counts all, leads to the rest,
and costs the same.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.access.grants.models import ENDING, Grant, GrantPart, GrantState, LedgerEntry
from iam.changes.models import Change, ChangeSet
from tests import factories as make
from tests.console.access.grants import made
from tests.console.access.grants.conftest import Office

pytestmark = pytest.mark.django_db


def give(office: Office, count: int) -> Grant:
    """To so many people in the one account."""
    people = [make.user(office.account, f"p{number:03d}.ray.{count}") for number in range(count)]
    return made.grant(office.account, *people, asked_by=office.people["asker"].person)


def page_of(grant: Grant) -> str:
    return reverse("access:grant", args=[grant.pk])


def test_of_many_people_the_first_are_shown_and_all_are_a_page_away(office: Office) -> None:
    few, many = give(office, 2), give(office, 130)
    office.asker.get(page_of(few))
    with CaptureQueriesContext(connection) as at_two:
        office.asker.get(page_of(few))
    with CaptureQueriesContext(connection) as at_many:
        page = office.asker.get(page_of(many)).content.decode()
    assert len(at_many) == len(at_two)
    assert page.count("has the policy") == 15
    part = many.parts.get()
    address = reverse("access:grant-part", args=[many.pk, part.pk])
    assert f'href="{address}">Show all 130</a>' in page
    first = office.asker.get(address)
    assert first.content.decode().count("has the policy") == 100
    rest = office.asker.get(address, {"after": first.context["following"]})
    assert rest.content.decode().count("has the policy") == 30
    assert "p129" in rest.content.decode()
    ending = office.asker.get(reverse("access:grant-end", args=[many.pk])).content.decode()
    assert "and 115 more in production" in ending


def test_many_accounts_are_a_list_by_state(office: Office) -> None:
    grant = give(office, 1)
    change_set = grant.parts.get().change_set
    for number in range(45):
        account = make.account(f"{300000000000 + number}", name=f"unit-{number:02d}")
        part = GrantPart.objects.create(
            grant=grant,
            account=account,
            lane=number + 1,
            way="attach",
            change_set=change_set,
            state=GrantState.FAILED if number == 44 else GrantState.ACTIVE,
            trouble="The account could not be reached." if number == 44 else "",
        )
        arn = f"arn:aws:iam::{account.account_id}:user/x"
        LedgerEntry.objects.create(part=part, account=account, holder_arn=arn, sort="attached", target="P")
    answer = office.asker.get(page_of(grant))
    page = answer.content.decode()
    assert page.count(f"{page_of(grant)}in/") == 40
    assert "1 failed" in page
    assert "45 active" in page
    second = office.asker.get(page_of(grant), {"after": answer.context["following_parts"]}).content.decode()
    assert second.count(f"{page_of(grant)}in/") == 6
    failed = office.asker.get(page_of(grant), {"state": "failed"}).content.decode()
    assert "The account could not be reached." in failed
    assert failed.count(f"{page_of(grant)}in/") == 1
    assert len(answer.content) < 60_000


def test_what_ends_soon_is_told_by_its_end_over_all_pages(office: Office) -> None:
    now = datetime.now(tz=UTC)
    grant = give(office, 1)
    Grant.objects.bulk_create(
        Grant(
            title=f"Grant {number}",
            terms=grant.terms,
            who_kind="users",
            what_kind="managed",
            state=GrantState.ACTIVE,
            idempotency_key=f"soon-{number}",
            requested_by=grant.requested_by,
            begins_at=now,
            # Those that were asked for last end first.
            ends_at=now + timedelta(hours=100 - number),
        )
        for number in range(70)
    )
    ends, after = [], ""
    for _ in range(2):
        context = office.asker.get("/grants/", {"tab": "soon", "after": after}).context
        ends += [row.grant.ends_at for row in context["rows"]]
        after = str(context["following"] or "")
    assert len(ends) == 71
    assert ends == sorted(ends)
    assert after == ""


def test_a_change_that_ends_a_grant_leads_to_it(office: Office) -> None:
    grant = give(office, 1)
    user, group = office.of["tomas.lind"].pk, office.of["payments"].pk
    address = f"{reverse('changes:membership')}?user={user}&group={group}&do=add"
    office.asker.post(address, {"reason": "On call", "key": str(uuid4())})
    change = Change.objects.get()
    whole = ChangeSet.objects.create(title="End it", cause_kind=ENDING, cause_id=grant.pk)
    Change.objects.filter(pk=change.pk).update(change_set=whole)
    page = office.asker.get(reverse("changes:change", args=[change.pk])).content.decode()
    assert f'href="{page_of(grant)}">' in page
