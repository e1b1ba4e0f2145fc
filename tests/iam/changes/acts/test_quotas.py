"""What AWS would refuse for its size or number is refused before anybody is asked, with the figure."""

from __future__ import annotations

import json

import pytest

from iam.changes.models import Change
from iam.mirror.models import AccountFact, Kind
from tests import factories
from tests.iam.changes.acts.cases import CASES, TRUSTS
from tests.iam.changes.acts.conftest import asking, text
from tests.iam.changes.acts.subjects import READS, instance, oidc, role, user
from tests.iam.changes.site import Site

GOOD = {case.slug: case.good for case in CASES}
FULL = (
    ("create-user", "UsersQuota", "users, and AWS allows 1"),
    ("create-group", "GroupsQuota", "groups, and AWS allows 1"),
    ("create-role", "RolesQuota", "roles, and AWS allows 1"),
    ("create-policy", "PoliciesQuota", "policies, and AWS allows 1"),
    ("create-profile", "InstanceProfilesQuota", "instance profiles, and AWS allows 1"),
    ("create-saml", "SAMLProvidersQuota", "SAML providers, and AWS allows 1"),
    ("create-oidc", "OpenIDConnectProvidersQuota", "OpenID Connect providers, and AWS allows 1"),
    ("upload-certificate", "ServerCertificatesQuota", "server certificates, and AWS allows 1"),
)


def summary(site: Site, **quotas: int) -> None:
    """The quotas of the account."""
    AccountFact.objects.create(
        account=site.account,
        name="summary",
        value=quotas,
        valid_from=factories.FIRST_READ,
        observed_at=factories.FIRST_READ,
    )


def test_an_account_that_is_full_takes_nothing_new(site: Site) -> None:
    summary(site, **{name: 1 for _, name, _ in FULL})
    factories.role(site.account)
    for kind in (Kind.INSTANCE_PROFILE, Kind.SAML_PROVIDER, Kind.OIDC_PROVIDER, Kind.SERVER_CERTIFICATE):
        factories.entity(site.account, kind, "first")

    for slug, _, words in FULL:
        answer = asking(site, slug, site.account).look(GOOD[slug] | {"boundary": "", "name": "second"})
        assert answer.status_code == 422, slug
        assert words.lower() in text(answer).lower(), slug


def wide(document: str, *, by: int) -> str:
    """The same policy with so many characters more."""
    body = json.loads(document)
    body["Statement"][0]["Sid"] = "x" * by
    return json.dumps(body)


@pytest.mark.parametrize(
    ("slug", "answers", "words"),
    [
        ("attach", {"policy": "Reports"}, "and AWS allows 1 per user"),
        ("put-inline", {"name": "more", "document": wide(READS, by=2_000)}, "and AWS allows 2,048 per user"),
        ("tag", {"tags": "\n".join(f"k{n} = v" for n in range(51))}, "AWS allows 50"),
    ],
)
def test_a_user_takes_no_more_than_aws_allows(
    site: Site, slug: str, answers: dict[str, str], words: str
) -> None:
    subject = user(site)
    summary(site, AttachedPoliciesPerUserQuota=1)
    answer = asking(site, slug, subject).look(answers)

    assert answer.status_code == 422
    assert words in text(answer) or "the most is 50" in text(answer)


def test_texts_are_measured_without_white_space(site: Site) -> None:
    create = asking(site, "create-policy", site.account)
    create_policy = GOOD["create-policy"]
    assert create.look(create_policy | {"document": READS.replace(",", "," + " " * 7_000)}).status_code == 200
    refused = text(create.ask(create_policy | {"document": wide(READS, by=6_100)}, seen=""))
    assert "AWS would refuse this text" in refused
    assert "6,144" in refused

    trust = asking(site, "trust", role(site))
    refused = text(trust.ask({"document": wide(TRUSTS, by=2_000)}, seen=""))
    assert "2,048" in refused
    assert not Change.objects.exists()


def test_an_instance_profile_takes_one_role_and_a_provider_a_hundred_audiences(site: Site) -> None:
    clients = "\n".join(f"client-{number}" for number in range(101))
    assert "at most" in text(asking(site, "clients", oidc(site)).look({"clients": clients}))
    instance(site)
    full = asking(site, "create-oidc", site.account)
    assert "at most 5 thumbprints" in text(
        full.look(GOOD["create-oidc"] | {"thumbprints": "\n".join(f"{n}" * 40 for n in range(6))})
    )
