"""Builds the warnings that approvers read before they approve a grant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from iam.access.grants.phrases import slugged
from iam.access.grants.plans import PartPlan
from iam.access.grants.terms import GrantTerms, WhoKind
from iam.access.grants.who import OUTSIDERS
from iam.changes.documents import EVERYTHING, IAM_WRITE, flags
from iam.mirror.models import Account
from iam.policy.document import read
from iam.policy.lint import LintFinding, LintKind, LintSeverity, lint

SECRET: Final = 8
"""The length below which an external ID counts as easy to guess."""
MAX_DOUBTS: Final = 4


def warnings_for(terms: GrantTerms, parts: Sequence[PartPlan]) -> tuple[str, ...]:
    """The warnings, most important first, without duplicates."""
    return tuple(dict.fromkeys(_warnings(terms, parts)))


def _warnings(terms: GrantTerms, parts: Sequence[PartPlan]) -> Iterator[str]:
    who = terms.who
    for part in parts:
        if part.ends_only:
            yield f"{part.account.name}: {part.ends_only}"
    if who.kind in (WhoKind.ACCOUNT, WhoKind.PARTNER) and not who.principal:
        yield (
            f"The whole account {who.account_id} is trusted: its administrators decide who gets access. "
            "Trusting one role is safer."
        )
    if who.kind in OUTSIDERS and (marks := _marks(parts)):
        what = "everything" if EVERYTHING in marks else "changes to IAM"
        yield f"Someone outside gets {what}: they could give access to anyone and keep it."
    if who.kind is WhoKind.PARTNER and _can_be_guessed(terms):
        yield "The external ID can be guessed. A random one keeps other customers of the partner out."
    yield from _doubts(terms, parts)
    if not terms.ends:
        yield "Permanent: this access has no end date."


def _can_be_guessed(terms: GrantTerms) -> bool:
    external_id = terms.who.external_id
    return (
        len(external_id) < SECRET
        or terms.who.account_id in external_id
        or slugged(external_id) == slugged(terms.who.label)
    )


def _doubts(terms: GrantTerms, parts: Sequence[PartPlan]) -> Iterator[str]:
    """Security findings and warnings of the lint on written statements, and resources that can't exist in an
    account.
    """
    for text in terms.what.documents:
        findings = lint(text, kind=LintKind.IDENTITY)
        yield from [
            f"{finding.message} {finding.remedy}".strip() for finding in findings if _is_grave(finding)
        ][:MAX_DOUBTS]
        for statement in read(text).statements:
            for part in parts:
                yield from _elsewhere(statement.resources or (), part.account)


def _is_grave(finding: LintFinding) -> bool:
    return (
        finding.severity in (LintSeverity.SECURITY, LintSeverity.WARNING)
        or finding.code == "EMPTY_ARRAY_CONDITION"
    )


def _elsewhere(resources: Sequence[str], account: Account) -> Iterator[str]:
    for arn in resources:
        partition = arn.split(":")[1] if arn.startswith("arn:") and arn.count(":") >= 5 else ""
        if partition and not {"*", "?", "$"} & set(partition) and partition != account.partition:
            yield f"{account.name}: {arn} is in another AWS partition, so it doesn’t exist there."


def _marks(parts: Sequence[PartPlan]) -> set[str]:
    """The risk flags of the documents that the grant writes: all permissions, or changes to IAM."""
    steps = chain.from_iterable(part.steps for part in parts)
    documents = (str(step.operation.params.get("document", "")) for step in steps)
    marks = set(chain.from_iterable(flags(document) for document in documents))
    return marks & {EVERYTHING, IAM_WRITE}
