"""The timeline of a grant names the rollout that gave it another template version, and who requested that."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.urls import reverse

from iam.access.grants.models import Grant, GrantAct, GrantState, GrantVersion
from iam.access.rollout.models import Rollout, RolloutGrant
from iam.access.rollout.services import OF_ROLLOUT
from iam.access.templates import services
from iam.access.templates.body import TemplateBody
from iam.access.templates.models import TemplateVersion
from iam.changes.models import Change, ChangeSet, ChangeState
from iam.guard import viewer_for
from tests.console.access.grants import made
from tests.console.access.grants.conftest import Office
from tests.iam.access.templates.test_parameter_values import body

pytestmark = pytest.mark.django_db
SLUG = "ledger"


def version_of(office: Office, number: int) -> TemplateVersion:
    """This version of the template, which is written up to it."""
    author = viewer_for(office.people["asker"].person)
    written = TemplateVersion.objects.filter(template__slug=SLUG).order_by("number").last()
    while written is None or written.number < number:
        if written is None:
            written = services.create_template(author, slug=SLUG, body=TemplateBody.from_json(body()))
        else:
            text = TemplateBody.from_json(body(description=f"Text {written.number}."))
            written = services.save_version(author, template=written.template, body=text, base=written.number)
    return TemplateVersion.objects.get(template__slug=SLUG, number=number)


@pytest.fixture
def grant(office: Office) -> Grant:
    """One of the template, for the user of the member."""
    version_of(office, 1)
    return made.grant(
        office.account,
        office.of["maya.okafor"],
        asked_by=office.people["lead"].person,
        template=SLUG,
        what_kind="template",
        template_version=1,
    )


def follow(grant: Grant, number: int, reason: str = "") -> None:
    """The grant gets another version."""
    terms = {**grant.terms, "what": {"kind": "template", "template": SLUG, "version": number}}
    GrantVersion.objects.create(
        grant=grant,
        number=grant.versions.count() + 1,
        act=GrantAct.FOLLOWED,
        terms=terms,
        by_label="",
        reason=reason,
    )


def rollout(office: Office, grant: Grant, number: int, who: str, *, is_done: bool = True) -> Change:
    """A rollout of this version, and the first change of its request."""
    person, maya = office.people[who].person, office.of["maya.okafor"]
    made_rollout = Rollout.objects.create(
        version=version_of(office, number), asked_by=person.pk, asked_label=person.name
    )
    done_at = None
    if is_done:
        follow(grant, number, f"Version {number} of Read one bucket")
        done_at = datetime.now(tz=UTC)
    RolloutGrant.objects.create(rollout=made_rollout, grant=grant, positions=[0], done_at=done_at)
    return made.change(
        grant,
        maya,
        change_set=ChangeSet.objects.create(cause_kind=OF_ROLLOUT, cause_id=made_rollout.pk),
        state=ChangeState.APPLIED,
        entity=maya,
        requested_by=person.pk,
        requested_label=person.name,
    )


def updates(page: Any) -> list[tuple[str, Change | None]]:
    """The lines about versions, and what each leads to."""
    return [(event.text, event.change) for event in page.context["events"] if "version" in event.text]


def shown(office: Office, grant: Grant, who: str = "auditor") -> Any:
    return getattr(office, who).get(reverse("access:grant", args=[grant.pk]))


@pytest.mark.parametrize("who", ["asker", "approver", "auditor"])
def test_an_update_names_its_rollout_and_leads_to_it(office: Office, grant: Grant, who: str) -> None:
    change = rollout(office, grant, 2, "asker")
    page = shown(office, grant, who)
    assert updates(page) == [("Updated to version 2 by the rollout that Ines Duarte requested", change)]
    text = " ".join(page.content.decode().split())
    assert f'<a href="{reverse("changes:request", args=[change.pk])}">' in text


def test_each_of_several_updates_names_its_own(office: Office, grant: Grant) -> None:
    first = rollout(office, grant, 2, "asker")
    follow(grant, 1, "Version 1 of Read one bucket again: version 2 was undone")
    again = rollout(office, grant, 2, "approver")
    third = rollout(office, grant, 3, "asker")
    assert updates(shown(office, grant)) == [
        ("Updated to version 2 by the rollout that Ines Duarte requested", first),
        ("Updated to another template version", None),
        ("Updated to version 2 by the rollout that Hana Sato requested", again),
        ("Updated to version 3 by the rollout that Ines Duarte requested", third),
    ]


def test_a_rollout_that_did_not_reach_the_grant_is_not_named(office: Office, grant: Grant) -> None:
    rollout(office, grant, 2, "asker", is_done=False)
    assert updates(shown(office, grant)) == []


def test_who_sees_no_change_of_the_rollout_reads_no_name(office: Office, grant: Grant) -> None:
    change = rollout(office, grant, 2, "asker")
    Change.objects.filter(pk=change.pk).update(
        entity=office.of["kwame.boateng"], subject_arn=office.arn("kwame.boateng")
    )
    assert updates(shown(office, grant, "member")) == [("Updated to version 2 by a rollout", None)]
    assert grant.state == GrantState.ACTIVE
