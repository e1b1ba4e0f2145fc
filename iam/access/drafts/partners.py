"""Generates external IDs for partners, one per partner and account; partners never choose them.

"How to use an external ID when granting access to your AWS resources to a third party",
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
"""

from __future__ import annotations

from uuid import UUID

from django.utils.crypto import salted_hmac
from django.utils.text import slugify

from iam.access.grants.models import Grant
from iam.access.grants.terms import WhoKind

SALT = "gatehouse.partner.external-id"


def external_id(draft: UUID, *, label: str, account_id: str) -> str:
    """The partner's external ID from an earlier grant to this account, else one that is fixed for this draft
    and not guessable.
    """
    known = _given_out(label, account_id)
    if known:
        return known
    slug = slugify(label)[:24].strip("-") or "partner"
    digest = salted_hmac(SALT, f"{draft}:{account_id}", algorithm="sha256").hexdigest()
    return f"gh-{slug}-{digest[:20]}"


def _given_out(label: str, account_id: str) -> str:
    """The external ID in an earlier grant to the same partner in the same account, or ""."""
    earlier = Grant.objects.filter(
        who_kind=WhoKind.PARTNER, terms__who__account_id=account_id, terms__who__label=label
    )
    first = earlier.order_by("created_at").values_list("terms", flat=True).first()
    return str(first["who"].get("external_id", "")) if first else ""
