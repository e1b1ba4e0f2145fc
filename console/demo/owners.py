"""Sets owners by an administrator of the sample organization, besides those in tags."""

from __future__ import annotations

from typing import Final

from django.conf import settings

from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.samples import DOMAIN, viewer_of
from iam.access.grants.models import Grant
from iam.access.grants.owners import set_grant_owner
from iam.directory.models import NamedOwner
from iam.linking.key_owners import set_key_owner
from iam.linking.known_owners import set_identity_owner
from iam.mirror.models import Entity, Kind

ADMINISTRATOR: Final = "ines.duarte"
IDENTITIES: Final = (
    ("management", "terraform-org", "Payments"),
    ("production", "sso-administrator", f"hana.sato@{DOMAIN}"),
)
"""Account, name of the user or role, and owner."""
KEYS: Final = (("production", "ci-release", f"hana.sato@{DOMAIN}"),)
"""Account, name of the machine user, and owner of its access key."""
OF_GRANT: Final = f"jonas.berg@{DOMAIN}"
TEMPLATE_OF_GRANT: Final = "read-billing"


def name_owners() -> int:
    """Set the owners once the accounts are synced, unless someone has set an owner. Returns their number."""
    if not settings.EMBEDDED or NamedOwner.objects.exists():
        return 0
    administrator = viewer_of(ADMINISTRATOR)
    grant = Grant.objects.filter(template=TEMPLATE_OF_GRANT).order_by("created_at").first()
    rows = []
    for account, name, owner in IDENTITIES:
        entities = Entity.objects.filter(
            account__account_id=ACCOUNT_IDS[account], name=name, kind__in=("user", "role")
        )
        rows += [(entity, owner) for entity in entities.select_related("account")]
    keys = []
    for account, name, owner in KEYS:
        of_user = Entity.objects.filter(
            account__account_id=ACCOUNT_IDS[account],
            owner__name=name,
            kind=Kind.ACCESS_KEY,
            gone_at__isnull=True,
        )
        keys += [(key, owner) for key in of_user.select_related("account", "owner__account")]
    if administrator is None or grant is None or len(rows) < len(IDENTITIES) or len(keys) < len(KEYS):
        return 0
    for entity, owner in rows:
        set_identity_owner(administrator, entity, owner, why="Agreed with the platform team")
    for key, owner in keys:
        set_key_owner(administrator, key, owner, why="Keeps the legacy pipeline alive")
    set_grant_owner(administrator, grant, OF_GRANT, why="Answers for the billing reports")
    return len(rows) + len(keys) + 1
