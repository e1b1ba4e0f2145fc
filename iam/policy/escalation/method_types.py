"""What a method of escalation is: its verb, the actions that it needs, and what it assumes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class EdgeVerb(StrEnum):
    """What a method does. The verb decides how its edges are found."""

    ASSUME = "assume"
    """Assumes a role that trusts the caller."""
    RETRUST = "retrust"
    """Changes the trust policy of a role, then assumes it."""
    SIGN_IN = "sign-in"
    """Creates credentials of a user."""
    PASS = "pass"  # noqa: S105
    """Passes a role to a service that acts on the caller's instructions."""
    EXISTING = "existing"
    """Changes the code or configuration of a resource that already has a role."""
    GRANT = "grant"
    """Gives a principal any permissions."""
    UNBOUND = "unbound"
    """Removes or widens a permissions boundary."""
    JOIN = "join"
    """Puts a user into a group."""
    RESTORE = "restore"
    """Sets another version of a policy as the default."""
    SIGN_ON = "sign-on"
    """Writes or assigns permission sets of IAM Identity Center, or signs in as a user to whom they are
    assigned.
    """
    CREATE = "create"
    """Creates a user or role with every permission."""
    TAKE = "take"
    """Assumes a role that was just created with a trust policy of the caller's choice."""
    OWN = "own"
    """Gives the caller every permission by way of a new resource."""
    REMOVE = "remove"
    """Removes a denying policy from a principal."""
    FEDERATE = "federate"
    """Changes an identity provider that a role trusts, then signs in with it."""
    TAG = "tag"
    """Sets tags of a principal."""
    RECOVER = "recover"
    """Acts in a member account from the management account, as its root user or by a stack set."""
    FREE = "free"
    """Removes the SCPs that limit an account."""


TARGET: Final = "target"
"""The need is checked on the principal, group or policy that the method targets."""
WRITTEN: Final = "written policy"
"""The need is checked on the policy that the method attaches."""


@dataclass(frozen=True, slots=True)
class MethodNeed:
    """An action that a method needs. `on` is TARGET, the name of a resource type of the action's service, or
    empty if the action takes no resource.
    """

    action: str
    on: str = TARGET

    @property
    def service(self) -> str:
        """The service prefix of the action."""
        return self.action.partition(":")[0]


@dataclass(frozen=True, slots=True)
class EscalationMethod:
    """An escalation method. `title` has a placeholder for the target's name.

    `of` is the entity type of the target. `service` is the value of `iam:PassedToService`, `trusted` the
    principal that the role's trust policy must admit. `assumes` describes what policies can't show, which
    makes the method conditional at best.
    """

    name: str
    sort: EdgeVerb
    title: str
    needs: tuple[MethodNeed, ...]
    of: str = "role"
    service: str = ""
    trusted: str = ""
    assumes: str = ""
    retags: bool = False
    """True if the method begins with setting tags of the target, as a condition of the other
    needs requires.
    """

    own_needs: tuple[MethodNeed, ...] = field(init=False, repr=False, compare=False)
    """The needs that don't concern the target. They are precomputed because they are read very often."""
    target_needs: tuple[MethodNeed, ...] = field(init=False, repr=False, compare=False)
    """The needs that concern the target."""

    def __post_init__(self) -> None:
        own = tuple(need for need in self.needs if need.on not in (TARGET, WRITTEN))
        object.__setattr__(self, "own_needs", own)
        object.__setattr__(self, "target_needs", tuple(need for need in self.needs if need.on == TARGET))

    def __hash__(self) -> int:
        """Hash the name alone, which is unique. Hashing all needs would be too slow."""
        return hash(self.name)

    @property
    def makes_profile(self) -> bool:
        """True if it puts the role into a new instance profile."""
        return any(need.action == "iam:AddRoleToInstanceProfile" for need in self.needs)

    @property
    def writing(self) -> str:
        """The action that writes the policy to attach, or an empty string."""
        return next((need.action for need in self.needs if need.on == WRITTEN), "")
