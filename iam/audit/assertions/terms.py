"""The terms of an assertion: actions, resources, allowed principals and accounts. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Final, Self

from iam.access.actions import ActionsError, select_actions
from iam.policy.evaluate import ASSUMING
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.shard import AccountShard
from iam.policy.letter_case import fold
from iam.policy.request import account_of

MAX_LINES: Final = 50
MAX_LENGTH: Final = 512
ACCOUNT: Final = re.compile(r"\d{12}")
ARN: Final = re.compile(r"arn:[a-z*?-]+:[A-Za-z0-9*?-]+:[A-Za-z0-9*?-]*:[0-9*?]*:\S+")
PERMISSION_SET: Final = re.compile(r"AWSReservedSSO_(?P<name>.+)_[0-9a-f]{16}")
SSO_PATH: Final = ":role/aws-reserved/sso.amazonaws.com/"


class AllowedKind(StrEnum):
    """The ways to name allowed principals."""

    USER = "user"
    ROLE = "role"
    GROUP = "group"
    PERMISSION_SET = "permission-set"
    ACCOUNT = "account"
    TAG = "tag"


class InvalidTermsError(ValueError):
    """Raised for invalid terms; `field` is the form field."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.message, self.field = message, field
        self.errors = {field: message}


@dataclass(frozen=True, slots=True)
class AllowedPrincipal:
    """Allowed users and roles.

    `value` is a name or ARN with `*` and `?`, an account ID, or a tag as `key=value`.
    """

    kind: AllowedKind
    value: str

    def includes(self, member: IndexedPrincipal, shard: AccountShard) -> bool:
        """True if the user or role is included."""
        match self.kind:
            case AllowedKind.ACCOUNT:
                return member.account == self.value
            case AllowedKind.TAG:
                key, _, value = self.value.partition("=")
                tag = (member.tags or {}).get(key)
                return tag is not None and fnmatchcase(tag, value)
            case AllowedKind.GROUP:
                groups = [number for number in member.grants.groups if number in shard.groups]
                return self.names_group(shard.groups[number].name for number in groups)
        return self.names(member.kind.value, member.name, member.arn)

    def names(self, kind: str, name: str, arn: str) -> bool:
        """True if it names the user or role itself, or the role's permission set."""
        if self.kind is AllowedKind.PERMISSION_SET:
            match = PERMISSION_SET.fullmatch(name) if SSO_PATH in arn else None
            return match is not None and self._fits(match["name"])
        return self.kind.value == kind and self._fits(name, arn)

    def names_group(self, names: Iterable[str]) -> bool:
        """True if it names one of these groups."""
        return self.kind is AllowedKind.GROUP and self._fits(*names)

    def _fits(self, *names: str) -> bool:
        """True if the name matches. IAM names are case-insensitive."""
        pattern = _literal_brackets(self.value.lower())
        return any(fnmatchcase(name.lower(), pattern) for name in names)


def _literal_brackets(pattern: str) -> str:
    """Escape brackets, since only `*` and `?` are wildcards."""
    return pattern.replace("[", "[[]")


@dataclass(frozen=True, slots=True)
class AssertionTerms:
    """Of the users and roles in `accounts` (empty: all), only `allowed` can do one of `actions` on one of
    `resources`.

    With `counts_conditional`, access under conditions or to part of the resources counts as access.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    allowed: tuple[AllowedPrincipal, ...] = ()
    accounts: tuple[str, ...] = ()
    counts_conditional: bool = True

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Parse the output of `to_json`."""
        allowed = []
        for each in body["allowed"]:
            allowed.append(AllowedPrincipal(AllowedKind(each["kind"]), each["value"]))
        return cls(
            tuple(body["actions"]),
            tuple(body["resources"]),
            tuple(allowed),
            tuple(body["accounts"]),
            body["counts_conditional"],
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON that a row stores."""
        body: dict[str, Any] = asdict(self)
        body["allowed"] = [{"kind": each.kind.value, "value": each.value} for each in self.allowed]
        return body

    def covers(self, account: str) -> bool:
        """True if the account's users and roles are checked."""
        return not self.accounts or account in self.accounts

    def allows(self, member: IndexedPrincipal, shard: AccountShard) -> bool:
        """True if the user or role is allowed."""
        return any(each.includes(member, shard) for each in self.allowed)

    @property
    def names_tags(self) -> bool:
        """True if tags determine who is allowed."""
        return any(each.kind is AllowedKind.TAG for each in self.allowed)

    @property
    def assumes_roles_anywhere(self) -> bool:
        """True if it concerns assuming roles of any account, so that their trust policies matter."""
        for resource, actions in self.questions():
            is_anywhere = "*" in account_of(resource) or not account_of(resource)
            if is_anywhere and any(fold(action) in ASSUMING for action in actions):
                return True
        return False

    def questions(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return each resource with the actions to evaluate. Combinations that AWS doesn't have are
        left out.
        """
        questions = []
        for resource in self.resources:
            actions: dict[str, None] = {}
            for pattern in self.actions:
                actions |= dict.fromkeys(_meant(pattern, resource))
            if actions:
                questions.append((resource, tuple(actions)))
        return questions


def _meant(pattern: str, resource: str) -> tuple[str, ...]:
    try:
        actions = select_actions(pattern, resource=resource)
    except ActionsError:
        return ()
    return () if actions.warning else actions.actions


def check(terms: AssertionTerms) -> None:
    """Raise InvalidTermsError for terms that can't be checked."""
    for error in errors_in(terms):
        raise error


def errors_in(terms: AssertionTerms) -> list[InvalidTermsError]:
    """Return what is wrong: one error each for actions, resources, accounts, and each allowed kind."""
    errors: list[InvalidTermsError] = []
    parts: list[Callable[[AssertionTerms], None]] = [_check_actions, _check_resources, _check_accounts]
    parts += [partial(_check_allowed, kind=kind) for kind in AllowedKind]
    for part in parts:
        try:
            part(terms)
        except InvalidTermsError as error:
            errors.append(error)
    if errors:
        return errors
    for pattern in terms.actions:
        if not any(_meant(pattern, resource) for resource in terms.resources):
            return [InvalidTermsError(f"{pattern} doesn’t work on any of these resources.", field="actions")]
    return []


def _check_actions(terms: AssertionTerms) -> None:
    _check_lines(terms.actions, "actions", "Enter at least one action, such as iam:CreateUser.")
    for pattern in terms.actions:
        try:
            warning = select_actions(pattern).warning
        except ActionsError as error:
            raise InvalidTermsError(str(error), field="actions") from None
        if warning:
            raise InvalidTermsError(warning.removesuffix(" The answer uses it as entered."), field="actions")


def _check_resources(terms: AssertionTerms) -> None:
    _check_lines(terms.resources, "resources", "Enter at least one resource ARN, or * for every resource.")
    for resource in terms.resources:
        if resource != "*" and not ARN.fullmatch(resource):
            raise InvalidTermsError(
                f"“{resource[:80]}” isn’t an ARN. Use one such as arn:aws:s3:::vault/*, or * for all.",
                field="resources",
            )


def _check_accounts(terms: AssertionTerms) -> None:
    for number in terms.accounts:
        if not ACCOUNT.fullmatch(number):
            raise InvalidTermsError(
                f"“{number[:40]}” isn’t an account ID. It has 12 digits.", field="accounts"
            )


def _check_lines(lines: Sequence[str], field: str, missing: str) -> None:
    if not lines:
        raise InvalidTermsError(missing, field=field)
    if len(lines) > MAX_LINES:
        raise InvalidTermsError(f"Enter at most {MAX_LINES} lines.", field=field)
    for line in lines:
        if len(line) > MAX_LENGTH:
            raise InvalidTermsError(f"A line has at most {MAX_LENGTH} characters.", field=field)


def _check_allowed(terms: AssertionTerms, *, kind: AllowedKind) -> None:
    if kind is AllowedKind.USER and len(terms.allowed) > MAX_LINES:
        raise InvalidTermsError(f"Enter at most {MAX_LINES} lines.", field="allowed_user")
    field = f"allowed_{kind.name.lower()}"
    for each in terms.allowed:
        if each.kind is not kind:
            continue
        if not each.value or len(each.value) > MAX_LENGTH:
            raise InvalidTermsError("Enter a name of at most 512 characters.", field=field)
        if each.kind is AllowedKind.ACCOUNT and not ACCOUNT.fullmatch(each.value):
            raise InvalidTermsError(
                f"“{each.value[:40]}” isn’t an account ID. It has 12 digits.", field=field
            )
        if each.kind is AllowedKind.TAG and not each.value.partition("=")[1]:
            raise InvalidTermsError(f"“{each.value[:80]}” isn’t a tag. Write it as key=value.", field=field)
        if each.kind in (AllowedKind.USER, AllowedKind.ROLE) and each.value.strip("*?") == "":
            raise InvalidTermsError(
                f"“{each.kind} {each.value}” allows every {each.kind}. Name them more exactly.",
                field=field,
            )
