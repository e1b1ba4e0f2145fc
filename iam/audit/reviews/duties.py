"""Separation of duties: finds who can do both of two things, using the who-can index; also for receipts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any, Final, Self

from iam.access.actions import ActionsError, select_actions
from iam.access.multi_action import tallied
from iam.audit.reviews.models import SodRule, SodStatus
from iam.changes.access_effects import AffectedPrincipal
from iam.changes.assertion_checks import NAMED, AssertionQuestion, BrokenAssertion
from iam.changes.world import FIRST_MADE
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion

MAX_LINES: Final = 20
MAX_LENGTH: Final = 512


class InvalidDutiesError(ValueError):
    """Raised for invalid terms; `field` is the form field, and `errors` has the message of each wrong
    field.
    """

    def __init__(self, message: str, *, field: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message, self.field = message, field
        self.errors = dict(errors or {field: message})


@dataclass(frozen=True, slots=True)
class SodTerms:
    """No one may do one of `first` and one of `second`, on any resource, in these accounts (empty: all).

    `exempt` are names of users and roles, with * and ?.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Parse the output of `to_json`."""
        return cls(*(tuple(body[name]) for name in ("first", "second", "accounts", "exempt")))

    def to_json(self) -> dict[str, Any]:
        """The JSON that a row stores."""
        return {
            "first": list(self.first),
            "second": list(self.second),
            "accounts": list(self.accounts),
            "exempt": list(self.exempt),
        }

    def covers(self, account: str) -> bool:
        """True if the account's users and roles are checked."""
        return not self.accounts or account in self.accounts

    def exempts(self, name: str) -> bool:
        """True if a user or role is exempt by name."""
        patterns = (pattern.lower().replace("[", "[[]") for pattern in self.exempt)
        return any(fnmatchcase(name.lower(), pattern) for pattern in patterns)


def check(terms: SodTerms) -> None:
    """Raise InvalidDutiesError for terms that can't be checked, with all that is wrong."""
    problems = {
        "first": _problem_of_actions(terms.first),
        "second": _problem_of_actions(terms.second),
        "exempt": _problem_of_length(terms.exempt),
    }
    if set(terms.first) & set(terms.second):
        problems["second"] = problems["second"] or "The same action can’t be on both sides."
    errors = {field: problem for field, problem in problems.items() if problem}
    if errors:
        field, message = next(iter(errors.items()))
        raise InvalidDutiesError(message, field=field, errors=errors)


def _problem_of_actions(lines: Sequence[str]) -> str:
    if not lines:
        return "Enter at least one action, such as iam:CreateUser."
    if problem := _problem_of_length(lines):
        return problem
    for pattern in lines:
        try:
            warning = select_actions(pattern).warning
        except ActionsError as error:
            return str(error)
        if warning:
            return warning.removesuffix(" The answer uses it as entered.")
    return ""


def _problem_of_length(lines: Sequence[str]) -> str:
    if len(lines) > MAX_LINES or any(len(line) > MAX_LENGTH for line in lines):
        return f"Enter at most {MAX_LINES} lines of at most {MAX_LENGTH} characters."
    return ""


def active_rules() -> list[SodRule]:
    """The active rules, by name."""
    return list(SodRule.objects.filter(status=SodStatus.ACTIVE).order_by("name", "pk"))


def breakers(index: PolicyIndex, account: str, terms: SodTerms) -> dict[int, IndexedPrincipal]:
    """Return the users and roles of an account that can do both, certainly or conditionally, by
    primary key.
    """
    if index.accounts.get(account) is None or not terms.covers(account):
        return {}
    first = _able(index, account, terms.first)
    second = _able(index, account, terms.second) if first else {}
    both: dict[int, IndexedPrincipal] = {}
    for number, member in first.items():
        if number in second and not terms.exempts(member.name):
            both[number] = member
    return both


def _able(index: PolicyIndex, account: str, patterns: Sequence[str]) -> dict[int, IndexedPrincipal]:
    question = AccessQuestion("", "*", accounts=frozenset({account}))
    actions = actions_of(patterns)
    who = tallied(index, question, actions).whole if actions else None
    groups = who.groups_of() if who else ()
    members = chain.from_iterable(group.members for group in groups)
    return {member.id: member for member in members}


def actions_of(patterns: Sequence[str]) -> tuple[str, ...]:
    """Return the actions that the patterns match. Actions that AWS doesn't have are left out."""
    actions: dict[str, None] = {}
    for pattern in patterns:
        try:
            actions |= dict.fromkeys(select_actions(pattern).actions)
        except ActionsError:
            continue
    return tuple(actions)


def duties_broken_by(question: AssertionQuestion) -> Iterator[BrokenAssertion]:
    """The active rules that principals would newly break, by account, for receipts."""
    for rule in active_rules():
        terms = SodTerms.from_json(rule.terms)
        for number in sorted(question.accounts):
            after = breakers(question.concerned(), number, terms)
            now = breakers(question.before, number, terms) if after else {}
            known = {member.arn for member in now.values()}
            names = [_named(member) for member in after.values() if member.arn not in known]
            if names:
                yield BrokenAssertion(
                    key=f"sod:{rule.pk}",
                    name=rule.name,
                    actions=(*terms.first, *terms.second),
                    account_id=number,
                    names=tuple(names[:NAMED]),
                    more=max(0, len(names) - NAMED),
                )


def _named(member: IndexedPrincipal) -> AffectedPrincipal:
    kind = "user" if ":user/" in member.arn else "role"
    number = member.id if member.id < FIRST_MADE else None
    return AffectedPrincipal(member.name, kind, number)
