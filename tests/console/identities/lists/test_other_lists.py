"""The lists of groups, roles, policies, instance profiles and identity providers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from iam.mirror.models import (
    NEVER,
    Account,
    EdgeKind,
    Entity,
    EntityState,
    Kind,
    PolicyVersion,
    Section,
    Usage,
)
from tests import factories
from tests.console.identities.lists.conftest import shown, tabs

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]

NOW = datetime.now(tz=UTC)
LONG_AGO = NOW - timedelta(days=400)
THEN = f"as-of={NOW - timedelta(days=200):%Y-%m-%dT%H:%M:%S}"


@pytest.fixture
def production() -> Account:
    return factories.account()


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


def row_of(response: Any, name: str) -> str:
    """The text of the row that begins with a name, without tags."""
    import re

    row = next(r for r in text_of(response).split("<tr>") if f">{name}</a>" in r)
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


def views(client: Client, address: str, expected: dict[str, tuple[str, list[str]]]) -> None:
    """Every view shows the named rows, and its tab counts as many."""
    for view, (label, names) in expected.items():
        response = client.get(f"{address}?view={view}")
        assert sorted(shown(response)) == sorted(names), view
        assert tabs(response)[label] == len(names), view


def test_groups_count_people_and_policies_of_then_and_of_now(auditor: Client, production: Account) -> None:
    team, empty = (factories.group(production, name, since=LONG_AGO) for name in ("team", "empty"))
    policy = factories.policy(production, "P", since=LONG_AGO)
    for number in range(3):
        user = factories.user(production, f"user-{number}", since=LONG_AGO)
        factories.edge(EdgeKind.MEMBER, user, team, since=NOW if number else LONG_AGO)
    factories.edge(EdgeKind.ATTACHED, team, policy, since=LONG_AGO)
    factories.inline(team, since=LONG_AGO)
    assert (
        row_of(auditor.get("/groups/"), "team")
        .split(" ", 1)[1]
        .startswith("In production. Policies: 1 and 1 inline 3 1 and 1 inline")
    )
    assert " 1 1 and 1 inline" in row_of(auditor.get(f"/groups/?{THEN}"), "team")
    empty_row = row_of(auditor.get("/groups/"), "empty").split(" ", 1)[1]
    assert empty_row.startswith("In production. Policies: none None None")
    views(
        auditor,
        "/groups/",
        {
            "all": ("All", ["empty", "team"]),
            "empty": ("Without IAM users", ["empty"]),
            "no-policy": ("Without policies", ["empty"]),
        },
    )
    assert shown(auditor.get("/groups/?people=some")) == ["team"]
    assert shown(auditor.get("/groups/?people=none")) == ["empty"]
    assert empty.pk


TRUSTS = {
    "lambda-fn": ("service:lambda", "Lambda"),
    "web": ("service:ec2", "EC2"),
    "odd": ("service:quantum", "quantum"),
    "github": ("oidc", "OpenID Connect"),
    "sso": ("saml", "SAML"),
    "partner": ("cross-account", "Another account"),
    "open": ("any", "Anyone"),
    "linked": ("service-linked", "AWS, service-linked"),
    "inside": ("account", "This account"),
    "dead": ("", "No one"),
}


def test_roles_say_in_words_who_may_assume_them(auditor: Client, production: Account) -> None:
    for name, (category, _) in TRUSTS.items():
        factories.role(production, name, category=category)
    response = auditor.get("/roles/")
    for name, (_, words) in TRUSTS.items():
        assert f" {words} " in row_of(response, name), name
    views(
        auditor,
        "/roles/",
        {
            "all": ("All", list(TRUSTS)),
            "cross-account": ("Cross-account", ["partner"]),
            "federated": ("Federated", ["github", "sso"]),
            "anyone": ("Anyone", ["open"]),
            "services": ("Services", ["lambda-fn", "odd", "web"]),
            "service-linked": ("Service-linked", ["linked"]),
        },
    )
    for value, names in {
        "ec2": ["web"],
        "lambda": ["lambda-fn"],
        "services": ["lambda-fn", "odd", "web"],
        "service-linked": ["linked"],
        "account": ["inside"],
        "cross-account": ["partner"],
        "saml": ["sso"],
        "oidc": ["github"],
        "any": ["open"],
        "nobody": ["dead"],
    }.items():
        assert shown(auditor.get(f"/roles/?trust={value}")) == names, value


def test_roles_tell_last_use_policies_boundary_and_session(auditor: Client, production: Account) -> None:
    boundary = factories.policy(production, "Limits", since=LONG_AGO)
    role = factories.role(
        production, "app", since=LONG_AGO, attrs={"MaxSessionDuration": 5400, "Description": "x"}
    )
    factories.edge(EdgeKind.BOUNDARY, role, boundary, since=NOW - timedelta(days=5))
    factories.edge(EdgeKind.ATTACHED, role, boundary, since=LONG_AGO)
    Usage.objects.filter(entity=role).update(last_used_at=NOW - timedelta(days=3))
    plain = factories.role(production, "plain", since=LONG_AGO)
    assert row_of(auditor.get("/roles/"), "app").endswith(
        f"EC2 3 d ago 1 Limits 90 minutes {LONG_AGO:%-d %b %Y} production"
    )
    past = auditor.get(f"/roles/?{THEN}")
    assert "1 None 90 minutes" in row_of(past, "app")
    assert "Last used" not in text_of(past)
    assert "None None Not synced" in row_of(auditor.get("/roles/"), plain.name)
    assert shown(auditor.get("/roles/?boundary=yes")) == ["app"]
    assert shown(auditor.get("/roles/?boundary=no")) == ["plain"]
    assert shown(auditor.get("/roles/?trust=ec2&boundary=yes&q=app")) == ["app"]


def test_unused_roles_are_old_and_not_those_of_aws(auditor: Client, production: Account) -> None:
    ages = {"used": 3, "unused": 100, "never": None, "linked": None, "new": None}
    for name, days in ages.items():
        role = factories.role(
            production,
            name,
            since=LONG_AGO,
            created_at=NOW if name == "new" else LONG_AGO,
            category="service-linked" if name == "linked" else "service:ec2",
        )
        Usage.objects.filter(entity=role).update(
            last_used_at=NEVER if days is None else NOW - timedelta(days=days)
        )
    views(auditor, "/roles/", {"unused": ("Unused 90 days", ["never", "unused"])})
    assert shown(auditor.get("/roles/?view=unused")) == ["never", "unused"], "the longest unused first"
    assert shown(auditor.get("/roles/?use=30")) == ["used"]
    assert shown(auditor.get("/roles/?use=never")) == ["linked", "never", "new"]
    assert shown(auditor.get("/roles/?sort=-used"))[0] == "used"


def test_policies_tell_owner_holders_and_versions(auditor: Client, production: Account) -> None:
    mine = factories.policy(
        production,
        "Deploy",
        since=LONG_AGO,
        attrs={"DefaultVersionId": "v7", "UpdateDate": "2026-03-02T10:00:00Z"},
    )
    for number in range(3, 7):
        PolicyVersion.objects.create(
            account=production,
            policy=mine,
            version_id=f"v{number}",
            document=factories.document(f"{number}"),
            is_default=False,
            valid_from=LONG_AGO,
            observed_at=LONG_AGO,
        )
    aws = factories.policy(production, "ReadOnlyAccess", category="aws")
    limits = factories.policy(production, "Limits")
    factories.policy(production, "Leftover")
    role, group = factories.role(production, "app"), factories.group(production, "team")
    factories.edge(EdgeKind.ATTACHED, role, mine)
    factories.edge(EdgeKind.ATTACHED, group, mine)
    factories.edge(EdgeKind.ATTACHED, group, aws)
    factories.edge(EdgeKind.BOUNDARY, role, limits)
    response = auditor.get("/policies/")
    assert "Customer 2 5 of 5 , v7 in force 2 Mar 2026" in row_of(response, "Deploy")
    assert "AWS 1 1 " in row_of(response, "ReadOnlyAccess")
    assert "Customer Boundary of 1 1 " in row_of(response, "Limits")
    assert "Customer None 1 " in row_of(response, "Leftover")
    views(
        auditor,
        "/policies/",
        {
            "all": ("All", ["Deploy", "Leftover", "Limits", "ReadOnlyAccess"]),
            "customer": ("Customer managed", ["Deploy", "Leftover", "Limits"]),
            "aws": ("AWS managed", ["ReadOnlyAccess"]),
            "unattached": ("Unattached", ["Leftover"]),
            "boundaries": ("Boundaries", ["Limits"]),
        },
    )
    assert shown(auditor.get("/policies/?owner=aws")) == ["ReadOnlyAccess"]
    assert shown(auditor.get("/policies/?attached=no")) == ["Leftover"]
    assert shown(auditor.get("/policies/?attached=yes&owner=customer")) == ["Deploy", "Limits"]


def test_instance_profiles_tell_role_and_instances(auditor: Client, production: Account) -> None:
    role = factories.role(production, "app")
    used, bare = (factories.entity(production, Kind.INSTANCE_PROFILE, name) for name in ("used", "bare"))
    factories.edge(EdgeKind.PROFILE_ROLE, used, role)
    for number in range(2):
        instance = factories.entity(production, Kind.INSTANCE, f"i-{number}")
        factories.edge(EdgeKind.INSTANCE_PROFILE, instance, used)
    assert "Instances: not synced No role Not synced" in row_of(auditor.get("/instance-profiles/"), "bare")
    assert shown(auditor.get("/instance-profiles/?view=unused")) == []
    cache.clear()
    Section.objects.create(account=production, name="instances", state="complete", observed_at=NOW)
    response = auditor.get("/instance-profiles/")
    assert "Instances: 2 app 2" in row_of(response, "used")
    assert f'href="/roles/{role.pk}/"' in text_of(response)
    assert "No role None" in row_of(response, bare.name)
    views(
        auditor,
        "/instance-profiles/",
        {
            "all": ("All", ["bare", "used"]),
            "no-role": ("Without a role", ["bare"]),
            "unused": ("Without instances", ["bare"]),
        },
    )
    assert shown(auditor.get("/instance-profiles/?role=yes")) == ["used"]


def test_providers_tell_validity_audience_and_the_roles_that_trust_them(
    auditor: Client, production: Account
) -> None:
    def provider(kind: Kind, name: str, **attrs: Any) -> Entity:
        return factories.entity(production, kind, name, attrs=attrs)

    sso = provider(Kind.SAML_PROVIDER, "sso", ValidUntil=(NOW + timedelta(days=9)).isoformat())
    provider(Kind.SAML_PROVIDER, "sso2", ValidUntil="2020-01-01T00:00:00Z")
    provider(Kind.OIDC_PROVIDER, "token.example.com", ClientIDList=["a", "b", "c"])
    trust = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"Federated": sso.arn}, "Action": "sts:AssumeRoleWithSAML"}
        ]
    }
    factories.role(production, "federated", category="saml", trust=trust)
    other = factories.account("222222222222", name="staging")
    factories.role(other, "elsewhere", category="saml", trust=trust)
    response = auditor.get("/providers/")
    assert "AWS sign-in 1 " + f"{NOW + timedelta(days=9):%-d %b %Y}" in row_of(response, "sso")
    assert "None Expired" in row_of(response, "sso2"), "a longer name is not the same provider"
    assert "a, b and 1 more None Doesn’t expire" in row_of(response, "token.example.com")
    views(
        auditor,
        "/providers/",
        {
            "all": ("All", ["sso", "sso2", "token.example.com"]),
            "saml": ("SAML", ["sso", "sso2"]),
            "oidc": ("OpenID Connect", ["token.example.com"]),
        },
    )


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Kind.GROUP, "groups"),
        (Kind.ROLE, "roles"),
        (Kind.POLICY, "policies"),
        (Kind.INSTANCE_PROFILE, "instance-profiles"),
        (Kind.SAML_PROVIDER, "providers"),
        (Kind.OIDC_PROVIDER, "providers"),
    ],
)
def test_every_list_shows_the_past(auditor: Client, production: Account, kind: Kind, name: str) -> None:
    factories.entity(production, kind, "was", since=LONG_AGO, until=NOW - timedelta(days=100))
    fresh = factories.entity(production, kind, "is", since=NOW - timedelta(days=100))
    factories.seen_after(EntityState.objects.get(entity=fresh))
    factories.entity(production, kind, "stays", since=LONG_AGO)
    assert shown(auditor.get(f"/{name}/")) == ["is", "stays"]
    past = auditor.get(f"/{name}/?{THEN}")
    assert shown(past) == ["stays", "was"]
    assert "2 " in text_of(past)
    assert "at that moment. 1 added and 1 removed since." in text_of(past)
    assert "stays" in auditor.get(f"/{name}/export.csv?{THEN}").getvalue().decode()


@pytest.mark.parametrize("name", ["groups", "roles", "policies", "instance-profiles"])
@pytest.mark.parametrize("direction", ["", "-"])
def test_every_list_sorts_by_name_and_by_birth(
    auditor: Client, production: Account, name: str, direction: str
) -> None:
    kind = {
        "groups": Kind.GROUP,
        "roles": Kind.ROLE,
        "policies": Kind.POLICY,
        "instance-profiles": Kind.INSTANCE_PROFILE,
    }
    for number, entity_name in enumerate(["b", "c", "a"]):
        factories.entity(production, kind[name], entity_name, created_at=LONG_AGO + timedelta(days=number))
    by_name, by_birth = ["a", "b", "c"], ["b", "c", "a"]
    step = -1 if direction else 1
    assert shown(auditor.get(f"/{name}/?sort={direction}name")) == by_name[::step]
    response = auditor.get(f"/{name}/?sort={direction}created")
    assert shown(response) == by_birth[::step]
    assert f'aria-sort="{"descending" if direction else "ascending"}"' in text_of(response)


@pytest.mark.parametrize("name", ["groups", "roles", "policies", "instance-profiles", "providers"])
def test_an_account_that_was_never_read_says_so(auditor: Client, production: Account, name: str) -> None:
    page = text_of(auditor.get(f"/{name}/?account={production.account_id}"))
    assert "production was not synced yet" in page
