"""The pages about what one principal can do: what they say, to whom, now and then, and what they cost."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.directory.models import Role
from iam.journal.models import Entry
from iam.mirror.models import EdgeKind
from tests import factories
from tests.console.access.effective.conftest import BUCKET, Place, SignIn, allow

pytestmark = pytest.mark.django_db
PASSING = "why/?action=iam:PassRole"
PAGES = ("", "s3/", PASSING)


def body(client: Client, address: str, *, status: int = 200, **headers: str) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == status, answer.status_code
    return " ".join(answer.content.decode().split())


def of(place: Place, page: str = "") -> str:
    return f"/people/{place.maya.pk}/access/{page}"


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_are_answered_by_who_may_see_the_person(
    place: Place, auditor: Client, lead: Client, member: Client, sign_in: SignIn, page: str
) -> None:
    for client in (auditor, lead, member):
        assert client.get(of(place, page)).status_code == 200
    other = sign_in(Role.MEMBER, name="tomas.lind", arns=(place.tomas.arn,))
    assert other.get(of(place, page)).status_code == 404
    assert lead.get(f"/people/{place.tomas.pk}/access/{page}").status_code == 404
    assert Client().get(of(place, page)).status_code == 302


@pytest.mark.parametrize("page", ["", "dynamodb/", "why/?action=dynamodb:GetItem", "export.csv"])
def test_roles_are_shown_to_who_sees_the_account_only(
    place: Place, auditor: Client, lead: Client, member: Client, page: str
) -> None:
    address = f"/roles/{place.role.pk}/access/{page}"
    assert auditor.get(address).status_code == 200
    assert [lead.get(address).status_code, member.get(address).status_code] == [404, 404]
    assert auditor.get(f"/roles/{place.maya.pk}/access/{page}").status_code == 404


def test_services_are_told_with_levels_counts_resources_and_what_stands_out(
    place: Place, auditor: Client
) -> None:
    shown = body(auditor, of(place))
    assert "3 services, 4 allowed actions" in shown
    assert "Amazon S3" in shown
    assert "ledger/*" in shown
    assert "role/pay-deploy" in shown
    assert "iam:PassRole" in shown
    assert "2 conditional" in shown
    assert "Computed from 2 policies." in shown
    assert "<b>Read</b> 1/" in shown


def test_the_list_can_be_narrowed_by_text_and_by_level(place: Place, auditor: Client) -> None:
    by_title = body(auditor, of(place, "?q=amazon+s3"))
    assert "Amazon S3" in by_title
    assert "Amazon SQS" not in by_title
    assert "Amazon SQS" in body(auditor, of(place, "?q=SendMessage"))
    assert "Amazon S3" in body(auditor, of(place, "?q=LEDGER"))
    writing = body(auditor, of(place, "?level=write-up"))
    assert "Amazon SQS" in writing
    assert "Amazon S3" not in writing
    assert "No service matches" in body(auditor, of(place, "?q=nothing-of-the-sort"))
    assert "isn’t an access level" in body(auditor, of(place, "?level=%3Cb%3E"))


def test_actions_are_told_with_resources_conditions_and_statements(place: Place, auditor: Client) -> None:
    shown = body(auditor, of(place, "iam/"))
    assert "iam:PassRole" in shown
    assert "Only when the service that receives the role is lambda.amazonaws.com" in shown
    assert "role/pay-deploy" in shown
    assert f"/policies/{place.deploy.pk}/" in shown
    assert "statement 2, PassDeployRole, through payments" in shown


def test_actions_can_be_narrowed_and_a_long_list_is_paged(place: Place, auditor: Client) -> None:
    factories.inline(place.maya, "machines", body=allow("ec2:*"))
    first = body(auditor, of(place, "ec2/"))
    assert "1–100 of" in first
    assert first.count("Why?") == 100
    second = body(auditor, of(place, "ec2/?after=ec2:AttachVolume&level=write"))
    assert "ec2:AttachVolume<" not in second
    narrowed = body(auditor, of(place, "ec2/?q=runinst&how=everywhere"))
    assert "ec2:RunInstances" in narrowed
    assert "ec2:StartInstances" not in narrowed
    assert "No action matches" in body(auditor, of(place, "ec2/?how=conditional"))
    assert "1–100 of" in body(auditor, of(place, "ec2/?after=~nonsense"))


def test_a_service_of_which_nothing_is_allowed_says_so_and_an_unknown_one_is_not_there(
    place: Place, auditor: Client
) -> None:
    assert "No AWS Lambda action" in body(auditor, of(place, "lambda/"))
    body(auditor, of(place, "no-such-service/"), status=404)
    body(auditor, of(place, "S3/"), status=404)


def test_why_tells_the_way_from_the_group_to_the_decision(place: Place, auditor: Client) -> None:
    shown = body(auditor, of(place, PASSING))
    assert "Conditional" in shown
    assert "It depends on" in shown
    assert "the service that receives the role is lambda.amazonaws.com" in shown
    assert "PaymentsDeploy" in shown
    assert "Through group payments" in shown
    assert "PassDeployRole" in shown
    assert f"/access/who-can/?action={quote('iam:PassRole', safe='')}" in shown


def test_why_asks_about_the_resource_that_the_statement_names_or_about_another(
    place: Place, auditor: Client
) -> None:
    assert BUCKET in body(auditor, of(place, "why/?action=s3:getobject"))
    assert "Why maya.okafor can do this" in body(auditor, of(place, "why/?action=s3:getobject"))
    other = body(auditor, of(place, "why/?action=s3:GetObject&resource=arn:aws:s3:::other/file"))
    assert "Why maya.okafor can’t do this" in other
    assert "allows the action, but not this request" in other


def test_why_names_the_denial_that_wins(place: Place, auditor: Client) -> None:
    document = allow("s3:*", Sid="NoStorage")
    document["Statement"][0]["Effect"] = "Deny"
    factories.inline(place.maya, "no-storage", body=document)
    shown = body(auditor, of(place, f"why/?action=s3:GetObject&resource={BUCKET}"))
    assert "can’t do this" in shown
    assert "no-storage" in shown
    assert "NoStorage" in shown


def test_why_fills_in_variables_of_the_person(place: Place, auditor: Client) -> None:
    factories.inline(place.maya, "home", body=allow("s3:PutObject", on="arn:aws:s3:::home/${aws:username}/*"))
    shown = body(auditor, of(place, "why/?action=s3:PutObject"))
    assert "arn:aws:s3:::home/maya.okafor/*" in shown
    assert "Why maya.okafor can do this" in shown


@pytest.mark.parametrize(
    "query",
    ["action=", "action=s3", "action=s3:*", "action=%3Cscript%3E", "action=s3:GetObject&resource=x"],
)
def test_what_is_no_question_is_said_to_be_none(place: Place, auditor: Client, query: str) -> None:
    shown = body(auditor, of(place, f"why/?{query}"), status=422)
    assert "Check the action and the resource" in shown
    assert "<script>" not in shown


def test_without_a_question_the_page_asks_for_one(place: Place, auditor: Client) -> None:
    shown = body(auditor, of(place, "why/"))
    assert 'name="action"' in shown
    assert "Check the action and the resource" not in shown


def test_with_htmx_only_the_panel_or_the_drawer_comes(place: Place, auditor: Client) -> None:
    panel = body(auditor, of(place), HX_Request="true")
    assert panel.startswith('<div class="stack lg" id="panel">')
    drawer = body(auditor, of(place, PASSING), HX_Request="true")
    assert drawer.startswith("<header><h2")
    assert "<html" not in drawer


def test_who_does_not_see_the_account_gets_plain_words_and_no_texts_of_policies(
    place: Place, member: Client, lead: Client
) -> None:
    for client in (member, lead):
        overview = body(client, of(place))
        assert "Can read" in overview
        actions = body(client, of(place, "iam/"))
        assert f"/policies/{place.deploy.pk}/" not in actions
        why = body(client, of(place, PASSING))
        assert "PaymentsDeploy" in why
        assert "&quot;Statement&quot;" not in why
        assert "PassDeployRole&quot;" not in why
        assert f"/policies/{place.deploy.pk}/" not in why
        assert "Who else can" not in why


def test_a_boundary_is_told_in_plain_words_to_who_does_not_see_the_account(
    place: Place, member: Client, auditor: Client
) -> None:
    boundary = factories.policy(place.account, "OnlyQueues", body=allow("sqs:*", Sid="Secret"))
    factories.edge(EdgeKind.BOUNDARY, place.maya, boundary)
    address = of(place, f"why/?action=s3:GetObject&resource={BUCKET}")
    assert "The permissions boundary does not allow it" in body(member, address)
    full = body(auditor, address)
    assert "The permissions boundary doesn’t allow s3:GetObject here" in full


def test_a_past_moment_is_shown_as_it_was(place: Place, auditor: Client) -> None:
    later = factories.FIRST_READ + timedelta(days=10)
    factories.inline(place.tomas, "later", body=allow("ec2:RunInstances"), since=later)
    address = f"/people/{place.tomas.pk}/access/"
    assert "Amazon EC2" in body(auditor, address)
    then = body(auditor, f"{address}?as-of={later - timedelta(days=1):%Y-%m-%dT%H:%M:%S}")
    assert "Nothing was allowed" in then
    assert "Amazon EC2" not in then


def test_what_somebody_can_do_leads_to_what_it_was(place: Place, auditor: Client, member: Client) -> None:
    then = "2026-01-06T00:00:00"
    own = f"/access/compare/?a={place.maya.pk}&amp;b={place.maya.pk}"
    assert f'href="{own}"' in body(auditor, of(place))
    assert f'href="{own}&amp;a-at={quote(then)}"' in body(auditor, of(place, f"?as-of={then}"))
    more = f"/escalation/?from={quote(place.maya.arn, safe='')}"
    assert f'href="{more}"' in body(auditor, of(place))
    assert auditor.get(more).status_code == 200
    assert "/access/compare/" not in body(member, of(place))
    assert "/escalation/" not in body(member, of(place))
    assert auditor.get(own.replace("&amp;", "&")).status_code == 200


def test_before_the_person_was_there_nothing_is_told(place: Place, auditor: Client) -> None:
    assert "maya.okafor" in body(auditor, of(place, "?as-of=2025-01-01T00:00:00"))
    body(auditor, of(place, PASSING + "&as-of=2025-01-01T00:00:00"), status=404)


def test_a_policy_that_cannot_be_read_is_said_aloud(place: Place, auditor: Client, member: Client) -> None:
    factories.inline(place.maya, "broken", body="{ this is no JSON")
    assert "broken can’t be evaluated completely" in body(auditor, of(place))
    plain = body(member, of(place))
    assert "Gatehouse can’t evaluate some of the policies" in plain


def test_the_file_has_a_row_an_action_and_is_noted(place: Place, auditor: Client) -> None:
    answer = auditor.get(of(place, "export.csv"))
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 5
    assert lines[0].startswith("service,service_name,action,access_level,allowed")
    (passing,) = [line for line in lines if "iam:PassRole" in line]
    assert "conditional" in passing
    assert "StringEquals iam:PassedToService: lambda.amazonaws.com" in passing
    assert '"PaymentsDeploy of group payments, statement 2"' in passing
    entry = Entry.objects.get(kind="effective_access.export")
    assert (entry.subject, entry.account_id) == (place.maya.arn, "111111111111")


def test_the_file_is_for_who_may_export(place: Place, lead: Client, member: Client) -> None:
    assert member.get(of(place, "export.csv")).status_code == 404
    assert "export.csv" not in body(member, of(place))
    answer = lead.get(of(place, "export.json"))
    assert answer.status_code == 200
    assert b'"action": "iam:PassRole"' in b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert lead.get(of(place, "export.xml")).status_code == 404


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)


@pytest.mark.parametrize("page", ["", "s3/", "why/?action=s3:GetObject"])
def test_more_policies_cost_no_more_queries(place: Place, auditor: Client, page: str) -> None:
    before = queries(auditor, of(place, page))
    for number in range(8):
        more = factories.policy(place.account, f"more-{number}", body=allow("s3:Get*", f"sqs:Get{number}"))
        factories.edge(EdgeKind.ATTACHED, place.maya, more)
    assert queries(auditor, of(place, page)) == before
    assert before <= 20


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("s3:Get*", "Enter one action without wildcards."),
        ("s3:Get?bject", "Enter one action without wildcards."),
        ("GetObject", "An action has a service"),
    ],
)
def test_what_is_no_action_is_said_by_its_fault(
    place: Place, auditor: Client, action: str, words: str
) -> None:
    page = body(auditor, of(place, f"why/?action={quote(action)}"), status=422)
    assert words in page
