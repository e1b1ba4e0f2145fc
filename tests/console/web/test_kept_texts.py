"""A text that somebody typed is not lost when somebody else was faster: it is still in its field, or in a
block to copy from.
"""

from __future__ import annotations

import html
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from iam.access.grants.models import GrantState
from iam.audit.findings.calculation import calculate
from iam.audit.findings.models import AuditFinding
from iam.audit.reviews.duties import SodTerms
from iam.audit.reviews.models import ReviewCampaign, SodRule
from iam.changes.approval.models import RuleSet, RulesState
from iam.changes.models import Change, ChangeState
from iam.directory.models import Role
from iam.people.offboarding.models import OffboardingStage
from iam.people.runs.models import RunState
from tests import factories
from tests.console import offboarding
from tests.console.access.grants import made as grants
from tests.console.reviews.test_pages import client_of
from tests.iam.audit.reviews import made as reviews
from tests.iam.changes.conftest import nudges, site
from tests.iam.changes.site import HTMX, Site, signed_in

__all__ = ["nudges", "site"]

pytestmark = [pytest.mark.django_db, pytest.mark.on_both]
TYPED = "I called her <twice>, & she said “no”"
BLOCK = "Your text was not saved"


def another(role: Role = Role.APPROVER, name: str = "Jonas Berg") -> Client:
    """A browser of one more person."""
    return signed_in(factories.operator(role, name=name))


def kept(answer: Any) -> str:
    """The page, in which the text is; the page after it, if the answer leads to one."""
    page = answer.content.decode()
    assert html.escape(TYPED) in page or html.escape(TYPED, quote=False) in page, page
    return str(page)


@pytest.mark.parametrize("decision", ["approve", "reject"])
@pytest.mark.parametrize("first", ["approve", "reject"])
def test_the_comment_of_the_second_approver_is_kept(site: Site, first: str, decision: str) -> None:
    change = site.asked()
    second = another()
    site.decide(site.approver, change, first, "Done")
    answer = site.decide(second, change, decision, TYPED)
    assert answer.status_code == 422
    page = kept(answer)
    assert BLOCK in page
    assert f"Hana Sato {'approved' if first == 'approve' else 'rejected'} it." in page


def test_a_comment_moves_to_the_conversation_while_the_request_waits(site: Site) -> None:
    site.post(site.approver)
    change = Change.objects.get()
    page = kept(site.decide(site.approver, change, "approve", TYPED))
    assert BLOCK not in page
    assert 'id="say"' in page.partition(html.escape(TYPED))[0]


def test_who_decides_no_longer_once_it_is_decided_still_gets_the_text_back(site: Site) -> None:
    """A rule of a request can name people without the right to approve; a decided one names nobody."""
    change = site.asked()
    other = another(Role.ADMINISTRATOR, "Ben Okri")
    assert site.decide(other, change, "approve", TYPED).status_code == 404
    site.decide(site.approver, change, "approve")
    answer = site.decide(other, change, "approve", TYPED)
    assert answer.status_code == 422
    assert BLOCK in kept(answer)


def test_a_remark_about_a_request_that_was_decided_is_kept(site: Site) -> None:
    change = site.asked()
    site.decide(site.approver, change, "approve")
    answer = site.asker.post(reverse("changes:comment", args=[change.pk]), {"text": TYPED})
    assert answer.status_code == 422
    assert BLOCK in kept(answer)


def test_the_reason_of_an_undo_that_was_requested_meanwhile_is_kept(site: Site) -> None:
    change = site.asked()
    Change.objects.filter(pk=change.pk).update(state=ChangeState.REJECTED)
    form = {"reason": TYPED, "key": "6d1cbe1c-6a57-4a35-9f5b-0c2a6a4b8f10"}
    assert BLOCK in kept(site.asker.post(reverse("changes:undo", args=[change.pk]), form))


def test_the_comment_about_rules_that_were_decided_is_kept(site: Site) -> None:
    author = factories.person("Ben Okri")
    rules = RuleSet.objects.create(
        author_id=author.pk,
        author_label=author.name,
        state=RulesState.WITHDRAWN,
        body=[],
        proposed_at=timezone.now(),
    )
    address = reverse("changes:proposal-decide", args=[rules.pk])
    answer = another(Role.ADMINISTRATOR).post(address, {"decision": "reject", "comment": TYPED})
    assert answer.status_code == 422
    assert BLOCK in kept(answer)


def test_the_reason_to_accept_a_finding_is_kept_when_somebody_was_faster(db: None) -> None:
    account = factories.account()
    factories.synced(account)
    factories.user(account, "tomas", credentials={"has_password": True, "mfa": "none"})
    calculate(account)
    address = reverse("findings:accept", args=[AuditFinding.objects.earliest("pk").pk])
    until = f"{timezone.now() + timedelta(days=30):%Y-%m-%d}"
    first, second = another(), another(Role.ADMINISTRATOR, "Ines Duarte")
    assert first.post(address, {"until": until, "reason": "Moves soon"}).status_code == 302
    answer = second.post(address, {"until": until, "reason": TYPED})
    assert answer.status_code == 422
    page = kept(answer)
    assert BLOCK in page
    assert "can’t be accepted any longer" in page


def test_the_reason_to_retire_a_rule_is_kept_when_somebody_was_faster(db: None) -> None:
    author = factories.person("Ben Okri")
    factories.account()
    rule = SodRule.objects.create(
        name="Apart",
        reason="Audit",
        status="active",
        terms=SodTerms(("iam:CreateUser",), ("s3:GetObject",)).to_json(),
        requested_by=author.pk,
        requested_name=author.name,
        requested_at=timezone.now(),
        created_at=timezone.now(),
    )
    address = reverse("reviews:rule-retire", args=[rule.pk])
    assert another().post(address, {"reason": "Old"}).status_code == 302
    answer = another(Role.ADMINISTRATOR, "Ines Duarte").post(address, {"reason": TYPED})
    assert answer.status_code == 422
    assert BLOCK in kept(answer)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_reason_about_a_row_that_was_decided_is_kept(db: None, headers: dict[str, str]) -> None:
    world = reviews.world()
    campaign = reviews.opened(world)
    row = reviews.row(campaign, world.tomas)
    address = reverse("reviews:decide-row", args=[campaign.pk, row.pk])
    client_of(world.lead).post(address, {"version": "0", "decision": "revoke", "reason": "Moved"})
    late = client_of(world.administrator)
    page = kept(late.post(address, {"version": "0", "decision": "keep", "reason": TYPED}, headers=headers))
    assert "Elif decided “revoke” first" in page
    assert "Your reason was not saved" in page


def test_the_reason_about_several_rows_is_kept(db: None) -> None:
    world = reviews.world()
    campaign = reviews.opened(world)
    row = reviews.row(campaign, world.tomas)
    one = reverse("reviews:decide-row", args=[campaign.pk, row.pk])
    client_of(world.lead).post(one, {"version": "0", "decision": "revoke", "reason": "Moved"})
    fields = {"row": [f"{row.pk}:0"], "decision": "keep", "reason": TYPED}
    late = client_of(world.administrator)
    answer = late.post(reverse("reviews:decide", args=[campaign.pk]), fields, follow=True)
    assert BLOCK in kept(answer)


def test_the_note_about_a_review_that_has_ended_is_kept(db: None) -> None:
    world = reviews.world()
    campaign = reviews.opened(world)
    ReviewCampaign.objects.filter(pk=campaign.pk).update(state=RunState.DONE)
    client = client_of(world.administrator)
    for name, fields in (
        ("acknowledge", {"decision": "return", "note": TYPED}),
        ("sign", {"note": TYPED}),
        ("cancel", {"reason": TYPED}),
    ):
        answer = client.post(reverse(f"reviews:{name}", args=[campaign.pk]), fields)
        assert answer.status_code == 422, name
        page = kept(answer)
        assert BLOCK in page
        assert 'role="alert"' in page


@pytest.mark.parametrize("name", ["confirm", "lift-suspension"])
def test_the_comment_about_a_suspension_that_is_over_is_kept(db: None, name: str) -> None:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/w")
    leaver = offboarding.left(factories.user(account, "maya.okafor"), factories.person("Ben Okri"))
    client = another(Role.ADMINISTRATOR, "Ines Duarte")
    address = reverse(f"offboarding:{name}", args=[leaver.pk])
    assert BLOCK in kept(client.post(address, {"comment": TYPED}, follow=True))


def test_the_reason_to_restore_somebody_who_is_restored_is_kept(db: None) -> None:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/w")
    leaver = offboarding.left(
        factories.user(account, "maya.okafor"),
        factories.person("Ben Okri"),
        stage=OffboardingStage.RETURNING,
    )
    client = another(Role.ADMINISTRATOR, "Ines Duarte")
    answer = client.post(reverse("offboarding:restore", args=[leaver.pk]), {"reason": TYPED})
    assert answer.status_code == 422
    assert BLOCK in kept(answer)


@pytest.mark.parametrize("name", ["end", "extend", "shorten"])
def test_the_reason_about_a_grant_that_has_ended_is_kept(db: None, name: str) -> None:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/w")
    person = factories.operator(Role.ADMINISTRATOR, name="Ines Duarte")
    user = factories.user(account, "tomas.lind")
    grant = grants.grant(account, user, asked_by=person.person, state=GrantState.ENDED)
    address = reverse(f"access:grant-{name}", args=[grant.pk])
    answer = signed_in(person).post(address, {"why": TYPED, "ends": "1h"})
    assert answer.status_code == 422
    assert BLOCK in kept(answer)


def test_a_text_that_fits_the_form_is_in_the_form_alone(site: Site) -> None:
    change = site.asked()
    answer = site.decide(site.approver, change, "approve", TYPED, seen="0" * 64)
    assert answer.status_code == 422
    assert BLOCK not in kept(answer)
