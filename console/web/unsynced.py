"""The note about sections that were never synced, shown so that no page says “none” or “0” instead."""

from __future__ import annotations

from collections.abc import Iterable

from console.web.access import ViewerRequest
from console.web.context import frame_of
from iam.mirror.pull.sections import ALL, LABELS
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.freshness import unsynced_accounts


def unsynced_note(request: ViewerRequest, *sections: str) -> str:
    """Return 'Not synced yet in 2 accounts: users, roles.', or '' if all these sections were synced.

    Covers the chosen account, or all accounts that the viewer sees. One query.
    """
    context = ListContext(request.viewer, at=request.at, account=frame_of(request).chosen)
    missing = unsynced_accounts(sections, context)
    if not missing:
        return ""
    accounts = {number for number, _ in missing}
    where = "1 account" if len(accounts) == 1 else f"{len(accounts):,} accounts"
    return f"Not synced yet in {where}: {_labels(section for _, section in missing)}."


def _labels(sections: Iterable[str]) -> str:
    return ", ".join(map(_inside_sentence, sorted(set(sections), key=ALL.index)))


def _inside_sentence(section: str) -> str:
    label = LABELS[section]
    return label[0].lower() + label[1:] if label[1].islower() else label
