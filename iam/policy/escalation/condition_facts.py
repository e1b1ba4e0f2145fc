"""The statements that cover an action: which context keys they read, and how they distinguish targets and
Regions.
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
"""The Region of requests to IAM in `aws:RequestedRegion`. Source: "AWS global condition context keys"."""
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
"""Sample Regions for patterns such as `eu-*`."""


@dataclass(slots=True)
class ConditionFacts:
    """The statements that cover an action, and the context keys that they read."""

    clauses: tuple[IndexedStatement, ...]
    number: int
    keys: frozenset[str]
    areas: tuple[ResourceNames, ...]
    tags: tuple[str, ...] = ()
    """The keys that hold tags of the resource."""
    is_allowed: bool = False
    """True if one of the statements is an Allow."""

    def match_key(self, arn: str) -> tuple[object, ...]:
        """Return a key for how the statements match an ARN. ARNs with equal keys need only one query."""
        return tuple(names.match_key(arn) for names in self.areas)

    @property
    def names_their_own(self) -> bool:
        """True if a user may be allowed on itself what others are not."""
        return any(names.is_own for names in self.areas)


class ResourceNames:
    """The names in a Resource or NotResource element, to distinguish targets."""

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
        """Return a key that is equal for two names that match alike for every caller. Users who act on
        themselves are the exception.
        """
        if any(matches(arn) for matches in self._loose):
            return arn
        if any(matches(arn) for matches in self._fixed):
            return True
        return None if any(matches(arn) for matches in self._own) else False


def _is_own_name(template: VariableText) -> bool:
    """Return True if a pattern ends with the caller's user name. It then matches no other user of the
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
    """Return the context keys that a statement reads, in lower case."""
    names = set(keys.variables_in(clause.resources or ()))
    for key, others in keys.keys_of_conditions(clause.shape.plain, has_variables=clause.has_variables):
        names |= {key, *others}
    return names


@lru_cache(maxsize=256)
def boundary_of(action: str, boundary: str) -> str | None:
    """Return the value of `iam:PermissionsBoundary` in a request about a principal with this boundary (its
    ARN). It is None, so that the key is absent, if there is no boundary or AWS doesn't list the key for the
    action.
    """
    listed = any(fold(key) == BOUNDARY for key in catalogue().condition_keys(action))
    return boundary or None if listed else None


def tag_keys(keys: Iterable[str]) -> tuple[str, ...]:
    """Return the keys that hold tags of an IAM resource."""
    return tuple(key for key in keys if key.startswith(TAGS))


def tags_of(
    tags: Mapping[str, str], wanted: Iterable[str], *, prefixes: Sequence[str] = TAGS
) -> dict[str, Any]:
    """Return context values for the resource's tags, with None for tags that are known to be absent."""
    lowered = {fold(name): value for name, value in tags.items()}
    tag_context: dict[str, Any] = {}
    for key in wanted:
        for prefix in prefixes:
            if key.startswith(prefix):
                tag_context[key] = lowered.get(key.removeprefix(prefix))
    return tag_context


def regions_in(clause: IndexedStatement) -> Iterator[str]:
    """Yield the Regions that a statement names in conditions or resources."""
    for _, key, values in clause.conditions:
        if fold(key) == REGION:
            for value in values:
                yield from filter(compile_glob(value), KNOWN_REGIONS) if "*" in value else [value]
    for name in clause.resources or ():
        parts = name.split(":", 5)
        if len(parts) == 6 and parts[3] and parts[3].replace("-", "").isalnum():
            yield parts[3]
