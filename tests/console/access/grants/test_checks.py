"""The checks beside the preview, each by what it looks at; and a template that is begun with what a draft
gives.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.access.drafts.models import GrantDraft
from iam.access.grants.accepted_warnings import accepted_with
from iam.access.grants.checks import GrantCheck, checks_of
from iam.access.grants.services import plan_grant
from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind, WhoKind, WhoTerms
from iam.access.templates.models import TemplateVersion
from iam.guard import viewer_for
from iam.mirror.models import EdgeKind, Entity, Section, UserCredentials
from tests import factories as make
from tests.console.access.grants.conftest import NUMBER, Office, at

pytestmark = pytest.mark.django_db
NOW = datetime.now(tz=UTC)
OBJECT = f"arn:aws:sqs:eu-west-1:{NUMBER}:orders"


def policy(*actions: str, resource: str = OBJECT, **fields: Any) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource} | fields
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def lacks_mfa(user: Entity) -> None:
    UserCredentials.objects.filter(user=user).update(mfa="none")


def was_read(office: Office, name: str, ago: timedelta) -> None:
    Section.objects.update_or_create(
        account=office.account, name=name, defaults={"observed_at": NOW - ago, "state": "complete"}
    )


def checks(office: Office, text: str, *, name: str = "maya.okafor", **fields: Any) -> list[GrantCheck]:
    terms_given: dict[str, Any] = {
        "who": WhoTerms(WhoKind.USERS, arns=(office.arn(name),)),
        "what": GrantContent(WhatKind.STATEMENTS, documents=(text,)),
        "accounts": (NUMBER,),
        "why": "On call",
        "lasts": 28800,
    }
    viewer = viewer_for(office.people["asker"].person)
    return checks_of(plan_grant(GrantTerms(**terms_given | fields), viewer=viewer), now=NOW)


def said(checks: list[GrantCheck]) -> dict[str, str]:
    return {check.text: str(check.tone) for check in checks}


def test_a_sound_policy_is_said_to_be_one_and_a_doubtful_one_to_be_looked_at(office: Office) -> None:
    assert said(checks(office, policy("sqs:SendMessage")))["The policy is valid"] == "ok"
    sentences = said(checks(office, policy("iam:PassRole", resource="*")))
    assert sentences["The policy is valid, but needs attention"] == "warn"


def test_a_boundary_that_holds_it_is_named_and_one_that_stops_it_says_what(office: Office) -> None:
    user = office.of["maya.okafor"]
    bound = make.policy(office.account, "DeveloperBoundary", body=json.loads(policy("sqs:*", resource="*")))
    make.edge(EdgeKind.BOUNDARY, user, bound)
    inside = said(checks(office, policy("sqs:SendMessage")))
    assert inside.get("Inside DeveloperBoundary") == "ok", inside
    stopped = checks(office, policy("sqs:SendMessage", "sns:Publish", resource="*"))
    (check,) = [check for check in stopped if check.text.startswith("The permissions boundary of")]
    assert (check.text, str(check.tone), check.note) == (
        "The permissions boundary of Maya Okafor blocks 1 action",
        "bad",
        "sns:Publish.",
    )


def test_whoever_lacks_mfa_is_named_and_more_gravely_where_the_policy_asks_for_it(office: Office) -> None:
    user = office.of["maya.okafor"]
    lacks_mfa(user)
    (plain,) = [check for check in checks(office, policy("sqs:SendMessage")) if "MFA" in check.text]
    assert (plain.text, str(plain.tone), plain.user) == ("Maya Okafor has no MFA device", "warn", user.pk)
    asking = policy("sqs:SendMessage", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    (grave,) = [check for check in checks(office, asking) if "MFA" in check.text]
    assert str(grave.tone) == "bad"


def test_many_who_lack_mfa_are_one_check_with_the_rest_on_demand(office: Office) -> None:
    users = [make.user(office.account, f"user{number}", credentials={"mfa": "none"}) for number in range(12)]
    arns = tuple(user.arn for user in users)
    who = WhoTerms(WhoKind.USERS, arns=arns)
    (check,) = [check for check in checks(office, policy("sqs:SendMessage"), who=who) if "MFA" in check.text]
    assert check.text == "12 IAM users have no MFA device"
    assert len(check.first) == 3
    assert len(check.rest) == 9
    # Anyone who approves reads the same, and every name.
    viewer = viewer_for(office.people["asker"].person)
    terms = GrantTerms(
        who=who,
        what=GrantContent(WhatKind.STATEMENTS, documents=(policy("sqs:SendMessage"),)),
        accounts=(NUMBER,),
        why="On call",
        lasts=28800,
    )
    (accepted,) = [warning for warning in accepted_with(plan_grant(terms, viewer=viewer)) if "MFA" in warning]
    assert accepted.startswith("12 IAM users have no MFA device. A password")
    assert all(user.name in accepted for user in users)

    draft = office.draft(
        kind="users",
        who={"users": {"kind": "users", "arns": list(arns)}},
        what={"kind": "statements", "documents": [policy("sqs:SendMessage")]},
        ends="8h",
        why="On call",
    )
    page = " ".join(office.asker.get(at("preview", draft)).content.decode().split())
    assert "and 9 more" in page
    assert "Show the other 9" in page
    assert all(f'href="/people/{user.pk}/credentials/"' in page for user in users)


def test_how_it_ends_and_how_old_the_reading_is_are_told(office: Office) -> None:
    for name in ("users", "groups", "roles"):
        was_read(office, name, timedelta(minutes=4))
    sentences = said(checks(office, policy("sqs:SendMessage")))
    assert sentences["AWS ends the access"] == "ok"
    assert sentences["Synced 4 minutes ago"] == "ok"
    endless = said(checks(office, policy("sqs:SendMessage"), lasts=0))
    assert endless["Permanent"] == "warn"
    was_read(office, "users", timedelta(hours=3))
    assert said(checks(office, policy("sqs:SendMessage")))["Last synced 3 hours ago"] == "warn"


def test_checks_stand_beside_the_preview_and_lead_to_who_lacks_mfa(office: Office) -> None:
    lacks_mfa(office.of["maya.okafor"])
    draft = written(office)
    page = office.asker.get(at("preview", draft)).content.decode()
    assert "Checks</h2>" in page
    assert f'href="/people/{office.of["maya.okafor"].pk}/credentials/"' in page


def written(office: Office, **what: Any) -> Any:
    return office.draft(
        kind="users",
        who={"users": {"kind": "users", "arns": [office.arn("maya.okafor")]}},
        what={"kind": "statements", "documents": [policy("sqs:SendMessage")]} | what,
        ends="8h",
        why="On call",
    )


def test_what_a_draft_gives_becomes_a_template_for_every_account(office: Office) -> None:
    draft = written(office)
    page = office.asker.get(at("preview", draft)).content.decode()
    assert f'href="/templates/new/?from={draft}"' in page
    form = office.asker.get("/templates/new/", {"from": str(draft)})
    written_form = form.context["written"]
    assert "arn:aws:sqs:eu-west-1:{{account}}:orders" in written_form.statements
    assert written_form.hours == "8"
    answer = office.asker.post(
        "/templates/new/",
        {
            "do": "save",
            "title": "Send orders",
            "description": "Send messages to the queue of orders.",
            "category": "messaging",
            "risk": "low",
            "hours": written_form.hours,
            "statements": written_form.statements,
        },
    )
    assert answer.status_code == 302
    assert TemplateVersion.objects.get(title="Send orders").content["hours"] == 8


@pytest.mark.parametrize("pk", ["", "no-uuid", "00000000-0000-0000-0000-000000000000", "other"])
def test_a_draft_that_is_not_ones_own_begins_nothing(office: Office, pk: str) -> None:
    if pk == "other":
        what = {"kind": "statements", "documents": [policy("sqs:SendMessage")]}
        lead = office.people["lead"].person_id
        pk = str(GrantDraft.objects.create(person_id=lead, body={"what": what}).pk)
    form = office.asker.get("/templates/new/", {"from": pk})
    assert form.status_code == 200
    assert "orders" not in form.context["written"].statements


@pytest.mark.parametrize("who", ["lead", "approver"])
def test_only_who_writes_templates_is_offered_it(office: Office, who: str) -> None:
    draft = written(office)
    GrantDraft.objects.filter(pk=draft).update(person_id=office.people[who].person_id)
    page = getattr(office, who).get(at("preview", draft)).content.decode()
    assert "Save as template" not in page
