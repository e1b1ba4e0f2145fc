"""The resources that a statement is about, compared with a resource or with a pattern of resources."""

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
    """Whether a pattern of some names can fit a resource, which has no wildcards; never wrongly no, and found
    without compiling any.
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
        """Whether the statement is about all (YES), some (OPEN) or none (NO) of what the request's pattern
        takes in.
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
        """Whether the statement can be about the resource or pattern for anybody, whatever its variables
        stand for.
        """
        if self.is_not or not self._open:
            return True
        asked = asked_pattern(resource)
        return any(pattern.overlaps(asked) for pattern in (*self._loose, *self._fixed))

    @property
    def fits_nothing(self) -> bool:
        """Whether it leaves no resource over."""
        return self.is_not and any(pattern.parts == [ANY] for pattern in self._fixed)

    @property
    def is_some_of_everything(self) -> bool:
        """Whether it is about some resources, and never about all, whatever its variables stand for."""
        return not self.is_not and all(pattern.start for pattern in self._widest)

    @property
    def fits_star(self) -> bool:
        """Whether it is about Resource `*`, which is what actions ask for that take no resource."""
        return any(pattern.takes_in(STAR) for pattern in self._fixed) is not self.is_not

    @property
    def _widest(self) -> tuple[ResourcePattern, ...]:
        return (*self._fixed, *self._loose)

    def may_meet(self, other: ResourceElement) -> bool:
        """Whether some resource may be of both, whatever variables stand for."""
        if self.is_not and other.is_not:
            return True
        if self.is_not or other.is_not:
            excluded, asked = (self, other) if self.is_not else (other, self)
            return not all(excluded._takes_in(asked_pattern) for asked_pattern in asked._widest)
        return self._overlaps(other)

    def _overlaps(self, other: ResourceElement) -> bool:
        """Whether a pattern of one has something in common with a pattern of the other."""
        return any(pattern.overlaps(two) for pattern, two in product(self._widest, other._widest))

    def covers(self, other: ResourceElement) -> bool:
        """Whether every resource of the other is surely one of this."""
        if other.is_not:
            return False
        if self.is_not:
            return not self._overlaps(other)
        return all(self._takes_in(pattern) for pattern in other._widest)

    def _takes_in(self, pattern: ResourcePattern) -> bool:
        return any(fixed_pattern.takes_in(pattern) for fixed_pattern in self._fixed)


def area_of(statement: Statement, *, has_variables: bool) -> ResourceElement | None:
    """None where every resource fits."""
    names, is_not = statement.resources, statement.is_not_resource
    if names is None or ("*" in names and not is_not):
        return None
    return ResourceElement(resource_templates(names, has_variables=has_variables), is_not=is_not)


def pattern_fits(area: ResourceElement | None) -> Fits | None:
    """What stands in the place of `CompiledStatement.fits` when a pattern is asked for."""
    return None if area is None else area.covers_request


def _filled(template: VariableText, loose: ResourcePattern, request: Request, asked: ResourcePattern) -> int:
    try:
        return relation(ResourcePattern(resource_tokens(template.fill(request))), asked)
    except OpenVariableError:
        return OPEN if loose.overlaps(asked) else NO
    except AbsentVariableError:
        return NO


__all__ = ["NO", "OPEN", "YES", "ResourceElement", "area_of", "asked_pattern", "pattern_fits"]
