"""From questions about access to a grant of it."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.urls import reverse

from iam.access.drafts.models import GrantDraft
from tests.console.access.grants.conftest import LEDGER, Office, at

pytestmark = pytest.mark.django_db


def test_one_action_is_chosen_already_when_the_question_who_can_leads_here(office: Office) -> None:
    form = {"action": "s3:getobject", "resource": LEDGER}
    answer = office.asker.post(reverse("access:grant-of"), form)
    draft = GrantDraft.objects.get()
    assert answer["Location"] == at("who", draft.pk)
    (text,) = draft.body["what"]["documents"]
    assert json.loads(text)["Statement"] == [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": LEDGER}
    ]
    page = office.asker.get(
        f"{reverse('access:who-can')}?action=s3:GetObject&resource={LEDGER}"
    ).content.decode()
    assert reverse("access:grant-of") in page
    assert (
        reverse("access:grant-of")
        not in office.auditor.get(
            f"{reverse('access:who-can')}?action=s3:GetObject&resource={LEDGER}"
        ).content.decode()
    )


@pytest.mark.parametrize(
    "form",
    [{}, {"action": "s3:*"}, {"action": "no"}, {"action": "s3:GetObject", "resource": "bucket"}],
)
def test_what_is_no_single_action_begins_no_draft(office: Office, form: dict[str, str]) -> None:
    assert office.asker.post(reverse("access:grant-of"), form).status_code == 404
    assert not GrantDraft.objects.exists()


def test_a_refused_simulation_leads_to_the_smallest_grant(office: Office) -> None:
    asked = f"principal={office.arn('tomas.lind')}&action=s3:GetObject&resource={LEDGER}"
    address = f"{reverse('access:simulate')}?{asked}"
    page = office.asker.get(address)
    (link,) = re.findall(r'href="(/ask/[^"]*)"', page.content.decode())
    proposal = office.asker.get(html.unescape(link)).content.decode()
    assert "The smallest permission that helps" in proposal
    assert "For tomas.lind" in proposal
    assert "/ask/?" not in office.auditor.get(address).content.decode()
