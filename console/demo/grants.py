"""Creates sample grants, which are requested and approved through the services once the accounts are synced.

One of them is backdated and was never used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from console.demo.samples import DOMAIN, approve_all, viewer_of
from iam.access.grants.models import Grant, GrantState, GrantVersion, LedgerEntry
from iam.access.grants.services import request_grant
from iam.access.grants.services.requests import id_for
from iam.access.grants.terms import GrantContent, GrantTerms, TermsError, WhatKind, WhoKind, WhoTerms
from iam.access.templates.queries import offer_of
from iam.changes.errors import RefusedError
from iam.changes.models import Approval, Change, ChangeEvent, ChangeSet
from iam.directory.models import Identity
from iam.mirror.models import Account, Entity, Kind

logger = structlog.get_logger(__name__)
RECENT: Final = timedelta(days=1)
"""Grants that started earlier than this are already backdated."""
CHANGE_TIMES: Final = (
    "created_at",
    "requested_at",
    "queued_at",
    "sent_at",
    "applying_at",
    "confirming_at",
    "ended_at",
)


@dataclass(frozen=True, slots=True)
class SampleGrant:
    """A sample grant: requester and receiver by user name, template with parameters, duration (0 for
    permanent), reason, approvers by user name, and age in days.
    """

    asker: str
    receiver: str
    template: str
    lasts: timedelta
    why: str
    approvers: tuple[str, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    given: int = 0

    @property
    def key(self) -> str:
        """The idempotency key of the request, by which its grant is found again."""
        return f"sample-{self.template}-{self.receiver}"


SAMPLES: Final = (
    SampleGrant(
        "ines.duarte",
        "tomas.lind",
        "support-cases",
        timedelta(days=5),
        "Support case with AWS about the failed settlements in November",
        ("hana.sato", "jonas.berg"),
    ),
    SampleGrant(
        "ines.duarte",
        "jonas.berg",
        "read-billing",
        timedelta(days=60),
        "Covers for the FinOps team until the end of the year",
        ("hana.sato",),
    ),
    SampleGrant(
        "ines.duarte",
        "tomas.lind",
        "read-billing",
        timedelta(days=14),
        "Cost review of the payment services for the board meeting in December",
        (),
    ),
    SampleGrant(
        "ines.duarte",
        "elif.kaya",
        "view-rds",
        timedelta(),
        "Sizing of the settlement databases before the move to Aurora in the summer",
        ("hana.sato", "jonas.berg"),
        parameters={"region": "eu-west-1"},
        given=120,
    ),
)
"""The third grant waits for approval, so that approvers have something to decide."""


def give_samples() -> int:
    """Create the sample grants if there are none and the people are synced. Returns their number."""
    if not settings.EMBEDDED or Grant.objects.exists():
        return 0
    ready = [(sample, arn) for sample in SAMPLES if (arn := _arn(sample.receiver))]
    if len(ready) < len(SAMPLES):
        return 0
    return sum(_give(sample, arn) for sample, arn in ready)


def _arn(login: str) -> str:
    """Return the ARN of the person's first user in a writable account of the mirror; "" if there is
    none yet.
    """
    arns = Identity.objects.filter(person__email=f"{login}@{DOMAIN}").values("user_arn")
    users = Entity.objects.filter(kind=Kind.USER, arn__in=arns, gone_at__isnull=True).exclude(
        account__write_role_arn=""
    )
    return users.order_by("account__name").values_list("arn", flat=True).first() or ""


def _give(sample: SampleGrant, arn: str) -> bool:
    asker, offer = viewer_of(sample.asker), offer_of(sample.template)
    if asker is None or offer is None:
        return False
    terms = GrantTerms(
        who=WhoTerms(WhoKind.USERS, arns=(arn,)),
        what=GrantContent(
            WhatKind.TEMPLATE,
            template=offer.slug,
            version=offer.version.number,
            parameters=sample.parameters,
        ),
        accounts=(arn.split(":")[4],),
        why=sample.why,
        lasts=int(sample.lasts.total_seconds()),
    )
    try:
        grant = request_grant(terms, actor=asker, idempotency_key=sample.key)
        first = Change.objects.filter(change_set__in=grant.parts.values("change_set"), position=0).first()
        approve_all(first, sample.approvers)
    except (RefusedError, TermsError) as error:
        logger.warning("sample_grant.refused", template=sample.template, why=error.message)
        return False
    return True


def date_back() -> int:
    """Backdate the old grants once they exist in AWS. Returns their number. The journal keeps the
    real times.
    """
    if not settings.SAMPLE_DATA:
        return 0
    old = {sample.template: sample for sample in SAMPLES if sample.given}
    recent = Grant.objects.filter(
        template__in=list(old), state=GrantState.ACTIVE, begins_at__gt=timezone.now() - RECENT
    )
    count = 0
    for grant in recent:
        sample = old[grant.template]
        asker = viewer_of(sample.asker)
        # Someone else may have requested the same template.
        if asker is not None and grant.pk == id_for(asker, sample.key):
            _date_back(grant, timedelta(days=sample.given))
            count += 1
    return count


@transaction.atomic
def _date_back(grant: Grant, by: timedelta) -> None:
    sets = ChangeSet.objects.filter(pk__in=grant.parts.values("change_set"))
    changes = Change.objects.filter(change_set__in=sets)
    for change in changes:
        for call in change.calls:
            if call.get("at"):
                call["at"] = (datetime.fromisoformat(call["at"]) - by).isoformat()
        change.save(update_fields=["calls"])
    dated: list[tuple[QuerySet[Any], tuple[str, ...]]] = [
        (Grant.objects.filter(pk=grant.pk), ("created_at", "begins_at")),
        (GrantVersion.objects.filter(grant=grant), ("at",)),
        (LedgerEntry.objects.filter(part__grant=grant), ("since",)),
        (sets, ("created_at",)),
        (changes, CHANGE_TIMES),
        # The managers of these models only add rows, so use plain query sets.
        (QuerySet(ChangeEvent).filter(change__in=changes), ("at",)),
        (QuerySet(Approval).filter(change_set__in=sets), ("at",)),
    ]
    for rows, names in dated:
        rows.update(**{name: F(name) - by for name in names})
    # The mirror hasn't changed, but the findings of these accounts must be calculated again.
    Account.objects.filter(pk__in=grant.parts.values("account")).update(writes=F("writes") + 1)
