"""Explains the terms of AWS IAM in one sentence each, for people who don’t know them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Final

CLOSED: Final = re.compile(
    r"<details\b(?![^>]*\sopen\b)[^>]*>(\s*<summary\b.*?</summary>)?.*?</details>", re.DOTALL
)
UNSPOKEN: Final = re.compile(r"<(script|style|head|textarea|code|pre)\b.*?</\1>", re.DOTALL)
TAG: Final = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True)
class IamTerm:
    """A term of IAM: how pages write it, a sentence that explains it, and words that explain it too."""

    form: re.Pattern[str]
    sentence: str
    also: tuple[str, ...] = ()

    def is_explained_in(self, words: str) -> bool:
        """Return whether a text already says what the term means."""
        folded = words.casefold()
        return any(explanation.casefold() in folded for explanation in (self.sentence, *self.also))


def _term(form: str, sentence: str, *also: str) -> IamTerm:
    return IamTerm(re.compile(rf"\b(?:{form})\b", re.IGNORECASE), sentence, also)


TERMS: Final = (
    _term(
        r"inline polic(?:y|ies)",
        "An inline policy is a list of permissions that belongs to one user, group or role alone.",
    ),
    _term(
        r"(?:AWS |customer )?managed polic(?:y|ies)",
        "A managed policy is a list of permissions that several users, groups and roles can share.",
    ),
    _term(
        r"permissions? boundar(?:y|ies)|boundar(?:y|ies)",
        "A permissions boundary is the most that a user can do, whatever else gives them more.",
    ),
    _term(
        r"trust polic(?:y|ies)|trust statements?",
        "A trust policy is the list of who can use a role.",
    ),
    _term(
        r"service control polic(?:y|ies)|resource control polic(?:y|ies)|SCPs?|RCPs?"
        r"|organization’s polic(?:y|ies)",
        "The organization’s policies (SCPs and RCPs) are limits that hold for all its accounts.",
    ),
    _term(
        r"resource-based polic(?:y|ies)|bucket polic(?:y|ies)|key polic(?:y|ies)",
        "A resource-based policy is the list of who can use one thing, such as a bucket or a key.",
    ),
    _term(r"password polic(?:y|ies)", "A password policy is the account’s rules for passwords."),
    _term(r"polic(?:y|ies)", "A policy is a list of permissions."),
    _term(
        r"assum(?:e|es|ed|ing)(?: \w+)? roles?|to assume|chained role|roles? sessions?|IAM roles?|new role"
        r"|existing role|a role",
        "A role is a set of permissions that people switch to for a limited time, called a session.",
    ),
    _term(r"ARNs?", "An ARN is the full name of one thing in AWS."),
    _term(r"principals?", "A principal is a user or a role."),
    _term(r"statements?", "A statement is one entry of a policy."),
    _term(r"IAM users?", "An IAM user is a sign-in to one AWS account."),
    _term(r"access keys?", "Access keys let programs sign in to AWS as you.", "let programs sign in"),
    _term(
        r"(?-i:MFA)",
        "A second factor (MFA) is a code or a security key that you need besides your password.",
        "second factor (MFA)",
        "multi-factor authentication (MFA)",
        "multi-factor sign-in (MFA)",
    ),
    _term(
        r"credential reports?",
        "The credential report is AWS’s list of all passwords, keys and MFA devices.",
    ),
    _term(r"CloudTrail", "CloudTrail is AWS’s record of who did what."),
    _term(
        r"privilege escalation",
        "Privilege escalation means gaining permissions that no one meant to give.",
    ),
    _term(r"(?-i:IAM)", "IAM is the part of AWS that decides who can do what."),
)
"""Longer terms come first: words of a longer term don’t count as a shorter one."""


def first_sight(page: str) -> str:
    """Return the words of a piece of a page, without what is closed or is a name or text of AWS itself."""
    without_code = UNSPOKEN.sub(" ", page)
    opened = CLOSED.sub(lambda closed: closed[1] or " ", without_code)
    return " ".join(unescape(TAG.sub(" ", opened)).split())


def unexplained(page: str) -> list[IamTerm]:
    """Return the terms in a piece of a page that it doesn’t explain, each once."""
    words = left = first_sight(page)
    for term in TERMS:
        left = left.replace(term.sentence, " ")
    terms = []
    for term in TERMS:
        left, count = term.form.subn(" ", left)
        if count and not term.is_explained_in(words):
            terms.append(term)
    return terms
