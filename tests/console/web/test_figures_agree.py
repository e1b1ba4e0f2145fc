"""Overview, lists, tabs, account page and quotas show the same figures as AWS, also right after something
changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from console.demo.organisation.gatehouse import EXTERNAL_ID, WRITER_ROLE
from iam.aws import credentials
from iam.aws.access import AccountAccess
from iam.aws.session import Aws, connect
from iam.directory.models import Role
from iam.mirror.models import Account, Entity
from iam.mirror.pull.sections import LOGIN_PROFILES, USER_MFA
from iam.mirror.refresh import reread_entity
from iam.mirror.refresh.credentials import read_credentials, reread_credentials
from iam.mirror.services import request_pull, run_pull
from tests import factories
from tests.iam.changes.operations.stage import TRUST_EC2
from tests.iam.mirror.accounts.aws import PRODUCTION, SANDBOX, Cloud, arn_of, cloud, standin_process

__all__ = ["cloud", "standin_process"]

pytestmark = pytest.mark.django_db
LISTS = ("people", "groups", "roles", "policies", "instance-profiles", "providers")
TAB = re.compile(r'<a href="([^"]*)"[^>]*>\s*([^<]+?)\s*<span class="count"[^>]*>([\d,]+)</span>\s*</a>')


@pytest.fixture(autouse=True)
def _nothing_counted_before() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def synced(cloud: Cloud, settings: Settings) -> list[Account]:
    """Two accounts of the sample organization, synced."""
    settings.AWS_RATE = 1000
    settings.DETAIL_CALLS = 0
    credentials._kept.clear()
    accounts = [
        factories.account(number, name=name, role_arn=arn_of(number), external_id=EXTERNAL_ID)
        for number, name in ((PRODUCTION, "production"), (SANDBOX, "sandbox"))
    ]
    for account in accounts:
        assert run_pull(request_pull(account, trigger="command").pk).state == "complete"
    return accounts


@pytest.fixture
def client(db: None) -> Client:
    """An administrator's browser."""
    signed_in = Client()
    signed_in.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    return signed_in


def in_aws(number: str) -> tuple[Aws, dict[str, int]]:
    """An administrator's session in an account, and what boto3 counts there."""
    aws = connect(
        AccountAccess(number, mode="role", role_arn=arn_of(number, WRITER_ROLE), external_id=EXTERNAL_ID)
    )

    def count(operation: str, key: str, **parameters: Any) -> int:
        pages = aws.iam.get_paginator(operation).paginate(**parameters)
        return sum(len(page[key]) for page in pages)

    providers = len(aws.iam.list_saml_providers()["SAMLProviderList"])
    providers += len(aws.iam.list_open_id_connect_providers()["OpenIDConnectProviderList"])
    return aws, {
        "people": count("list_users", "Users"),
        "groups": count("list_groups", "Groups"),
        "roles": count("list_roles", "Roles"),
        "customer policies": count("list_policies", "Policies", Scope="Local"),
        "instance-profiles": count("list_instance_profiles", "InstanceProfiles"),
        "providers": providers,
    }


def page(client: Client, address: str) -> str:
    """A page, with its white space made even."""
    response = client.get(address)
    assert response.status_code == 200, address
    return re.sub(r"\s+", " ", unescape(response.content.decode()))


def tabs(client: Client, name: str, query: str) -> dict[str, int]:
    """The tabs of a list with their counts."""
    matches = TAB.findall(page(client, f"/{name}/{query}"))
    return {label: int(count.replace(",", "")) for _, label, count in matches}


def rows_below(client: Client, name: str, query: str) -> int:
    """How many rows the foot of a list says there are."""
    match = re.search(r"[\d,]+–[\d,]+ of ([\d,]+)", page(client, f"/{name}/{query}"))
    assert match is not None, name
    return int(match[1].replace(",", ""))


def led_to(text: str) -> dict[str, set[int]]:
    """The figures of the overview by the list (and view) that each leads to."""
    figures: dict[str, set[int]] = {}
    link = r'<a\b[^>]*href="/([\w-]+)/(\?[^"]*)?"[^>]*>(.*?)</a>(.*?)(?=<a\b|</li>|$)'
    for path, query, words, behind in re.findall(link, text):
        view = re.search(r"view=([\w-]+)", query)
        count = re.search(r'class="count"[^>]*>\s*([\d,]+)', words + behind)
        # A figure of a view stands in a count; its words can hold a number too ("older than 90 days").
        number = count or (
            None if view else re.search(r"(?<![\w%-])(\d[\d,]*)", re.sub(r"<[^>]*>", " ", words))
        )
        if path in LISTS and number:
            name = f"{path}.{view[1]}" if view else path
            figures.setdefault(name, set()).add(int(number[1].replace(",", "")))
    return figures


VIEWS = {"no-mfa": "No MFA", "old-keys": "Keys over 90 days", "inactive": "Inactive 45 days"}


def check(client: Client, accounts: list[Account]) -> dict[str, int]:
    """Compare each figure wherever it is shown, for each account and for all; the figures of IAM users by
    tab.
    """
    truth = {account.account_id: in_aws(account.account_id)[1] for account in accounts}
    for number in ["", *truth]:
        query = f"?account={number}" if number else ""
        known = [truth[number]] if number else list(truth.values())
        overview = led_to(page(client, f"/{query}"))
        by_tab = {name: tabs(client, name, query) for name in LISTS}
        for name in LISTS:
            counted = by_tab[name]["All"]
            assert rows_below(client, name, query) == counted, (number, name)
            assert overview.get(name, {counted}) == {counted}, (number, name)
            if name != "policies":
                assert counted == sum(row[name] for row in known), (number, name)
        assert by_tab["policies"]["Customer managed"] == sum(row["customer policies"] for row in known)
        assert {"people", "groups", "roles", "policies"} <= overview.keys()
        for view, label in VIEWS.items():
            shown = by_tab["people"][label]
            assert overview.get(f"people.{view}", {shown}) == {shown}, (number, view)
            if shown:
                assert rows_below(client, "people", f"{query or '?'}&view={view}") == shown, (number, view)
    for number, counted in truth.items():
        account_page = page(client, f"/accounts/{number}/")
        for label, name in (("IAM users", "people"), ("Groups", "groups"), ("Roles", "roles")):
            assert re.search(rf"{label}</dt>\s*<dd>\s*{counted[name]} of [\d,]+", account_page), (
                number,
                label,
            )
        policies = counted["customer policies"]
        assert re.search(rf"Customer managed policies</dt>\s*<dd>\s*{policies} of", account_page), number
        identities = counted["people"] + counted["roles"]
        assert f">{identities}<" in account_page.replace(" ", "")
        assert f">{identities}<" in page(client, "/accounts/").replace(" ", "")
    return tabs(client, "people", "")


def test_every_page_shows_the_same_figures_before_and_right_after_a_change(
    client: Client, synced: list[Account]
) -> None:
    before = check(client, synced)
    production = synced[0]
    aws = in_aws(PRODUCTION)[0]
    change: dict[str, Callable[[], Any]] = {
        "user": lambda: aws.iam.create_user(UserName="nora.whitfield"),
        "group": lambda: aws.iam.create_group(GroupName="night-shift"),
        "role": lambda: aws.iam.create_role(RoleName="report-builder", AssumeRolePolicyDocument=TRUST_EC2),
    }
    names = {"user": "nora.whitfield", "group": "night-shift", "role": "report-builder"}
    for kind, make in change.items():
        make()
        reread_entity(production, aws, kind=kind, name=names[kind], cause_id=None)
    after = check(client, synced)
    assert after["All"] == before["All"] + 1

    nora = Entity.objects.get(name="nora.whitfield")
    aws.iam.create_login_profile(UserName=nora.name, Password="Harbour-lantern-42!")
    for section in (LOGIN_PROFILES, USER_MFA):
        read = read_credentials(aws, user_name=nora.name, section=section)
        reread_credentials(production, nora, read, cause_id=None)
    assert check(client, synced)["No MFA"] == before["No MFA"] + 1

    aws.iam.delete_login_profile(UserName=nora.name)
    aws.iam.delete_user(UserName=nora.name)
    reread_entity(production, aws, kind="user", name=nora.name, cause_id=None)
    assert check(client, synced) == before
