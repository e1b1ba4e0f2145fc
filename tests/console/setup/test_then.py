"""The accounts pages as of a past moment: what was known then, plainly marked, with nothing to press."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.directory.models import Role
from iam.mirror.models import Account, AccountFact, Pull, PullSection, Section
from iam.mirror.pull.sections import ALL, SSH_KEYS
from tests import factories
from tests.console.setup.conftest import HTMX, plain, signed_in, text_of

pytestmark = pytest.mark.django_db
LIST = "/accounts/"
PAGE = "/accounts/447109238816/"
NOW = datetime.now(tz=UTC).replace(microsecond=0)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FIRST, CHANGE = NOW - 6 * HOUR, NOW - 3 * HOUR
LONG_AGO = FIRST - 24 * HOUR
PASSWORDS = {"minimum_length": 14, "requires_symbols": True, "maximum_age": 90, "allows_change": True}


def then(address: str, at: datetime) -> str:
    """The address as of a moment."""
    return f"{address}{'&' if '?' in address else '?'}as-of={at:%Y-%m-%dT%H:%M:%S}"


def pulled(
    account: Account, at: datetime, *, denied: tuple[str, ...] = (), added: int = 0, **fields: Any
) -> Pull:
    """A pull of all sections that took a minute."""
    state = "partial" if denied else "complete"
    pull = Pull.objects.create(
        account=account, **{"state": state, "began_at": at, "ended_at": at + MINUTE, "added": added} | fields
    )
    Pull.objects.filter(pk=pull.pk).update(created_at=at)
    PullSection.objects.bulk_create(
        PullSection(
            pull=pull,
            name=name,
            state="denied" if name in denied else "complete",
            began_at=at,
            ended_at=at + MINUTE,
            observed_at=None if name in denied else at,
            count=12,
            permission="iam:ListSSHPublicKeys" if name in denied else "",
            message="AWS denied it." if name in denied else "",
        )
        for name in ALL
    )
    return pull


@pytest.fixture
def known(account: Account) -> Account:
    """The account with a past: read at first, then SSH keys were denied, alias and password policy changed;
    fine today.
    """
    Account.objects.update(created_at=FIRST - HOUR, alias="acme-prod")
    pulled(account, FIRST, added=9)
    pulled(account, CHANGE, denied=(SSH_KEYS,), added=1)
    pulled(account, NOW - 4 * MINUTE)
    for name, before, after in (
        ("alias", "acme-old", "acme-prod"),
        ("password_policy", None, PASSWORDS),
        ("numbers", {"people.all": 30, "roles": 1}, {"people.all": 31, "roles": 1}),
    ):
        times = {"observed_at": CHANGE, "account": account, "name": name}
        AccountFact.objects.create(valid_from=FIRST, valid_to=CHANGE, value=before, **times)
        AccountFact.objects.create(valid_from=CHANGE, after=CHANGE - HOUR, value=after, **times)
    return account


MOMENTS = {"before the change": CHANGE - HOUR, "after the change": CHANGE + 10 * MINUTE}


@pytest.mark.parametrize("address", [LIST, PAGE, f"{PAGE}pulls/"])
@pytest.mark.parametrize("at", [LONG_AGO, *MOMENTS.values()], ids=["long ago", *MOMENTS])
@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
def test_a_past_page_is_marked_and_has_nothing_to_press(
    role: Role, at: datetime, address: str, known: Account
) -> None:
    client = signed_in(role)
    body = client.get(then(address, at)).content.decode()
    assert "data-past" in body
    assert f'You see <time datetime="{at:%Y-%m-%dT%H:%M:%SZ}"' in body
    assert "You can’t change anything here" in body
    assert 'method="post"' not in body.partition("<main")[2]
    assert "hx-post" not in body
    main = body.partition("<main")[2]
    for words in (
        "Read now",
        "Read all now",
        "Connect<",
        "Settings<",
        "Disconnect<",
        "Permissions<",
        "Show fix",
    ):
        assert words not in main, words
    assert 'name="as-of" type="datetime-local"' in body


@pytest.mark.parametrize("address", [LIST, PAGE, f"{PAGE}pulls/"])
@pytest.mark.parametrize("at", MOMENTS.values(), ids=MOMENTS)
def test_links_to_pages_of_the_mirror_keep_the_moment(
    admin: Client, known: Account, at: datetime, address: str
) -> None:
    body = admin.get(then(address, at)).content.decode()
    main = body[body.index('<nav aria-label="Breadcrumb">') :]
    matches = re.findall(r'href="(/(?:accounts|people|roles|groups|policies)/[^"]*)"', main)
    assert address == LIST or matches
    assert [link for link in matches if "as-of=" not in link] == []


def test_the_list_shows_what_was_known_then(admin: Client, known: Account) -> None:
    before, after = (text_of(admin.get(then(LIST, at))) for at in MOMENTS.values())
    assert "acme-old" in before
    assert "acme-prod" not in before
    assert "Synced 2 h before" in before
    assert ">31</td>" in before
    assert "acme-prod" in after
    assert "1 section denied" in after
    assert "Missing: iam:ListSSHPublicKeys" in after
    assert ">32</td>" in after
    assert "1 account was connected at that moment. No account was connected or disconnected since." in before
    assert "Synced 4" in text_of(admin.get(LIST))


def test_the_list_of_then_says_who_has_come_and_gone(admin: Client, known: Account) -> None:
    gone = factories.account("612044783021", name="data", removed_at=NOW - MINUTE)
    Account.objects.filter(pk=gone.pk).update(created_at=LONG_AGO)
    factories.account("880311547790", name="staging")
    response = admin.get(then(LIST, CHANGE))
    assert "2 accounts were connected at that moment. 1 connected and 1 disconnected since." in plain(
        response
    )
    assert "Disconnected since" in plain(response)
    assert "/accounts/612044783021/" not in response.content.decode()
    assert [row.name for row in response.context["rows"]] == ["data", "production"]
    assert "Disconnected 1" not in plain(response)


def test_the_list_of_then_is_narrowed_with_htmx_and_without(admin: Client, known: Account) -> None:
    address = then(f"{LIST}?state=attention&q=acme", CHANGE + 10 * MINUTE)
    whole, part = admin.get(address), admin.get(address, headers=HTMX)
    assert [row.name for row in whole.context["rows"]] == ["production"]
    assert 'type="hidden" name="as-of"' in whole.content.decode()
    assert part.content.decode().lstrip().startswith('<section class="card" id="table"')
    assert "as-of=" in part.content.decode()
    assert '<p id="intro" hx-swap-oob="true">' in part.content.decode()
    nothing = text_of(admin.get(then(f"{LIST}?q=unheard-of", CHANGE)))
    assert "None has a name, account ID or unit" in nothing
    assert f"/accounts/?as-of={CHANGE:%Y-%m-%dT%H}" in nothing
    assert "was disconnected" not in text_of(admin.get(then(f"{LIST}?state=disconnected", CHANGE)))


@pytest.mark.parametrize("address", [LIST, PAGE])
def test_before_the_first_reading_it_says_so_and_shows_ways_out(
    admin: Client, known: Account, address: str
) -> None:
    body = text_of(admin.get(then(address, LONG_AGO)))
    first = FIRST + MINUTE
    assert f"as-of={first:%Y-%m-%dT%H}%3A{first:%M}%3A{first:%S}" in body
    assert "See the first sync" in body
    assert "Back to now</a>" in body
    assert ("Nothing was synced by then" if address == LIST else "production was not connected yet") in body


def test_between_connection_and_first_reading_nothing_was_known(admin: Client, known: Account) -> None:
    at = FIRST - 30 * MINUTE
    body = text_of(admin.get(then(PAGE, at)))
    assert "Nothing was synced by then" in body
    assert "The first sync ended on" in body
    assert "Sections" not in body
    assert "Not synced yet" in text_of(admin.get(then(LIST, at)))


def test_an_account_shows_its_sections_and_settings_of_then(admin: Client, known: Account) -> None:
    before, after = (text_of(admin.get(then(PAGE, at))) for at in MOMENTS.values())
    assert "alias acme-old" in before
    assert "None set" in before
    assert "Like this since the first sync" in before
    assert "denied" not in before
    assert "alias acme-prod" in after
    assert "At least 14 characters" in after
    assert "After 90 days" in after
    assert "this was changed." in after
    assert f"1 of {len(ALL)} sections denied" in after
    assert "AWS had denied access since" in after
    assert "<code>iam:ListSSHPublicKeys</code> was missing." in after
    assert "12 rows were kept from the sync of" in after
    assert "Every 15 minutes" not in after
    now = text_of(admin.get(PAGE))
    assert "At least 14 characters" in now
    assert "Every 15 minutes" in now


def test_the_readings_of_then_are_those_that_had_begun(admin: Client, known: Account) -> None:
    for address in (PAGE, f"{PAGE}pulls/"):
        shown = [
            [row[0].state for row in admin.get(then(address, at)).context["pulls"]["rows"]]
            for at in (FIRST + MINUTE / 2, *MOMENTS.values())
        ]
        assert shown == [["running"], ["complete"], ["partial", "complete"]]


def test_an_upload_says_as_of_when_it_counts(admin: Client, account: Account) -> None:
    made = NOW - 30 * 24 * HOUR
    pull = pulled(account, made, trigger="upload", added=3)
    Pull.objects.filter(pk=pull.pk).update(created_at=NOW - HOUR, ended_at=NOW - HOUR + MINUTE)
    Account.objects.update(source="export", created_at=NOW - HOUR)
    body = plain(admin.get(then(PAGE, made + HOUR)))
    assert f"Synced from AWS on {made:%-d %b %Y, %H:%M}" in body
    assert f"as of {made:%-d %b %Y, %H:%M}" in body
    assert "60.0 s" in body
    assert "production was not connected yet" in plain(admin.get(then(PAGE, made - HOUR)))


def test_the_list_of_then_costs_the_same_queries_at_1_and_at_500_accounts(
    admin: Client, known: Account
) -> None:
    def cost(address: str, **headers: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(then(address, CHANGE + 10 * MINUTE), headers=headers).status_code == 200
        return len(queries)

    def costs() -> list[int]:
        return [cost(LIST), cost(f"{LIST}?state=attention&q=a"), cost(f"{LIST}?q=a", **HTMX)]

    costs_of_few = costs()
    Account.objects.bulk_create(
        Account(account_id=f"{n:012d}", name=f"account {n:04d}", source="role") for n in range(1, 500)
    )
    others = Account.objects.exclude(pk=known.pk)
    others.update(created_at=LONG_AGO)
    Section.objects.bulk_create(
        Section(account=account, name=name, state="complete", observed_at=NOW)
        for account in others
        for name in ("users", "tags")
    )
    for other in others[:80]:
        pull = Pull.objects.create(account=other, state="complete", began_at=FIRST, ended_at=FIRST + MINUTE)
        Pull.objects.filter(pk=pull.pk).update(created_at=FIRST)
        PullSection.objects.create(
            pull=pull, name="users", state="complete", began_at=FIRST, ended_at=FIRST, observed_at=FIRST
        )
    assert costs() == costs_of_few
    assert max(costs_of_few) <= 12
