"""External ids of partners: made here, one for each partner and account, and never chosen by the partner.

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
    """The id that the partner has from an earlier grant to this account, else one for this draft: always the
    same there, and not to be guessed by anybody else.
    """
    known = _given_out(label, account_id)
    if known:
        return known
    slug = slugify(label)[:24].strip("-") or "partner"
    digest = salted_hmac(SALT, f"{draft}:{account_id}", algorithm="sha256").hexdigest()
    return f"gh-{slug}-{digest[:20]}"


def _given_out(label: str, account_id: str) -> str:
    """What a grant to the same partner in the same account has given out; "" for none."""
    earlier = Grant.objects.filter(
        who_kind=WhoKind.PARTNER, terms__who__account_id=account_id, terms__who__label=label
    )
    first = earlier.order_by("created_at").values_list("terms", flat=True).first()
    return str(first["who"].get("external_id", "")) if first else ""
