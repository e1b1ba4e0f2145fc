"""Compares the resources that a statement applies to with a resource or a pattern of resources."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import product
from typing import Final

from iam.policy.arns import resource_tokens
from iam.policy.compiled import Fits, resource_templates, with_anything
from iam.policy.document import Statement
from iam.policy.glob import ANY
from iam.policy.index.patterns import ResourcePattern, pattern_of, relation
from iam.policy.logic import NO, OPEN, YES, negation
from iam.policy.request import Request
from iam.policy.variables import AbsentVariableError, OpenVariableError, VariableText

FREE: Final = re.compile(r"\$\{[^{}]*\}|[*?]")
STAR: Final = ResourcePattern(["*"])
asked_pattern = lru_cache(maxsize=64)(pattern_of)


def may_be_about(names: Iterable[str], resource: str) -> bool:
    """True if one of the names may match a resource without wildcards. Compiles no pattern; can be wrongly
    True, never wrongly False.
    """
    for name in names:
        pieces = FREE.split(name)
        if resource.startswith(pieces[0]) and all(piece in resource for piece in pieces):
            return True
    return False


class ResourceElement:
    """The patterns of a Resource or NotResource element."""

    __slots__ = ("_fixed", "_loose", "_open", "is_not")

    def __init__(self, templates: Iterable[VariableText], *, is_not: bool) -> None:
        self.is_not = is_not
        self._open = tuple(template for template in templates if template.variables)
        self._loose = tuple(ResourcePattern(with_anything(template)) for template in self._open)
        self._fixed = tuple(
            ResourcePattern(resource_tokens(template.fill_without_request()))
            for template in templates
            if not template.variables
        )

    def covers_request(self, request: Request) -> int:
        """YES, OPEN or NO: whether the statement applies to all, some or none of what the request's pattern
        matches.
        """
        asked = asked_pattern(request.resource)
        certainty = NO
        for pattern in self._fixed:
            mark = relation(pattern, asked)
            if mark > certainty:
                certainty = mark
        if self._open:
            for template, loose in zip(self._open, self._loose, strict=True):
                certainty = max(certainty, _filled(template, loose, request, asked))
        return negation(certainty) if self.is_not else certainty

    def is_possible(self, resource: str) -> bool:
        """True if the statement can apply to the resource or pattern for some principal, whatever its
        variables are.
        """
        if self.is_not or not self._open:
            return True
        asked = asked_pattern(resource)
        return any(pattern.overlaps(asked) for pattern in (*self._loose, *self._fixed))

    @property
    def fits_nothing(self) -> bool:
        """True if it excludes every resource."""
        return self.is_not and any(pattern.parts == [ANY] for pattern in self._fixed)

    @property
    def is_some_of_everything(self) -> bool:
        """True if it applies to some resources, and never to all, whatever its variables are."""
        return not self.is_not and all(pattern.start for pattern in self._widest)

    @property
    def fits_star(self) -> bool:
        """True if it matches Resource `*`, which requests have for actions without resource types."""
        return any(pattern.takes_in(STAR) for pattern in self._fixed) is not self.is_not

    @property
    def _widest(self) -> tuple[ResourcePattern, ...]:
        return (*self._fixed, *self._loose)

    def may_meet(self, other: ResourceElement) -> bool:
        """True if the two may have a resource in common, whatever the variables are."""
        if self.is_not and other.is_not:
            return True
        if self.is_not or other.is_not:
            excluded, asked = (self, other) if self.is_not else (other, self)
            return not all(excluded._takes_in(asked_pattern) for asked_pattern in asked._widest)
        return self._overlaps(other)

    def _overlaps(self, other: ResourceElement) -> bool:
        """True if a pattern of one overlaps with a pattern of the other."""
        return any(pattern.overlaps(two) for pattern, two in product(self._widest, other._widest))

    def covers(self, other: ResourceElement) -> bool:
        """True if every resource of the other is certainly one of this."""
        if other.is_not:
            return False
        if self.is_not:
            return not self._overlaps(other)
        return all(self._takes_in(pattern) for pattern in other._widest)

    def _takes_in(self, pattern: ResourcePattern) -> bool:
        return any(fixed_pattern.takes_in(pattern) for fixed_pattern in self._fixed)


def area_of(statement: Statement, *, has_variables: bool) -> ResourceElement | None:
    """The resources that a statement applies to; None means all."""
    names, is_not = statement.resources, statement.is_not_resource
    if names is None or ("*" in names and not is_not):
        return None
    return ResourceElement(resource_templates(names, has_variables=has_variables), is_not=is_not)


def pattern_fits(area: ResourceElement | None) -> Fits | None:
    """The replacement for `CompiledStatement.fits` in questions about a pattern."""
    return None if area is None else area.covers_request


def _filled(template: VariableText, loose: ResourcePattern, request: Request, asked: ResourcePattern) -> int:
    try:
        return relation(ResourcePattern(resource_tokens(template.fill(request))), asked)
    except OpenVariableError:
        return OPEN if loose.overlaps(asked) else NO
    except AbsentVariableError:
        return NO


__all__ = ["NO", "OPEN", "YES", "ResourceElement", "area_of", "asked_pattern", "pattern_fits"]
