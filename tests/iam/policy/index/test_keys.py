"""What the index knows of the keys that follow from a principal agrees with the engine."""

from __future__ import annotations

import pytest

from iam.policy.index import keys
from iam.policy.index.bare_request import BareRequest
from iam.policy.index.classes import IndexedPrincipal, flags_of
from iam.policy.index.rows import NOTHING
from iam.policy.request import Principal, Request

ARN = "arn:aws:iam::111111111111:"
PRINCIPALS = [
    Principal(f"{ARN}user/people/maya", tags={"Team": "red"}, unique_id="AIDA1"),
    Principal(f"{ARN}user/maya", tags=None),
    Principal(f"{ARN}role/app/deploy", tags={}, unique_id="AROA1"),
    Principal(f"{ARN}role/deploy", tags={"team": "blue", "TEAM": "red"}),
    Principal(
        f"{ARN}role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", tags=None, unique_id="AROA2"
    ),
    Principal(f"{ARN}root"),
]


@pytest.mark.parametrize("who", PRINCIPALS, ids=lambda who: who.arn)
def test_every_key_that_the_engine_derives_is_known_to_follow_from_the_principal(who: Principal) -> None:
    assert [key for key in who.derived if not keys.is_of_principal(key)] == []


@pytest.mark.parametrize("who", PRINCIPALS, ids=lambda who: who.arn)
@pytest.mark.parametrize("key", [*sorted(keys.OWN), "aws:principaltag/team", "aws:principaltag/none"])
def test_own_values_are_those_of_a_request(who: Principal, key: str) -> None:
    own_values = keys.own_values(who.kind, who.arn, who.unique_id, who.tags, key)
    assert own_values == Request("s3:GetObject", "*", who).values(key)


def member(who: Principal) -> IndexedPrincipal:
    return IndexedPrincipal(1, who.arn, unique_id=who.unique_id, grants=NOTHING, tags=who.tags, trust=None)


@pytest.mark.parametrize("who", PRINCIPALS, ids=lambda who: who.arn)
def test_flags_are_what_the_engine_makes_of_the_arn(who: Principal) -> None:
    expected = (who.kind, who.skips_organization_policies, who.has_known_tags, bool(who.unique_id))
    assert flags_of(member(who)) == expected


@pytest.mark.parametrize("who", PRINCIPALS, ids=lambda who: who.arn)
def test_a_principal_that_asks_for_nothing_has_the_values_of_a_request(who: Principal) -> None:
    request = Request("", "*", who, context={"aws:PrincipalOrgID": "o-one"})
    light = BareRequest(member(who), who.kind, Request("", "*", who, context={"aws:PrincipalOrgID": "o-one"}))
    for key in (*who.derived, *keys.OWN, *keys.OF_ACCOUNT, "aws:principaltag/team", "aws:sourceip"):
        assert light.values(key) == request.values(key), key
