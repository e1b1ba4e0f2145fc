"""Statements compiled for repeated evaluation: actions are indexed, patterns compiled and conditions turned
into tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from iam.policy import variables
from iam.policy.arns import is_incomplete, missing_segments, resource_matcher, text_matchers
from iam.policy.condition import CompiledCondition, UnknownOperatorError, any_matches, compile_condition
from iam.policy.document import DocumentProblem, Names, PolicyDocument, Statement
from iam.policy.glob import ANY, Matcher, Token, compile_glob, from_tokens
from iam.policy.letter_case import fold
from iam.policy.logic import NO, OPEN, YES, negation
from iam.policy.memory import without_collecting
from iam.policy.principals import DIRECT, EVERYBODY, Grades, Match, compile_principals
from iam.policy.request import Request
from iam.policy.variables import AbsentVariableError, OpenVariableError, PolicyVariable, VariableText

Fits = Callable[[Request], int]


class PolicyKind(StrEnum):
    """The kinds of policies. Only resource-based policies name principals, and only they can omit
    resources.
    """

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SESSION = "session"
    RESOURCE = "resource"
    SCP = "scp"
    RCP = "rcp"
    ENDPOINT = "endpoint"


WITH_PRINCIPAL: Final = frozenset({PolicyKind.RESOURCE, PolicyKind.RCP, PolicyKind.ENDPOINT})
CHARACTERS: Final = 200
"""Rough number of characters that a statement, a condition or a resource has."""
REMEMBERED: Final = 4096
"""Number of distinct actions for which a policy set caches the statements that cover the action."""


@dataclass(slots=True)
class CompiledStatement:
    """A statement compiled for evaluation. `fits` None matches every resource; `means` None is a statement
    without a Principal element.

    `unknown` lists the problems that make AWS's reading of the statement unclear. The statement then applies
    at most OPEN.
    """

    source: Statement
    policy: str
    allows: bool
    covers_action: Matcher
    fits: Fits | None
    conditions: tuple[CompiledCondition, ...]
    means: Match | None
    unknown: tuple[DocumentProblem, ...] = ()

    def applies(self, request: Request) -> int:
        """Return NO, OPEN or YES for the resource and the conditions. Action and principal are checked
        separately.
        """
        result = YES if self.fits is None else self.fits(request)
        if not result:
            return NO
        for condition in self.conditions:
            mark = condition.test(request)
            if mark < result:
                if not mark:
                    return NO
                result = mark
        return OPEN if self.unknown and result else result

    def applies_to(self, request: Request, *, is_bounded: bool = False) -> tuple[int, Grades]:
        """Return the result of `applies` and the grades with which the Principal element names the caller. A
        statement without that element names everyone.

        A Deny with NotPrincipal applies to every principal with a permissions boundary (`is_bounded`), even
        to those it exempts. Source: "AWS JSON policy elements: NotPrincipal", key points.
        """
        if self.means is None or (is_bounded and self.source.is_not_principal and not self.allows):
            return self.applies(request), EVERYBODY
        grades = self.means(request.principal, request.strict)
        return (self.applies(request) if any(grades) else NO), grades

    @property
    def name(self) -> str:
        """The name of the statement for people: its Sid, or else its number."""
        return self.source.sid or f"statement {self.source.index + 1}"


def compile_statement(
    statement: Statement, *, policy: str, kind: PolicyKind, has_variables: bool
) -> CompiledStatement:
    """Compile a statement. Parts that AWS would not understand make its answers OPEN rather than being
    ignored.
    """
    with without_collecting(_size_of(statement)):
        return _compiled(statement, policy, kind, has_variables=has_variables)


def _size_of(statement: Statement) -> int:
    return CHARACTERS * (1 + len(statement.conditions) + len(statement.resources or ()))


def _compiled(
    statement: Statement, policy: str, kind: PolicyKind, *, has_variables: bool
) -> CompiledStatement:
    unknown = [*statement.problems, *_misplaced(statement, kind)]
    conditions = []
    for place, (operator, key, values) in enumerate(statement.conditions):
        try:
            conditions.append(compile_condition(operator, key, values, has_variables=has_variables))
        except UnknownOperatorError:
            unknown.append(
                DocumentProblem(
                    f"Statement[{statement.index}].Condition[{place}]",
                    f"{operator} isn’t a condition operator",
                )
            )
    means = None
    if statement.principals is not None:
        means = compile_principals(statement.principals, is_not=statement.is_not_principal)
    return CompiledStatement(
        source=statement,
        policy=policy,
        allows=statement.allows,
        covers_action=action_matcher(statement.actions, is_not=statement.is_not_action),
        fits=_resources(statement.resources, is_not=statement.is_not_resource, has_variables=has_variables),
        conditions=tuple(conditions),
        means=means,
        unknown=tuple(unknown),
    )


def with_resources(
    compiled: CompiledStatement, source: Statement, *, has_variables: bool
) -> CompiledStatement:
    """Return a copy of a compiled statement without problems that has the resources of `source`. All other
    parts are shared.
    """
    fits = _resources(source.resources, is_not=source.is_not_resource, has_variables=has_variables)
    return CompiledStatement(
        source,
        compiled.policy,
        compiled.allows,
        compiled.covers_action,
        fits,
        compiled.conditions,
        compiled.means,
    )


def _misplaced(statement: Statement, kind: PolicyKind) -> list[DocumentProblem]:
    """Return the problems of elements that are required or not allowed in this kind of policy."""
    place = f"Statement[{statement.index}]"
    if kind in WITH_PRINCIPAL:
        return _misplaced_principal(statement, kind, place)
    problems = (
        [DocumentProblem(f"{place}.Resource", "is missing, and so is NotResource")]
        if statement.resources is None
        else []
    )
    if statement.principals is not None:
        problems.append(DocumentProblem(f"{place}.Principal", "has no place in this kind of policy"))
    if kind is PolicyKind.SESSION and any(is_incomplete(name) for name in statement.resources or ()):
        problems.append(
            DocumentProblem(f"{place}.Resource", "is an incomplete ARN, which no session policy may have")
        )
    return problems


def _misplaced_principal(statement: Statement, kind: PolicyKind, place: str) -> list[DocumentProblem]:
    """Return the problems of the Principal element.

    Source: "AWS JSON policy elements: NotPrincipal", "RCP syntax".
    """
    if statement.principals is None:
        return [DocumentProblem(f"{place}.Principal", "is missing")]
    if not statement.is_not_principal:
        is_right = kind is not PolicyKind.RCP or statement.principals == {"AWS": ("*",)}
        return [] if is_right else [DocumentProblem(f"{place}.Principal", "must be * in this kind of policy")]
    problems = [DocumentProblem(f"{place}.NotPrincipal", "works with Deny only")] if statement.allows else []
    if kind is PolicyKind.RCP:
        problems.append(DocumentProblem(f"{place}.NotPrincipal", "has no place in this kind of policy"))
    return problems


def action_matcher(names: Names, *, is_not: bool) -> Matcher:
    """Return the matcher of an Action or NotAction element. It expects the action in lower case."""
    lowered = [fold(name) for name in names]
    exact = frozenset(name for name in lowered if "*" not in name and "?" not in name)
    patterns = [compile_glob(name) for name in lowered if name not in exact]
    match: Matcher
    if not patterns:
        match = exact.__contains__
    elif exact:
        match = any_matches([exact.__contains__, *patterns])
    else:
        match = any_matches(patterns)
    return (lambda action: not match(action)) if is_not else match


def _resources(names: Names | None, *, is_not: bool, has_variables: bool) -> Fits | None:
    """Return the test of the resources, or None if it always passes. A statement without the element, as in a
    trust policy, concerns the resource that it is attached to.
    """
    if names is None or ("*" in names and not is_not):
        return None
    quick, others = _quick(names, has_variables=has_variables)
    plain = [name for name in others if not (has_variables and "${" in name) and not is_incomplete(name)]
    rest = [name for name in others if (has_variables and "${" in name) or is_incomplete(name)]
    templates = resource_templates(tuple(rest), has_variables=has_variables)
    slow = text_matchers(plain)
    slow += [
        resource_matcher(template.fill_without_request()) for template in templates if not template.variables
    ]
    matcher = any_matches([*quick, *slow])
    open_ones = tuple((each, from_tokens(with_anything(each))) for each in templates if each.variables)

    def fits(request: Request) -> int:
        if matcher(request.resource):
            result = YES
        elif open_ones:
            result = _filled(open_ones, request)
        else:
            result = NO
        return negation(result) if is_not else result

    return fits


def _quick(names: Names, *, has_variables: bool) -> tuple[list[Matcher], Names]:
    """Return matchers for exact names and prefixes, which are fast, and the names that are neither."""
    exact, beginnings, others = set(), [], []
    for name in names:
        wild = name.find("*")
        if "?" in name or (has_variables and "${" in name) or is_incomplete(name):
            others.append(name)
        elif wild < 0:
            exact.add(name)
        elif wild == len(name) - 1:
            beginnings.append(name[:-1])
        else:
            others.append(name)
    matchers: list[Matcher] = []
    if exact:
        matchers.append(frozenset(exact).__contains__)
    if beginnings:
        starts = tuple(beginnings)
        matchers.append(lambda text: text.startswith(starts))
    return matchers, tuple(others)


def resource_templates(names: Names, *, has_variables: bool) -> list[VariableText]:
    """Parse the patterns of a Resource or NotResource element and complete incomplete ARNs."""
    return [_completed(variables.read(name, has_variables=has_variables)) for name in names]


def with_anything(template: VariableText) -> list[Token]:
    """Return a pattern that matches at least as much as any values of the variables would. Values can contain
    colons, which change the meaning of a later star.
    """
    wider: list[Token] = []
    for part in template.parts:
        if isinstance(part, PolicyVariable):
            wider.append(ANY)
        else:
            wider.append(part)
    return wider


def _completed(template: VariableText) -> VariableText:
    parts = template.parts
    if not is_incomplete(parts):
        return template
    return VariableText((*parts, *missing_segments(parts)), template.variables)


def _filled(templates: tuple[tuple[VariableText, Matcher], ...], request: Request) -> int:
    """Match patterns with variables. A pattern with an absent variable doesn't match; with an open variable
    it gives OPEN.

    The matcher in each pair covers all values that the variables can have. If it doesn't match, open
    variables make no difference.
    """
    result = NO
    for template, widest in templates:
        if not widest(request.resource):
            continue
        try:
            if resource_matcher(template.fill(request))(request.resource):
                return YES
        except OpenVariableError:
            result = OPEN
        except AbsentVariableError:
            continue
    return result


Entry = tuple[CompiledStatement, ...]


@dataclass(slots=True)
class PolicySet:
    """Statements that are evaluated together, such as all identity-based policies of a user. `problems`
    concern whole documents.
    """

    kind: PolicyKind
    statements: tuple[CompiledStatement, ...]
    problems: tuple[tuple[str, DocumentProblem], ...] = ()
    _by_action: dict[str, Entry] = field(default_factory=dict)

    def speaking_of(self, action: str) -> Entry:
        """Return the statements whose Action element covers an action (in lower case)."""
        speaking = self._by_action.get(action)
        if speaking is None:
            if len(self._by_action) >= REMEMBERED:
                self._by_action.clear()
            speaking = tuple(compiled for compiled in self.statements if compiled.covers_action(action))
            self._by_action[action] = speaking
        return speaking

    def judge(self, request: Request) -> tuple[int, int]:
        """Return (denied, allowed), each NO, OPEN or YES. Principal elements, which endpoint policies have,
        must match the caller.
        """
        denied, allowed = NO, NO
        for compiled in self.speaking_of(request.lowered):
            if compiled.allows and allowed == YES:
                continue
            mark = compiled.applies(request)
            if not mark:
                continue
            if compiled.means is not None:
                mark = min(mark, max(compiled.means(request.principal, request.strict)))
            if compiled.allows:
                allowed = max(allowed, mark)
            elif mark == YES:
                return YES, allowed
            else:
                denied = max(denied, mark)
        return denied, allowed

    def judge_grades(self, request: Request, *, is_bounded: bool) -> tuple[int, int, int, int]:
        """Return how a resource-based policy or a trust policy treats the caller: (denied, allowed to the
        account, to the role, directly).
        """
        denied, grades = NO, [NO, NO, NO]
        for compiled in self.speaking_of(request.lowered):
            mark, means = compiled.applies_to(request, is_bounded=is_bounded)
            if not mark:
                continue
            if compiled.allows:
                for grade, certainty in enumerate(means):
                    grades[grade] = max(grades[grade], min(mark, certainty))
            else:
                denied = max(denied, min(mark, max(means)))
        return denied, grades[0], grades[1], grades[DIRECT]


def compile_set(documents: Iterable[tuple[str, PolicyDocument]], *, kind: PolicyKind) -> PolicySet:
    """Compile (name, document) pairs into one set."""
    statements: list[CompiledStatement] = []
    problems: list[tuple[str, DocumentProblem]] = []
    for name, document in documents:
        problems += [(name, problem) for problem in document.problems]
        with without_collecting(sum(map(_size_of, document.statements))):
            statements += [
                compile_statement(statement, policy=name, kind=kind, has_variables=document.has_variables)
                for statement in document.statements
            ]
    return PolicySet(kind, tuple(statements), tuple(problems))
