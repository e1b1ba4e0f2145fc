"""Trust policies with what the mirror knows of those who are named, and the roles that trust a provider."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from iam.directory.models import Role
from iam.guard import viewer_for
from iam.mirror.models import EntityState, Kind
from iam.mirror.queries.trust import roles_trusting, trust_of
from tests import factories
from tests.factories import FIRST_READ, becomes

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
LATER = FIRST_READ + timedelta(days=10)
OKTA = "arn:aws:iam::111111111111:saml-provider/Okta"


def _trust(*principals: dict[str, str], action: str = "sts:AssumeRole") -> dict[str, Any]:
    statements = [{"Effect": "Allow", "Principal": principal, "Action": action} for principal in principals]
    return {"Version": "2012-10-17", "Statement": statements}


def _state(role: Any) -> EntityState:
    state: EntityState = role.states.select_related("document").get(valid_to__isnull=True)
    return state


def test_named_users_and_accounts_are_known_by_name() -> None:
    account = factories.account()
    factories.account("222222222222", name="staging")
    maya = factories.user(account, "maya")
    role = factories.role(account, trust=_trust({"AWS": maya.arn}, {"AWS": "222222222222"}))
    trust = trust_of(role, _state(role), viewer=factories.viewer(), at=None)
    assert [sentence.who for sentence in trust.sentences] == [
        "The IAM user maya",
        "Anyone in the account staging whose own policies allow it",
    ]
    assert trust.known == {maya.arn: maya}


def test_an_account_that_the_viewer_may_not_see_stays_a_number() -> None:
    account = factories.account()
    factories.account("222222222222", name="secret-project")
    role = factories.role(account, trust=_trust({"AWS": "222222222222"}))
    someone = factories.person("Petra Audit")
    factories.assign(someone, Role.AUDITOR, account_id="111111111111")
    trust = trust_of(role, _state(role), viewer=viewer_for(someone), at=None)
    assert trust.sentences[0].who == "Anyone in the account 222222222222 whose own policies allow it"


def test_a_document_that_cannot_be_read_says_so() -> None:
    role = factories.role(factories.account(), trust="no json")
    trust = trust_of(role, _state(role), viewer=factories.viewer(), at=None)
    assert trust.sentences == []
    assert trust.unreadable


def test_three_queries_at_most_for_any_number_of_principals(django_assert_max_num_queries: Any) -> None:
    account = factories.account()
    users = [factories.user(account, f"user-{number}") for number in range(50)]
    role = factories.role(account, trust=_trust(*({"AWS": user.arn} for user in users)))
    state, viewer = _state(role), factories.viewer()
    with django_assert_max_num_queries(3):
        trust = trust_of(role, state, viewer=viewer, at=None)
    assert len(trust.known) == 50


def test_a_provider_knows_the_roles_that_trust_it_then_and_now() -> None:
    account = factories.account()
    provider = factories.entity(account, Kind.SAML_PROVIDER, "Okta", arn=OKTA)
    twin = factories.entity(account, Kind.SAML_PROVIDER, "Okta2", arn=f"{OKTA}2")
    trust = _trust({"Federated": OKTA}, action="sts:AssumeRoleWithSAML")
    role = factories.role(account, "sso", trust=trust, category="saml")
    factories.role(account, "app")
    viewer = factories.viewer()
    assert [row.name for row in roles_trusting(provider, viewer=viewer, at=None)] == ["sso"]
    assert not roles_trusting(twin, viewer=viewer, at=None)
    becomes(
        role.states.get(), at=LATER, category="service:ec2", document=factories.document(factories.TRUST_EC2)
    )
    assert not roles_trusting(provider, viewer=viewer, at=None)
    assert [row.name for row in roles_trusting(provider, viewer=viewer, at=FIRST_READ)] == ["sso"]
