"""The page of a grant says what it gave in words of its reader, and doesn't claim what isn't so."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from console.access.grants.marks import PLAIN_WAYS
from iam.access.drafts.models import GrantDraft
from iam.access.grants.models import Grant, GrantPart, GrantState, LedgerEntry, PermissionSort
from iam.access.grants.plans import WAYS
from iam.mirror.models import EdgeKind
from tests import factories as make
from tests.console.access.grants import made
from tests.console.access.grants.conftest import Office, at
from tests.console.access.grants.test_effect_everywhere import text_of

pytestmark = pytest.mark.django_db
INLINE = "An inline policy is a list of permissions that belongs to one user, group or role alone."


def grant_of_maya(office: Office, **fields: object) -> Grant:
    """A grant of which the member is the only holder."""
    return made.grant(
        office.account,
        office.of["maya.okafor"],
        asked_by=office.people["asker"].person,
        **fields,  # type: ignore[arg-type]
    )


def attach(office: Office) -> None:
    """What the grant gives is in AWS."""
    policy = make.policy(office.account, "ReadOnlyAccess", arn=made.READ_ONLY)
    make.edge(EdgeKind.ATTACHED, office.of["maya.okafor"], policy)


@pytest.mark.parametrize(
    ("sort", "plain", "exact"),
    [
        (PermissionSort.MEMBER, "is in the group", "is a member of"),
        (PermissionSort.ATTACHED, "has the permissions in", "has the policy"),
        (PermissionSort.INLINE, "has the permissions in", "has the inline policy"),
        (PermissionSort.TRUST, "lets people in through", "trusts, through the statement"),
        (PermissionSort.POLICY, "The list of permissions", "The policy"),
        (PermissionSort.ROLE, "The role to switch to", "The role"),
    ],
)
def test_a_member_reads_who_holds_what_in_plain_words(
    office: Office, sort: PermissionSort, plain: str, exact: str
) -> None:
    grant = grant_of_maya(office, state=GrantState.ENDED)
    LedgerEntry.objects.filter(part__grant=grant).update(sort=sort)
    address = reverse("access:grant", args=[grant.pk])
    assert plain in text_of(office.member.get(address).content)
    for client in (office.lead, office.approver, office.auditor, office.asker):
        assert exact in text_of(client.get(address).content)


@pytest.mark.parametrize("way", WAYS)
def test_a_member_reads_how_it_is_given_in_plain_words(office: Office, way: str) -> None:
    grant = grant_of_maya(office)
    GrantPart.objects.filter(grant=grant).update(way=way)
    address = reverse("access:grant", args=[grant.pk])
    assert PLAIN_WAYS[way] in text_of(office.member.get(address).content)
    assert WAYS[way] in text_of(office.auditor.get(address).content)  # type: ignore[index]


def test_a_term_that_a_sentence_needs_is_explained_on_the_spot_to_a_member(office: Office) -> None:
    grant = grant_of_maya(office)
    LedgerEntry.objects.filter(part__grant=grant).update(sort=PermissionSort.INLINE)
    address = reverse("access:grant", args=[grant.pk])
    words = text_of(office.member.get(address).content)
    assert "no longer has the inline policy" in words
    assert words.count(INLINE) == 1
    for client in (office.lead, office.approver, office.auditor, office.asker):
        words = text_of(client.get(address).content)
        assert "no longer has the inline policy" in words
        assert INLINE not in words


@pytest.mark.parametrize(
    ("state", "is_attached", "heading"),
    [
        (GrantState.PREPARING, False, "will be able to do"),
        (GrantState.WAITING, False, "will be able to do"),
        (GrantState.APPLYING, False, "will be able to do"),
        (GrantState.ACTIVE, True, "can do"),
        (GrantState.ACTIVE, False, "should be able to do"),
        (GrantState.PARTLY, True, "should be able to do"),
        (GrantState.ENDED, False, "could do"),
    ],
)
def test_the_heading_claims_no_more_than_aws_shows(
    office: Office, state: GrantState, is_attached: bool, heading: str
) -> None:
    if is_attached:
        attach(office)
    grant = grant_of_maya(office, state=state)
    words = text_of(office.member.get(reverse("access:grant", args=[grant.pk])).content)
    assert f"What Maya Okafor {heading}" in words or f"What maya.okafor {heading}" in words
    is_altered = state == GrantState.ACTIVE and not is_attached
    assert ("Changed in AWS" in words) is is_altered
    assert ("AWS no longer shows everything that this grant gave" in words) is is_altered


def test_the_preview_of_a_member_names_levels_and_ways_in_plain_words(office: Office) -> None:
    statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::pay-ledger/*"}
    body = {
        "kind": "users",
        "who": {"users": {"arns": [office.arn("maya.okafor")]}},
        "what": {
            "kind": "statements",
            "documents": [json.dumps({"Version": "2012-10-17", "Statement": [statement]})],
        },
        "ends": "8h",
        "why": "Corrects the quarter",
    }
    drafts = {
        name: GrantDraft.objects.create(person_id=office.people[name].person_id, body=body).pk
        for name in ("member", "asker")
    }
    plain = text_of(office.member.get(at("preview", drafts["member"])).content)
    assert "Amazon S3: 1 action gained Change" in plain
    assert PLAIN_WAYS["inline"] in plain
    exact = text_of(office.asker.get(at("preview", drafts["asker"])).content)
    assert "Amazon S3: 1 action gained Write" in exact


def test_an_ended_grant_of_a_member_ends_without_terms(office: Office) -> None:
    grant = grant_of_maya(office, state=GrantState.ENDED, ends_in=timedelta(hours=1))
    words = text_of(office.member.get(reverse("access:grant", args=[grant.pk])).content)
    assert "inline policy" not in words.lower()
