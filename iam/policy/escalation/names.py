"""Names that an attacker would choose: resource names that match policy patterns, where the name is free to
choose.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, product
from typing import Final

from iam.policy.arns import resource_tokens
from iam.policy.catalogue import catalogue
from iam.policy.compiled import resource_templates, with_anything
from iam.policy.glob import ANY, ONE, ONE_WITHIN, WITHIN, Token, tokens
from iam.policy.index.documents import IndexedStatement

FILLER: Final = "x"
NOBODY: Final = "gatehouse-nobody-has-this-name"
MAX_NAMES: Final = 40
"""Maximum number of names to try per resource type."""
PLACEHOLDER: Final = re.compile(r"\$\{[^}]*\}")
STARS: Final = frozenset({ANY, WITHIN})
PLACES: Final = {ANY: WITHIN, ONE: ONE_WITHIN}
"""Freely chosen parts of a name have no colons."""


@lru_cache(maxsize=8192)
def template_of(action: str, type_name: str, *, partition: str, region: str, account: str) -> str:
    """Return the ARN of a resource type of the action's service, with `*` in place of freely chosen parts."""
    arn = catalogue().resource_arn(action.partition(":")[0], type_name) or "*"
    for name, value in (("Partition", partition), ("Region", region), ("Account", account)):
        arn = arn.replace(f"${{{name}}}", value)
    return PLACEHOLDER.sub("?*", arn)


def matching_names(clauses: Iterable[Sequence[IndexedStatement]], template: str) -> tuple[str, ...]:
    """Return names of the template that match patterns of the clauses: each pattern alone, and one pattern of
    each group together.
    """
    own = _own(template)
    groups = [_patterns(group) for group in clauses]
    names = dict.fromkeys(filter(None, [common((own,))]))
    for group in groups:
        for pattern in group:
            _add_name(names, common((own, pattern)))
    if len(groups) > 1:
        for first in groups[0]:
            for second in groups[1]:
                _add_name(names, common((own, first, second)))
    return tuple(names)[:MAX_NAMES]


def names_for(clauses: Iterable[IndexedStatement], template: str) -> tuple[str, ...]:
    """Return the shortest name of the template, and one for each pattern of the clauses."""
    return matching_names([tuple(clauses)], template)


def common_name(template: str, *patterns: str) -> str | None:
    """Return the shortest name of the template that matches all patterns, or None."""
    own = _own(template)
    return common(
        (own, *(tuple(resource_tokens(tokens(PLACEHOLDER.sub("*", pattern)))) for pattern in patterns))
    )


@lru_cache(maxsize=4096)
def _own(template: str) -> tuple[Token, ...]:
    return tuple(PLACES.get(part, part) for part in tokens(template))


def _add_name(names: dict[str, None], name: str | None) -> None:
    if name is not None and len(names) < MAX_NAMES:
        names[name] = None


def _patterns(clauses: Sequence[IndexedStatement]) -> tuple[tuple[Token, ...], ...]:
    patterns_by_tokens: dict[tuple[Token, ...], None] = {}
    for clause in clauses:
        names = clause.resources
        if clause.allows and names is not None and not clause.shape.is_not_resource and "*" not in names:
            for template in resource_templates(names, has_variables=clause.has_variables):
                patterns_by_tokens[tuple(resource_tokens(with_anything(template)))] = None
    return tuple(patterns_by_tokens)[:MAX_NAMES]


@lru_cache(maxsize=8192)
def common(patterns: tuple[tuple[Token, ...], ...]) -> str | None:
    """Return the shortest text that matches all patterns, found breadth-first, or None."""
    if len(patterns) == 1:
        return _shortest(patterns[0])
    start = tuple(0 for _ in patterns)
    seen = {start}
    waiting: deque[tuple[tuple[int, ...], str]] = deque([(start, "")])
    while waiting:
        places, text = waiting.popleft()
        if _are_done(patterns, places):
            is_longer = any(_are_done(patterns, further) for further in _after(patterns, places, FILLER))
            return text + FILLER if is_longer else text
        for letter in _letters(patterns, places):
            for further in _after(patterns, places, letter):
                if further not in seen:
                    seen.add(further)
                    waiting.append((further, text + letter))
    return None


def _shortest(pattern: tuple[Token, ...]) -> str:
    """Return the shortest text that matches one pattern."""
    text = ""
    for part in pattern:
        if part not in STARS:
            text += part if len(part) == 1 else FILLER
    return text + FILLER if pattern and pattern[-1] in STARS else text


def _are_done(patterns: Sequence[Sequence[Token]], places: Sequence[int]) -> bool:
    rests = (pattern[place:] for pattern, place in zip(patterns, places, strict=True))
    return all(part in STARS for part in chain.from_iterable(rests))


def _letters(patterns: Sequence[Sequence[Token]], places: Sequence[int]) -> dict[str, None]:
    """Return the letters that can follow: those that a pattern requires, or the filler if all patterns accept
    anything.
    """
    letters: dict[str, None] = {}
    for pattern, place in zip(patterns, places, strict=True):
        while place < len(pattern):
            part = pattern[place]
            letters[part if len(part) == 1 else FILLER] = None
            if part not in STARS:
                break
            place += 1
    return letters


def _after(
    patterns: Sequence[Sequence[Token]], places: Sequence[int], letter: str
) -> Iterable[tuple[int, ...]]:
    """Return the possible places of each pattern after the letter, as combinations."""
    steps = (_steps(pattern, place, letter) for pattern, place in zip(patterns, places, strict=True))
    return product(*steps)


def _steps(pattern: Sequence[Token], place: int, letter: str) -> list[int]:
    steps = []
    while place < len(pattern):
        part = pattern[place]
        if part not in STARS:
            if part in (letter, ONE) or (part == ONE_WITHIN and letter != ":"):
                steps.append(place + 1)
            break
        if part == ANY or letter != ":":
            steps.append(place)
        place += 1
    return steps
