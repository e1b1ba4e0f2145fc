"""The hand-over sheet for a partner: everything they need to use the access, to print, copy or send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.http import Http404, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from console.access.grants.detail import grant_or_404
from console.access.grants.effect_blocks import blocks_of, end_of
from console.web.access import ViewerRequest, layout_for, require
from console.web.render import render_page
from iam.access.grants.models import Grant, LedgerEntry, PermissionSort
from iam.access.grants.phrases import duration, slugged
from iam.access.grants.services.rights import may_hand_over
from iam.directory.models import Person
from iam.guard import Right
from iam.mirror.models import Account

SEES: Final = (Right.SEE_ACCOUNT, Right.REQUEST_CHANGE)
OPENED: Final = (PermissionSort.ROLE, PermissionSort.TRUST)
"""Permissions that let a partner in: a role created for the grant, or the trust policy of an existing
role.
"""


@dataclass(frozen=True, slots=True)
class AssumableRole:
    """A role to assume: the commands to enter, and the expected answer of AWS."""

    account: Account
    role_arn: str
    assume: str
    profile_name: str
    profile: str
    test: str
    expected: str


@never_cache
@require_GET
@require(*SEES)
def handover(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the sheet."""
    grant = grant_or_404(request, pk)
    if not may_hand_over(grant, viewer=request.viewer):
        raise Http404
    terms = grant.agreed
    doors = doors_of(grant)
    contact = Person.objects.filter(pk=grant.requested_by).first()
    context = {
        "grant": grant,
        "partner": terms.who,
        "doors": doors,
        "effect_blocks": blocks_of(terms, accounts=[door.account for door in doors]),
        "effect_end": end_of(grant),
        "effect_is_plain": False,
        "who_words": terms.who.label,
        "session": duration(terms.session),
        "contact": contact,
        "section": "grants",
        "layout": layout_for(request.viewer),
    }
    return render_page(request, "access/grants/handover.html", context)


def doors_of(grant: Grant) -> list[AssumableRole]:
    """Return the roles that the grant currently has in AWS, in the order of the accounts."""
    entries = LedgerEntry.objects.filter(
        part__grant=grant, sort__in=OPENED, since__isnull=False, until__isnull=True
    )
    rows = entries.select_related("account", "entity").order_by("part__lane", "pk")
    doors: dict[str, AssumableRole] = {}
    for row in rows:
        # The ARN differs if the role was renamed or moved.
        arn = row.entity.arn if row.entity else row.holder_arn
        doors.setdefault(arn, _door(grant, row.account, arn))
    return list(doors.values())


def _door(grant: Grant, account: Account, arn: str) -> AssumableRole:
    terms = grant.agreed
    who, role = terms.who, arn.rpartition("/")[2]
    name = f"{slugged(account.name) or account.account_id}-{slugged(role)}"[:64].strip("-")
    external_id = who.external_id
    assume = [
        "aws sts assume-role",
        f"--role-arn {arn}",
        "--role-session-name YOUR-NAME",
        f"--external-id {external_id}",
        f"--duration-seconds {terms.session}",
    ]
    profile = [
        f"[profile {name}]",
        f"role_arn = {arn}",
        f"external_id = {external_id}",
        f"duration_seconds = {terms.session}",
        "source_profile = default",
    ]
    partition = account.partition
    return AssumableRole(
        account=account,
        role_arn=arn,
        assume=" \\\n  ".join(assume),
        profile_name=name,
        profile="\n".join(profile),
        test=f"aws sts get-caller-identity --profile {name}",
        expected=f"arn:{partition}:sts::{account.account_id}:assumed-role/{role}/",
    )
