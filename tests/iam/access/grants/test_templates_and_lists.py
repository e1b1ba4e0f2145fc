"""Grants of a template; and lists of grants, which take as many queries for fifty rows as for one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iam.access.grants.models import Grant, GrantPart, GrantState, LedgerEntry, PermissionSort
from iam.access.grants.queries import PAGE, counts, grants_about, list_grants
from iam.access.grants.terms import GrantContent, TermsError, WhatKind, WhoKind, WhoTerms
from iam.access.grants.titles import who_words
from iam.changes.models import ChangeSet
from iam.directory.models import Role
from tests import factories
from tests.iam.access.grants.conftest import Office, statements

pytestmark = pytest.mark.on_postgresql

READ_BUCKET = GrantContent(
    WhatKind.TEMPLATE, template="read-bucket", version=1, parameters={"bucket": "pay-ledger"}
)


def test_a_template_is_filled_in_here_and_not_by_whoever_asks(office: Office) -> None:
    grant = office.granted(office.terms(READ_BUCKET, lasts=3600))
    assert grant.title == f"Read an S3 bucket for {office.scene.user.name}"
    arn = next(entry.target for entry in office.entries(grant) if entry.sort == PermissionSort.ATTACHED)
    document: Any = office.scene.aws.iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"][
        "Document"
    ]
    body = document if isinstance(document, dict) else json.loads(document)
    assert [statement["Resource"] for statement in body["Statement"]] == [
        "arn:aws:s3:::pay-ledger",
        "arn:aws:s3:::pay-ledger/*",
    ]
    assert list(grants_about(office.scene.user)) == [grant]


@pytest.mark.parametrize(
    "what",
    [
        GrantContent(
            WhatKind.TEMPLATE,
            template="read-bucket",
            version=1,
            parameters={"bucket": '*", "arn:aws:s3:::all'},
        ),
        GrantContent(WhatKind.TEMPLATE, template="read-bucket", version=1),
        GrantContent(
            WhatKind.TEMPLATE, template="read-bucket", version=99, parameters={"bucket": "pay-ledger"}
        ),
        GrantContent(WhatKind.TEMPLATE, template="no-such", version=1),
    ],
)
def test_what_a_template_does_not_take_is_refused_in_words(office: Office, what: GrantContent) -> None:
    with pytest.raises(TermsError) as refused:
        office.ask(office.terms(what))
    assert refused.value.part == "what"
    assert not Grant.objects.exists()


def _many(office: Office, number: int) -> None:
    """Rows as asking leaves them."""
    group = ChangeSet.objects.create()
    for place in range(number):
        terms = office.terms(statements())
        grant = Grant.objects.create(
            title=f"Grant {place}",
            terms=terms.body,
            who_kind="users",
            what_kind="statements",
            state=GrantState.ACTIVE,
            idempotency_key=uuid4().hex,
            requested_by=uuid4(),
            requested_label="Somebody",
        )
        part = GrantPart.objects.create(
            grant=grant, account=office.scene.account, way="inline", state=GrantState.ACTIVE, change_set=group
        )
        LedgerEntry.objects.create(
            part=part,
            account=office.scene.account,
            entity=office.scene.user,
            holder_arn=office.scene.user.arn,
            sort=PermissionSort.INLINE,
            target=f"policy-{place}",
        )


def _queries(office: Office, role: Role) -> int:
    viewer = factories.viewer(role, name=f"{role} {uuid4().hex[:6]}")
    if role == Role.MEMBER:
        viewer = replace(viewer, scope=replace(viewer.scope, user_arns=frozenset({office.scene.user.arn})))
    with CaptureQueriesContext(connection) as caught:
        page = list_grants(viewer)
        assert [part.account.name for grant in page.rows for part in grant.parts.all()]
    return len(caught)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.MEMBER])
def test_a_list_takes_as_many_queries_for_fifty_rows_as_for_one(office: Office, role: Role) -> None:
    _many(office, 1)
    few = _queries(office, role)
    _many(office, PAGE + 5)
    assert _queries(office, role) == few


def test_a_page_goes_on_where_the_one_before_ended(office: Office) -> None:
    _many(office, PAGE + 5)
    first = list_grants(office.asks)
    assert first.after is not None
    second = list_grants(office.asks, after=first.after)
    assert (len(first.rows), len(second.rows), second.after) == (PAGE, 5, None)
    assert not {row.pk for row in first.rows} & {row.pk for row in second.rows}
    assert counts(office.asks)["active"] == PAGE + 5


@pytest.mark.django_db
def test_a_title_counts_people_and_not_their_users() -> None:
    arns = tuple(
        f"arn:aws:iam::{number}{number:011d}:user/{name}" for number in (1, 2) for name in ("ama", "kofi")
    )
    assert who_words(WhoTerms(WhoKind.USERS, arns=arns)) == "2 people"
    assert who_words(WhoTerms(WhoKind.USERS, arns=arns[::2])) == "ama"
    groups = tuple(arn.replace(":user/", ":group/") for arn in arns)
    assert who_words(WhoTerms(WhoKind.GROUP, arns=groups)) == "4 groups"
