"""Describes assertions, and differences between two versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from iam.audit.assertions.terms import AllowedKind, AllowedPrincipal, AssertionTerms
from iam.guard import Viewer
from iam.phrases import joined

MAX_NAMED = 5
KIND_WORDS: Mapping[AllowedKind, tuple[str, str]] = {
    AllowedKind.USER: ("IAM user", "IAM users"),
    AllowedKind.ROLE: ("role", "roles"),
    AllowedKind.GROUP: ("group", "groups"),
    AllowedKind.PERMISSION_SET: ("permission set", "permission sets"),
    AllowedKind.ACCOUNT: ("account", "accounts"),
    AllowedKind.TAG: ("tag", "tags"),
}


def allowed_words(terms: AssertionTerms) -> str:
    """Return 'Role BreakGlass and groups admins, ops'."""
    if not terms.allowed:
        return "No one"
    parts = []
    for kind, (singular, plural) in KIND_WORDS.items():
        values = [each.value for each in terms.allowed if each.kind is kind]
        if values:
            parts.append(f"{singular if len(values) == 1 else plural} {', '.join(values)}")
    words = joined(parts)
    return words[:1].upper() + words[1:]


def scope_words(terms: AssertionTerms, names: Mapping[str, str]) -> str:
    """Return the accounts by name."""
    if not terms.accounts:
        return "All accounts"
    return joined([names.get(number, number) for number in terms.accounts])


def lines_of(terms: AssertionTerms, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the terms of an assertion as (label, value)."""
    counted = "Counts as access" if terms.counts_conditional else "Doesn’t count"
    return [
        ("Allowed", allowed_words(terms)),
        ("Actions", ", ".join(terms.actions)),
        ("Resources", ", ".join(terms.resources)),
        ("Accounts checked", scope_words(terms, names)),
        ("Conditional access", counted),
    ]


def differences(
    before: AssertionTerms, after: AssertionTerms, names: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Yield the lines that differ: (label, before, after)."""
    for (label, old), (_, new) in zip(lines_of(before, names), lines_of(after, names), strict=True):
        if old != new:
            yield label, old, new


def unmatched_words(
    entries: Sequence[AllowedPrincipal], terms: AssertionTerms, viewer: Viewer
) -> dict[AllowedKind, str]:
    """Return a warning for each type of entries that match no one."""
    where = ""
    if terms.accounts:
        where = " in the accounts checked"
    elif not viewer.scope.sees_everything:
        where = " in the accounts that you see"
    warnings = {}
    for kind, (singular, plural) in KIND_WORDS.items():
        values = [each.value for each in entries if each.kind is kind]
        if not values:
            continue
        shown = values[:MAX_NAMED]
        if len(values) > MAX_NAMED:
            shown.append(f"{len(values) - MAX_NAMED} more")
        noun = singular if len(values) == 1 else plural
        they_are = "it is" if len(values) == 1 else "they are"
        warnings[kind] = (
            f"No synced IAM user or role{where} matches {noun} {joined(shown)}. "
            f"Check the spelling, unless {they_are} for later."
        )
    return warnings
