"""The statements that speak of an action: which context keys they read, and how they tell targets and regions
apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from iam.policy.arns import resource_matcher
from iam.policy.catalogue import catalogue
from iam.policy.compiled import resource_templates, with_anything
from iam.policy.glob import Matcher, compile_glob
from iam.policy.index import keys
from iam.policy.index.documents import IndexedStatement
from iam.policy.letter_case import fold
from iam.policy.variables import PolicyVariable, VariableText

OWN_NAME: Final = "aws:username"
REGION: Final = "aws:requestedregion"
BOUNDARY: Final = "iam:permissionsboundary"
TAGS: Final = ("aws:resourcetag/", "iam:resourcetag/")
HOME: Final = "us-east-1"
"""Where requests to IAM go, as `aws:RequestedRegion` has it. Source: "AWS global condition context keys"."""
MAX_REGIONS: Final = 12
KNOWN_REGIONS: Final = (
    HOME,
    "eu-west-1",
    "eu-central-1",
    "us-west-2",
    "ap-southeast-1",
    "ca-central-1",
    "sa-east-1",
)
"""Stand for what `eu-*` and the like mean."""


@dataclass(slots=True)
class ConditionFacts:
    """The statements that speak of an action, and the context keys that matter to them."""

    clauses: tuple[IndexedStatement, ...]
    number: int
    keys: frozenset[str]
    areas: tuple[ResourceNames, ...]
    tags: tuple[str, ...] = ()
    """Those of the keys that hold tags of the resource."""
    is_allowed: bool = False
    """Whether one of them is an Allow."""

    def match_key(self, arn: str) -> tuple[object, ...]:
        """How the statements fit a name: those with the same shape are asked about once."""
        return tuple(names.match_key(arn) for names in self.areas)

    @property
    def names_their_own(self) -> bool:
        """Whether somebody may be allowed on itself what others are not."""
        return any(names.is_own for names in self.areas)


class ResourceNames:
    """The names in a Resource or NotResource element, to tell targets apart."""

    __slots__ = ("_fixed", "_loose", "_own", "is_own")

    def __init__(self, clause: IndexedStatement) -> None:
        templates = resource_templates(clause.resources or (), has_variables=clause.has_variables)
        own = [template for template in templates if _is_own_name(template)]
        self.is_own = bool(own)
        self._own = [resource_matcher(with_anything(text)) for text in own]
        self._fixed: list[Matcher] = [
            resource_matcher(template.fill_without_request())
            for template in templates
            if not template.variables
        ]
        self._loose: list[Matcher] = [
            resource_matcher(with_anything(template))
            for template in templates
            if template.variables and template not in own
        ]

    def match_key(self, arn: str) -> object:
        """Equal for two names that fit alike, anyone who asks, but for a user who asks about itself."""
        if any(matches(arn) for matches in self._loose):
            return arn
        if any(matches(arn) for matches in self._fixed):
            return True
        return None if any(matches(arn) for matches in self._own) else False


def _is_own_name(template: VariableText) -> bool:
    """Whether a pattern ends with the name of the user who asks: it then fits no other user of the
    account.
    """
    last = template.parts[-1] if template.parts else ""
    return (
        isinstance(last, PolicyVariable)
        and last.key == OWN_NAME
        and last.default is None
        and len(template.variables) == 1
        and template.parts[-2:-1] == ("/",)
        and ":user/" in "".join(part for part in template.parts if isinstance(part, str) and len(part) == 1)
    )


def keys_of(clause: IndexedStatement) -> set[str]:
    """The context keys that a statement reads, in lower case."""
    names = set(keys.variables_in(clause.resources or ()))
    for key, others in keys.keys_of_conditions(clause.shape.plain, has_variables=clause.has_variables):
        names |= {key, *others}
    return names


@lru_cache(maxsize=256)
def boundary_of(action: str, boundary: str) -> str | None:
    """What `iam:PermissionsBoundary` holds in a request about a principal with a boundary (its ARN): None, so
    that the key is absent, where there is none, or where AWS does not list the key for the action.
    """
    listed = any(fold(key) == BOUNDARY for key in catalogue().condition_keys(action))
    return boundary or None if listed else None


def tag_keys(keys: Iterable[str]) -> tuple[str, ...]:
    """Those of some keys that hold tags of a resource of IAM."""
    return tuple(key for key in keys if key.startswith(TAGS))


def tags_of(
    tags: Mapping[str, str], wanted: Iterable[str], *, prefixes: Sequence[str] = TAGS
) -> dict[str, Any]:
    """Context keys for tags of the resource: those that it has, and None for those that it is known not to
    have.
    """
    lowered = {fold(name): value for name, value in tags.items()}
    tag_context: dict[str, Any] = {}
    for key in wanted:
        for prefix in prefixes:
            if key.startswith(prefix):
                tag_context[key] = lowered.get(key.removeprefix(prefix))
    return tag_context


def regions_in(clause: IndexedStatement) -> Iterator[str]:
    """Regions that a statement names in conditions or resources."""
    for _, key, values in clause.conditions:
        if fold(key) == REGION:
            for value in values:
                yield from filter(compile_glob(value), KNOWN_REGIONS) if "*" in value else [value]
    for name in clause.resources or ():
        parts = name.split(":", 5)
        if len(parts) == 6 and parts[3] and parts[3].replace("-", "").isalnum():
            yield parts[3]
