"""Converts the statements of a policy back to a choice in the builder, if possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from iam.access.builder.build import arns_for, grants_of
from iam.access.builder.parts import MAX_ARNS, MAX_PARTS, MAX_WHENS, BuilderCondition, ServicePart
from iam.policy.catalogue import catalogue
from iam.policy.catalogue.space import is_literal
from iam.policy.document import CURRENT, PolicyDocument, Statement, read
from iam.policy.letter_case import fold


@dataclass(frozen=True, slots=True)
class BuilderReading:
    """A document as a choice.

    `reasons` say why it does not fit; `notes` what has no effect and is left out.
    """

    parts: tuple[ServicePart, ...] = ()
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """True if the parts express the whole document."""
        return not self.reasons


def read_back(source: str | bytes | Mapping[str, object]) -> BuilderReading:
    """The parts of a document, or the reasons why it does not fit. Never raises."""
    document = read(source)
    reasons = [*map(str, document.problems), *_strange(document)]
    if reasons:
        return BuilderReading(reasons=tuple(reasons[:5]))
    single = list(chain.from_iterable(map(_of_statement, document.statements)))
    parts = _merged(single)
    if len(parts) > MAX_PARTS or any(_is_too_much(part) for part in parts):
        return BuilderReading(reasons=("It is too large for the builder.",))
    return BuilderReading(parts, notes=tuple(_idle(document)))


def _is_too_much(part: ServicePart) -> bool:
    return len(part.arns) > MAX_ARNS or len(part.whens) > MAX_WHENS


def _strange(document: PolicyDocument) -> Iterator[str]:
    """What the builder can't express, in words."""
    if not document.statements and not document.problems:
        yield "It has no statements."
    if document.version != CURRENT and not document.problems:
        yield f"Its Version is not {CURRENT}, so its variables are plain text."
    for statement in document.statements:
        yield from (f"Statement {statement.index + 1}: {reason}" for reason in _strange_in(statement))


def _strange_in(statement: Statement) -> Iterator[str]:
    yield from map(str, statement.problems)
    if not statement.allows:
        yield "it is a deny. The builder only supports allow."
    if statement.is_not_action or statement.is_not_resource:
        yield "it uses NotAction or NotResource."
    if statement.principals is not None:
        yield "it has a Principal element, as resource-based policies do."
    if statement.resources is None:
        yield "it has no Resource."
    known = catalogue()
    for action in statement.actions:
        if not known.has_service(action.partition(":")[0]):
            yield f"{action[:80]} names all services, or one that is unknown."
        elif not known.mask(action):
            yield f"{action[:80]} isn’t an AWS action."
    places = [(fold(operator), fold(key)) for operator, key, _ in statement.conditions]
    if len(set(places)) < len(places):
        yield "a condition key is used twice with one operator."


def _of_statement(statement: Statement) -> Iterator[ServicePart]:
    """A part for each service of a statement, limited to what has an effect."""
    known = catalogue()
    mask = 0
    prefixes: dict[str, None] = {}
    for action in statement.actions:
        mask |= known.mask(action)
        prefixes[fold(action.partition(":")[0])] = None
    resources = tuple(dict.fromkeys(statement.resources or ()))
    everywhere = "*" in resources
    arns = () if everywhere else resources
    whens = tuple(BuilderCondition(*condition) for condition in statement.conditions)
    for prefix in prefixes:
        names = known.names(mask & known.mask_of_service(prefix))
        part = ServicePart(prefix, names, everywhere, arns, whens)
        working_names = tuple(name for name in names if everywhere or _reaches(part, name))
        if not working_names:
            continue
        used_arns = set(chain.from_iterable(arns_for(part, name) for name in working_names))
        yield replace(part, actions=working_names, arns=tuple(arn for arn in arns if arn in used_arns))


def _reaches(part: ServicePart, name: str) -> bool:
    return bool(catalogue().resource_types(name)) and bool(arns_for(part, name))


def _merged(single: list[ServicePart]) -> tuple[ServicePart, ...]:
    """Merge parts of one service if that means the same."""
    parts: list[ServicePart] = []
    for part in single:
        for place, other in enumerate(parts):
            both = _both(other, part)
            if both is not None:
                parts[place] = both
                break
        else:
            parts.append(part)
    return tuple(map(_in_order, parts))


def _in_order(part: ServicePart) -> ServicePart:
    """The parts in canonical order, so that what is built from them reads back equally."""
    whens = tuple(sorted(part.whens, key=lambda when: when.block_position))
    return replace(part, arns=tuple(sorted(part.arns)), whens=whens)


def _both(part: ServicePart, other: ServicePart) -> ServicePart | None:
    """One part that is equal to both, or None."""
    if part.service != other.service:
        return None
    if part.everywhere != other.everywhere and not (_is_free(part) or _is_free(other)):
        return None
    whens = _joined(part.whens, other.whens)
    if whens is None:
        return None
    actions = catalogue().names(part.mask | other.mask)
    everywhere = part.everywhere and other.everywhere
    arns = tuple(dict.fromkeys((*part.arns, *other.arns)))
    both = ServicePart(part.service, actions, everywhere, arns, whens)
    says_the_same = grants_of([both]) == grants_of([part]) | grants_of([other])
    return both if says_the_same else None


def _is_free(part: ServicePart) -> bool:
    """True if all its actions work on `*` only, so that the resources of the other part don't matter."""
    return part.everywhere and not any(catalogue().resource_types(action) for action in part.actions)


def _joined(
    mine: tuple[BuilderCondition, ...], others: tuple[BuilderCondition, ...]
) -> tuple[BuilderCondition, ...] | None:
    """The conditions of both parts; those of only one become `where_known`. None if they contradict each
    other.
    """
    left, right = ({when.block_position: when for when in whens} for whens in (mine, others))
    joined = []
    for place in dict.fromkeys((*left, *right)):
        when_left, other = left.get(place), right.get(place)
        if when_left and other and set(when_left.values) != set(other.values):
            return None
        when = when_left or other
        assert when is not None
        is_partial = when_left is None or other is None or when_left.where_known or other.where_known
        joined.append(replace(when, where_known=is_partial))
    return tuple(joined)


def _idle(document: PolicyDocument) -> Iterator[str]:
    """Notes on content without effect, and on patterns, which are replaced by AWS's current actions."""
    for statement in document.statements:
        title = f"Statement {statement.index + 1}"
        has_patterns = not all(map(is_literal, statement.actions))
        if has_patterns:
            yield f"{title}: wildcards are shown as the actions that match today."
        parts = list(_of_statement(statement))
        if not has_patterns:
            names = set(chain.from_iterable(catalogue().expand(action) for action in statement.actions))
            lost = sorted(names.difference(*[part.actions for part in parts]))
            if lost:
                yield f"{title}: {', '.join(lost[:3])} doesn’t work on these resources, so it is left out."
        resources = statement.resources or ()
        if "*" in resources:
            continue
        used_arns = set(chain.from_iterable(part.arns for part in parts))
        for arn in resources:
            if arn not in used_arns:
                yield f"{title}: none of the actions works on {arn[:120]}, so it is left out."
