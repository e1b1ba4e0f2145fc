"""Builds the sentence beside a requirement's state from what each account contributes. Pure.

The reason of a single account is about that account; for several accounts it says how many it applies to.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from iam.audit.findings.rules import all_rules
from iam.audit.frameworks.evaluation import OUTSIDE, RequirementPart
from iam.audit.frameworks.terms import AutomaticVerdict
from iam.phrases import counted

Verdict = AutomaticVerdict
OWN: Final = ""
"""The key of Gatehouse itself among account IDs."""
UNJUDGED: Final = "The account was not judged yet."
OF_SEVERAL: Final[Mapping[str, str]] = {
    UNJUDGED: "{accounts} {was|were} not judged yet.",
    OUTSIDE: "No user, group, role or policy of {accounts} belongs to the scope.",
    "The account is synced.": "{accounts} {is|are} synced.",
    "The account had been synced by then.": "{accounts} had been synced by then.",
    "The account wasn’t synced for a day.": "{accounts} {wasn’t|weren’t} synced for a day.",
    "When the account was synced isn’t known.": "When {accounts} {was|were} synced isn’t known.",
    "Changes of the account aren’t known.": "Changes of {accounts} aren’t known.",
    "Which organization the account belongs to wasn’t synced.": (
        "Which organization {accounts} {belongs|belong} to wasn’t synced."
    ),
    "The account is in no organization, so that no one manages its root user centrally.": (
        "{accounts} {is|are} in no organization, so that no one manages {its root user|their root users} "
        "centrally."
    ),
    "The account is in no organization, so that nothing limits it from outside.": (
        "{accounts} {is|are} in no organization, so that nothing limits {it|them} from outside."
    ),
    "No control policy but AWS’s full access applies to the account.": (
        "No control policy but AWS’s full access applies to {accounts}."
    ),
    "The account has no trail of its own: look at the account that keeps the logs.": (
        "{accounts} {has no trail of its own|have no trails of their own}: look at the account that keeps "
        "the logs."
    ),
}
"""Reasons that mention “the account”, with their wording for several accounts in singular and plural."""
_CHOICE: Final = re.compile(r"{([^{}|]*)\|([^{}|]*)}")
_AS_WELL: Final[Mapping[AutomaticVerdict, tuple[str, str]]] = {
    Verdict.PASSED: ("passes as well", "pass as well"),
    Verdict.FAILED: ("fails as well", "fail as well"),
    Verdict.PERSON: ("needs a person as well", "need a person as well"),
    Verdict.UNKNOWN: ("can’t be judged either", "can’t be judged either"),
}


def combined_reason(parts: Mapping[str, RequirementPart], verdict: AutomaticVerdict) -> str:
    """Why a requirement has this verdict; "" if there is no reason."""
    accounts = [part for number, part in parts.items() if number != OWN]
    chosen = [part for part in accounts if part.verdict is verdict]
    own = parts.get(OWN)
    if own is None or own.verdict is not verdict or not own.reasons:
        return _of_accounts(chosen, verdict, total=len(accounts))
    if verdict is Verdict.FAILED and chosen:
        return f"{own.reasons[0]} {_of_accounts(chosen, verdict, total=len(accounts))}"
    return own.reasons[0]


def _of_accounts(chosen: Sequence[RequirementPart], verdict: AutomaticVerdict, *, total: int) -> str:
    reasons = [part.reasons[0] for part in chosen if part.reasons]
    if verdict is Verdict.FAILED and any(_sure_kinds(part) for part in chosen):
        return _of_findings(chosen, total=total)
    if total < 2:
        return next(iter(reasons), "")
    if not reasons:
        return ""
    # Choose the first of the most frequent reasons.
    reason, number = Counter(reasons).most_common(1)[0]
    return _with_others(_of_several(reason, number, total), len(chosen) - number, verdict)


def _sure_kinds(part: RequirementPart) -> list[str]:
    """The kinds of confirmed findings, once per finding."""
    return [ref.kind for ref in part.findings if ref.is_sure]


def _of_findings(chosen: Sequence[RequirementPart], *, total: int) -> str:
    """Return a sentence with the most frequent kind and its number of accounts, followed by what
    else fails.
    """
    findings: Counter[str] = Counter()
    accounts: Counter[str] = Counter()
    for part in chosen:
        kinds = _sure_kinds(part)
        findings.update(kinds)
        accounts.update(set(kinds))
    kind, number = findings.most_common(1)[0]
    where = f" in {_accounts(accounts[kind], total)}" if total > 1 else ""
    words = f"{all_rules()[kind].title}: {counted(number, 'finding')}{where}."
    elsewhere = len(chosen) - accounts[kind]
    others = findings.total() - number
    if others and not elsewhere:
        kinds_left = "another kind" if len(findings) == 2 else "other kinds"
        return f"{words} {counted(others, 'finding')} of {kinds_left}."
    return _with_others(words, elsewhere, Verdict.FAILED)


def _accounts(number: int, total: int) -> str:
    """ "2 of 5 accounts", "all 5 accounts", "both accounts"."""
    if number < total:
        return f"{number:,} of {total:,} accounts"
    return "both accounts" if total == 2 else f"all {total:,} accounts"


def _of_several(reason: str, number: int, total: int) -> str:
    """The wording of a reason that applies to several accounts."""
    template = OF_SEVERAL.get(reason)
    if template is not None:
        chosen = r"\1" if number == 1 else r"\2"
        words = _CHOICE.sub(chosen, template)
        words = words.replace("{accounts}", _accounts(number, total))
        return f"{words[0].upper()}{words[1:]}"
    if number == total and "organization" in reason:
        return reason
    return f"In {_accounts(number, total)}: {reason}"


def _with_others(words: str, others: int, verdict: AutomaticVerdict) -> str:
    if not others:
        return words
    singular, plural = _AS_WELL[verdict]
    says = singular if others == 1 else plural
    return f"{words} {counted(others, 'more account')} {says}."
