"""Chooses the tables of a pack by its kind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.utils import timezone

from iam.audit.evidence.change_facts import changes_table
from iam.audit.evidence.change_sample import ChangeSample, sample_table
from iam.audit.evidence.contents import PackScope
from iam.audit.evidence.framework_facts import framework_tables
from iam.audit.evidence.models import EvidencePack, PackKind
from iam.audit.evidence.operator_facts import operators_table
from iam.audit.evidence.review_facts import find_campaign, review_tables
from iam.audit.evidence.tables import PackTable
from iam.audit.evidence.user_facts import users_table
from iam.guard import Right


def tables_of(
    pack: EvidencePack, scope: PackScope, sample: ChangeSample, *, as_of: datetime
) -> Sequence[PackTable]:
    """The tables of a pack, most important first."""
    own = OWN_TABLES[PackKind(pack.kind)](pack, scope, as_of)
    common = [sample_table(scope.changes, sample), changes_table(scope.changes)]
    limits = scope.viewer.limits
    # If the requester's limits ended while the pack waited, it shows nothing beyond them.
    if limits is None or limits.covers(as_of):
        common.append(users_table(scope.accounts, at=as_of))
    if scope.viewer.may(Right.SEE_OPERATORS):
        common.append(operators_table(scope.chosen))
    return [*own, *common]


def _nothing(pack: EvidencePack, scope: PackScope, as_of: datetime) -> Sequence[PackTable]:
    """Return no tables, because a pack about a period has only the common ones."""
    return []


def _framework(pack: EvidencePack, scope: PackScope, as_of: datetime) -> Sequence[PackTable]:
    limits = scope.viewer.limits
    is_past = limits is not None and limits.last_moment(now=timezone.now()) is not None
    return framework_tables(pack.subject, scope.accounts, as_of=as_of, is_past=is_past)


def _review(pack: EvidencePack, scope: PackScope, as_of: datetime) -> Sequence[PackTable]:
    campaign = find_campaign(pack.subject, scope.viewer)
    return review_tables(campaign, scope.accounts) if campaign else []


OWN_TABLES: Final = {PackKind.PERIOD: _nothing, PackKind.FRAMEWORK: _framework, PackKind.REVIEW: _review}
