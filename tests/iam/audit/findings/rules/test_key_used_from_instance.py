"""Cases of `key-used-from-instance`; tests/iam/activity/test_key_addresses.py has those of the addresses."""

from __future__ import annotations

from typing import Any

from iam.activity.key_addresses import CallingInstance
from iam.activity.sources.covered_accounts import CoverageGrade
from iam.audit.findings.facts import KeyFact, KeyPlace, RecordedCalls
from iam.audit.findings.rules.key_used_from_instance import ELASTIC, GATEWAY, PRIVATE, KeyUsedFromInstance
from iam.mirror.models import Kind
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    INSIDE,
    NUMBER,
    PREFIX,
    TRUE,
    UNREAD,
    Site,
    answer_of,
    cases_of,
    days,
)

KEY = "AKIAEXAMPLEONE"
ADDRESS = "198.51.100.24"
NODE, OTHER = "i-0aaa", "i-0bbb"


def instance(site: Site, name: str = NODE, *, address: str = ADDRESS, own: bool = True, **fields: Any) -> int:
    """An instance with its role; AWS gave it its public address."""
    attrs = {"PublicIpAddress": address, "HasOwnAddress": own}
    shape = {"category": "running", "attrs": attrs, "created_at": days(60)} | fields
    number = site.entity(Kind.INSTANCE, name, arn=f"arn:aws:ec2:eu-west-1:{NUMBER}:instance/{name}", **shape)
    site.entities[number] = site.entities[number]._replace(aws_id=name)
    return number


def used(
    site: Site,
    *callers: CallingInstance,
    address: str = ADDRESS,
    key: str = KEY,
    last: float = 1,
    key_id: str = KEY,
    known: bool = True,
) -> int:
    """A user whose key called from an address, and the instances that called from there too."""
    user = site.user(keys=(KeyFact(1, days(200), days(last), key_id, 900),))
    place = KeyPlace(site.entities[user].aws_id, key, address, 312, days(80), days(last), frozenset(callers))
    site.key_places = (*site.key_places, place)
    site.last_calls = RecordedCalls({}, CoverageGrade.COMPLETE) if known else None
    return user


def at_instance(site: Site, *callers: CallingInstance, last: float = 1, **fields: Any) -> None:
    instance(site, **fields)
    used(site, *callers, last=last)


def caller(name: str = NODE, account: str = NUMBER) -> CallingInstance:
    return CallingInstance(name, account)


def unused(site: Site, *, known: bool = True) -> None:
    """No address of a key is that of an instance."""
    used(site, known=known)
    site.key_places = ()


CASES = {
    "the address that AWS gave the instance": (at_instance, TRUE),
    "which called from it by its role too": (lambda site: at_instance(site, caller()), TRUE),
    "though not all events are known": (lambda site: (instance(site), used(site, known=False)), TRUE),
    "before the instance was started": (lambda site: at_instance(site, last=70), FALSE),
    "from which another instance called too": (lambda site: at_instance(site, caller(OTHER)), CONDITIONAL),
    "an Elastic IP address": (lambda site: at_instance(site, own=False), CONDITIONAL),
    "one instance called from the same address": (lambda site: used(site, caller()), CONDITIONAL),
    "several did": (lambda site: used(site, caller(), caller(OTHER)), CONDITIONAL),
    "one of another account did": (lambda site: used(site, caller(account=INSIDE)), CONDITIONAL),
    "a private address of the account": (lambda site: used(site, caller(), address="10.0.3.7"), CONDITIONAL),
    "a private address of another account": (
        lambda site: used(site, caller(account=INSIDE), address="10.0.3.7"),
        FALSE,
    ),
    "another address": (lambda site: (instance(site, address="198.51.100.25"), used(site)), FALSE),
    "a key that isn’t active": (lambda site: (instance(site), used(site, key="AKIAOLD")), FALSE),
    "a key whose ID isn’t synced": (lambda site: (instance(site), used(site, key_id="")), UNREAD),
    "no such address": (unused, FALSE),
    "no such address, and not all events are known": (lambda site: unused(site, known=False), UNREAD),
    "instances not synced": (lambda site: (at_instance(site), site.unsynced.add("instances")), UNREAD),
}
test_cases = cases_of(KeyUsedFromInstance(), CASES)


def values_of_case(name: str) -> dict[str, Any]:
    (finding,) = answer_of(KeyUsedFromInstance(), CASES[name][0])[1].findings.values()
    return finding.values


def test_the_evidence_names_key_address_instance_days_and_calls() -> None:
    values = values_of_case("the address that AWS gave the instance")
    assert values["evidence"]["used_from"] == [
        {
            "key": KEY,
            "address": ADDRESS,
            "instances": [NODE],
            "more_instances": 0,
            "calls": 312,
            "first": days(80).isoformat(),
            "last": days(1).isoformat(),
        }
    ]
    assert [key["key"] for key in values["evidence"]["keys"]] == [KEY]
    assert (values["affected"], values["related"]) == (1, [f"arn:aws:ec2:eu-west-1:{NUMBER}:instance/{NODE}"])
    assert values["fix"]["action"] == "access_key.deactivate"
    assert values["evidence"]["role"].startswith("None yet")


def test_each_doubt_has_its_reason() -> None:
    reasons = {
        "from which another instance called too": GATEWAY,
        "an Elastic IP address": ELASTIC,
        "one instance called from the same address": GATEWAY,
        "a private address of the account": PRIVATE,
    }
    for name, reason in reasons.items():
        assert values_of_case(name)["reasons"] == [reason]


def test_the_role_of_the_instance_is_what_to_use_instead() -> None:
    def build(site: Site) -> None:
        node = instance(site)
        profile = site.entity(Kind.INSTANCE_PROFILE, "node")
        site.running[node], site.profiles[profile] = [profile], [site.role("node-role")]
        used(site)

    (finding,) = answer_of(KeyUsedFromInstance(), build)[1].findings.values()
    assert finding.values["evidence"]["role"] == "node-role"


def test_what_is_certain_is_not_mixed_with_what_is_not() -> None:
    def build(site: Site) -> None:
        instance(site)
        user = used(site)
        other = site.key_places[0]._replace(address="198.51.100.40", callers=frozenset({caller(OTHER)}))
        site.key_places = (*site.key_places, other)
        assert site.entities[user].arn.startswith(PREFIX)

    answer, computed = answer_of(KeyUsedFromInstance(), build)
    (finding,) = computed.findings.values()
    assert (answer, len(finding.values["evidence"]["used_from"])) == (TRUE, 1)
