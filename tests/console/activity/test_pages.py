"""The pages of activity: what they show to whom, and as many queries with 50 rows as with one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.activity.models import TrailEvent
from iam.activity.sources.models import ReadSpan, SpanBasis
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.mirror.models import EdgeKind, Entity
from tests import factories
from tests.iam.activity.events import happened, identity_of, session_of

pytestmark = pytest.mark.django_db
DENIED = {"errorCode": "AccessDenied"}


@pytest.fixture
def maya() -> Entity:
    return factories.user(factories.account(), "maya.okafor")


def _client(role: Role, **fields: Any) -> Client:
    client = Client()
    client.force_login(factories.operator(role, **fields))
    return client


def _page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return re.sub(r"\s+", " ", answer.content.decode())


def _address(event: TrailEvent) -> str:
    return f"/activity/{round(event.at.timestamp() * 1_000_000)}/{event.event_id}/"


def test_an_account_without_events_is_unknown_and_not_idle(maya: Entity) -> None:
    admin = _client(Role.ADMINISTRATOR)
    assert "what maya.okafor did is unknown" in _page(admin, f"/people/{maya.pk}/activity/")
    assert "No CloudTrail events are known yet" in _page(admin, "/activity/")


def test_someone_without_calls_in_a_known_account_is_told_so(maya: Entity) -> None:
    happened(identity_of(factories.user(maya.account, "tomas.lind")))
    page = _page(_client(Role.ADMINISTRATOR), f"/people/{maya.pk}/activity/")
    assert "No call of maya.okafor is in these events" in page
    assert "Whether events are missing in between is unknown" in page


def test_the_root_user_is_named_with_its_account(maya: Entity) -> None:
    number = maya.account.account_id
    root = {"type": "Root", "principalId": number, "arn": f"arn:aws:iam::{number}:root", "accountId": number}
    happened(root)
    assert f"<strong>root of {number}</strong>" in _page(_client(Role.AUDITOR), "/activity/")


def test_similar_calls_are_one_line(maya: Entity) -> None:
    happened(identity_of(maya), times=5)
    page = _page(_client(Role.ADMINISTRATOR), f"/people/{maya.pk}/activity/")
    assert page.count("<code>s3:GetObject</code>") == 1
    assert "4 similar" in page
    assert "5 calls" in page


def test_a_denied_call_leads_those_who_may_request_to_a_grant(maya: Entity) -> None:
    happened(identity_of(maya), **DENIED)
    address = f"/people/{maya.pk}/activity/"
    page = _page(_client(Role.ADMINISTRATOR), address)
    link = re.search(r'href="(/[^"]*)">Suggest a grant', page)
    assert link is not None
    answer = _page(_client(Role.ADMINISTRATOR, name="Ada Second"), link[1].replace("&amp;", "&"))
    assert "s3:GetObject" in answer
    assert "maya.okafor" in answer
    assert "Suggest a grant" not in _page(_client(Role.AUDITOR, name="Otto Audit"), address)


def test_a_sign_in_without_mfa_is_marked(maya: Entity) -> None:
    happened(
        identity_of(maya),
        eventSource="signin.amazonaws.com",
        eventName="ConsoleLogin",
        additionalEventData={"MFAUsed": "No"},
    )
    page = _page(_client(Role.ADMINISTRATOR), f"/people/{maya.pk}/activity/")
    assert "AWS console sign-in</a> <strong>without MFA</strong>" in page


def test_a_filter_that_fits_nothing_says_so(maya: Entity) -> None:
    happened(identity_of(maya))
    admin = _client(Role.ADMINISTRATOR)
    for address in (
        f"/people/{maya.pk}/activity/?result=denied",
        "/activity/?q=nothing",
        "/activity/?who=no",
    ):
        assert "No calls match these filters" in _page(admin, address)


@pytest.mark.parametrize(
    "query", ["result=x", "days=-1", "since=tomorrow", "account=x", "after=x", "q=" + "a" * 999]
)
def test_what_makes_no_sense_is_left_out(maya: Entity, query: str) -> None:
    happened(identity_of(maya))
    assert "s3:GetObject" in _page(_client(Role.ADMINISTRATOR), f"/activity/?{query}")


def test_the_past_shows_no_later_call(maya: Entity) -> None:
    happened(identity_of(maya))
    happened(identity_of(maya), at=datetime(2026, 1, 25, tzinfo=UTC), eventName="PutObject")
    page = _page(_client(Role.ADMINISTRATOR), f"/people/{maya.pk}/activity/?as-of=2026-01-21T00:00:00")
    timeline = page.partition('<ol class="timeline">')[2].partition("</ol>")[0]
    assert "s3:GetObject" in timeline
    assert "s3:PutObject" not in timeline


def test_a_role_shows_who_was_behind_its_sessions(maya: Entity) -> None:
    role = factories.role(maya.account, "deploy")
    happened(session_of(role, "run-7", sourceIdentity="maya@example.com"))
    page = _page(_client(Role.ADMINISTRATOR), f"/roles/{role.pk}/activity/")
    assert "Session run-7, source identity maya@example.com" in page


def test_members_see_their_own_calls_and_leads_those_of_their_team(maya: Entity) -> None:
    tomas = factories.user(maya.account, "tomas.lind")
    happened(identity_of(maya))
    happened(identity_of(tomas))
    own, other = (TrailEvent.objects.get(caller__unique_id=user.aws_id) for user in (maya, tomas))
    group = factories.group(maya.account, "payments")
    factories.edge(EdgeKind.MEMBER, maya, group)
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments")
    viewers = {
        "member": _client(Role.MEMBER, name="Maya Okafor", arns=(maya.arn,)),
        "lead": _client(Role.TEAM_LEAD, name="Elif Kaya", team=team),
    }
    for client in viewers.values():
        assert client.get(f"/people/{maya.pk}/activity/").status_code == 200
        assert client.get(_address(own)).status_code == 200
        assert client.get(f"/people/{tomas.pk}/activity/").status_code == 404
        assert client.get(_address(other)).status_code == 404
        assert client.get("/activity/").status_code == 404


def test_who_sees_one_account_sees_its_events_only(maya: Entity) -> None:
    elsewhere = factories.user(factories.account("222222222222", name="data"), "jonah.weiss")
    happened(identity_of(maya))
    happened(identity_of(elsewhere))
    auditor = factories.operator(None, name="Otto Audit")
    factories.assign(auditor.person, Role.AUDITOR, account_id=maya.account.account_id)
    client = Client()
    client.force_login(auditor)
    page = _page(client, "/activity/")
    assert "maya.okafor" in page
    assert "jonah.weiss" not in page
    assert "jonah.weiss" not in _page(client, "/activity/?account=222222222222")
    hidden = TrailEvent.objects.get(caller__unique_id=elsewhere.aws_id)
    assert client.get(_address(hidden)).status_code == 404


def test_an_event_shows_its_record_but_no_hidden_address(maya: Entity, settings: Any) -> None:
    happened(identity_of(maya), requestParameters={"password": "hunter2hunter2"})
    address = _address(TrailEvent.objects.get())
    admin = _client(Role.ADMINISTRATOR)
    page = _page(admin, address)
    assert "198.51.100.7" in page
    assert "hunter2" not in page
    settings.ACTIVITY_HIDE_ADDRESSES = True
    assert "198.51.100.7" not in _page(admin, address)
    assert "198.51.100.7" not in _page(admin, f"/people/{maya.pk}/activity/")
    settings.ACTIVITY_KEEP_EVENTS = False
    TrailEvent.objects.update(raw="")
    assert "The full record isn’t stored" in _page(admin, address)


@pytest.mark.parametrize("moment", [0, 10**18, 253_402_300_799_000_000])
def test_an_event_that_is_not_there_is_not_found(maya: Entity, moment: int) -> None:
    address = f"/activity/{moment}/00000000-0000-0000-0000-000000000001/"
    assert _client(Role.ADMINISTRATOR).get(address).status_code == 404


def test_a_page_takes_as_many_queries_with_fifty_rows_as_with_one(maya: Entity) -> None:
    admin = _client(Role.ADMINISTRATOR)
    happened(identity_of(maya))
    addresses = (f"/people/{maya.pk}/activity/", "/activity/")

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            _page(admin, address)
        return len(captured)

    for address in addresses:
        queries(address)
    few = [queries(address) for address in addresses]
    for number in range(50):
        someone = factories.user(maya.account, f"user-{number}")
        happened(identity_of(someone))
        happened(identity_of(maya), eventName=f"Get{number}")
    assert [queries(address) for address in addresses] == few


def test_pages_say_which_time_is_complete(maya: Entity) -> None:
    happened(identity_of(maya))
    moment = datetime(2026, 1, 20, tzinfo=UTC)
    ReadSpan.objects.create(
        account_id=maya.account.account_id,
        region="eu-west-1",
        basis=SpanBasis.DIGEST,
        start=moment,
        end=moment + timedelta(days=1),
    )
    admin = _client(Role.ADMINISTRATOR)
    number = maya.account.account_id
    for address in (f"/people/{maya.pk}/activity/", f"/activity/?account={number}"):
        page = _page(admin, address)
        assert "eu-west-1: complete from" in page
        assert "missing from" in page
        assert "Whether events are missing in between is unknown" not in page
    assert "Complete from" in _page(admin, f"/accounts/{number}/")


def test_actions_that_are_new_are_listed_by_themselves() -> None:
    maya = factories.user(factories.account(), "maya.okafor")
    last = datetime(2026, 3, 30, 12, tzinfo=UTC)
    for name, days in (("ListBuckets", 80), ("ListBuckets", 0), ("GetBucketAcl", 50), ("DeleteBucket", 2)):
        happened(identity_of(maya), at=last - timedelta(days=days), eventName=name)
    client = _client(Role.AUDITOR)
    text = client.get(f"/people/{maya.pk}/activity/").content.decode()
    card = text.partition("First-time actions")[2].partition("</section>")[0]
    assert "s3:DeleteBucket" in card
    assert "ListBuckets" not in card
    assert "GetBucketAcl" not in card
