"""A few grants that live in the sample organisation: asked for and approved through the services, once its
accounts are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from django.conf import settings

from console.demo.samples import DOMAIN, approve_all, viewer_of
from iam.access.grants.models import Grant
from iam.access.grants.services import request_grant
from iam.access.grants.terms import GrantContent, GrantTerms, TermsError, WhatKind, WhoKind, WhoTerms
from iam.access.templates.queries import offer_of
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.directory.models import Identity
from iam.mirror.models import Entity, Kind

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SampleGrant:
    """Who requests it for whom, by login; a template without parameters; for how long and why; who approves
    it.
    """

    asker: str
    receiver: str
    template: str
    lasts: timedelta
    why: str
    approvers: tuple[str, ...]


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
)
"""The last one waits for approval, so that approvers have something to decide."""


def give_samples() -> int:
    """Make the sample grants if nobody has made any yet and the people have been read; how many were made."""
    if not settings.EMBEDDED or Grant.objects.exists():
        return 0
    ready = [(sample, arn) for sample in SAMPLES if (arn := _arn(sample.receiver))]
    if len(ready) < len(SAMPLES):
        return 0
    return sum(_give(sample, arn) for sample, arn in ready)


def _arn(login: str) -> str:
    """The first of somebody's users that is in the mirror and in an account that can be changed; "" for none
    yet.
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
        what=GrantContent(WhatKind.TEMPLATE, template=offer.slug, version=offer.version.number),
        accounts=(arn.split(":")[4],),
        why=sample.why,
        lasts=int(sample.lasts.total_seconds()),
    )
    try:
        grant = request_grant(
            terms, actor=asker, idempotency_key=f"sample-{sample.template}-{sample.receiver}"
        )
        first = Change.objects.filter(change_set__in=grant.parts.values("change_set"), position=0).first()
        approve_all(first, sample.approvers)
    except (RefusedError, TermsError) as error:
        logger.warning("sample_grant.refused", template=sample.template, why=error.message)
        return False
    return True
