"""The history tab: what changed, by what, and between which readings; and two moments compared."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.changes.models import Change, ChangeSet
from iam.directory.models import Role
from iam.mirror.models import AccountFact, EdgeKind, Pull, Section, UserCredentials
from iam.mirror.models.accounts import PullState
from iam.mirror.queries.moments import just_after
from tests import factories
from tests.console.identities.details.conftest import SignIn, Small
from tests.factories import FIRST_READ, becomes, ends, seen_after

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LATER = FIRST_READ + 10 * DAY
OTHER = {"Version": "2012-10-17", "Statement": [{"Action": "sqs:SendMessage"}]}


@pytest.fixture
def admin(sign_in: SignIn, small: Small) -> Client:
    return sign_in(Role.ADMINISTRATOR)


def _text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def _joined(small: Small, **fields: Any) -> None:
    group = factories.group(small.account, "sre")
    edge = seen_after(factories.edge(EdgeKind.MEMBER, small.maya, group, since=LATER))
    for name, value in fields.items():
        setattr(edge, name, value)
    edge.save()


def test_an_event_says_between_which_readings_it_lies(small: Small, admin: Client) -> None:
    _joined(small)
    page = _text(admin, f"/people/{small.maya.pk}/history/")
    assert "Joined" in page
    assert ">08:45<" in page
    assert ">09:00 UTC<" in page
    assert "Cause unknown" in page
    assert "as-of=2026-01-15T09%3A00%3A00" in page


def _change(small: Small) -> Change:
    return Change.objects.create(
        change_set=ChangeSet.objects.create(),
        operation="group_membership.add",
        title="Add maya to sre",
        account=small.account,
        entity=small.maya,
        subject_kind="user",
        subject_id=small.maya.aws_id,
        subject_arn=small.maya.arn,
        params={},
        before={},
        after={},
        receipt={},
        receipt_digest="0" * 64,
        state="applied",
        idempotency_key=uuid.uuid4().hex,
        requested_by=uuid.uuid4(),
        requested_label="Hana Sato",
        reason="on call",
    )


def test_a_change_of_ours_is_named_and_linked_with_who_asked(small: Small, admin: Client) -> None:
    change = _change(small)
    _joined(small, cause_kind="change", cause_id=change.pk)
    for address in (
        f"/people/{small.maya.pk}/history/",
        "/compare/?account=111111111111&from=2026-01-06T00:00",
    ):
        page = _text(admin, address)
        by = f'By <a href="/changes/{change.pk}/"><span class="ref">{change.reference}</span></a>'
        assert f"{by}, requested by Hana Sato" in page


def test_a_change_that_the_viewer_may_not_see_is_only_named(small: Small, admin: Client) -> None:
    cause = uuid.uuid4()
    _joined(small, cause_kind="change", cause_id=cause)
    page = _text(admin, f"/people/{small.maya.pk}/history/")
    assert f'By <span class="ref">CHG-{cause.hex[:8].upper()}</span>' in page
    assert str(cause) not in page


def test_a_document_that_changed_opens_side_by_side(small: Small, admin: Client) -> None:
    first = factories.inline(small.maya, "debug")
    becomes(first, at=LATER, document=factories.document(OTHER))
    address = f"/people/{small.maya.pk}/history/"
    page = _text(admin, address)
    assert 'class="sidediff"' not in page
    link = page.split('href="?')[1:]
    diff = next(part.split("#diff")[0] for part in link if "diff=inline" in part.split('"')[0])
    opened = _text(admin, f"{address}?{diff}".replace("&amp;", "&"))
    assert 'class="sidediff"' in opened
    assert "sqs:SendMessage" in opened
    assert "s3:GetObject" in opened


def test_the_past_splits_what_came_before_from_what_came_since(small: Small, admin: Client) -> None:
    _joined(small)
    becomes(UserCredentials.objects.get(user=small.maya), at=LATER + 10 * DAY, mfa="none")
    page = _text(admin, f"/people/{small.maya.pk}/history/?as-of=2026-01-20T00:00")
    since, until = page.split("Changes until then")
    assert "MFA turned off" in since
    assert "Between <time" in since
    assert "MFA turned off" not in until
    assert "Joined" in until


def test_older_events_are_on_the_next_page(small: Small, admin: Client) -> None:
    for number in range(25):
        seen_after(factories.inline(small.maya, f"inline-{number:02}", since=LATER + number * DAY))
    page = _text(admin, f"/people/{small.maya.pk}/history/")
    assert "inline-05 added" in page
    assert "inline-04 added" not in page
    older = page.split("before=")[1].split('"')[0].split("&amp;")[0]
    second = _text(admin, f"/people/{small.maya.pk}/history/?before={older}")
    assert "inline-04 added" in second
    assert "inline-05 added" not in second
    assert "First synced by Gatehouse" in second


@pytest.mark.parametrize(
    "query", ["?before=x", "?diff=x", "?diff=inline-1-2", "?as-of=x", "?as-of=9999-01-01T00:00"]
)
def test_a_query_that_makes_no_sense_is_no_error(small: Small, admin: Client, query: str) -> None:
    _text(admin, f"/people/{small.maya.pk}/history/{query}")


def test_an_entity_is_compared_at_two_moments(small: Small, admin: Client) -> None:
    _joined(small)
    becomes(UserCredentials.objects.get(user=small.maya), at=LATER, mfa="none")
    address = f"/compare/?entity={small.maya.pk}&from=2026-01-06T09:00"
    page = _text(admin, address)
    assert ">sre</a>" in page
    assert "MFA turned off" in page
    assert "authenticator app" in page
    before = _text(admin, f"{address}&to=2026-01-10T09:00")
    assert "No differences" in before


def test_the_earlier_moment_comes_first_whichever_way_it_is_asked(small: Small, admin: Client) -> None:
    _joined(small)
    page = _text(admin, f"/compare/?entity={small.maya.pk}&from=2026-02-01T00:00&to=2026-01-06T00:00")
    assert 'value="2026-01-06T00:00"' in page.split('id="c-to"')[0]
    assert 'class="add"' in page


def test_an_entity_that_was_not_there_on_one_side_says_so(small: Small, admin: Client) -> None:
    user = factories.user(small.account, "new.comer", since=LATER)
    seen_after(user.states.get())
    page = _text(admin, f"/compare/?entity={user.pk}&from=2026-01-06T00:00")
    assert "(did not exist)" in page
    assert "Created" in page


def test_an_account_is_compared_by_sections(small: Small, admin: Client) -> None:
    _joined(small)
    ends(factories.user(small.account, "left").states.get(), at=LATER)
    fact = AccountFact.objects.create(
        account=small.account,
        name="password_policy",
        value={"minimum_length": 8, "maximum_age": 90},
        valid_from=FIRST_READ,
        observed_at=FIRST_READ,
    )
    becomes(fact, at=LATER, value=None)
    alias = AccountFact.objects.create(
        account=small.account, name="alias", value="old", valid_from=FIRST_READ, observed_at=FIRST_READ
    )
    becomes(alias, at=LATER, value="new")
    page = _text(admin, "/compare/?account=111111111111&from=2026-01-06T00:00")
    assert "Memberships" in page
    assert "joined" in page
    words = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "Account alias Changed ~1" in words
    assert "Alias: old → to new" in words
    assert "Password policy Changed ~5" in words
    assert "Length: At least 8 characters → to AWS’s default" in words
    assert "Between 08:45 and 09:00 UTC" in words
    assert "left" in page.split("Users")[1]


def test_a_long_section_has_its_own_pages(small: Small, admin: Client) -> None:
    for number in range(120):
        seen_after(factories.user(small.account, f"user-{number:03}", since=LATER).states.get())
    page = _text(admin, "/compare/?account=111111111111&from=2026-01-06T00:00")
    assert "All 120 added" in page
    first = _text(admin, "/compare/?account=111111111111&from=2026-01-06T00:00&sort=user&sign=came")
    assert "user-099" in first
    assert "user-100" not in first
    after = first.split("after=")[1].split('"')[0].split("&amp;")[0]
    second = _text(
        admin, f"/compare/?account=111111111111&from=2026-01-06T00:00&sort=user&sign=came&after={after}"
    )
    assert "user-119" in second


def test_moments_before_the_first_reading_say_that_nothing_is_known(small: Small, admin: Client) -> None:
    pull = Pull.objects.create(
        account=small.account, state=PullState.COMPLETE, began_at=FIRST_READ, ended_at=FIRST_READ, added=5
    )
    Pull.objects.filter(pk=pull.pk).update(created_at=FIRST_READ)
    page = _text(admin, "/compare/?account=111111111111&from=2025-01-06T00:00")
    assert "Nothing is known before" in page


def test_the_form_offers_the_accounts_that_the_viewer_sees_whole(
    small: Small, admin: Client, lead: Client
) -> None:
    assert "1111-1111-1111" in _text(admin, "/compare/")
    assert 'value="111111111111"' not in _text(lead, "/compare/")


def test_a_comparison_is_for_those_who_see_the_thing(small: Small, lead: Client, sign_in: SignIn) -> None:
    assert lead.get(f"/compare/?entity={small.maya.pk}").status_code == 200
    assert lead.get(f"/compare/?entity={small.tomas.pk}").status_code == 404
    assert lead.get("/compare/?account=111111111111").status_code == 404
    member = sign_in(Role.MEMBER, name="Maya Okafor", arns=(small.maya.arn,))
    assert member.get(f"/compare/?entity={small.maya.pk}").status_code == 200
    assert member.get(f"/compare/?entity={small.deployers.pk}").status_code == 404
    assert member.get("/compare/?account=111111111111").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["entity=x", f"entity={'9' * 40}", "entity=0", "account=999999999999", "account=x"],
)
def test_the_history_of_an_unknown_entity_is_404(small: Small, admin: Client, query: str) -> None:
    assert admin.get(f"/compare/?{query}").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "from=x&to=y",
        "from=9999-01-01T00:00",
        "sort=user&sign=x",
        "sort=x&sign=came",
        "sort=user&sign=came&after=x",
    ],
)
def test_a_comparison_that_makes_no_sense_is_no_error(small: Small, admin: Client, query: str) -> None:
    _text(admin, f"/compare/?account=111111111111&{query}")


@pytest.mark.parametrize("what", ["entity", "account"])
def test_a_comparison_takes_as_many_queries_for_one_row_as_for_fifty(
    small: Small, admin: Client, what: str
) -> None:
    asked = f"entity={small.payments.pk}" if what == "entity" else "account=111111111111"
    address = f"/compare/?{asked}&from=2026-01-06T00:00"
    counts = []
    for number in range(51):
        user = factories.user(small.account, f"user-{number}")
        seen_after(factories.edge(EdgeKind.MEMBER, user, small.payments, since=LATER))
        if number in {0, 50}:
            _text(admin, address)
            with CaptureQueriesContext(connection) as queries:
                _text(admin, address)
            counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_comparison_begins_where_something_is_known_unless_somebody_chose(
    small: Small, admin: Client
) -> None:
    first = datetime.now(tz=UTC) - timedelta(hours=3)
    Pull.objects.create(account=small.account, state="complete", began_at=first, ended_at=first)
    page = admin.get(f"/compare/?account={small.account.account_id}").content.decode()
    assert "Nothing is known before" not in page
    assert f'value="{just_after(first):%Y-%m-%dT%H:%M:%S}"' in page
    chosen = f"{first - timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
    assert (
        "Nothing is known before"
        in admin.get(f"/compare/?account={small.account.account_id}&from={chosen}").content.decode()
    )


def test_before_something_existed_its_kind_was_known_from_the_first_sync_of_its_section(
    small: Small, admin: Client
) -> None:
    Section.objects.filter(account=small.account).delete()
    Section.objects.create(account=small.account, name="users", observed_at=LATER, known_since=FIRST_READ)
    late = seen_after(factories.user(small.account, "late", since=LATER).states.get()).entity
    address = f"/compare/?entity={late.pk}"
    assert "Nothing is known before" not in _text(admin, f"{address}&from={LATER - DAY:%Y-%m-%dT%H:%M:%S}")
    assert "Nothing is known before" in _text(admin, f"{address}&from={FIRST_READ - DAY:%Y-%m-%dT%H:%M:%S}")


def test_what_the_first_sync_had_is_unknown_before_it(small: Small, admin: Client) -> None:
    before = f"{FIRST_READ - DAY:%Y-%m-%dT%H:%M:%S}"
    page = _text(admin, f"/compare/?entity={small.maya.pk}&from={before}")
    assert "(not synced yet)" in page
    for address in (f"/people/{small.maya.pk}/", f"/people/{small.maya.pk}/history/"):
        page = _text(admin, f"{address}?as-of={before}")
        assert "It is unknown whether" in " ".join(page.split()), address
        assert "did not exist" not in page
    access = _text(admin, f"/access/compare/?a={small.maya.pk}&a-at={before}")
    assert "wasn’t synced yet at the time on the left" in access
    assert "didn’t exist" not in access
