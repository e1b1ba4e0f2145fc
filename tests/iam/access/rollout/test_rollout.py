"""Giving living grants a newer version of their template: one set, and each grant says what it has."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from iam.access.grants.models import Grant, GrantAct
from iam.access.grants.terms import GrantContent, WhatKind
from iam.access.rollout.models import Rollout
from iam.access.rollout.plans import living_grants, plan_rollout
from iam.access.rollout.services import (
    change_ended,
    plan_version,
    request_rollout,
    settle_open,
    waiting_rollouts,
)
from iam.access.templates import services as templates
from iam.access.templates.body import TemplateBody
from iam.access.templates.models import Template, TemplateVersion
from iam.access.templates.queries import offer_of
from iam.access.templates.shipped_files import ship
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.receipts import set_receipt_of
from iam.changes.services import approve, reject, undo
from iam.directory.models import Role
from tests import factories
from tests.iam.access.grants.conftest import Office

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
SLUG = "consume-sqs"


@pytest.fixture(autouse=True)
def _shipped() -> None:
    ship(Template, TemplateVersion)


def given(office: Office) -> GrantContent:
    """Consuming a queue of this test's own."""
    parameters = {"queue": f"q-{office.suffix}", "region": "eu-west-1"}
    return GrantContent(WhatKind.TEMPLATE, template=SLUG, version=1, parameters=parameters)


def wider(body: TemplateBody, action: str = "sqs:SendMessage") -> TemplateBody:
    """The same, with one action more."""
    (statement,) = body.statements
    return replace(body, statements=({**statement, "Action": [*statement["Action"], action]},))


def second_version(office: Office, body: TemplateBody | None = None) -> TemplateVersion:
    offer = offer_of(SLUG)
    assert offer is not None
    return templates.save_version(
        office.asks, template=offer.template, body=body or wider(offer.body), base=offer.version.number
    )


def roll_out(office: Office, version: TemplateVersion, key: str = "roll") -> Change:
    return request_rollout(office.asks, version=version, reason="Senders too", idempotency_key=key)


def carried_out(office: Office, change: Change, grant: Grant) -> Grant:
    """Approved and done."""
    for person in (office.scene.approver, office.other_approver):
        first = change.change_set.changes.order_by("position")[0]
        if first.state == "awaiting_approval":
            approve(first, actor=person, seen_digest=change.change_set.receipt_digest)
    office.work(grant)
    for part in change.change_set.changes.all():
        # What the worker tells after its commit; a test never commits.
        change_ended(part)
    grant.refresh_from_db()
    return grant


def said(office: Office) -> list[dict[str, Any]]:
    """What the policies attached to the user say in AWS."""
    iam, policies_in_aws = office.scene.aws.iam, []
    for attached_policy in iam.list_attached_user_policies(UserName=office.scene.user.name)[
        "AttachedPolicies"
    ]:
        version = iam.get_policy(PolicyArn=attached_policy["PolicyArn"])["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=attached_policy["PolicyArn"], VersionId=version)[
            "PolicyVersion"
        ]
        text = document["Document"]
        policies_in_aws.append(json.loads(text) if isinstance(text, str) else text)
    return policies_in_aws


def test_grants_follow_when_aws_has_the_new_text(office: Office) -> None:
    end = datetime.now(tz=UTC) + timedelta(days=3)
    grant = office.granted(office.terms(given(office), until=end))
    version = second_version(office)
    change = roll_out(office, version)
    assert change.change_set.changes.count() == 1
    assert waiting_rollouts(office.asks, template=version.template) == [change]
    assert waiting_rollouts(factories.viewer(Role.MEMBER, name="Tomas Lind"), template=version.template) == []
    grant.refresh_from_db()
    assert grant.template_version == 1
    grant = carried_out(office, change, grant)
    assert waiting_rollouts(office.asks, template=version.template) == []
    assert (grant.template_version, grant.agreed.what.version) == (2, 2)
    (document,) = said(office)
    (statement,) = document["Statement"]
    assert "sqs:SendMessage" in statement["Action"]
    assert statement["Condition"]["DateLessThan"]["aws:CurrentTime"] == f"{end:%Y-%m-%dT%H:%M:%SZ}"
    last = grant.versions.order_by("-number").first()
    assert last is not None
    assert last.act == GrantAct.FOLLOWED
    assert Rollout.objects.get().done_at is not None


def undone(office: Office, change: Change) -> Change:
    """What the rollout wrote is undone, asked for and approved like anything else."""
    change.refresh_from_db()
    asked = undo(change, actor=office.asks, reason="Nobody sends", idempotency_key=str(uuid4()))
    for person in (office.scene.approver, office.other_approver):
        asked.refresh_from_db()
        if asked.state == "awaiting_approval":
            approve(asked, actor=person, seen_digest=asked.change_set.receipt_digest)
    return asked


@pytest.mark.parametrize("is_told", [True, False])
def test_grants_have_their_former_version_when_the_rollout_is_undone(office: Office, is_told: bool) -> None:
    grant = office.granted(office.terms(given(office)))
    before = said(office)
    change = roll_out(office, second_version(office))
    grant = carried_out(office, change, grant)
    assert grant.template_version == 2
    gone = undone(office, change)
    office.work(grant)
    gone.refresh_from_db()
    for _ in range(2):
        if is_told:
            change_ended(gone)
        else:
            settle_open()
    grant.refresh_from_db()
    assert (grant.template_version, grant.agreed.what.version) == (1, 1)
    assert said(office) == before
    last = grant.versions.order_by("number").last()
    assert last is not None
    assert "version 2 was undone" in last.reason
    assert grant.versions.filter(act=GrantAct.FOLLOWED).count() == 2
    newer = Template.objects.get(slug=SLUG).versions.get(number=2)
    assert [followed.grant.pk for followed in plan_version(office.asks, version=newer).followed] == [grant.pk]


def test_a_shared_policy_is_rewritten_once_and_all_who_share_it_follow(office: Office) -> None:
    first = office.granted(office.terms(given(office)))
    other = office.granted(office.terms(given(office), office.user("tomas")))
    plan = plan_version(office.asks, version=second_version(office))
    assert len(plan.operations) == 1
    assert {followed.grant.pk for followed in plan.followed} == {first.pk, other.pk}
    carried_out(office, roll_out(office, Template.objects.get(slug=SLUG).versions.get(number=2)), first)
    other.refresh_from_db()
    assert other.template_version == 2


def test_the_receipt_says_who_gains_before_anything_is_saved(office: Office) -> None:
    office.granted(office.terms(given(office)))
    template = Template.objects.get(slug=SLUG)
    body = offer_of(SLUG).body  # type: ignore[union-attr]
    plan = plan_rollout(living_grants(template, viewer=office.asks), body=wider(body))
    impact = set_receipt_of(plan.operations)["impact"]
    assert impact["affected"] == 1
    (gain,) = impact["gains"]
    assert [name["name"] for name in gain["names"]] == [office.scene.user.name]
    assert "sqs:SendMessage" in {action["action"] for action in gain["actions"]}
    assert TemplateVersion.objects.filter(template=template).count() == 1


def test_a_rejected_rollout_leaves_every_grant_as_it_is(office: Office) -> None:
    grant = office.granted(office.terms(given(office)))
    change = roll_out(office, second_version(office))
    reject(change, actor=office.scene.approver, comment="Not now")
    office.work(grant)
    change.refresh_from_db()
    change_ended(change)
    grant.refresh_from_db()
    assert grant.template_version == 1
    assert Rollout.objects.get().done_at is not None
    assert "sqs:SendMessage" not in json.dumps(said(office))


def test_the_same_form_asks_once_and_telling_twice_changes_nothing(office: Office) -> None:
    grant = office.granted(office.terms(given(office)))
    version = second_version(office)
    first, again = roll_out(office, version), roll_out(office, version)
    assert first.pk == again.pk
    assert Rollout.objects.count() == 1
    grant = carried_out(office, first, grant)
    acts = grant.versions.count()
    first.refresh_from_db()
    change_ended(first)
    assert grant.versions.count() == acts


def test_a_version_that_asks_for_more_leaves_the_grant_and_says_why(office: Office) -> None:
    office.granted(office.terms(given(office)))
    body = offer_of(SLUG).body  # type: ignore[union-attr]
    key = {"name": "key", "kind": "tag_key", "label": "Tag"}
    (statement,) = body.json["statements"]
    tagged = {**statement, "Condition": {"StringEquals": {"aws:ResourceTag/{{key}}": "x"}}}
    version = second_version(
        office,
        TemplateBody.from_json(
            {**body.json, "parameters": [*body.json["parameters"], key], "statements": [tagged]}
        ),
    )
    plan = plan_version(office.asks, version=version)
    assert plan.operations == []
    assert "needs more parameters" in plan.left[0].why
    with pytest.raises(RefusedError, match="nothing to request"):
        roll_out(office, version)


def test_what_says_it_already_is_not_written_again(office: Office) -> None:
    office.granted(office.terms(given(office)))
    body = offer_of(SLUG).body  # type: ignore[union-attr]
    plan = plan_version(office.asks, version=second_version(office, body.renamed("Take from a queue")))
    assert plan.operations == []
    assert len(plan.followed) == 1


def test_the_pages_show_who_gains_and_ask_once(office: Office) -> None:
    office.granted(office.terms(given(office)))
    second_version(office)
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Petra Berg"))
    difference = client.get(f"/templates/{SLUG}/difference/").content.decode()
    assert "sqs:SendMessage" in difference
    assert "What this changes" in difference
    page = client.get(f"/templates/{SLUG}/rollout/").content.decode()
    assert office.scene.user.name in page
    form = {"reason": "Senders too", "key": str(uuid4())}
    answers = [client.post(f"/templates/{SLUG}/rollout/", form)["Location"] for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0].startswith("/changes/")
    assert client.post(f"/templates/{SLUG}/rollout/", {"reason": "", "key": str(uuid4())}).status_code == 422


def test_a_rollout_of_which_nobody_was_told_is_found_by_the_sweep(office: Office) -> None:
    grant = office.granted(office.terms(given(office)))
    change = roll_out(office, second_version(office))
    for person in (office.scene.approver, office.other_approver):
        change.refresh_from_db()
        if change.state == "awaiting_approval":
            approve(change, actor=person, seen_digest=change.change_set.receipt_digest)
    office.work(grant)
    assert settle_open() == 1
    grant.refresh_from_db()
    assert grant.template_version == 2
    assert settle_open() == 0


def test_who_does_not_see_the_grant_does_not_roll_it_out(office: Office) -> None:
    office.granted(office.terms(given(office)))
    version = second_version(office)
    elsewhere = factories.person("Ada One")
    factories.assign(elsewhere, Role.APPROVER, account_id="999999999999")
    from iam.guard import viewer_for

    assert plan_version(viewer_for(elsewhere), version=version).followed == []
