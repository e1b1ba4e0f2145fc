"""What the index knows of the keys that follow from a principal agrees with the engine."""

from __future__ import annotations

import pytest

from iam.policy.index import keys
from iam.policy.request import Principal, Request

ARN = "arn:aws:iam::111111111111:"
PRINCIPALS = [
    Principal(f"{ARN}user/people/maya", tags={"Team": "red"}, unique_id="AIDA1"),
    Principal(f"{ARN}user/maya", tags=None),
    Principal(f"{ARN}role/app/deploy", tags={}, unique_id="AROA1"),
    Principal(f"{ARN}role/deploy", tags={"team": "blue", "TEAM": "red"}),
    Principal(f"{ARN}root"),
]


@pytest.mark.parametrize("who", PRINCIPALS, ids=lambda who: who.arn)
def test_every_key_that_the_engine_derives_is_known_to_follow_from_the_principal(who: Principal) -> None:
    assert [key for key in who.derived if not keys.is_of_principal(key)] == []


@pytest.mark.parametrize("who", PRINCIPALS, ids=lambda who: who.arn)
@pytest.mark.parametrize("key", [*sorted(keys.OWN), "aws:principaltag/team", "aws:principaltag/none"])
def test_own_values_are_those_of_a_request(who: Principal, key: str) -> None:
    found = keys.own_values(who.kind, who.arn, who.unique_id, who.tags, key)
    assert found == Request("s3:GetObject", "*", who).values(key)
