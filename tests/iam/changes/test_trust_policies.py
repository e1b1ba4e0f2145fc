"""Which new texts of a trust policy let somebody in whom the former did not: what only narrows one is no
risk.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from iam.changes.trust_policies import lets_in_more

ONE, TWO = "arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:role/deployer"
WITH_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def text(*statements: dict[str, Any]) -> str:
    """A trust policy of statements, of which each says what it differs in."""
    plain = {"Effect": "Allow", "Principal": {"AWS": ONE}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [plain | statement for statement in statements]})


def ids(*values: str) -> dict[str, Any]:
    """A condition on the external id."""
    return {"Condition": {"StringEquals": {"sts:ExternalId": list(values)}}}


NARROWER = {
    "a condition more": (text({}), text({"Condition": WITH_MFA})),
    "fewer values": (text(ids("a", "b")), text(ids("b"))),
    "more to avoid": (
        text({"Condition": {"StringNotEquals": {"aws:SourceIp": ["a"]}}}),
        text({"Condition": {"StringNotEquals": {"aws:SourceIp": ["a", "b"]}}}),
    ),
    "a principal fewer": (text({"Principal": {"AWS": [ONE, TWO]}}), text({"Principal": {"AWS": TWO}})),
    "the account by its number": (text({}), text({"Principal": {"AWS": "222222222222"}})),
    "one of everybody": (text({"Principal": "*"}), text({"Principal": {"AWS": TWO}})),
    "everybody written otherwise": (text({"Principal": "*"}), text({"Principal": {"AWS": "*"}})),
    "a call fewer": (text({"Action": ["sts:AssumeRole", "sts:TagSession"]}), text({})),
    "one of all calls": (text({"Action": "sts:*"}), text({})),
    "split in two": (text({"Principal": {"AWS": [ONE, TWO]}}), text({}, {"Principal": {"AWS": TWO}})),
    "a deny more": (text({}), text({}, {"Effect": "Deny", "Principal": {"AWS": TWO}})),
    "nobody": (text({}), text({"Effect": "Deny"})),
}
WIDER = {
    "somebody else": (text({}), text({}, {"Principal": {"AWS": TWO}})),
    "everybody": (text({}), text({"Principal": "*"})),
    "a condition fewer": (text({"Condition": WITH_MFA}), text({})),
    "another condition": (text({"Condition": WITH_MFA}), text(ids("a"))),
    "a value more": (text(ids("a")), text(ids("a", "b"))),
    "less to avoid": (
        text({"Condition": {"StringNotEquals": {"aws:SourceIp": ["a", "b"]}}}),
        text({"Condition": {"StringNotEquals": {"aws:SourceIp": ["a"]}}}),
    ),
    "only where there is a value": (
        text({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}),
        text({"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}}),
    ),
    "a call more": (text({}), text({"Action": ["sts:AssumeRole", "sts:TagSession"]})),
    "all calls but some": (
        text({}),
        text({"NotAction": "sts:TagSession"}).replace('"Action": "sts:AssumeRole", ', ""),
    ),
    "a deny fewer": (text({}, {"Effect": "Deny", "Principal": {"AWS": TWO}}), text({})),
    "all but one": (
        text({"Principal": {"AWS": TWO}}),
        text({"Principal": None, "NotPrincipal": {"AWS": TWO}}),
    ),
}


@pytest.mark.parametrize("case", NARROWER)
def test_what_only_narrows_opens_nothing(case: str) -> None:
    before, after = NARROWER[case]
    assert not lets_in_more(before, after)


@pytest.mark.parametrize("case", WIDER)
def test_what_lets_somebody_in_or_in_another_way_opens(case: str) -> None:
    before, after = WIDER[case]
    assert lets_in_more(before, after)
