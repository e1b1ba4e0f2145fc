"""The same access requested a second time: it is pointed out before the request is made, to those whose grant
it is.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.urls import reverse

from iam.access.drafts.models import GrantDraft
from iam.access.grants.duplicates import COUNTING
from iam.access.grants.models import Grant, GrantState
from tests import factories as make
from tests.console.access.grants import made
from tests.console.access.grants.conftest import READ_ONLY, Office, at

pytestmark = pytest.mark.django_db
OTHER = "arn:aws:iam::aws:policy/SecurityAudit"


def mine(office: Office, *, what: dict[str, Any] | None = None) -> UUID:
    """A draft of the member about herself."""
    body = {
        "kind": "users",
        "who": {"users": {"arns": [office.arn("maya.okafor")]}},
        "what": what or {"kind": "managed", "policy_arn": READ_ONLY},
        "ends": "8h",
        "why": "Settles the quarter",
    }
    return GrantDraft.objects.create(person_id=office.people["member"].person_id, body=body).pk


def said(office: Office, pk: UUID) -> str:
    """What the preview says of an earlier grant."""
    page = " ".join(office.member.get(at("preview", pk)).content.decode().split())
    partition = page.partition("This access has been ")[2]
    return partition.partition("</div>")[0]


def given(office: Office, state: GrantState, **fields: Any) -> Grant:
    """ReadOnlyAccess for maya."""
    asked_by = fields.pop("asked_by", office.people["member"].person)
    return made.grant(office.account, office.of["maya.okafor"], asked_by=asked_by, state=state, **fields)


@pytest.mark.parametrize("state", GrantState)
def test_what_waits_or_is_active_is_pointed_out_with_a_link(office: Office, state: GrantState) -> None:
    grant = given(office, state)
    words = said(office, mine(office))
    assert bool(words) is (state in COUNTING)
    if words:
        assert (
            f'href="{reverse("access:grant", args=[grant.pk])}"><span class="ref">{grant.reference}</span>'
            in words
        )
        assert grant.get_state_display().lower() in words
        assert words.startswith("granted already" if grant.begins_at else "requested already")


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({}, True),
        ({"what": {"kind": "managed", "policy_arn": OTHER}}, False),
        ({"accounts": ["222222222222"]}, False),
        ({"accounts": ["111111111111", "222222222222"]}, True),
        ({"who": {"kind": "users", "arns": ["arn:aws:iam::111111111111:user/tomas.lind"]}}, False),
        ({"lasts": 60 * 60 * 24, "why": "Another reason"}, True),
    ],
)
def test_a_grant_is_a_duplicate_only_with_the_same_people_permissions_and_accounts(
    office: Office, changes: dict[str, Any], is_same: bool
) -> None:
    grant = given(office, GrantState.ACTIVE)
    Grant.objects.filter(pk=grant.pk).update(terms={**grant.terms, **changes})
    assert bool(said(office, mine(office))) is is_same


@pytest.mark.parametrize(("prefix", "is_same"), [("reports/", True), ("ledger/", False)])
def test_a_template_is_the_same_with_the_same_parameters(office: Office, prefix: str, is_same: bool) -> None:
    what = {"kind": "template", "template": "s3-read", "version": 1, "parameters": {"prefix": "reports/"}}
    asked = {**what, "parameters": {"prefix": prefix}}
    from iam.access.grants.duplicates import earlier_grant
    from iam.access.grants.terms import GrantTerms
    from iam.guard import viewer_for

    grant = given(office, GrantState.WAITING, template="s3-read", what_kind="template")
    Grant.objects.filter(pk=grant.pk).update(terms={**grant.terms, "what": what})
    viewer = viewer_for(office.people["member"].person)
    earlier = earlier_grant(
        GrantTerms.from_json({**grant.terms, "what": {**asked, "version": 2}}), viewer=viewer
    )
    assert (earlier == grant) is is_same


def test_what_somebody_else_requested_for_one_is_pointed_out_and_what_is_not_ones_own_is_not(
    office: Office,
) -> None:
    given(office, GrantState.ACTIVE, asked_by=office.people["asker"].person)
    assert said(office, mine(office))
    Grant.objects.all().update(state=GrantState.ENDED)
    made.grant(
        office.account,
        office.of["tomas.lind"],
        asked_by=office.people["asker"].person,
        state=GrantState.ACTIVE,
    )
    assert not said(office, mine(office))


def test_a_duplicate_grant_can_be_requested_all_the_same(office: Office) -> None:
    given(office, GrantState.ACTIVE, ends_in=timedelta(minutes=30))
    what = {"kind": "statements", "documents": [json.dumps(make.ALLOW_S3)]}
    pk = mine(office, what=what)
    assert not said(office, pk)
    office.member.post(at("preview", pk))
    assert said(office, mine(office, what=what))
    office.member.post(at("preview", mine(office, what=what)))
    assert Grant.objects.filter(state=GrantState.WAITING).count() == 2
