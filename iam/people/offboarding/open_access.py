"""The operations that end a user's access according to the mirror: a deny first, then every way to sign in,
then memberships. What can be restored is deactivated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from iam.changes.errors import RefusedError
from iam.changes.operations import (
    ATTACH_POLICY,
    REMOVE_FROM_GROUP,
    Attachment,
    Membership,
    Operation,
    PutInlinePolicy,
)
from iam.changes.operations.login_profile import DeleteLoginProfile
from iam.changes.operations.mfa_device import DeactivateMfaDevice, DeleteMfaDevice
from iam.changes.operations.user_credential import ACTIVE, DEACTIVATE, SetStatus, credentials_row
from iam.changes.services.plans import examine
from iam.mirror.models import Edge, EdgeKind, Entity, EntityState, InlinePolicy, Kind, valid_at
from iam.mirror.refresh.credentials import is_virtual
from iam.policy.document import CURRENT

DENY: Final = "GatehouseLeft"
"""The name of the inline policy that denies everything."""
DENY_TEXT: Final = json.dumps(
    {
        "Version": CURRENT,
        "Statement": [{"Sid": "Left", "Effect": "Deny", "Action": "*", "Resource": "*"}],
    }
)
DENY_ALL: Final = "policy/AWSDenyAll"
"""AWS's managed policy that denies everything, for users without room for another inline policy."""
ORDER: Final = (Kind.ACCESS_KEY, Kind.SERVICE_CREDENTIAL, Kind.SSH_KEY, Kind.SIGNING_CERTIFICATE)


def deny_of(user: Entity) -> Operation | None:
    """Return the operation that denies the user everything: an inline policy, or else AWS's managed one.
    Returns None if the user is denied already. Raises RefusedError if there is room for neither.
    """
    if is_denied(user):
        return None
    put = PutInlinePolicy.of(user, name=DENY, text=DENY_TEXT)
    try:
        examine(put)
    except RefusedError:
        attach = Attachment.by_arn(
            ATTACH_POLICY, user, arn=f"arn:{user.account.partition}:iam::aws:{DENY_ALL}"
        )
        examine(attach)
        return attach
    return put


def is_denied(user: Entity) -> bool:
    """Return True if the mirror shows one of the two deny policies."""
    inline = InlinePolicy.objects.filter(valid_at(None), owner=user, name=DENY).select_related("document")
    if any(says_deny(policy.document.text) for policy in inline):
        return True
    attached = Edge.objects.filter(valid_at(None), kind=EdgeKind.ATTACHED, source=user)
    return attached.filter(target__arn__endswith=f":iam::aws:{DENY_ALL}").exists()


def says_deny(text: str) -> bool:
    """Return True if the text is that of the inline deny policy, whatever its layout."""
    try:
        return bool(json.loads(text) == json.loads(DENY_TEXT))
    except ValueError:
        return False


def closing_of(user: Entity) -> list[Operation]:
    """Return all operations except the deny: for the password, credentials, MFA devices and memberships, in
    order of importance.
    """
    return [*sign_in_of(user), *_devices(user), *_memberships(user)]


def sign_in_of(user: Entity) -> list[Operation]:
    """Return the operations that end every way to sign in: the console password is deleted, keys and
    credentials are deactivated.
    """
    return list(_signing_in(user))


def _signing_in(user: Entity) -> Iterator[Operation]:
    row = credentials_row(user)
    if row is None or row.has_password is not False:
        yield DeleteLoginProfile.of(user)
    active = EntityState.objects.filter(
        valid_at(None),
        kind__in=list(DEACTIVATE),
        category=ACTIVE,
        entity__owner=user,
        entity__gone_at__isnull=True,
    ).select_related("entity__account", "entity__owner__account")
    for state in sorted(active, key=lambda credential: (ORDER.index(Kind(credential.kind)), credential.name)):
        yield SetStatus.of(DEACTIVATE[state.kind], state.entity)


def _devices(user: Entity) -> Iterator[Operation]:
    devices = Entity.objects.filter(owner=user, kind=Kind.MFA_DEVICE, gone_at__isnull=True)
    for device in devices.select_related("account", "owner__account").order_by("aws_id"):
        yield (DeleteMfaDevice if is_virtual(device.aws_id) else DeactivateMfaDevice).of(device)


def _memberships(user: Entity) -> Iterator[Operation]:
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, source=user)
    for edge in edges.select_related("target__account").order_by("target__name"):
        yield Membership.of(REMOVE_FROM_GROUP, user, group=edge.target)
