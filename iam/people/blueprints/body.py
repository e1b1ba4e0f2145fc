"""The content of a blueprint: accounts, groups, templates, boundary, path, tags, password, key, MFA, naming
and end. It converts to JSON and back, without side effects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from iam.access.grants.grant_content import GrantContent, WhatKind
from iam.changes.errors import FieldChecks
from iam.people.blueprints.user_names import RULES
from iam.policy.letter_case import fold

ACCOUNT: Final = re.compile(r"\d{12}")
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html
PATH: Final = re.compile(r"/|(/[\x21-\x2e\x30-\x7e]+)+/")
GROUP: Final = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
BOUNDARY: Final = re.compile(
    r"arn:aws[\w-]*:iam::(aws|\d{12}):policy/[\w+=,.@/-]{1,512}|[\w+=,.@-]{1,128}", re.ASCII
)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
TAG: Final = re.compile(r"[\w\s.:/=+@-]*")
MAX_ACCOUNTS: Final = 20
MAX_GROUPS: Final = 10
MAX_TEMPLATES: Final = 5
MAX_TAGS: Final = 40
MAX_STAY_DAYS: Final = 3 * 365


@dataclass(frozen=True, slots=True)
class FilledTemplate:
    """A template in a version, with its parameters."""

    slug: str
    version: int
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> dict[str, Any]:
        """The template as JSON."""
        return {"slug": self.slug, "version": self.version, "parameters": dict(self.parameters)}

    @property
    def grant_content(self) -> GrantContent:
        """The template as the content of a grant."""
        return GrantContent(
            WhatKind.TEMPLATE, template=self.slug, version=self.version, parameters=dict(self.parameters)
        )


@dataclass(frozen=True, slots=True)
class BlueprintBody:
    """What a person gets. Groups, and a boundary without an ARN, are looked up by name in each account.

    `gatehouse`: each person can sign in to Gatehouse, as a member.

    `stay` is the maximum number of days until access ends; 0 means permanent.
    """

    accounts: tuple[str, ...] = ()
    path: str = "/"
    groups: tuple[str, ...] = ()
    templates: tuple[FilledTemplate, ...] = ()
    boundary: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    password: bool = True
    key: bool = False
    mfa: bool = True
    gatehouse: bool = False
    naming: str = "first.last"
    stay: int = 0

    @property
    def json(self) -> dict[str, Any]:
        """The content as JSON."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {
            "accounts": list(self.accounts),
            "groups": list(self.groups),
            "templates": [filled.json for filled in self.templates],
            "tags": dict(self.tags),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the content from its JSON."""
        known = {name: content[name] for name in cls.__slots__ if name in content}
        return cls(
            **known
            | {
                "accounts": tuple(content.get("accounts", ())),
                "groups": tuple(content.get("groups", ())),
                "templates": tuple(FilledTemplate(**template) for template in content.get("templates", ())),
                "tags": dict(content.get("tags", {})),
            }
        )

    def check(self) -> None:
        """Raise FieldError with everything that is invalid, regardless of what the accounts contain."""
        checks = FieldChecks()
        for field_name, message in self._problems():
            checks.add(field_name, message)
        checks.finish()

    def _problems(self) -> Iterator[tuple[str, str]]:
        """The fields that are invalid, each with a message."""
        yield from self._account_problems()
        yield from self._group_problems()
        yield from self._tag_problems()
        if not PATH.fullmatch(self.path) or len(self.path) > 512:
            yield "path", "A path begins and ends with a slash, such as /payments/."
        if self.boundary and not BOUNDARY.fullmatch(self.boundary):
            yield "boundary", "Enter the name or ARN of a managed policy."
        if self.naming not in RULES:
            yield "naming", "Choose how user names are made."
        if not 0 <= self.stay <= MAX_STAY_DAYS:
            yield "stay", f"Enter a number of days from 0 to {MAX_STAY_DAYS:,}."
        if len(self.templates) > MAX_TEMPLATES:
            yield "t0", f"A blueprint can have at most {MAX_TEMPLATES} templates."
        if not (self.password or self.key or self.groups or self.templates):
            yield "groups", "The blueprint gives nothing yet. Choose a group, a template or a password."

    def _account_problems(self) -> Iterator[tuple[str, str]]:
        if not self.accounts:
            yield "accounts", "Choose an account."
        if len(set(self.accounts)) > MAX_ACCOUNTS:
            yield "accounts", f"A blueprint can have at most {MAX_ACCOUNTS} accounts."
        if any(not ACCOUNT.fullmatch(number) for number in self.accounts):
            yield "accounts", "Enter each account as its 12-digit ID."

    def _group_problems(self) -> Iterator[tuple[str, str]]:
        wrong = [name for name in self.groups if not GROUP.fullmatch(name)]
        if wrong:
            yield "groups", f"“{wrong[0][:60]}” isn’t a valid group name."
        if len(self.groups) > MAX_GROUPS:
            yield "groups", f"A user can be in at most {MAX_GROUPS} groups, not {len(self.groups)}."

    def _tag_problems(self) -> Iterator[tuple[str, str]]:
        if len(self.tags) > MAX_TAGS:
            yield "tags", f"A blueprint can have at most {MAX_TAGS} tags."
        for key, value in self.tags.items():
            fits = 0 < len(key) <= 128 and len(value) <= 256 and TAG.fullmatch(key) and TAG.fullmatch(value)
            if not fits or fold(key).startswith("aws:"):
                yield (
                    "tags",
                    f"The tag {key[:60]} isn’t valid. Keys have 1 to 128 characters and can’t begin with "
                    "aws:, values have up to 256. Use letters, digits, spaces and _ . : / = + - @",
                )
            if key in OWN_TAGS:
                yield "tags", f"Gatehouse sets the tag {key} for each person. Leave it out."


OWN_TAGS: Final = ("Email", "DisplayName")
"""Tags set from each person's name and email address."""
