"""The hand-over sheet of a partner's grant: complete, for those who may have it, and only while the grant is
active.
"""

from __future__ import annotations

from html import unescape

import pytest
from django.urls import reverse

from iam.access.grants.models import Grant, GrantState, LedgerEntry, PermissionSort
from tests import factories as make
from tests.console.access.grants import made
from tests.console.access.grants.conftest import NUMBER, Office

pytestmark = pytest.mark.django_db
EXTERNAL_ID = "gh-brightwater-0123456789abcdef0123"
ROLE = f"arn:aws:iam::{NUMBER}:role/gatehouse/gatehouse-brightwater"


@pytest.fixture
def partner(office: Office) -> Grant:
    """An active grant to a partner, through a role that was created for it."""
    role = make.role(office.account, "gatehouse-brightwater", path="/gatehouse/")
    grant = made.grant(office.account, role, asked_by=office.people["asker"].person, who_kind="partner")
    grant.terms = grant.terms | {
        "who": {
            "kind": "partner",
            "label": "Brightwater Audit",
            "account_id": "339011276654",
            "principal": "arn:aws:iam::339011276654:role/reader",
            "external_id": EXTERNAL_ID,
        },
        "what": {"kind": "statements", "documents": [str(make.document(make.ALLOW_S3).text)]},
    }
    grant.save()
    LedgerEntry.objects.update(sort=PermissionSort.ROLE, target=role.name)
    return grant


def sheet(grant: Grant) -> str:
    return reverse("access:grant-handover", args=[grant.pk])


def test_the_sheet_has_all_that_a_partner_needs(office: Office, partner: Grant) -> None:
    grant_page = office.asker.get(reverse("access:grant", args=[partner.pk])).content.decode()
    assert sheet(partner) in grant_page
    answer = office.asker.get(sheet(partner))
    page = unescape(answer.content.decode())
    for words in (
        "Brightwater Audit",
        ROLE,
        EXTERNAL_ID,
        NUMBER,
        f"--role-arn {ROLE}",
        f"--external-id {EXTERNAL_ID}",
        "--duration-seconds 3600",
        f"role_arn = {ROLE}",
        "aws sts get-caller-identity --profile production-gatehouse-brightwater",
        f"arn:aws:sts::{NUMBER}:assumed-role/gatehouse-brightwater/",
        "arn:aws:iam::339011276654:role/reader",
        "In <strong>production</strong>",
        "Ines Duarte",
        partner.reference,
    ):
        assert words in page, words
    assert "no-store" in answer["Cache-Control"]


def test_who_sees_no_trust_policy_sees_no_sheet(office: Office, partner: Grant) -> None:
    assert office.approver.get(sheet(partner)).status_code == 200
    for client in (office.lead, office.member):
        assert client.get(sheet(partner)).status_code == 404
    # The one who requested it sees it, whatever else they see.
    partner.requested_by = office.people["lead"].person_id
    partner.save()
    assert office.lead.get(sheet(partner)).status_code == 200


@pytest.mark.parametrize("state", [GrantState.WAITING, GrantState.ENDED, GrantState.REJECTED])
def test_there_is_no_sheet_before_and_after(office: Office, partner: Grant, state: GrantState) -> None:
    Grant.objects.filter(pk=partner.pk).update(state=state)
    assert office.asker.get(sheet(partner)).status_code == 404
    assert sheet(partner) not in office.asker.get(reverse("access:grant", args=[partner.pk])).content.decode()


def test_there_is_no_sheet_for_anyone_but_partners(office: Office) -> None:
    grant = made.grant(office.account, office.of["tomas.lind"], asked_by=office.people["asker"].person)
    assert office.asker.get(sheet(grant)).status_code == 404


def test_a_role_that_is_gone_is_said_to_be_gone(office: Office, partner: Grant) -> None:
    LedgerEntry.objects.update(until=partner.begins_at)
    assert "The role no longer exists" in office.asker.get(sheet(partner)).content.decode()
