"""An approver reduces a grant before agreeing: fewer people, a shorter time, fewer actions; never more, and
never without the right.
"""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from iam.access.drafts.models import GrantDraft
from iam.access.grants.models import Grant
from iam.changes.models import Change
from tests.console.access.grants.conftest import HTMX, Office, at

pytestmark = pytest.mark.django_db
TWO = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": "arn:aws:s3:::pay-ledger/*",
        }
    ],
}


@pytest.fixture
def asked(office: Office) -> Grant:
    """Two people shall read and write for eight hours."""
    arns = [office.arn(name) for name in ("tomas.lind", "kwame.boateng")]
    pk = office.draft(
        kind="users",
        who={"users": {"arns": arns}},
        what={"kind": "statements", "documents": [json.dumps(TWO)]},
        ends="8h",
        why="Settles the quarter",
    )
    answer = office.asker.post(at("preview", pk))
    assert answer.status_code == 302, answer.content.decode()
    assert GrantDraft.objects.get().grant_id
    return Grant.objects.get()


def address(grant: Grant) -> str:
    return reverse("access:grant-reduce", args=[grant.pk])


def form(grant: Grant, **fields: object) -> dict[str, object]:
    """The page as it is opened."""
    arns = grant.terms["who"]["arns"]
    return {"arns": arns, "accounts": grant.terms["accounts"], "ends": "asked", "do": "look"} | fields


def test_less_time_and_fewer_people_are_looked_at_and_then_given_instead(
    office: Office, asked: Grant
) -> None:
    page = office.approver.get(reverse("access:grant", args=[asked.pk])).content.decode()
    assert f'href="{address(asked)}"' in page
    page = office.approver.get(address(asked)).content.decode()
    assert "tomas.lind" in page
    assert 'value="1h"' in page
    assert 'value="30d"' not in page
    less = form(asked, arns=[office.arn("tomas.lind")], ends="1h", **_state(page))
    look = office.approver.post(address(asked), less)
    assert look.status_code == 200, look.content.decode()
    assert "What would be given instead" in look.content.decode()
    assert Grant.objects.get().terms["lasts"] == 8 * 3600
    answer = office.approver.post(address(asked), less | {"do": "reduce", "why": "An hour will do"})
    assert answer.status_code == 302, answer.content.decode()
    after = Grant.objects.get()
    assert after.terms["lasts"] == 3600
    assert after.terms["who"]["arns"] == [office.arn("tomas.lind")]
    assert after.requested_by == office.people["asker"].person_id
    assert Change.objects.filter(state="awaiting_approval").exists()


def _state(page: str) -> dict[str, str]:
    """What the builder carries in the page."""
    from html import unescape

    hidden = page.split('name="what" value="', 1)[1].split('"', 1)[0]
    return {"what": unescape(hidden), "what-tab": "build", "what-found": "build"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Nothing is reduced yet"),
        ({"ends": "30d"}, "longer than was requested"),
        ({"ends": "never"}, "longer than was requested"),
        ({"arns": []}, "Keep at least one of them"),
        ({"ends": ""}, "Choose a duration"),
    ],
)
def test_what_is_no_less_is_refused_and_nothing_changed(
    office: Office, asked: Grant, fields: dict[str, object], words: str
) -> None:
    state = _state(office.approver.get(address(asked)).content.decode())
    answer = office.approver.post(address(asked), form(asked, **state) | fields | {"do": "reduce"})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Grant.objects.get().terms == asked.terms


def test_nobody_is_added_by_a_form_of_ones_own(office: Office, asked: Grant) -> None:
    state = _state(office.approver.get(address(asked)).content.decode())
    arns = [office.arn("tomas.lind"), office.arn("maya.okafor")]
    office.approver.post(address(asked), form(asked, arns=arns, do="reduce", **state))
    assert Grant.objects.get().terms["who"]["arns"] == [office.arn("tomas.lind")]


def test_fewer_actions_are_taken_out_in_the_builder(office: Office, asked: Grant) -> None:
    page = office.approver.get(address(asked)).content.decode()
    opened = office.approver.post(
        address(asked), form(asked, **_state(page)) | {"what-do": "open:0"}, headers=HTMX
    ).content.decode()
    assert "<html" not in opened
    less = form(asked, **_state(opened)) | {"b-open": "0", "b-act": "GetObject", "b-scope": "named"}
    answer = office.approver.post(address(asked), less | {"do": "reduce"})
    assert answer.status_code == 302, answer.content.decode()
    statements = json.loads(Grant.objects.get().terms["what"]["documents"][0])["Statement"]
    assert statements[0]["Action"] in ("s3:GetObject", ["s3:GetObject"])


def test_who_may_not_decide_has_no_such_page(office: Office, asked: Grant) -> None:
    for client in (office.auditor, office.lead, office.member):
        assert client.get(address(asked)).status_code == 404
        assert client.post(address(asked), form(asked, ends="1h", do="reduce")).status_code == 404
    assert Grant.objects.get().terms == asked.terms
