"""External ids of partners: made here, one for each partner and account, and never chosen by the partner.

"How to use an external ID when granting access to your AWS resources to a third party",
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
"""

from __future__ import annotations

from uuid import UUID

from django.utils.crypto import salted_hmac
from django.utils.text import slugify

SALT = "gatehouse.partner.external-id"


def external_id(draft: UUID, *, label: str, account_id: str) -> str:
    """The id for a partner in this draft: always the same there, and not to be guessed by anybody else."""
    slug = slugify(label)[:24].strip("-") or "partner"
    digest = salted_hmac(SALT, f"{draft}:{account_id}", algorithm="sha256").hexdigest()
    return f"gh-{slug}-{digest[:20]}"
