"""States of a principal after someone has edited its permissions: the same principal with other rows in the
index.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.rows import GroupRow, PolicyHoldings, PrincipalRow
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
"""Path parts of roles that no principal of the account can edit. Source: "Using service-linked roles"; "IAM
roles created by IAM Identity Center".
"""


class PolicyRemoval(NamedTuple):
    """A policy that a principal no longer has. `group` is the group that has the policy, or 0 for the
    principal itself. `name` is the name of an inline policy or the number of an attached one, and empty if
    the principal leaves the group.
    """

    kind: str
    group: int
    name: str


INLINE: Final = "inline"
ATTACHED: Final = "attached"
LEFT: Final = "left"


class PrincipalState(NamedTuple):
    """How a principal differs from its current state: without its boundary, with every permission in its
    identity policies, in more groups, with other versions of policies as (policy, digest of the document),
    without some policies that deny, with tags of the attacker's choice, or with no SCP above its account.
    """

    unbound: bool = False
    full: bool = False
    groups: tuple[int, ...] = ()
    versions: tuple[tuple[int, str], ...] = ()
    removed: tuple[PolicyRemoval, ...] = ()
    tagged: bool = False
    freed: bool = False


AS_IT_IS: Final = PrincipalState()
FREED: Final = PrincipalState(freed=True)


class Ec2Instance(NamedTuple):
    """An EC2 instance. `tags` are (key, value) pairs; None means unknown."""

    arn: str
    tags: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class OutsideFacts:
    """Facts that policies don't contain, as far as they are known.

    `group_arns` maps groups to ARNs. `profiled` are the roles in instance profiles, for accounts where these
    are known. `running` are the instances known to have a role, by role. `passwords` says for users whether
    they have a password. `versions` are the digests of each policy's non-default versions; None means
    unknown.
    """

    group_arns: Mapping[int, str] = field(default_factory=dict)
    profiled: Mapping[str, frozenset[int]] = field(default_factory=dict)
    running: Mapping[int, tuple[Ec2Instance, ...]] = field(default_factory=dict)
    passwords: Mapping[int, bool] = field(default_factory=dict)
    versions: Mapping[int, tuple[str, ...]] | None = None


NO_FACTS: Final = OutsideFacts()


def can_be_edited(member: IndexedPrincipal) -> bool:
    """Return True if IAM lets any principal of the account edit this one."""
    return member.kind is not PrincipalKind.ROOT and not any(path in member.arn for path in RESERVED)


def is_service_linked(member: IndexedPrincipal) -> bool:
    """Return True if only the service itself can assume the role."""
    return SERVICE_LINKED_PATH in member.arn


def row_in(
    member: IndexedPrincipal, state: PrincipalState, number: int, groups: Mapping[int, GroupRow]
) -> PrincipalRow:
    """Return the index row of a principal in a state, with a number of its own. `groups` are those of its
    account.
    """
    row = row_of(member)
    row.id, row.grants = number, grants_in(member.grants, state, groups)
    if state.tagged:
        row.tags = None
    return row


NO_GROUPS: Final[Mapping[int, GroupRow]] = {}


def grants_in(
    grants: PolicyHoldings, state: PrincipalState, groups: Mapping[int, GroupRow] = NO_GROUPS
) -> PolicyHoldings:
    """Return the policies that a principal has in a state. Other versions of policies from a group are added,
    because the group's row stays. If a group lost a policy, its other policies are held directly.
    """
    own = _policies_outside(grants.inline, grants.attached, 0, state)
    inline, attached = own
    if state.full:
        inline = (*inline, (GIVEN, FULL_DIGEST))
    for policy, digest in state.versions:
        attached = tuple(number for number in attached if number != policy)
        inline = (*inline, (f"{GIVEN}, {digest}", digest))
    changed = {removal.group for removal in state.removed if removal.group}
    joined = tuple(dict.fromkeys((*grants.groups, *state.groups)))
    for number in joined:
        group = groups.get(number)
        is_left = PolicyRemoval(LEFT, number, "") in state.removed
        if number in changed and not is_left and group is not None:
            more_inline, more_attached = _policies_outside(
                group.grants.inline, group.grants.attached, number, state
            )
            inline, attached = (*inline, *more_inline), (*attached, *more_attached)
    kept = tuple(number for number in joined if number not in changed)
    boundary = None if state.unbound else grants.boundary
    return PolicyHoldings(inline, attached, kept, boundary)


def _policies_outside(
    inline: tuple[tuple[str, str], ...], attached: tuple[int, ...], group: int, state: PrincipalState
) -> tuple[tuple[tuple[str, str], ...], tuple[int, ...]]:
    """Return the inline and attached policies that are not removed, of a principal (group 0) or of one of its
    groups.
    """
    if not state.removed:
        return inline, attached
    return (
        tuple(each for each in inline if PolicyRemoval(INLINE, group, each[0]) not in state.removed),
        tuple(
            number for number in attached if PolicyRemoval(ATTACHED, group, str(number)) not in state.removed
        ),
    )


class NewMember(IndexedPrincipal):
    """A user or role that doesn't exist yet and that someone can create. It has no page, and no number in the
    mirror.
    """

    __slots__ = ()

    @property
    def kind(self) -> PrincipalKind:
        """The kind of principal: user or role."""
        return PrincipalKind.USER if ":user/" in self.arn else PrincipalKind.ROLE


def new_member(
    root: IndexedPrincipal, arn: str, number: int, *, boundary: int | None, tags: Mapping[str, str] | None
) -> IndexedPrincipal:
    """Return a principal that someone could create in the account of the given root user."""
    member = NewMember(
        number, arn, unique_id="", grants=PolicyHoldings(boundary=boundary), tags=tags, trust=None
    )
    member.cls = root.cls
    return member
