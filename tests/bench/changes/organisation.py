"""An organisation of many alike accounts for the stand-in, and how Gatehouse reaches them."""

from __future__ import annotations

from console.demo.organisation.specs import (
    AccountSpec,
    DeviceSpec,
    GroupSpec,
    KeySpec,
    LoginSpec,
    OrganizationSpec,
    PolicySpec,
    RoleSpec,
    UserCredentialSpec,
    UserSpec,
)
from iam.aws import permissions

EXTERNAL_ID = "gh-bench-2f81c0"
HUB_KEY = "AKIABENCHBENCHBENCH1"
READER, WRITER = "gatehouse-reader", "gatehouse-writer"


def number_of(place: int) -> str:
    """The account number of the n-th account; the hub is the first."""
    return f"{700_000_000_000 + place * 1_003:012d}"


def organisation(
    *, accounts: int, users: int, groups: int, policies: int, equipped: bool = False
) -> OrganizationSpec:
    """`accounts` accounts with so many users, groups and customer managed policies each; `equipped` users
    have every way to sign in, and are in two groups.
    """
    made = tuple(
        _account(place, users=_users(users, groups, policies, equipped), groups=groups, policies=policies)
        for place in range(accounts)
    )
    return OrganizationSpec(
        id="o-bench00001",
        root_id="r-be01",
        management=made[0],
        members=made[1:],
        units={"Bench": "Root"},
        policies=(),
    )


def _users(count: int, groups: int, policies: int, equipped: bool) -> tuple[UserSpec, ...]:
    if not equipped:
        return tuple(UserSpec(name=f"user-{number}", path="/", age=50) for number in range(count))
    return tuple(
        UserSpec(
            name=f"user-{number}",
            path="/",
            age=50,
            groups=tuple({f"group-{number % groups}", f"group-{(number + 1) % groups}"}),
            policies=(f"policy-{number % policies}",),
            inline={"own": document("s3:GetObject")},
            login=LoginSpec(age=40),
            keys=(KeySpec(age=40), KeySpec(age=30)),
            devices=(DeviceSpec("virtual", age=40),),
            credentials=(
                UserCredentialSpec("ssh", age=20),
                UserCredentialSpec("service", age=20, service="codecommit.amazonaws.com"),
            ),
        )
        for number in range(count)
    )


def _account(place: int, *, users: tuple[UserSpec, ...], groups: int, policies: int) -> AccountSpec:
    number = number_of(place)
    return AccountSpec(
        id=number,
        name=f"bench-{place}",
        alias=f"bench-{place}",
        email=f"bench-{place}@bench.example",
        ou="Bench" if place else "Root",
        age=100,
        users=users,
        groups=tuple(
            GroupSpec(name=f"group-{number}", path="/", age=50, policies=(f"policy-{number % policies}",))
            for number in range(groups)
        ),
        policies=tuple(
            PolicySpec(
                name=f"policy-{number}",
                versions=((document(f"s3:Get{'Object' if number % 2 else 'BucketAcl'}"), 50),),
            )
            for number in range(policies)
        ),
        roles=(
            _role(READER, permissions.read_policy()),
            _role(WRITER, permissions.write_policy(account_id=number)),
        ),
    )


def _role(name: str, policy: dict[str, object]) -> RoleSpec:
    trust = permissions.trust_policy(
        hub_role_arn=f"arn:aws:iam::{number_of(0)}:user/unregistered", external_id=EXTERNAL_ID
    )
    return RoleSpec(name=name, trust=trust, age=50, inline={"gatehouse": policy})


def document(action: str, resource: str = "*") -> dict[str, object]:
    """A policy of one statement."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}],
    }
