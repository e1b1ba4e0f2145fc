"""The list of accounts: what it says, how it is narrowed and paged, how it follows a reading, what it
costs.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from console.setup import account_rows
from iam.journal.models import Entry
from iam.mirror.models import Account, Pull, PullSection, Section
from iam.mirror.pull.freshness import begin_sections
from iam.mirror.pull.sections import ALL, LABELS
from tests import factories
from tests.console.setup.conftest import HTMX, plain, text_of

LIST = "/accounts/"


def test_the_row_of_an_account(admin: Client, account: Account) -> None:
    for number in range(12):
        factories.user(account, f"user-{number}")
        factories.role(account, f"role-{number}")
    body = text_of(admin.get(LIST))
    assert "4471-0923-8816" in body
    assert "Synced 4 min ago" in body
    assert "Role, external ID" in body
    assert ">24</td>" in body
    assert "Read only" in body
    assert body.count('<li data-tone="ok" title="') == len(ALL)
    assert '<span class="sr">Users: 4 min ago</span>' in body


def test_names_are_escaped_wherever_they_are_shown(admin: Client) -> None:
    evil = factories.account(name="<script>alert(1)</script>", alias='"><img src=x onerror=alert(2)>')
    Section.objects.create(
        account=evil,
        name="users",
        state="held",
        message="<script>alert(3)</script>",
        observed_at=datetime.now(tz=UTC),
    )
    Section.objects.create(
        account=evil, name="tags", state="denied", message="<b>no</b>", permission="<i>x</i>"
    )
    for name in ("account", "settings", "disconnect", "fix-permissions", "apply-loss", "doctor"):
        body = admin.get(reverse(f"setup:{name}", args=[evil.account_id])).content.decode()
        assert "<script>alert" not in body, name
        assert "<img src=x" not in body, name
        assert "<i>x</i>" not in body, name
    assert "&lt;script&gt;alert(1)" in admin.get(LIST).content.decode()


def test_an_empty_installation_offers_a_way_in(admin: Client, auditor: Client) -> None:
    body = text_of(admin.get(LIST))
    assert "No account is connected" in body
    assert reverse("setup:upload") in body
    assert reverse("setup:connect") not in text_of(auditor.get(LIST))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("q=nothing-like-it", "like “nothing-like-it”"),
        ("state=attention", "None needs attention"),
        ("state=disconnected", "None was disconnected"),
    ],
)
def test_an_empty_result_names_the_filter_and_offers_the_way_out(
    admin: Client, account: Account, query: str, words: str
) -> None:
    body = text_of(admin.get(f"{LIST}?{query}"))
    assert words in body
    assert "Show all accounts" in body


def test_accounts_that_need_attention_have_a_tab(admin: Client, account: Account) -> None:
    account.sections.filter(name="tags").update(state="denied", permission="iam:ListPolicyTags")
    factories.account("612044783021", name="data")
    response = admin.get(f"{LIST}?state=attention")
    assert "All 2" in plain(response)
    assert "Needs attention 1" in plain(response)
    body = text_of(response)
    assert "1 section denied" in body
    assert 'title="Missing: iam:ListPolicyTags"' in body
    assert ">data</a>" not in body


@pytest.mark.parametrize("query", ["", "?q=data", "?state=attention"])
def test_before_the_first_sync_it_is_open_how_many_need_attention(admin: Client, query: str) -> None:
    factories.account("612044783021", name="data")
    response = admin.get(f"{LIST}{query}")
    assert "Needs attention –" in plain(response)
    assert ("None is known to need attention" in text_of(response)) == (query == "?state=attention")


def test_disconnected_accounts_are_listed_apart_and_can_come_back(admin: Client, account: Account) -> None:
    assert "Disconnected" not in plain(admin.get(LIST))
    Account.objects.update(removed_at=datetime.now(tz=UTC))
    assert "Disconnected 1" in plain(admin.get(LIST))
    body = text_of(admin.get(f"{LIST}?state=disconnected"))
    assert "Connect again" in body
    assert "account_id=447109238816&amp;name=production" in body


def test_pages_follow_each_other_by_place(admin: Client) -> None:
    Account.objects.bulk_create(
        Account(account_id=f"{n:012d}", name=f"account {n:03d}", source="role") for n in range(1, 121)
    )
    seen: list[str] = []
    address = LIST
    for _ in range(5):
        response = admin.get(address)
        rows = response.context["rows"]
        seen += [row.name for row in rows]
        if not response.context["after"]:
            break
        address = f"{LIST}?after={response.context['after']}"
    assert seen == sorted(seen)
    assert len(set(seen)) == 120
    assert 'rel="prev"' in admin.get(address).content.decode()


@pytest.mark.parametrize("place", ["x", "~", "1~", "999999~zzz", "-1~a", "1" * 40 + "~a"])
def test_a_place_that_is_none_is_no_error(admin: Client, account: Account, place: str) -> None:
    for name in ("after", "before"):
        assert admin.get(f"{LIST}?{name}={place}").status_code == 200


def cost(client: Client, address: str, **headers: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address, **headers).status_code in {200, 286}
    return len(queries)


def test_the_page_costs_the_same_queries_at_1_and_at_2000_accounts(admin: Client, account: Account) -> None:
    Pull.objects.create(account=account, state="running")
    costs_of_few = cost(admin, LIST), cost(admin, f"{LIST}?state=attention&q=a", headers=HTMX)
    Account.objects.bulk_create(
        Account(account_id=f"{n:012d}", name=f"account {n:04d}", source="role") for n in range(1, 2000)
    )
    Section.objects.bulk_create(
        Section(account_id=pk, name=name, state="complete", observed_at=datetime.now(tz=UTC))
        for pk in Account.objects.exclude(pk=account.pk).values_list("pk", flat=True)
        for name in ("users", "groups", "roles", "policies")
    )
    for pk in Account.objects.exclude(pk=account.pk).values_list("pk", flat=True)[:60]:
        pull = Pull.objects.create(account_id=pk, state="running", began_at=datetime.now(tz=UTC))
        PullSection.objects.create(pull=pull, name="users", state="reading", began_at=datetime.now(tz=UTC))
    many = cost(admin, LIST), cost(admin, f"{LIST}?state=attention&q=a", headers=HTMX)
    assert many == costs_of_few
    assert costs_of_few[0] <= 13  # one of them counts the accounts that were never counted


def test_users_are_counted_again_only_after_something_was_written(admin: Client, account: Account) -> None:
    factories.user(account, "maya.okafor")
    assert ">1</td>" in text_of(admin.get(LIST))
    with CaptureQueriesContext(connection) as queries:
        assert ">1</td>" in text_of(admin.get(LIST))
    assert not any("mirror_entitystate" in query["sql"] for query in queries)
    factories.user(account, "hana.sato")
    Account.objects.filter(pk=account.pk).update(writes=F("writes") + 1)
    assert ">2</td>" in text_of(admin.get(LIST))


def test_a_thousand_sections_are_drawn_from_a_few_cells(admin: Client, account: Account) -> None:
    factories.account("222222222222", name="staging")
    account_rows._mark.cache_clear()
    admin.get(LIST)
    drawn = account_rows._mark.cache_info().misses
    admin.get(LIST)
    assert account_rows._mark.cache_info().misses == drawn


def test_names_keep_their_letters_among_the_sections(admin: Client, account: Account) -> None:
    body = admin.get(LIST).content.decode()
    named = body.partition("From left: ")[2].partition("<")[0].strip().split(", ")
    assert {"users", "CloudTrail trails", "EC2 instances", "SSH keys", "IAM Roles Anywhere"} <= set(named)
    assert [name.lower() for name in named] == [
        name.lower() for name in ", ".join(LABELS[section] for section in ALL).split(", ")
    ]


def test_a_list_that_is_filtered_swaps_only_its_table(admin: Client, account: Account) -> None:
    body = admin.get(f"{LIST}?q=prod", headers=HTMX).content.decode()
    assert body.lstrip().startswith('<section class="card" id="table"')
    assert '<span id="n-all" hx-swap-oob="true">1</span>' in body
    assert admin.get(
        f"{LIST}?q=prod", headers=HTMX | {"HX-History-Restore-Request": "true"}
    ).content.startswith(b"<!DOCTYPE")


def test_rows_that_are_being_read_are_followed_until_they_are_done(admin: Client, account: Account) -> None:
    assert "live-rows" not in admin.get(LIST).content.decode()
    pull = Pull.objects.create(account=account, state="running", calls=26, calls_expected=41)
    assert f"live={account.account_id}" in admin.get(LIST).content.decode()
    live = reverse("setup:accounts-progress") + f"?live={account.account_id},999999999999,x"
    response = admin.get(live, headers=HTMX)
    body = response.content.decode()
    assert response.status_code == 200
    assert 'hx-trigger="load delay:2s"' in body
    assert f'id="state-{account.account_id}"' in body
    assert "Syncing, 63" in body
    Pull.objects.filter(pk=pull.pk).update(state="complete")
    done = admin.get(live, headers=HTMX)
    assert done.status_code == 286
    assert "hx-get" not in done.content.decode()
    assert "Synced 4" in done.content.decode()


def test_reading_all_queues_and_says_so(admin: Client, account: Account) -> None:
    factories.account("612044783021", name="data")
    body = text_of(admin.post(reverse("setup:read-all"), follow=True))
    assert "2 accounts are being synced" in body
    assert Pull.objects.filter(state="queued").count() == 2
    assert Entry.objects.filter(kind="pull.request").count() == 2


def test_reading_all_of_nothing_says_so(admin: Client) -> None:
    assert "No account to sync." in text_of(admin.post(reverse("setup:read-all"), follow=True))


def test_of_an_account_that_was_never_synced_nothing_is_said_to_be_none(admin: Client, db: None) -> None:
    new = factories.account("222222222222", name="new", external_id="gh-4e07b81c2d95")
    begin_sections([new])
    number = new.account_id
    pages = (
        reverse("setup:accounts"),
        reverse("setup:account", args=[number]),
        reverse("setup:disconnect", args=[number]),
        f"{reverse('dashboard:overview')}?account={number}",
    )
    for address in pages:
        body = plain(admin.get(address))
        assert not re.search(r"\b0 (IAM|users|roles)", body), address
        for none in ("No one has", "No changes", "IAM users and roles 0"):
            assert none not in body, address
    assert "MFA is unknown" in plain(admin.get(pages[-1]))
    assert "IAM users and roles Unknown" in re.sub(r"(?<=roles)\s*", " ", plain(admin.get(pages[1])))
