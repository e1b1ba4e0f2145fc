"""The page "Simulate": the answer at an address, policy texts that are kept nowhere, whom it is for, and
hostile input.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.directory.models import Role
from iam.journal.models import Entry
from iam.mirror.models import EdgeKind
from iam.mirror.snapshot import forget
from tests import factories as make
from tests.console.access.simulate.conftest import HUB, LEDGER, MEMBER, Organization, say
from tests.console.access.who_can.conftest import SignIn

pytestmark = pytest.mark.django_db
URL = "/access/simulate/"
ASK = {"principal": "maya.okafor", "action": "s3:GetObject", "resource": LEDGER}
HTMX = {"HTTP_HX_REQUEST": "true"}


def get(client: Client, status: int = 200, **query: Any) -> str:
    response = client.get(f"{URL}?{urlencode(ASK | query, doseq=True)}")
    assert response.status_code == status, response.status_code
    return response.content.decode()


def heading(page: str) -> str:
    match = re.search(r'<h2 id="an-h">(.*?)</h2>', page)
    assert match
    return unescape(match.group(1))


def errors(page: str) -> list[str]:
    matches = re.findall(r'<span class="error" id="[^"]*">.*?</svg>(.*?)</span>', page, re.DOTALL)
    return [unescape(text) for text in matches]


def test_the_address_holds_the_whole_question(org: Organization, auditor: Client) -> None:
    page = get(auditor, mfa="yes")
    assert heading(page) == "Allowed by ReadLedger of group readers, statement 1, and nothing denies it."
    assert f'href="/policies/{org.of["ReadLedger"].pk}/"' in page
    assert f'href="/groups/{org.of["readers"].pk}/"' in page
    assert f'href="/people/{org.of["maya"].pk}/"' in page
    assert "MFA: present" in unescape(page)


def test_what_is_missing_is_said_by_name(org: Organization, auditor: Client) -> None:
    page = get(auditor, action="sqs:SendMessage", resource=f"arn:aws:sqs:eu-west-1:{MEMBER}:jobs")
    assert heading(page) == "Allowed by own, statement 1, but the SCPs of Workloads don’t allow it."
    assert "The SCPs of Workloads don’t allow it." in page


def test_a_form_without_texts_leads_to_the_address_of_its_answer(org: Organization, auditor: Client) -> None:
    response = auditor.post(URL, ASK | {"key": "aws:SourceVpc", "value": "vpc-1"})
    assert response.status_code == 302
    assert response["Location"] == f"{URL}?{urlencode(ASK | {'ctx': 'aws:SourceVpc=vpc-1'})}"


def test_policy_texts_count_and_are_kept_nowhere(org: Organization, auditor: Client) -> None:
    policy = say("Allow", "s3:GetObject", LEDGER, Principal={"AWS": org.of["maya"].arn})
    with CaptureQueriesContext(connection) as captured:
        response = auditor.post(URL, ASK | {"resource-policy": json.dumps(policy)})
    page = response.content.decode()
    assert heading(page) == "Allowed by resource policy, statement 1, and nothing denies it."
    written = [row["sql"] for row in captured if re.match("INSERT|UPDATE|DELETE", row["sql"])]
    assert not [sql for sql in written if "operators_operatorsession" not in sql]
    assert not Entry.objects.exists()


def test_a_session_policy_limits_a_session(org: Organization, auditor: Client) -> None:
    session = f"arn:aws:sts::{MEMBER}:assumed-role/pay-settle/run-7"
    asked = {"principal": session, "action": "s3:PutObject", "resource": LEDGER}
    response = auditor.post(URL, asked | {"session-policy": json.dumps(say("Allow", "s3:Get*"))})
    page = response.content.decode()
    assert heading(page) == "Allowed by settle, statement 1, but the session policy doesn’t allow it."
    assert "as session <strong>run-7</strong>" in page


def test_htmx_gets_the_part_and_the_plain_address(org: Organization, auditor: Client) -> None:
    response = auditor.post(URL, ASK | {"mfa": "yes"}, **HTMX)
    page = response.content.decode()
    assert page.startswith('<div class="stack lg" id="question"')
    assert "<html" not in page
    assert response["HX-Push-Url"] == f"{URL}?{urlencode(ASK | {'mfa': 'yes'})}"
    texts = auditor.post(URL, ASK | {"endpoint-policy": json.dumps(say("Allow", "*", Principal="*"))}, **HTMX)
    assert texts["HX-Push-Url"] == "false"


def test_a_condition_is_taken_away_by_its_button(org: Organization, auditor: Client) -> None:
    response = auditor.post(URL, ASK | {"mfa": "yes", "without": "mfa=yes"})
    assert response["Location"] == f"{URL}?{urlencode(ASK)}"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"principal": "nobody"}, "“nobody” matches no user or role."),
        ({"action": "s3:Get*"}, "Enter one full action name, such as s3:GetObject."),
        ({"action": ""}, "Enter an action"),
        ({"resource": "pay-ledger"}, "isn’t a valid ARN."),
        ({"owner": "12"}, "An account ID has 12 digits."),
        ({"ip": "10.0.0.0/8"}, "“10.0.0.0/8” is a range."),
        ({"principal": "<script>alert(1)</script>"}, "“<script>"),
        ({"principal": "x" * 9000}, "isn’t a principal."),
    ],
)
def test_an_invalid_question_is_an_error_at_its_field(
    org: Organization, auditor: Client, query: dict[str, str], sentence: str
) -> None:
    page = get(auditor, 422, **query)
    assert any(sentence in text for text in errors(page)), errors(page)
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("resource-policy", '{"Version": "2012-10-17",\n "Statement": [}', "Line 2, column 16: "),
        ("endpoint-policy", "[]", "Line 1, column 1: "),
        ("session-policy", json.dumps(say("Allow", "s3:*")), (
            "A session policy applies only to role sessions."
        )),
        ("resource-policy", " " * 66_000 + "{}", "more than 65,536 characters"),
        ("resource-policy", "{" * 5000, "Line 1, column"),
    ],
)  # fmt: skip
def test_a_text_that_aws_would_refuse_is_refused_with_its_place(
    org: Organization, auditor: Client, name: str, text: str, sentence: str
) -> None:
    response = auditor.post(URL, ASK | {name: text})
    assert response.status_code == 422
    assert [error for error in errors(response.content.decode()) if sentence in error]


def test_a_name_means_somebody_of_the_chosen_account(org: Organization, auditor: Client) -> None:
    make.user(org.hub, "maya.okafor")
    assert "matches several" in errors(get(auditor, 422))[0]
    assert "No identity policy allows it." in get(auditor, account=HUB)
    assert heading(get(auditor, account=MEMBER)) == "Allowed if MFA is present."


def test_a_past_moment_is_answered_as_it_was(org: Organization, auditor: Client) -> None:
    later = make.FIRST_READ + timedelta(days=10)
    make.inline(org.of["maya"], "more", body=say("Allow", "s3:GetObject"), since=later)
    assert heading(get(auditor)).startswith("Allowed by more, statement 1")
    page = get(auditor, **{"as-of": f"{later - timedelta(days=1):%Y-%m-%dT%H:%M:%S}"})
    assert heading(page) == "Allowed if MFA is present."
    assert "as-of=2026-01-14T09%3A00%3A00" in page
    absent = get(auditor, 422, **{"as-of": "2026-01-01T00:00:00"})
    assert errors(absent)[0].startswith("“maya.okafor” matches no user or role")


def test_who_sees_one_account_is_told_of_nobody_elsewhere(org: Organization, sign_in: SignIn) -> None:
    client = sign_in(Role.AUDITOR, account_id=HUB)
    for principal in ("maya.okafor", org.of["maya"].arn, f"arn:aws:iam::{MEMBER}:root"):
        page = get(client, 422, principal=principal)
        assert "ReadLedger" not in page
    assert client.get(f"{URL}?account={MEMBER}").status_code == 404


def test_the_policies_of_an_account_that_one_does_not_see_are_not_shown(
    org: Organization, sign_in: SignIn
) -> None:
    make.inline(make.user(org.hub, "ines"), "all", body=say("Allow", "*"))
    client = sign_in(Role.AUDITOR, account_id=HUB)
    asked = {"principal": "ines", "action": "sts:AssumeRole", "resource": org.of["pay-settle"].arn}
    page = get(client, **asked)
    assert "Not synced. It must allow the caller." in page
    assert org.of["maya"].arn not in page


@pytest.mark.parametrize("role", [Role.TEAM_LEAD, Role.MEMBER])
def test_simulate_is_for_those_who_see_accounts(org: Organization, sign_in: SignIn, role: Role) -> None:
    client = sign_in(role)
    assert client.get(f"{URL}?{urlencode(ASK)}").status_code == 404
    assert client.post(URL, ASK).status_code == 404
    assert "Simulate" not in client.get("/").content.decode()


def test_somebody_unknown_is_asked_to_sign_in(org: Organization, client: Client) -> None:
    assert client.get(URL).status_code == 302


def test_the_field_offers_users_and_roles_only(org: Organization, auditor: Client) -> None:
    page = auditor.get(f"{URL}offers/?principal=ma").content.decode()
    assert org.of["maya"].arn in page
    assert "readers" not in auditor.get(f"{URL}offers/?principal=read").content.decode()


def test_simulate_costs_the_same_few_queries_however_many_policies_there_are(
    org: Organization, auditor: Client
) -> None:
    get(auditor)
    with CaptureQueriesContext(connection) as few:
        get(auditor)
    for number in range(40):
        group = make.group(org.member, f"group-{number}")
        make.inline(group, "read", body=say("Allow", "s3:GetObject"))
        make.edge(EdgeKind.MEMBER, org.of["maya"], group)
    forget()
    assert "Group group-39" in get(auditor)
    with CaptureQueriesContext(connection) as many:
        get(auditor)
    assert len(many) == len(few) <= 20


def test_the_form_alone_asks_nothing(org: Organization, auditor: Client) -> None:
    page = auditor.get(URL).content.decode()
    assert "Enter a request" in page
    assert 'id="an-h"' not in page
