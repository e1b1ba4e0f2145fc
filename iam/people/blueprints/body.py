"""The content of a blueprint: accounts, groups, templates, boundary, path, tags, password, key, MFA, naming
and end. It converts to JSON and back, without side effects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from iam.access.grants.grant_content import GrantContent, WhatKind
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


class BlueprintError(ValueError):
    """The blueprint is invalid. `part` is the field with the error."""

    def __init__(self, message: str, *, part: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.part = part


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
        """Raise BlueprintError if the content is invalid, regardless of what the accounts contain."""
        self._check_accounts()
        self._check_groups()
        self._check_tags()
        if not PATH.fullmatch(self.path) or len(self.path) > 512:
            raise BlueprintError("A path begins and ends with a slash, such as /payments/.", part="path")
        if self.boundary and not BOUNDARY.fullmatch(self.boundary):
            raise BlueprintError("Enter the name or ARN of a managed policy.", part="boundary")
        if self.naming not in RULES:
            raise BlueprintError("Choose how user names are made.", part="naming")
        if not 0 <= self.stay <= MAX_STAY_DAYS:
            raise BlueprintError(f"Enter a number of days from 0 to {MAX_STAY_DAYS:,}.", part="stay")
        if len(self.templates) > MAX_TEMPLATES:
            raise BlueprintError(f"A blueprint can have at most {MAX_TEMPLATES} templates.", part="templates")
        if not (self.password or self.key or self.groups or self.templates):
            raise BlueprintError(
                "The blueprint gives nothing yet. Choose a group, a template or a password.", part="groups"
            )

    def _check_accounts(self) -> None:
        if not self.accounts:
            raise BlueprintError("Choose an account.", part="accounts")
        if len(set(self.accounts)) > MAX_ACCOUNTS:
            raise BlueprintError(f"A blueprint can have at most {MAX_ACCOUNTS} accounts.", part="accounts")
        if any(not ACCOUNT.fullmatch(number) for number in self.accounts):
            raise BlueprintError("Enter each account as its 12-digit ID.", part="accounts")

    def _check_groups(self) -> None:
        wrong = [name for name in self.groups if not GROUP.fullmatch(name)]
        if wrong:
            raise BlueprintError(f"“{wrong[0][:60]}” isn’t a valid group name.", part="groups")
        if len(self.groups) > MAX_GROUPS:
            raise BlueprintError(
                f"A user can be in at most {MAX_GROUPS} groups, not {len(self.groups)}.", part="groups"
            )

    def _check_tags(self) -> None:
        if len(self.tags) > MAX_TAGS:
            raise BlueprintError(f"A blueprint can have at most {MAX_TAGS} tags.", part="tags")
        for key, value in self.tags.items():
            fits = 0 < len(key) <= 128 and len(value) <= 256 and TAG.fullmatch(key) and TAG.fullmatch(value)
            if not fits or fold(key).startswith("aws:"):
                raise BlueprintError(
                    f"The tag {key[:60]} isn’t valid. Keys have 1 to 128 characters and can’t begin with "
                    "aws:, "
                    "values have up to 256. Use letters, digits, spaces and _ . : / = + - @",
                    part="tags",
                )
            if key in OWN_TAGS:
                raise BlueprintError(
                    f"Gatehouse sets the tag {key} for each person. Leave it out.", part="tags"
                )


OWN_TAGS: Final = ("Email", "DisplayName")
"""Tags set from each person's name and email address."""
