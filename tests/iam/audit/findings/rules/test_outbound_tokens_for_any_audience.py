"""Cases of `outbound-tokens-for-any-audience`."""

from __future__ import annotations

from typing import Any

from iam.audit.findings.rules.outbound_tokens_for_any_audience import OutboundTokensForAnyAudience
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    FULL,
    MFA,
    TRUE,
    UNREAD,
    Build,
    Site,
    allow,
    answer_of,
    cases_of,
)

ACTION, KEY, VENDOR = "sts:GetWebIdentityToken", "sts:IdentityTokenAudience", "https://vendor.example"
NOT_VENDOR = {"Effect": "Deny", "Action": ACTION, "Resource": "*"}


def audiences(operator: str, *values: str, key: str = KEY) -> dict[str, Any]:
    """A condition on the audience."""
    return {operator: {key: list(values)}}


ONLY_VENDOR = {**NOT_VENDOR, "Condition": audiences("ForAnyValue:StringNotEquals", VENDOR)}


def turn_on(site: Site, *, is_on: bool = True) -> None:
    """Outbound federation."""
    site.values["outbound_federation"] = {
        "JwtVendingEnabled": is_on,
        "IssuerIdentifier": "https://issuer.example" if is_on else "",
    }


def with_policy(*statements: dict[str, Any], is_on: bool = True, aws: bool = False) -> Build:
    """A user with a policy of these statements."""

    def build(site: Site) -> None:
        turn_on(site, is_on=is_on)
        site.policy("Tokens", *statements, to=(site.user(),), aws=aws)

    return build


def tokens(action: str | list[str] = ACTION, **condition: Any) -> Build:
    return with_policy(allow(action, **({"Condition": condition} if condition else {})))


def scp(*statements: dict[str, Any]) -> Build:
    def build(site: Site) -> None:
        tokens()(site)
        site.scp(FULL, *statements)

    return build


def denied_by_another(site: Site) -> None:
    turn_on(site)
    user = site.user()
    site.policy("Tokens", allow(ACTION), to=(user,))
    site.policy("Guard", ONLY_VENDOR, to=(user,))


def bounded(site: Site) -> None:
    turn_on(site)
    user = site.user()
    site.policy("Tokens", allow(ACTION), to=(user,))
    site.bounds[user] = site.policy("Boundary", allow("s3:*"))


def limited_beside_wide(site: Site) -> None:
    """One policy names the vendor, another one nobody: the other one alone is the cause."""
    turn_on(site)
    user = site.user()
    site.policy("Named", allow(ACTION, Condition=audiences("StringEquals", VENDOR)), to=(user,))
    site.policy("Wide", allow(ACTION), to=(user,))


def unsynced(site: Site) -> None:
    tokens()(site)
    site.unsynced.add("outbound_federation")


def never_read(site: Site) -> None:
    tokens()(site)
    del site.values["outbound_federation"]


CASES = {
    "the action": (tokens(), TRUE),
    "in another case": (tokens("STS:getwebidentitytoken"), TRUE),
    "all of STS": (tokens("sts:*"), TRUE),
    "everything but identities": (
        with_policy({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}),
        TRUE,
    ),
    "by a policy of AWS": (
        with_policy({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}, aws=True),
        TRUE,
    ),
    "everything but STS": (
        with_policy({"Effect": "Allow", "NotAction": ["sts:Get*"], "Resource": "*"}),
        FALSE,
    ),
    "an administrator": (with_policy(FULL), FALSE),
    "another action of STS": (tokens(["sts:GetCallerIdentity", "sts:TagGetWebIdentityToken"]), FALSE),
    "attached to no one": (
        lambda site: (turn_on(site), site.user(), site.policy("Tokens", allow(ACTION))),
        FALSE,
    ),
    "outbound federation is off": (with_policy(allow(ACTION), is_on=False), FALSE),
    "one audience": (tokens(**audiences("StringEquals", VENDOR)), FALSE),
    "one audience, of several values": (tokens(**audiences("ForAllValues:StringEquals", VENDOR)), FALSE),
    "one audience, the key in another case": (
        tokens(**audiences("StringEquals", VENDOR, key=KEY.lower())),
        FALSE,
    ),
    "audiences of one domain": (tokens(**audiences("StringLike", "https://*.vendor.example")), FALSE),
    "every audience by a pattern": (tokens(**audiences("StringLike", "https://*")), TRUE),
    "every audience but one": (tokens(**audiences("StringNotEquals", VENDOR)), TRUE),
    "two tests, of which one limits": (
        tokens(**audiences("StringLike", "*"), **audiences("StringEquals", VENDOR)),
        FALSE,
    ),
    "with MFA": (tokens(**MFA), CONDITIONAL),
    "short ones": (tokens(NumericLessThanEquals={"sts:DurationSeconds": "300"}), CONDITIONAL),
    "a deny in another policy limits it": (denied_by_another, FALSE),
    "a boundary doesn’t allow it": (bounded, FALSE),
    "an SCP denies it": (scp(NOT_VENDOR), FALSE),
    "an SCP limits it to one audience": (scp(ONLY_VENDOR), FALSE),
    "an SCP denies one audience": (
        scp({**NOT_VENDOR, "Condition": audiences("StringEquals", VENDOR)}),
        TRUE,
    ),
    "not synced": (unsynced, UNREAD),
    "synced before Gatehouse read it": (never_read, UNREAD),
    "one policy limits and another doesn’t": (limited_beside_wide, TRUE),
}
test_cases = cases_of(OutboundTokensForAnyAudience(), CASES)


def test_a_policy_of_several_people_is_one_finding_and_one_that_limits_is_none() -> None:
    def build(site: Site) -> None:
        limited_beside_wide(site)
        team = site.group("team", site.user("a"), site.user("b"))
        site.policy("Shared", allow("sts:*"), to=(team,))

    _, computed = answer_of(OutboundTokensForAnyAudience(), build)
    found = {finding.values["name"]: finding.values["affected"] for finding in computed.findings.values()}
    assert found == {"Wide": 1, "Shared": 2}
    [wide] = [each.values for each in computed.findings.values() if each.values["name"] == "Wide"]
    assert wide["evidence"]["issuer"] == "https://issuer.example"
