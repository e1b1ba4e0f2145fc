"""The step "what" of a grant, as a form that is posted with and without htmx."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from django.http import QueryDict
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils.http import urlencode

from console.access.what import WhatState, posted, state_for, step_context, what_of
from console.access.what.result import problems_of
from iam.access.grants.terms import GrantContent, TermsError, WhatKind
from iam.directory.models import Role, Team
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Account, Kind
from tests import factories

pytestmark = pytest.mark.django_db
NUMBER = "111111111111"


class _Form(HTMLParser):
    """The fields of a form as a browser sends them, before a button is pressed."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._select = self._area = ""
        self._option = False
        self.buttons: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "input" and attributes.get("name"):
            if attributes.get("type") in ("checkbox", "radio") and "checked" not in attributes:
                return
            self.fields.append((attributes["name"], attributes.get("value", "")))
        elif tag == "select":
            self._select = attributes.get("name", "")
        elif tag == "option" and self._select and "selected" in attributes:
            self.fields.append((self._select, attributes.get("value", "")))
        elif tag == "textarea":
            self._area = attributes.get("name", "")
            self.fields.append((self._area, ""))
        elif tag == "button" and attributes.get("name") == "what-do":
            self.buttons.append(attributes["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            name, value = self.fields.pop()
            self.fields.append((name, value + data))


@pytest.fixture
def account() -> Account:
    return factories.account(NUMBER)


@pytest.fixture
def viewer(account: Account) -> Viewer:
    return factories.viewer(Role.APPROVER, name="Hana Sato")


def form_of(page: str) -> _Form:
    form = _Form()
    form.feed(page)
    return form


def press(viewer: Viewer, fields: list[tuple[str, str]], do: str = "", **changes: Any) -> str:
    """The step as it is answered when the fields are sent, some of them changed (None takes one away), and a
    button is pressed.
    """
    kept = [(name, value) for name, value in fields if name not in changes]
    for name, value in changes.items():
        values = value if isinstance(value, list) else [value]
        kept += [(name, chosen_value) for chosen_value in values if chosen_value is not None]
    if do:
        kept.append(("what-do", do))
    request: Any = RequestFactory().post("/")
    request.viewer, request.at = viewer, None
    state = posted(_data(kept), accounts=(NUMBER,))
    context = {"what": step_context(request, state, accounts=(NUMBER,), url="/here/")}
    return render_to_string("access/what/_what.html", context, request=request)


def state_in(page: str) -> WhatState:
    return posted(_data(form_of(page).fields))


def _data(fields: list[tuple[str, str]]) -> QueryDict:
    return QueryDict(urlencode(fields))


def test_a_template_is_chosen_filled_in_and_given(viewer: Viewer) -> None:
    page = press(viewer, [], **{"what-template": "read-bucket"})
    with pytest.raises(TermsError, match="Bucket"):
        what_of(state_in(page), accounts=(NUMBER,))
    page = press(viewer, form_of(page).fields, **{"p-read-bucket-bucket": "pay-artifacts"})
    assert what_of(state_in(page), accounts=(NUMBER,)) == GrantContent(
        WhatKind.TEMPLATE, template="read-bucket", version=1, parameters={"bucket": "pay-artifacts"}
    )
    assert "arn:aws:s3:::pay-artifacts/*" in page


def test_a_hostile_parameter_is_kept_and_said(viewer: Viewer) -> None:
    evil = 'x","Resource":"*<script>'
    page = press(viewer, [], **{"what-template": "read-bucket"})
    page = press(viewer, form_of(page).fields, **{"p-read-bucket-bucket": evil})
    assert "<script>" not in page
    assert 'aria-invalid="true"' in page
    assert ("p-read-bucket-bucket", evil) in form_of(page).fields
    with pytest.raises(TermsError):
        what_of(state_in(page), accounts=(NUMBER,))


def test_another_template_takes_nothing_over(viewer: Viewer) -> None:
    page = press(viewer, [], **{"what-template": "read-bucket", "p-read-bucket-bucket": "pay-artifacts"})
    page = press(viewer, form_of(page).fields, **{"what-template": "read-billing"})
    assert what_of(state_in(page), accounts=(NUMBER,)).parameters == {}


def _built(viewer: Viewer) -> str:
    page = press(viewer, [], **{"what-tab": "build"})
    page = press(viewer, form_of(page).fields, "add-service:s3")
    page = press(viewer, form_of(page).fields, **{"b-act": ["GetObject", "ListBucket"]})
    page = press(viewer, form_of(page).fields, "add-row:object")
    fields = {"r0-BucketName": "pay-artifacts", "r0-ObjectName": "settle/*"}
    return press(viewer, form_of(page).fields, **fields)


def test_permissions_are_built_step_by_step_without_javascript(viewer: Viewer) -> None:
    page = _built(viewer)
    assert "ListBucket works on" in page
    page = press(viewer, form_of(page).fields, "add-row:bucket")
    page = press(viewer, form_of(page).fields, **{"r1-BucketName": "pay-artifacts"})
    page = press(viewer, form_of(page).fields, **{"c-mfa": "on"})
    (text,) = what_of(state_in(page), accounts=(NUMBER,)).documents
    assert json.loads(text)["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::pay-artifacts/settle/*",
            "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}},
        },
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::pay-artifacts",
            "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}},
        },
    ]


def test_every_button_of_the_part_answers(viewer: Viewer) -> None:
    page = _built(viewer)
    fields = form_of(page).fields
    for button in form_of(page).buttons:
        assert 'id="what"' in press(viewer, fields, button)


def test_closing_and_opening_a_part_loses_nothing(viewer: Viewer) -> None:
    page = _built(viewer)
    before = state_in(page).chosen
    page = press(viewer, form_of(page).fields, "close")
    assert "b-open" not in page
    page = press(viewer, form_of(page).fields, "open:0")
    assert state_in(page).chosen == before


def test_a_ticked_level_takes_all_of_it_and_an_unticked_one_nothing(viewer: Viewer) -> None:
    page = press(viewer, [], "add-service:sqs")
    page = press(viewer, form_of(page).fields, **{"b-level": ["read"]})
    (chosen_part,) = state_in(page).chosen
    assert {"sqs:GetQueueUrl", "sqs:ReceiveMessage"} <= set(chosen_part.actions)
    assert "sqs:SendMessage" not in chosen_part.actions
    fields = [(name, value) for name, value in form_of(page).fields if name != "b-level"]
    assert state_in(press(viewer, fields)).chosen[0].actions == ()
    fields = [pair for pair in form_of(page).fields if pair != ("b-act", "ReceiveMessage")]
    fewer = state_in(press(viewer, fields)).chosen[0].actions
    assert set(chosen_part.actions) - set(fewer) == {"sqs:ReceiveMessage"}


def test_a_search_among_actions_keeps_those_that_it_does_not_show(viewer: Viewer) -> None:
    page = _built(viewer)
    page = press(viewer, form_of(page).fields, **{"b-seek": "Delete*"})
    assert "DeleteObject" in page
    assert state_in(page).chosen[0].actions == ("s3:GetObject", "s3:ListBucket")


def test_a_condition_that_an_action_does_not_know_is_said_and_split(viewer: Viewer) -> None:
    page = press(viewer, [], "add-service:ec2")
    page = press(
        viewer,
        form_of(page).fields,
        **{
            "b-act": ["StartInstances", "DescribeInstances"],
            "b-scope": "any",
            "c-tag": "on",
            "c-tag-key": "team",
            "c-tag-values": "payments",
        },
    )
    assert "DescribeInstances does not know" in page
    page = press(viewer, form_of(page).fields, "split:tag")
    (text,) = what_of(state_in(page), accounts=(NUMBER,)).documents
    assert len(json.loads(text)["Statement"]) == 2


def test_bad_input_is_said_beside_its_field_and_kept(viewer: Viewer) -> None:
    page = _built(viewer)
    page = press(viewer, form_of(page).fields, **{"c-ip": "on", "c-ip-nets": "10.0.0.5/8"})
    assert "Did you mean 10.0.0.0/8" in page
    assert ("c-ip-nets", "10.0.0.5/8") in form_of(page).fields
    with pytest.raises(TermsError, match=r"10\.0\.0\.0/8"):
        what_of(state_in(page), accounts=(NUMBER,))


def test_a_template_goes_on_in_the_builder(viewer: Viewer) -> None:
    page = press(viewer, [], **{"what-template": "deploy-lambda"})
    page = press(viewer, form_of(page).fields, **{"p-deploy-lambda-function": "pay-settle"})
    state = state_in(page)
    page = press(viewer, form_of(page).fields, "customize")
    assert problems_of(state_in(page), accounts=(NUMBER,)) == []
    (text,) = what_of(state_in(page), accounts=(NUMBER,)).documents
    assert f"arn:aws:lambda:eu-west-1:{NUMBER}:function:pay-settle" in text
    assert state.tab == "template"


def test_a_policy_is_read_into_the_builder_or_said_not_to_fit(viewer: Viewer) -> None:
    page = press(viewer, [], **{"what-tab": "build"})
    fits = json.dumps(factories.ALLOW_S3)
    page = press(viewer, form_of(page).fields, "read", **{"b-paste": fits})
    assert state_in(page).chosen[0].actions == ("s3:GetObject",)
    page = press(viewer, form_of(page).fields, "read", **{"b-paste": "{"})
    assert "does not fit" in page


def test_managed_policies_are_found_in_what_is_seen(viewer: Viewer, account: Account) -> None:
    own = factories.entity(account, Kind.POLICY, "deploy-pay")
    other = factories.entity(factories.account("222222222222", name="staging"), Kind.POLICY, "deploy-other")
    page = press(viewer, [], **{"what-tab": "managed", "what-find": "deploy"})
    assert own.arn in page
    assert other.arn not in page
    page = press(viewer, form_of(page).fields, **{"what-policy": own.arn})
    assert what_of(state_in(page), accounts=(NUMBER,)).policy_arn == own.arn
    page = press(viewer, form_of(page).fields, **{"what-arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"})
    assert what_of(state_in(page), accounts=(NUMBER,)).policy_arn.endswith("ReadOnlyAccess")
    page = press(viewer, form_of(page).fields, **{"what-arn": "nonsense", "what-policy": None})
    assert "Enter the ARN of a policy" in page


@pytest.mark.parametrize(
    "hidden", ["", "{", "[]", "3", '{"chosen": [1], "open": 5}', '{"tab": "x"}', "\x00", "[" * 3000]
)
def test_no_hidden_field_breaks_the_step(viewer: Viewer, hidden: str) -> None:
    assert "Update" in press(viewer, [("what", hidden)])


@pytest.mark.parametrize(
    "do",
    [
        "",
        "open:9",
        "open:x",
        "remove:-1",
        "add-service:nowhere",
        "add-row:x",
        "drop-row:",
        "split:",
        "read",
        "x",
    ],
)
def test_no_button_breaks_the_step(viewer: Viewer, do: str) -> None:
    press(viewer, [("what-tab", "build"), ("b-open", "7"), ("r0-type", "x")], do)


@pytest.mark.parametrize("number", ["9" * 5000, "-1", "\u0663", "\u00b2", "0.5", ""])
def test_no_number_of_a_part_breaks_the_step(viewer: Viewer, number: str) -> None:
    press(viewer, [("what-tab", "build"), ("b-open", number)], f"open:{number}")


def test_what_was_asked_for_is_opened_again() -> None:
    what = GrantContent(WhatKind.STATEMENTS, documents=(json.dumps(factories.ALLOW_S3),))
    assert what_of(state_for(what), accounts=(NUMBER,)).kind is WhatKind.STATEMENTS
    template = GrantContent(
        WhatKind.TEMPLATE, template="read-bucket", version=1, parameters={"bucket": "docs"}
    )
    assert what_of(state_for(template), accounts=(NUMBER,)) == template


def test_a_draft_brings_the_step_back(viewer: Viewer) -> None:
    state = state_in(_built(viewer))
    assert WhatState.from_json(json.loads(json.dumps(state.body))) == WhatState(
        **{**_plain(state), "notes": ()}
    )


def _plain(state: WhatState) -> dict[str, Any]:
    kept = ("tab", "template", "version", "parameters", "policy", "chosen", "open")
    return {name: getattr(state, name) for name in kept}


def test_names_from_policies_are_offered_within_the_accounts(viewer: Viewer, account: Account) -> None:
    role = factories.role(account, "pay")
    body = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pay-ledger/*"}],
    }
    factories.inline(role, body=body)
    page = press(viewer, [], **{"what-template": "read-bucket"})
    assert '<option value="pay-ledger">' not in page
    page = press(viewer, [], "add-service:s3", **{"what-tab": "build"})
    page = press(viewer, form_of(page).fields, **{"b-act": ["GetObject"]})
    assert "add-arn:arn:aws:s3:::pay-ledger/*" in form_of(page).buttons


def test_whoever_leads_a_team_is_offered_templates_and_no_policy_text(account: Account) -> None:
    someone = factories.person("Elif Kaya")
    factories.assign(someone, Role.TEAM_LEAD, team=Team.objects.create(slug="payments", name="Payments"))
    lead = viewer_for(someone)
    page = press(lead, [], **{"what-template": "read-bucket", "p-read-bucket-bucket": "pay-artifacts"})
    assert "List and read files in the bucket pay-artifacts" in page
    assert "Policy text" not in page
    assert "Build it" not in page
