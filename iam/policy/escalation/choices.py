"""Free choices in what a service does for a caller, such as the names of a new function, stack or job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from iam.policy.escalation.method_types import EscalationMethod, MethodNeed
from iam.policy.escalation.names import matching_names, template_of
from iam.policy.escalation.permission_checks import EVERYBODY, NOBODY, PermissionAsker, PrincipalBits

EVERYTHING: Final = "*"


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """A way to choose: the Region, and possible names for each resource type. `about` are known context
    values of the resource.
    """

    region: str
    names: Mapping[str, tuple[str, ...]]
    needs: tuple[MethodNeed, ...]
    about: Mapping[str, Any] = field(default_factory=dict)

    def by_type(self) -> Iterator[tuple[tuple[str, ...], list[MethodNeed]]]:
        """Yield the names for each resource type, and the needs that one of them must meet."""
        for type_name, names in self.names.items():
            yield names, [need for need in self.needs if need.on == type_name]

    @property
    def context(self) -> dict[str, Any]:
        """The context that follows from the choice."""
        return {"aws:RequestedRegion": self.region, **self.about}


@dataclass(slots=True)
class TargetChoices:
    """The possible choices in one account, computed once per method. `of_roles` are existing resources, by
    method and role. `able` caches who can, by the needs and the principals asked about.
    """

    asker: PermissionAsker
    account: str
    partition: str
    found: dict[tuple[MethodNeed, ...], tuple[TargetChoice, ...]] = field(default_factory=dict)
    of_roles: dict[tuple[EscalationMethod, int], tuple[TargetChoice, ...]] = field(default_factory=dict)
    able: dict[tuple[tuple[MethodNeed, ...], int], PrincipalBits] = field(default_factory=dict)

    def for_method(self, method: EscalationMethod) -> Iterator[TargetChoice]:
        """Yield the choices, one per Region, each computed when requested. Nothing is yielded if no statement
        allows one of the actions.
        """
        needs = method.own_needs
        if not all(self.is_allowed_at_all(need.action) for need in needs):
            return
        for region in self.asker.regions():
            known = self.found.get(needs, ())
            choice = next((choice for choice in known if choice.region == region), None)
            if choice is None:
                choice = self._choice(needs, region)
                self.found[needs] = (*known, choice)
            yield choice

    def is_allowed_at_all(self, action: str) -> bool:
        """Return True if any statement allows an action."""
        return self.asker.has_allowing(action)

    def _choice(self, needs: tuple[MethodNeed, ...], region: str) -> TargetChoice:
        names: dict[str, tuple[str, ...]] = {}
        for need in needs:
            if need.on in names:
                continue
            if not need.on:
                names[""] = (EVERYTHING,)
                continue
            clauses = [
                self.asker.clauses(choice_need.action) for choice_need in needs if choice_need.on == need.on
            ]
            template = template_of(
                need.action, need.on, partition=self.partition, region=region, account=self.account
            )
            names[need.on] = matching_names(clauses, template)
        return TargetChoice(region, names, needs)

    def bits(self, method: EscalationMethod, act: int) -> PrincipalBits:
        """Return who can do everything that the method needs apart from its target. Stops early if none of
        `act` can.
        """
        key = method.own_needs, act
        principals = self.able.get(key)
        if principals is None:
            principals = self.able[key] = self._bits(method, act)
        return principals

    def _bits(self, method: EscalationMethod, act: int) -> PrincipalBits:
        principals = NOBODY
        for choice in self.for_method(method):
            principals |= self._in_region(choice, act)
            if principals.sure & act == act:
                break
        return principals

    def _in_region(self, choice: TargetChoice, act: int) -> PrincipalBits:
        principals = EVERYBODY
        for names, needs in choice.by_type():
            of_type = NOBODY
            for name in names:
                of_type |= self._on_name(needs, name, choice)
                if of_type.sure & act == act:
                    break
            principals &= of_type
            if not principals.any & act:
                return NOBODY
        return principals

    def _on_name(self, needs: list[MethodNeed], name: str, choice: TargetChoice) -> PrincipalBits:
        principals = EVERYBODY
        for need in needs:
            principals &= self.asker.ask(need.action, name, choice.context)
        return principals
