"""What an approver has to know of a grant before agreeing to it, in sentences; and what is refused whoever asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iam.access.grants.plans import PartPlan
from iam.access.grants.terms import Terms, WhoKind
from iam.access.grants.who import OUTSIDERS
from iam.changes.documents import EVERYTHING, IAM_WRITE, flags


def warnings_for(terms: Terms, parts: Sequence[PartPlan]) -> tuple[str, ...]:
    """In the order of weight; nothing twice."""
    return tuple(dict.fromkeys(_warnings(terms, parts)))


def _warnings(terms: Terms, parts: Sequence[PartPlan]) -> Iterator[str]:
    who = terms.who
    for part in parts:
        if part.ends_only:
            yield f"{part.account.name}: {part.ends_only}"
    if who.kind in (WhoKind.ACCOUNT, WhoKind.PARTNER) and not who.principal:
        yield (
            f"Account {who.account_id} is trusted as a whole: whoever its administrators allow can come in. "
            "One role of it is safer."
        )
    if who.kind in OUTSIDERS and (marks := _marks(parts)):
        what = "everything" if EVERYTHING in marks else "changes to IAM"
        yield f"Somebody from outside is given {what}: with it they can let in whomever they want, and stay."
    if not terms.ends:
        yield "It does not end by itself."


def _marks(parts: Sequence[PartPlan]) -> set[str]:
    """What stands out in the documents that are written for it."""
    steps = (step.operation.params for part in parts for step in part.steps)
    return {mark for params in steps for mark in flags(str(params.get("document", "")))} & {
        EVERYTHING,
        IAM_WRITE,
    }
