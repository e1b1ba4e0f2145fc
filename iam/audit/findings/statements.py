"""Parses the statements of policy texts, each text once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple

from iam.policy.glob import compile_glob
from iam.policy.letter_case import fold, is_digits
from iam.policy.statements import as_list, statements_of

TEXTS_KEPT: Final = 20_000
ANSWERS_KEPT: Final = 100_000

ACCOUNT_FIELD: Final = 4
"""The place of the account in an ARN."""
SOME_ACCOUNT: Final = "999999999999"
SOME_ROLE: Final = "gatehouse-any-role"
PARTITIONS: Final = ("aws", "aws-cn", "aws-us-gov")


class AllowStatement(NamedTuple):
    """An Allow statement in the form for evidence.

    Actions are in lower case; `is_not` means NotAction; `is_everything` means that its resource is `*`.
    """

    number: int
    sid: str
    actions: tuple[str, ...]
    is_not: bool
    resources: tuple[str, ...]
    is_everything: bool
    has_condition: bool
    body: Mapping[str, Any]

    @property
    def condition_keys(self) -> frozenset[str]:
        """The keys of its conditions, in lower case."""
        block = self.body.get("Condition")
        tests = block.values() if isinstance(block, dict) else ()
        keys = chain.from_iterable(test for test in tests if isinstance(test, dict))
        return frozenset(fold(str(key)) for key in keys)

    @property
    def evidence(self) -> dict[str, Any]:
        """The statement as evidence, with its number from 1."""
        return {"statement": self.number, "sid": self.sid, "text": self.body}


@lru_cache(maxsize=TEXTS_KEPT)
def allows(text: str) -> tuple[AllowStatement, ...]:
    """The Allow statements of a policy."""
    return tuple(_allows(text))


def _allows(text: str) -> Iterator[AllowStatement]:
    for number, statement in enumerate(statements_of(text), 1):
        if statement.get("Effect") == "Allow":
            is_not = "NotAction" in statement
            element = "NotAction" if is_not else "Action"
            actions = as_list(statement.get(element, []))
            resources = tuple(str(name) for name in as_list(statement.get("Resource", [])))
            yield AllowStatement(
                number=number,
                sid=str(statement.get("Sid", "")),
                actions=tuple(fold(str(action)) for action in actions),
                is_not=is_not,
                resources=resources,
                is_everything="*" in resources,
                has_condition=bool(statement.get("Condition")),
                body=statement,
            )


def is_full(statement: AllowStatement) -> bool:
    """True if it allows every action on every resource."""
    everything = {"*", "*:*"}
    return statement.is_everything and not statement.is_not and bool(everything & set(statement.actions))


def matches_action(action: str) -> Callable[[str], bool]:
    """Return a function that tells whether a pattern, in lower case, matches an action."""
    lowered = fold(action)
    return lambda pattern: bool(compile_glob(pattern)(lowered))


def names_action_on_roles(action: str, *, of_any_account: bool = False) -> Callable[[AllowStatement], bool]:
    """Return a function that tells whether a statement allows the action on every role, but not every action.

    A pattern for all roles of one account counts too, unless the roles of any account are meant.
    """
    fits = matches_action(action)

    def names(statement: AllowStatement) -> bool:
        if statement.is_not or is_full(statement):
            return False
        is_wide = any(_is_every_role(name, of_any_account=of_any_account) for name in statement.resources)
        return is_wide and any(map(fits, statement.actions))

    return names


def _is_every_role(pattern: str, *, of_any_account: bool) -> bool:
    fields = pattern.split(":")
    account = SOME_ACCOUNT
    if not of_any_account and len(fields) > ACCOUNT_FIELD and is_digits(fields[ACCOUNT_FIELD]):
        account = fields[ACCOUNT_FIELD]
    matches = compile_glob(pattern)
    return any(matches(f"arn:{partition}:iam::{account}:role/{SOME_ROLE}") for partition in PARTITIONS)


@lru_cache(maxsize=ANSWERS_KEPT)
def first(text: str, fits: Callable[[AllowStatement], bool]) -> AllowStatement | None:
    """The first matching statement; unconditional ones come first."""
    fitting = [statement for statement in allows(text) if fits(statement)]
    return min(fitting, key=lambda statement: statement.has_condition, default=None)
