"""What, preview and submit: nothing is lost between the steps, what is missing leads back, a form counts
once, others see nothing.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from django.urls import reverse

from iam.access.drafts.models import GrantDraft
from iam.access.grants.models import Grant
from iam.changes.approval.models import Requirement
from iam.changes.models import Change
from iam.directory.models import Identity
from tests import factories as make
from tests.console.access.grants.conftest import HTMX, READ_ONLY, Office, at

pytestmark = pytest.mark.django_db


def whole(office: Office, *names: str, **body: Any) -> UUID:
    """A draft that is written to its end: statements for users of the account."""
    arns = [office.arn(name) for name in names or ("tomas.lind",)]
    written = {
        "kind": "users",
        "who": {"users": {"arns": arns}},
        "what": {"kind": "statements", "documents": [json.dumps(make.ALLOW_S3)]},
        "ends": "8h",
        "why": "Settles the quarter",
    }
    return office.draft(**written | body)


def test_the_preview_tells_who_gains_what_how_and_who_agrees(office: Office) -> None:
    page = office.asker.get(at("preview", whole(office))).content.decode()
    for words in (
        "tomas.lind",
        "Amazon S3",
        "How it is given",
        "iam:CreatePolicy",
        "aws iam create-policy",
        "boto3",
        "curl",
        "Approval needed",
        "Hana Sato",
        "for 8 hours after approval",
        "Settles the quarter",
    ):
        assert words in page
    assert "Ines Duarte</div></div>" not in page


def test_submitting_twice_is_one_grant_and_the_draft_leads_to_it(office: Office) -> None:
    pk = whole(office)
    first = office.asker.post(at("preview", pk))
    second = office.asker.post(at("preview", pk))
    assert first["Location"] == second["Location"] == at("done", pk)
    grant = Grant.objects.get()
    assert Change.objects.filter(state="awaiting_approval").count() == 2
    page = office.asker.get(at("done", pk)).content.decode()
    assert grant.reference in page
    assert "waiting for approval" in page
    for step in ("who", "what", "preview"):
        assert office.asker.get(at(step, pk))["Location"] == at("done", pk)


def test_who_decides_is_led_from_the_grant_to_the_whole_request(office: Office) -> None:
    office.asker.post(at("preview", whole(office)))
    address = reverse("access:grant", args=[Grant.objects.get().pk])
    request = reverse("changes:request", args=[Change.objects.order_by("position")[0].pk])
    assert Change.objects.count() == 2
    for reader, says in ((office.approver, "Review and decide"), (office.asker, "Open the request")):
        page = " ".join(reader.get(address).content.decode().split())
        assert f'href="{request}">{says}</a>' in page
    assert 'value="approve"' in office.approver.get(request).content.decode()


def test_a_form_that_is_replayed_from_another_window_is_the_same_grant(office: Office) -> None:
    """Both windows had read the draft before either had sent it."""
    pk = whole(office)
    office.asker.post(at("preview", pk))
    GrantDraft.objects.filter(pk=pk).update(grant_id=None)
    office.asker.post(at("preview", pk))
    assert Grant.objects.count() == 1
    changed = {**GrantDraft.objects.get(pk=pk).body, "why": "Another reason"}
    GrantDraft.objects.filter(pk=pk).update(grant_id=None, body=changed)
    answer = office.asker.post(at("preview", pk))
    assert answer.status_code == 422
    assert "already submitted with different content" in answer.content.decode()
    assert Grant.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "words", "step"),
    [
        ({"why": ""}, "Enter a reason. Approvers", "what"),
        ({"what": None}, "Choose permissions", "what"),
        ({"who": {}}, "Choose who gets access", "who"),
        ({"ends": "date", "until": "2020-01-01T00:00"}, "five minutes away", "what"),
    ],
)
def test_what_is_missing_leads_back_to_its_step(
    office: Office, body: dict[str, Any], words: str, step: str
) -> None:
    pk = whole(office, **body)
    answer = office.asker.get(at("preview", pk))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert f'href="{at(step, pk)}"' in page
    assert office.asker.post(at("preview", pk)).status_code == 422
    assert not Grant.objects.exists()


@pytest.mark.parametrize("until", ["2020-01-01T00:00", "2126-01-01T00:00", "tomorrow"])
def test_an_end_that_cannot_be_is_told_at_its_field_before_the_preview(office: Office, until: str) -> None:
    pk = whole(office)
    form = {"what-tab": "managed", "what-arn": office.arn("Ledger"), "ends": "date", "until": until}
    answer = office.asker.post(at("what", pk), form | {"why": "The audit", "do": "next"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="until-error"' in page
    assert until in page


def test_what_ends_only_while_gatehouse_runs_has_to_be_accepted(office: Office) -> None:
    pk = whole(office, what={"kind": "group", "group_arn": office.arn("payments")})
    page = office.asker.get(at("preview", pk)).content.decode()
    assert "Ends only while Gatehouse runs" in page
    answer = office.asker.post(at("preview", pk))
    assert answer.status_code == 422
    assert "Accept that" in answer.content.decode()
    assert not Grant.objects.exists()
    assert office.asker.post(at("preview", pk), {"accepts": "1"}).status_code == 302
    assert Grant.objects.count() == 1


def test_twenty_people_at_once_are_one_grant(office: Office) -> None:
    names = [f"n{number:02d}.ray" for number in range(20)]
    for name in names:
        office.of[name] = make.user(office.account, name)
    pk = whole(office, *names)
    assert office.asker.post(at("preview", pk)).status_code == 302
    grant = Grant.objects.get()
    assert grant.title.endswith("for 20 people")
    assert grant.parts.get().entries.filter(sort="attached").count() == 20


def test_another_account_is_let_in_by_a_role(office: Office) -> None:
    pk = whole(
        office,
        kind="partner",
        who={
            "partner": {
                "label": "Brightwater",
                "account_id": "339011276654",
                "external_id": "gh-brightwater-1",
            }
        },
        accounts=[office.account.account_id],
    )
    page = office.asker.get(at("preview", pk)).content.decode()
    assert "iam:CreateRole" in page
    assert "sts:ExternalId" in page
    assert office.asker.post(at("preview", pk)).status_code == 302
    assert Grant.objects.get().who_kind == "partner"


def test_a_lead_cannot_give_to_people_of_others(office: Office) -> None:
    body = GrantDraft.objects.get(pk=whole(office)).body
    pk = GrantDraft.objects.create(person_id=office.people["lead"].person_id, body=body).pk
    answer = office.lead.post(at("preview", pk))
    assert answer.status_code == 422
    assert not Grant.objects.exists()


def test_the_draft_of_somebody_else_is_nowhere(office: Office) -> None:
    pk = whole(office)
    for client in (office.approver, office.lead, office.member, office.auditor):
        for step in ("what", "preview", "done"):
            assert client.get(at(step, pk)).status_code == 404
        assert client.post(at("preview", pk)).status_code == 404
    assert not Grant.objects.exists()


def test_a_draft_about_others_is_no_way_for_a_member(office: Office) -> None:
    body = GrantDraft.objects.get(pk=whole(office, "tomas.lind", "maya.okafor")).body
    pk = GrantDraft.objects.create(person_id=office.people["member"].person_id, body=body).pk
    assert office.member.get(at("preview", pk)).status_code == 404
    assert office.member.post(at("preview", pk)).status_code == 404


def test_the_what_step_keeps_all_that_was_typed(office: Office) -> None:
    pk = whole(office, what=None, ends="", why="")
    form = {
        "what-tab": "managed",
        "what-arn": office.arn("Ledger"),
        "ends": "date",
        "until": "2027-01-01T10:00",
        "why": "Not yet",
        "do": "back",
    }
    assert office.asker.post(at("what", pk), form)["Location"] == at("who", pk)
    page = office.asker.get(at("what", pk)).content.decode()
    assert 'value="2027-01-01T10:00"' in page
    assert "Not yet</textarea>" in page
    answer = office.asker.post(at("what", pk), form | {"do": "next"})
    assert answer["Location"] == at("preview", pk)
    assert GrantDraft.objects.get(pk=pk).body["what"]["policy_arn"] == office.arn("Ledger")


def test_going_on_without_a_choice_says_all_that_is_missing(office: Office) -> None:
    pk = whole(office, what=None, ends="", why="")
    answer = office.asker.post(at("what", pk), {"do": "next"})
    page = answer.content.decode()
    assert answer.status_code == 422
    for words in ("Choose a template", "Choose a duration", "Enter a reason. Approvers"):
        assert words in page
    assert 'id="what"' in page.partition("data-form-error")[0], "the next look at the choice takes it away"
    again = office.asker.post(at("what", pk), {}, headers=HTMX).content.decode()
    assert again.count("<html") == 0
    assert "data-form-error" not in again


@pytest.mark.parametrize(
    ("action", "stages"),
    [("s3:GetObject", 1), ("iam:PutUserPolicy", 2)],
)
def test_the_preview_names_those_who_are_asked_afterwards(office: Office, action: str, stages: int) -> None:
    """What the grant itself makes is known to what comes after it, so that nothing counts as a text that
    nobody knows.
    """
    text = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    pk = whole(office, what={"kind": "statements", "documents": [json.dumps(text)]})
    shown = office.asker.get(at("preview", pk)).context["stages"]
    office.asker.post(at("preview", pk))
    asked = Requirement.objects.get().need.stages
    assert [stage.count for stage in shown] == [stage.count for stage in asked]
    assert len(shown) == stages


def test_whom_it_is_for_is_not_named_among_those_who_agree(office: Office) -> None:
    hana = make.user(office.account, "hana.sato")
    person = office.people["approver"].person
    Identity.objects.create(person=person, user_arn=hana.arn)
    office.of["hana.sato"] = hana
    stage = office.asker.get(at("preview", whole(office, "hana.sato"))).context["stages"][0]
    assert "Hana Sato" not in stage.people


@pytest.mark.parametrize(
    "until", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "\u0663", "2027-13-01"]
)
def test_an_end_that_is_no_moment_is_said_at_its_field_and_locks_no_page(office: Office, until: str) -> None:
    draft = office.draft(
        kind="users",
        who={"users": {"kind": "users", "arns": [office.arn("maya.okafor")]}},
        what={"kind": "managed", "policy_arn": READ_ONLY},
        ends="date",
        until=until,
        why="On call",
    )
    for step in ("who", "what"):
        assert office.asker.get(at(step, draft)).status_code == 200
    preview = office.asker.get(at("preview", draft))
    assert preview.status_code == 422
    assert "Enter the end as a date" in preview.content.decode()
    assert office.asker.post(at("what", draft), {"ends": "date", "until": until}).status_code in {200, 422}
