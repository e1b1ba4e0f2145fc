"""What a principal becomes when somebody edits what it holds: the same principal, with other rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from iam.policy.index.classes import Member
from iam.policy.index.rows import Grants, PrincipalRow
from iam.policy.index.scenario import row_of
from iam.policy.request import SERVICE_LINKED_PATH, PrincipalKind

FULL: Final = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
FULL_DIGEST: Final = hashlib.blake2b(FULL.encode(), digest_size=16).hexdigest()
GIVEN: Final = "what it was given on the way"
ADMINISTRATOR_ACCESS: Final = "arn:aws:iam::aws:policy/AdministratorAccess"
OPEN_TRUST: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
)
RESERVED: Final = (SERVICE_LINKED_PATH, ":role/aws-reserved/")
"""Roles that no principal of the account can edit. Source: "Using service-linked roles"; "IAM roles created by IAM Identity Center"."""


class State(NamedTuple):
    """How a principal differs from what it is: without its boundary, with every permission in its identity policies, in more
    groups, with other versions of policies as (policy, digest of the document)."""

    unbound: bool = False
    full: bool = False
    groups: tuple[int, ...] = ()
    versions: tuple[tuple[int, str], ...] = ()


AS_IT_IS: Final = State()


@dataclass(frozen=True, slots=True)
class Facts:
    """What policies do not tell, as far as it is known.

    `group_arns` by group; `profiled` are the roles in instance profiles, by account where all of these are known; `running`
    are the roles that some instance is known to have; `passwords` says of users whether they have one; `versions` are the
    digests of each policy's versions that are not the default, None: not known.
    """

    group_arns: Mapping[int, str] = field(default_factory=dict)
    profiled: Mapping[str, frozenset[int]] = field(default_factory=dict)
    running: frozenset[int] = frozenset()
    passwords: Mapping[int, bool] = field(default_factory=dict)
    versions: Mapping[int, tuple[str, ...]] | None = None


NO_FACTS: Final = Facts()


def can_be_edited(member: Member) -> bool:
    """Whether IAM lets anybody edit it at all."""
    return member.kind is not PrincipalKind.ROOT and not any(path in member.arn for path in RESERVED)


def is_service_linked(member: Member) -> bool:
    """Whether only the service itself takes the role."""
    return SERVICE_LINKED_PATH in member.arn


def row_in(member: Member, state: State, number: int) -> PrincipalRow:
    """The row of a member in a state, under a number of its own."""
    row = row_of(member)
    row.id, row.grants = number, grants_in(member.grants, state)
    return row


def grants_in(grants: Grants, state: State) -> Grants:
    """What is held in a state. Versions of policies that come by a group are added, since the group's row stays."""
    inline, attached = grants.inline, grants.attached
    if state.full:
        inline = (*inline, (GIVEN, FULL_DIGEST))
    for policy, digest in state.versions:
        attached = tuple(number for number in attached if number != policy)
        inline = (*inline, (f"{GIVEN}, {digest}", digest))
    groups = tuple(dict.fromkeys((*grants.groups, *state.groups)))
    return Grants(inline, attached, groups, None if state.unbound else grants.boundary)
