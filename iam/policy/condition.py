"""A test of a Condition block, compiled from an operator, a key and the policy's values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from iam.policy import variables
from iam.policy.glob import Matcher
from iam.policy.letter_case import fold
from iam.policy.logic import NO, OPEN, YES, negation
from iam.policy.operators import IF_EXISTS, NULL, OPERATORS, QUANTIFIERS, ConditionOperator, plain
from iam.policy.request import Request, Values
from iam.policy.variables import AbsentVariableError, OpenVariableError, VariableText

Test = Callable[[Request], int]
MAX_SPELLED_VALUES: Final = 4
SHORT: Final = 64
"""Maximum number and length of values for which equal tests share a cached matcher."""
NOTHING: Values = ("",)
"""ForAllValues and ForAnyValue treat an empty text as no value. Source: "Creating a condition with multiple
keys or values".
"""


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """A test as written in the policy, and the function that returns NO, OPEN or YES for a request."""

    operator: str
    key: str
    values: tuple[str, ...]
    test: Test

    def __str__(self) -> str:
        return f"{self.operator} {self.key}: {', '.join(self.values)}"


class UnknownOperatorError(ValueError):
    """The name isn't a condition operator."""


def compile_condition(
    operator: str, key: str, values: Sequence[str], *, has_variables: bool
) -> CompiledCondition:
    """Compile a test. Several values are alternatives; a negated operator requires that none of them matches.
    Raises UnknownOperatorError.
    """
    name = fold(operator)
    quantifier, colon, base = name.partition(":")
    if not colon:
        quantifier, base = "", name
    elif quantifier not in QUANTIFIERS:
        raise UnknownOperatorError(operator)
    lowered = fold(key)
    if base == NULL:
        return CompiledCondition(operator, key, tuple(values), _null(lowered, values))
    if_exists = base.endswith(IF_EXISTS)
    base = base.removesuffix(IF_EXISTS)
    known = OPERATORS.get(base)
    if known is None:
        raise UnknownOperatorError(operator)
    has_variables = has_variables and known.is_text and any("${" in value for value in values)
    templates = [variables.read(value, has_variables=True) for value in values] if has_variables else []
    matcher = _fixed(known, templates) if has_variables else _of_texts(known, values)
    absent = _when_absent(known, quantifier, if_exists=if_exists)
    test = (
        _against_filled(lowered, known, templates, quantifier, absent)
        if matcher is None
        else _against_fixed(lowered, matcher, quantifier, absent, is_negated=known.is_negated)
    )
    return CompiledCondition(operator, key, tuple(values), test)


def _when_absent(known: ConditionOperator, quantifier: str, *, if_exists: bool) -> int:
    """Return the result for a request without the key. Negated operators and ForAllValues pass; ForAnyValue
    and all others fail.
    """
    if if_exists or quantifier == "forallvalues":
        return YES
    return YES if known.is_negated and not quantifier else NO


def _null(key: str, values: Sequence[str]) -> Test:
    """Return the test of the Null operator: `true` requires that the key is absent. Several values are
    alternatives.
    """
    wanted = {fold(value) for value in values} & {"true", "false"}
    if len(wanted) != 1:
        mark = YES if wanted else NO
        return lambda request: mark
    present, absent = (NO, YES) if wanted == {"true"} else (YES, NO)

    def test(request: Request) -> int:
        request_values = request.values(key)
        if request_values is None:
            return OPEN
        return present if request_values else absent

    return test


def _of_texts(known: ConditionOperator, values: Sequence[str]) -> Matcher:
    """Return one matcher for all values, which have no variables. It is cached for few short values, because
    many statements repeat them.
    """
    if len(values) <= MAX_SPELLED_VALUES and all(len(value) <= SHORT for value in values):
        return _shared(known, tuple(values))
    return _made(known, values)


@lru_cache(maxsize=2048)
def _shared(known: ConditionOperator, values: tuple[str, ...]) -> Matcher:
    return _made(known, values)


def _made(known: ConditionOperator, values: Sequence[str]) -> Matcher:
    if known.make is OPERATORS["stringequals"].make:
        return frozenset(values).__contains__
    distinct = tuple(dict.fromkeys(values))
    if known.make is not OPERATORS["stringlike"].make:
        return any_matches([known.of_text(value) for value in distinct])
    # All values without a wildcard need only one look-up.
    exact = frozenset(value for value in distinct if "*" not in value and "?" not in value)
    matchers: list[Matcher] = []
    if exact or not distinct:
        matchers.append(exact.__contains__)
    matchers += [known.of_text(value) for value in distinct if value not in exact]
    return any_matches(matchers)


def _fixed(known: ConditionOperator, templates: Sequence[VariableText]) -> Matcher | None:
    """Return one matcher for all values, or None if a value has a variable."""
    if any(template.variables for template in templates):
        return None
    parts = [template.fill_without_request() for template in templates]
    if known.make is OPERATORS["stringequals"].make:
        return frozenset(plain(part) for part in parts).__contains__
    return any_matches([known.make(part) for part in parts])


def any_matches(matchers: Sequence[Matcher]) -> Matcher:
    """Return a matcher that passes if any of the matchers does."""
    if len(matchers) == 1:
        return matchers[0]
    all_matchers = tuple(matchers)

    def match(text: str) -> bool:
        for matcher in all_matchers:  # noqa: SIM110 - half the time of any() with a generator
            if matcher(text):
                return True
        return False

    return match


def _against_fixed(key: str, match: Matcher, quantifier: str, absent: int, *, is_negated: bool) -> Test:
    if quantifier:
        combine = all if quantifier == "forallvalues" else any

        def test_each(request: Request) -> int:
            request_values = request.values(key)
            if not request_values or request_values == NOTHING:
                return OPEN if request_values is None else absent
            return YES if combine(match(value) is not is_negated for value in request_values) else NO

        return test_each
    passed, failed = (NO, YES) if is_negated else (YES, NO)

    def test(request: Request) -> int:
        request_values = request.values(key)
        if not request_values:
            return OPEN if request_values is None else absent
        for value in request_values:
            if match(value):
                return passed
        return failed

    return test


def _against_filled(
    key: str, known: ConditionOperator, templates: Sequence[VariableText], quantifier: str, absent: int
) -> Test:
    """Return the test for values with variables, which each request fills in. A value with an absent variable
    matches nothing.
    """

    def test(request: Request) -> int:
        request_values = request.values(key)
        if not request_values or (quantifier and request_values == NOTHING):
            return OPEN if request_values is None else absent
        matchers, is_open = [], False
        for template in templates:
            try:
                matchers.append(known.make(template.fill(request)))
            except OpenVariableError:
                is_open = True
            except AbsentVariableError:
                continue
        return _judge(request_values, matchers, known, quantifier, is_open=is_open)

    return test


def _judge(
    values: Values, matchers: list[Matcher], known: ConditionOperator, quantifier: str, *, is_open: bool
) -> int:
    marks = []
    for value in values:
        if any(match(value) for match in matchers):
            mark = YES
        elif is_open:
            mark = OPEN
        else:
            mark = NO
        if known.is_negated:
            mark = negation(mark)
        marks.append(mark)
    if quantifier == "foranyvalue" or (not quantifier and not known.is_negated):
        return max(marks)
    return min(marks)
