"""What a caller gains by passing a role to a service, for each action that does so: the data in
`pass_role.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("pass_role.toml")
PASS_ROLE: Final = "iam:PassRole"  # noqa: S105


class PassRoleGain(StrEnum):
    """What the caller gains."""

    CODE = "code"
    CREDENTIALS = "credentials"
    SERVICE = "service"
    """Nothing beyond the purpose of the service."""


@dataclass(frozen=True, slots=True)
class PassRoleMethod:
    """A way to have a service act with a role. `title` has a placeholder for the role's name. `needs` are
    (action, resource type or empty). `exists` says what must exist already. `passes` False means that a
    resource has the role already.
    """

    name: str
    title: str
    does: PassRoleGain
    service: str
    trusted: str
    needs: tuple[tuple[str, str], ...]
    exists: str = ""
    passes: bool = True


@dataclass(frozen=True)
class PassRoleData:
    """The content of the file. `services` maps actions with which a service acts only for itself to the
    service that the role must trust. `parameters` are further actions that pass a role although the reference
    doesn't say so.
    """

    methods: tuple[PassRoleMethod, ...]
    services: Mapping[str, str] = field(default_factory=dict)
    parameters: frozenset[str] = frozenset()

    @cached_property
    def changing(self) -> frozenset[str]:
        """The actions of methods that use something that has a role already."""
        needs = chain.from_iterable(method.needs for method in self.methods if not method.passes)
        return frozenset(action for action, _ in needs)


@cache
def pass_role_data() -> PassRoleData:
    """Return the data, loaded once."""
    source = tomllib.loads(FILE.read_text(encoding="utf-8"))
    services: dict[str, str] = {}
    for service, actions in source["service"].items():
        services |= dict.fromkeys(actions, service)
    parameters = frozenset(source["parameters"]["actions"])
    return PassRoleData(tuple(_method(each) for each in source["method"]), services, parameters)


def _method(source: Mapping[str, Any]) -> PassRoleMethod:
    needs = tuple(need.partition(" ") for need in source["needs"])
    return PassRoleMethod(
        name=source["name"],
        title=source["title"],
        does=PassRoleGain(source["does"]),
        service=source["service"],
        trusted=source.get("trusted", source["service"]),
        needs=tuple((action, on) for action, _, on in needs),
        exists=source.get("exists", ""),
        passes=source.get("passes", True),
    )
