"""How many queries a list costs: the same for one row and for fifty, and never more than fourteen: one counts
a filtered list, one finds the names of persons.

The list of IAM users may cost one more: its filter offers the teams that own machine users.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.directory.models import Role
from iam.mirror.models import Account, EdgeKind, Kind
from tests import factories
from tests.console.identities.lists.conftest import SignIn, shown

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]

LIMIT = 14
WITH_TEAMS = LIMIT + 1
OF_SEARCH = LIMIT + 2
"""The search also asks for findings and assertions."""
OF_INDEX = 2
"""PostgreSQL has an index of the parts of texts. In how many rows it finds one, and whose name has it,
decides how the list is read.
"""


def users(account: Account, count: int, start: int = 0) -> None:
    group = factories.group(account, f"payments-dev{start or ''}")
    with factories.at_once():
        for number in range(start, start + count):
            factories.edge(EdgeKind.MEMBER, factories.user(account, f"user-{number}"), group)


def many(kind: Kind) -> Callable[[Account, int, int], None]:
    def make(account: Account, count: int, start: int = 0) -> None:
        with factories.at_once():
            for number in range(start, start + count):
                factories.entity(
                    account, kind, f"thing-{number}", category="saml", attrs={"ClientIDList": ["a"]}
                )

    return make


MAKERS: dict[str, Callable[..., None]] = {
    "people": users,
    "groups": many(Kind.GROUP),
    "roles": many(Kind.ROLE),
    "policies": many(Kind.POLICY),
    "instance-profiles": many(Kind.INSTANCE_PROFILE),
    "providers": many(Kind.OIDC_PROVIDER),
}
VARIANTS = {
    "plain": "",
    "filtered": "q=-",
    "one account": "account=111111111111",
    "past": f"as-of={datetime(2026, 2, 1, tzinfo=UTC):%Y-%m-%dT%H:%M:%S}",
    "past, filtered, one account": (
        f"q=-&account=111111111111&as-of={datetime(2026, 2, 1, tzinfo=UTC):%Y-%m-%dT%H:%M:%S}"
    ),
}


def spent(client: Client, address: str, *, warm: bool, **headers: str) -> int:
    cache.clear()
    if warm:
        client.get(address, **headers)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address, **headers)
    assert response.status_code == 200
    limits = {"/people/": WITH_TEAMS, "/search/": OF_SEARCH}
    limit = next((most for begin, most in limits.items() if address.startswith(begin)), LIMIT)
    if "q=" in address and connection.vendor == "postgresql":
        limit += OF_INDEX
    assert len(captured) <= limit, "\n".join(q["sql"][:200] for q in captured)
    return len(captured)


@pytest.mark.parametrize("warm", [False, True], ids=["uncounted", "counted"])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", MAKERS)
def test_a_list_costs_as_many_queries_for_one_row_as_for_fifty_and_more(
    sign_in: SignIn, name: str, variant: str, warm: bool
) -> None:
    client, account = sign_in(Role.ADMINISTRATOR), factories.account()
    address = f"/{name}/?{VARIANTS[variant]}"
    MAKERS[name](account, 1)
    few = spent(client, address, warm=warm)
    MAKERS[name](account, 49, 1)
    fifty = spent(client, address, warm=warm)
    MAKERS[name](account, 30, 50)
    more = spent(client, address, warm=warm)
    assert few == fifty == more
    assert len(shown(client.get(address))) == 50


@pytest.mark.parametrize("name", ["people", "groups"])
def test_a_list_of_a_team_lead_costs_no_more(sign_in: SignIn, name: str) -> None:
    account = factories.account()
    users(account, 1)
    client = sign_in(Role.TEAM_LEAD)
    few = spent(client, f"/{name}/", warm=False)
    group = next(e for e in account.entities.filter(name="payments-dev"))
    with factories.at_once():
        for number in range(60):
            factories.edge(EdgeKind.MEMBER, factories.user(account, f"more-{number}"), group)
    assert spent(client, f"/{name}/", warm=False) == few


def test_the_table_alone_costs_no_more_than_the_page(sign_in: SignIn) -> None:
    account = factories.account()
    users(account, 60)
    client = sign_in(Role.ADMINISTRATOR)
    whole = spent(client, "/people/", warm=True)
    assert spent(client, "/people/", warm=True, HTTP_HX_REQUEST="true") <= whole


def test_a_page_of_fifty_is_less_than_sixty_kilobytes(auditor: Client) -> None:
    account = factories.account(name="a-long-name-of-an-account")
    users(account, 60)
    response = auditor.get("/people/")
    assert len(shown(response)) == 50
    assert len(response.content) < 60 * 1024


@pytest.mark.parametrize("text", ["user", "user-7"])
def test_a_search_costs_the_same_for_whatever_it_finds(auditor: Client, text: str) -> None:
    users(factories.account(), 60)
    assert spent(auditor, f"/search/?q={text}", warm=True) == spent(auditor, "/search/?q=user", warm=True)


def test_a_search_that_finds_nothing_costs_less(auditor: Client) -> None:
    users(factories.account(), 60)
    assert spent(auditor, "/search/?q=zzzzz", warm=True) < spent(auditor, "/search/?q=user", warm=True)
