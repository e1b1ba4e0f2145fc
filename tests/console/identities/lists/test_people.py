"""The list of people: its words, views, filters, and the past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from iam.mirror.models import (
    NEVER,
    EdgeKind,
    Entity,
    EntityState,
    Kind,
    Section,
    TagSet,
    Usage,
    UserCredentials,
)
from iam.mirror.refresh import reread_tags
from tests import factories
from tests.console.identities.lists.conftest import link, shown, tabs

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]

NOW = datetime.now(tz=UTC)
LONG_AGO = NOW - timedelta(days=400)


def person(login: str, *, used: int | None = None, signed_in: bool = True, **credentials: Any) -> Entity:
    """A user of long ago in the account 111111111111, last used so many days ago."""
    from iam.mirror.models import Account

    account = Account.objects.filter(account_id="111111111111").first() or factories.account()
    user = factories.user(account, login, since=LONG_AGO, created_at=LONG_AGO, credentials=credentials)
    if used is not None:
        at = NOW - timedelta(days=used)
        details = {"password_last_used": at.isoformat()} if signed_in else {}
        Usage.objects.filter(entity=user).update(last_used_at=at, details=details)
    return user


def key(days: int) -> dict[str, Any]:
    return {"oldest_key_at": NOW - timedelta(days=days), "active_keys": 1, "keys": 1}


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


def test_a_name_comes_from_a_tag_or_from_the_login(auditor: Client) -> None:
    person("maya.okafor")
    tagged = person("px042")
    TagSet.objects.create(
        account=tagged.account,
        entity=tagged,
        tags={"DisplayName": "Priya Raman"},
        valid_from=LONG_AGO,
        observed_at=LONG_AGO,
    )
    person("ci-release")
    response = auditor.get("/people/")
    assert shown(response) == ["ci-release", "maya.okafor", "Priya Raman"]
    assert "<small>px042</small>" in text_of(response)


def test_a_row_tells_mfa_password_key_activity_and_groups(auditor: Client) -> None:
    user = person("tomas.lind", used=3, mfa="none", has_password=True, **key(112))
    for name in ("sre", "analysts", "deployers", "billing"):
        factories.edge(EdgeKind.MEMBER, user, factories.group(user.account, name))
    page = text_of(auditor.get("/people/"))
    for words in (
        'data-tone="bad"',
        ">112 d<",
        "3 d ago",
        "analysts, billing, deployers and 1 more",
        ">Yes<",
    ):
        assert words in page, words
    assert '<span class="badge " data-tone="warn">112 d</span>' in page


@pytest.mark.parametrize(("days", "tone"), [(90, ""), (91, "warn"), (180, "warn"), (181, "bad")])
def test_a_key_gets_a_tone_with_its_age(auditor: Client, days: int, tone: str) -> None:
    person("ci", has_password=False, mfa="none", **key(days))
    page = text_of(auditor.get("/people/"))
    assert (f'data-tone="{tone}">{days} d<' in page) if tone else (f">{days} d<" in page)
    assert "Not applicable" in page


def everybody() -> None:
    person("good", used=1, mfa="virtual")
    person("no-mfa", used=1, mfa="none")
    person("old-key", used=1, mfa="virtual", **key(120))
    person("idle", used=60, mfa="hardware")
    person("never", mfa="security-key")
    person("by-key-only", used=1, signed_in=False, mfa="virtual", **key(10))
    person("machine", used=1, signed_in=False, mfa="none", has_password=False, **key(10))
    recent = person("newcomer", mfa="virtual")
    EntityState.objects.filter(entity=recent).update(created_at=NOW)
    person("unread", used=1, mfa="unread", has_password=None)
    person("silent", mfa="unread", has_password=None)


VIEWS = {
    "all": ("All", 10),
    "no-mfa": ("No MFA", ["no-mfa"]),
    "old-keys": ("Keys over 90 days", ["old-key"]),
    "inactive": ("Inactive 45 days", ["idle", "never"]),  # not "silent", of whom nothing was read
    "never": ("Never signed in", ["by-key-only", "never", "newcomer"]),
    "machines": ("Keys only", ["machine"]),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_as_many_as_its_tab_counts(auditor: Client, view: str) -> None:
    everybody()
    label, expected = VIEWS[view]
    response = auditor.get(f"/people/?view={view}")
    names = sorted(shown(response))
    assert len(names) == tabs(response)[label]
    assert len(names) == expected if isinstance(expected, int) else names == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("mfa=none", ["machine", "no-mfa"]),
        ("mfa=hardware&mfa=security-key", ["idle", "never"]),
        ("mfa=unknown", ["silent", "unread"]),
        ("password=no", ["machine"]),
        ("password=unread", ["silent", "unread"]),
        ("password=no&mfa=virtual", []),
        ("key=90", ["old-key"]),
        ("key=180", []),
        ("key=fresh", ["by-key-only", "machine"]),
        ("key=fresh&key=90", ["by-key-only", "machine", "old-key"]),
        ("activity=idle-45", ["idle", "never"]),
        ("activity=idle-90", ["never"]),
        ("activity=never", ["never", "newcomer"]),
        ("activity=never&view=inactive", ["never"]),
        ("group=payments-dev", ["good", "idle"]),
        ("group=PAYMENTS-DEV", ["good", "idle"]),
        ("group=payments", []),
        ("group=payments-dev&activity=30", ["good"]),
        ("q=key", ["by-key-only", "old-key"]),
        ("q=KEY+old", ["old-key"]),
        ("q=user/idle", ["idle"]),
        ("q=nobody", []),
        ("q=%25", []),
        ("q=_", []),
    ],
)
def test_filters_keep_whom_they_name_and_count_them(auditor: Client, query: str, expected: list[str]) -> None:
    everybody()
    group = factories.group(Entity.objects.first().account, "payments-dev")
    for login in ("good", "idle"):
        factories.edge(EdgeKind.MEMBER, Entity.objects.get(name=login), group)
    response = auditor.get(f"/people/?{query}")
    assert sorted(shown(response)) == expected
    if expected:
        assert f"of {len(expected)}</span>" in text_of(response)


def test_the_unique_id_and_the_key_id_find_their_user(auditor: Client) -> None:
    user, other = person("maya.okafor"), person("hana.sato")
    access_key = factories.entity(user.account, Kind.ACCESS_KEY, "AKIAIOSFODNN7EXAMPLE", arn="")
    Entity.objects.filter(pk=access_key.pk).update(owner=user, search="akiaiosfodnn7example")
    assert shown(auditor.get("/people/?q=AKIAIOSFODNN7EXAMPLE")) == ["maya.okafor"]
    assert shown(auditor.get("/people/?q=akiaiosf")) == ["maya.okafor"]
    assert shown(auditor.get(f"/people/?q={other.aws_id}")) == ["hana.sato"]


def test_chips_take_a_filter_away_and_keep_the_others(auditor: Client) -> None:
    everybody()
    page = text_of(
        auditor.get("/people/?mfa=none&mfa=virtual&password=yes&q=o&account=111111111111&sort=-name")
    )
    rest = "mfa=virtual&password=yes&sort=-name&account=111111111111"
    assert f'href="?q=o&{rest}" aria-label="Remove filter: MFA None"' in page
    assert 'href="?sort=-name&account=111111111111">Clear</a>' in page
    assert 'href="/people/export.csv?q=o&mfa=none&' in page


def test_a_filter_that_does_not_exist_is_named_and_left_out(auditor: Client) -> None:
    everybody()
    response = auditor.get("/people/?mfa=telepathy&view=nonsense")
    assert len(shown(response)) == 10
    assert "“MFA: telepathy” isn’t a filter of this list" in text_of(response)
    assert "This list has no view “nonsense”." in text_of(response)


def test_a_list_without_a_match_names_the_filter_and_a_way_out(auditor: Client) -> None:
    everybody()
    page = text_of(auditor.get("/people/?view=inactive&q=lukas&mfa=virtual&account=111111111111"))
    assert "No IAM user matches “lukas”, inactive for 45 days, MFA: Authenticator app" in page
    assert 'href="?account=111111111111">Clear filters</a>' in page
    assert 'href="?view=inactive&q=lukas&mfa=virtual">Search all accounts</a>' in page


def test_htmx_gets_the_table_and_a_plain_address_for_the_history(auditor: Client) -> None:
    everybody()
    response = auditor.get("/people/?q=&mfa=none&account=&sort=name", HTTP_HX_REQUEST="true")
    assert response["HX-Push-Url"] == "/people/?mfa=none"
    assert 'hx-swap-oob="true"' in text_of(response)
    assert "1 to 2 of 2" in text_of(response)
    assert "HX-Request" in response["Vary"]


def test_the_account_stands_in_the_row_only_where_all_accounts_are_shown(auditor: Client) -> None:
    everybody()
    assert ">Account</th>" in text_of(auditor.get("/people/"))
    assert ">Account</th>" not in text_of(auditor.get("/people/?account=111111111111"))


def test_what_could_not_be_read_is_said_above_the_list(auditor: Client) -> None:
    user = person("maya.okafor")
    Section.objects.create(
        account=user.account,
        name="credential_report",
        state="denied",
        permission=("iam:GenerateCredentialReport"),
        observed_at=LONG_AGO,
        bad_since=NOW,
    )
    Section.objects.create(account=user.account, name="roles", state="failed")
    page = text_of(auditor.get("/people/"))
    assert "production: AWS denied access" in page
    assert "iam:GenerateCredentialReport" in page
    assert "could not be read" not in page


def then(moment: datetime) -> str:
    return f"as-of={moment:%Y-%m-%dT%H:%M:%S}"


def test_the_past_shows_what_held_then_and_what_has_changed_since(auditor: Client) -> None:
    march, may = NOW - timedelta(days=200), NOW - timedelta(days=100)
    stays, turned = person("stays"), person("turned.on", mfa="none", **key(150))
    leaver = factories.user(stays.account, "lena.fischer", since=LONG_AGO, until=may)
    newcomer = factories.user(stays.account, "newcomer", since=may)
    factories.seen_after(EntityState.objects.get(entity=newcomer))
    old, new = factories.group(stays.account, "old-team"), factories.group(stays.account, "new-team")
    factories.edge(EdgeKind.MEMBER, turned, old, until=may)
    factories.edge(EdgeKind.MEMBER, turned, new, since=may)
    factories.edge(EdgeKind.MEMBER, stays, old, until=may)
    factories.edge(EdgeKind.MEMBER, stays, old, since=may)
    UserCredentials.objects.filter(user=turned).update(valid_to=may)
    UserCredentials.objects.create(
        account=turned.account,
        user=turned,
        valid_from=may,
        observed_at=may,
        has_password=True,
        mfa="virtual",
        **key(20),
    )
    response = auditor.get(f"/people/?{then(march)}")
    page = text_of(response)
    assert shown(response) == ["lena.fischer", "stays", "turned.on"]
    assert "3 IAM users at that moment. 1 added and 1 removed since." in page
    for words in (
        f"Gone since {may:%-d %b %Y}",
        "MFA: app",
        "Key replaced",
        "+ new-team",
        "− old-team",
        "The same",
    ):
        assert words in page, words
    assert page.count("old-team") == 3, "twice as a group of then, once as left"
    assert f"/people/{leaver.pk}/?{then(march)}".replace(":", "%3A") in page
    assert "data-past" in page
    assert "Last activity" not in page


@pytest.mark.parametrize("account", ["", "&account=111111111111"])
def test_the_past_has_its_own_orders_views_and_filters(auditor: Client, account: str) -> None:
    everybody()
    moment = then(NOW - timedelta(days=100))
    response = auditor.get(f"/people/?{moment}{account}")
    assert set(tabs(response)) == {"All", "No MFA", "Keys over 90 days", "Keys only"}
    assert ("sort=mfa" in text_of(response)) is bool(account)
    assert "sort=activity" not in text_of(response)
    assert 'name="activity"' not in text_of(response)
    refused = auditor.get(f"/people/?{moment}{account}&view=inactive&activity=30&sort=activity")
    assert "This list has no view “inactive” in the past." in text_of(refused)
    assert "“Activity: 30” isn’t a filter of this list" in text_of(refused)
    assert len(shown(refused)) == 10


def test_the_past_counts_the_age_of_keys_from_then(auditor: Client) -> None:
    person("ci", has_password=False, **key(120))
    response = auditor.get(f"/people/?{then(NOW - timedelta(days=99))}")
    assert ">20 d<" in text_of(response)
    assert tabs(response)["Keys over 90 days"] == 0
    assert tabs(auditor.get("/people/"))["Keys over 90 days"] == 1


@pytest.mark.parametrize("sort", ["created", "mfa", "key"])
def test_pages_of_the_past_hold_every_row_once(auditor: Client, sort: str) -> None:
    with factories.at_once():
        for number in range(120):
            person(f"user-{number:03d}", mfa=["none", "virtual"][number % 2])
    UserCredentials.objects.filter(user__name="user-007").delete()
    address = f"/people/?{then(NOW - timedelta(days=9))}&account=111111111111&sort={sort}"
    names: list[str] = []
    while address:
        response = auditor.get(address)
        names += shown(response)
        following = link(response, "next")
        address = f"/people/{following}" if following else ""
    assert len(names) == len(set(names)) == 120


def test_a_name_of_then_finds_whoever_was_renamed(auditor: Client) -> None:
    user = person("maya.lind")
    EntityState.objects.filter(entity=user).update(valid_to=NOW - timedelta(days=50))
    arn = "arn:aws:iam::111111111111:user/maya.okafor"
    EntityState.objects.create(
        entity=user,
        account=user.account,
        kind=Kind.USER,
        name="maya.okafor",
        sort_name="maya.okafor",
        arn=arn,
        digest="x",
        valid_from=NOW - timedelta(days=50),
        observed_at=NOW,
    )
    Entity.objects.filter(pk=user.pk).update(name="maya.okafor", arn=arn, search=arn)
    assert shown(auditor.get(f"/people/?q=lind&{then(NOW - timedelta(days=90))}")) == ["maya.lind"]
    assert shown(auditor.get("/people/?q=lind")) == []
    assert shown(auditor.get("/people/?q=okafor")) == ["maya.okafor"]


def test_before_the_first_reading_the_list_says_so(auditor: Client) -> None:
    from iam.mirror.models import Pull

    user = person("maya.okafor")
    Pull.objects.create(account=user.account, state="complete", began_at=LONG_AGO, ended_at=LONG_AGO, added=1)
    page = text_of(auditor.get(f"/people/?{then(LONG_AGO - timedelta(days=3))}"))
    assert "Nothing was synced by then" in page


def test_what_no_report_told_is_not_read_rather_than_never(auditor: Client) -> None:
    person("silent", mfa="unread", has_password=None)
    page = text_of(auditor.get("/people/"))
    assert page.count(">Unknown<") == 4, "MFA, password, key, activity"
    assert ">Never<" not in page
    assert shown(auditor.get("/people/?key=none")) == []


def test_never_is_a_time_of_its_own(auditor: Client) -> None:
    person("ghost", mfa="virtual", oldest_key_at=NEVER)
    page = text_of(auditor.get("/people/"))
    assert ">No keys<" in page
    assert ">Never<" in page


def test_a_user_is_found_by_login_display_name_and_email_however_they_are_known(auditor: Client) -> None:
    account = factories.account("333333333333", name="data")
    tagged = factories.user(account, "s.obrien")
    linked = factories.user(account, "maya.okafor")
    factories.user(account, "tomas.lind")
    tags = {"DisplayName": "Se\u00e1n O\u02bcBrien", "Email": "Sean@northline.example"}
    reread_tags(account, tagged, tags=tags, at=datetime.now(tz=UTC), cause_id=None)
    factories.person("Maya Adaeze Okafor", email="m.okafor@northline.example", arns=(linked.arn,))
    for text, login in (
        ("s.obrien", "s.obrien"),
        ("se\u00e1n o'brien", "s.obrien"),
        ("sean@northline", "s.obrien"),
        ("maya adaeze", "maya.okafor"),
        ("m.okafor@northline.example", "maya.okafor"),
        ("maya.okafor", "maya.okafor"),
    ):
        page = text_of(auditor.get("/people/", {"q": text}))
        assert login in page, text
        assert "tomas.lind" not in page, text


def test_what_a_search_or_a_selection_leaves_out_is_said(auditor: Client) -> None:
    factories.user(factories.account(), "maya")
    page = text_of(auditor.get("/people/", {"q": "a b c d e f"}))
    assert "Only the first 5 words of the search are used." in page
    groups = {"group": [f"team-{number}" for number in range(21)]}
    assert "Only the first 20 values of the filter “Group” are used." in text_of(
        auditor.get("/people/", groups)
    )
