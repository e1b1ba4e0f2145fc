"""The whole of Northline, assembled from its people, groups, policies and workloads."""

from __future__ import annotations

from console.demo.organisation.people import ACCOUNT_IDS, PEOPLE
from console.demo.organisation.specs import Account, Group, Login, Organisation, Role, User
from console.demo.organisation.teams import TEAMS


def northline() -> Organisation:
    """The organisation; equal at every call."""
    members = tuple(_account(name) for name in ("production", "data", "staging", "sandbox"))
    return Organisation("o-n0rthl1ne7", "r-nl01", _account("management"), members, {}, ())


def _account(name: str) -> Account:
    groups = sorted({group for team in TEAMS for group in team.groups.get(name, ())})
    users = [
        User(
            name=person.login,
            path=person.team.path,
            age=400,
            tags={"Team": person.team.key, "Owner": person.email},
            groups=person.team.groups[name],
            login=Login(age=400),
        )
        for person in PEOPLE
        if name in person.accounts
    ]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_IDS['management']}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "gh-4e07b81c2d95"}},
            }
        ],
    }
    return Account(
        id=ACCOUNT_IDS[name],
        name=name,
        alias=f"northline-{name}",
        email=f"aws+{name}@northline.example",
        ou="Root",
        age=1500,
        groups=tuple(
            Group(name=g, path="/", age=900, policies=("arn:aws:iam::aws:policy/ReadOnlyAccess",))
            for g in groups
        ),
        users=tuple(users),
        roles=(
            Role("gatehouse-reader", trust, 30, policies=("arn:aws:iam::aws:policy/IAMReadOnlyAccess",)),
            Role("gatehouse-writer", trust, 30, policies=("arn:aws:iam::aws:policy/IAMFullAccess",)),
        ),
    )
