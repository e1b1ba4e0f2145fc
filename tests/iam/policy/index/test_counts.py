"""Counts of effective actions per service and access level."""

from __future__ import annotations

from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.index.counts import by_service, levels
from tests.iam.policy.index.test_effective import MFA, PROD, one, say


def test_counts_add_up_to_the_actions_of_the_service() -> None:
    effective, allowed = one(say("Allow", "sqs:*"), say("Allow", "sns:Publish", "arn:aws:sns:*:*:x"))
    counts = by_service(allowed, effective.space)
    assert set(counts) == {"sqs", "sns", "sts"}
    assert sum(count.everywhere for count in counts["sqs"].values()) == len(catalogue().expand("sqs:*"))
    assert all(count.everywhere == count.total for count in counts["sqs"].values())
    assert counts["sns"][AccessLevel.WRITE].limited == 1
    assert counts["sns"][AccessLevel.WRITE].total == sum(
        catalogue().level(name) is AccessLevel.WRITE for name in catalogue().expand("sns:*")
    )


def test_a_service_with_a_like_name_is_counted_apart() -> None:
    effective, allowed = one(say("Allow", "s3-object-lambda:*"))
    assert set(by_service(allowed, effective.space)) == {"s3-object-lambda", "sts"}


def test_the_strongest_of_an_access_level_is_told() -> None:
    effective, allowed = one(
        say("Allow", "s3:List*"),
        say("Allow", "s3:GetObject", PROD),
        say("Allow", "s3:PutObject", Condition=MFA),
    )
    assert levels(allowed, effective.space) == {
        AccessLevel.LIST: "everywhere",
        AccessLevel.READ: "limited",
        AccessLevel.WRITE: "conditional",
    }


def test_what_needs_no_permission_is_no_access_level() -> None:
    effective, allowed = one(say("Deny", "*"))
    assert levels(allowed, effective.space) == {}
