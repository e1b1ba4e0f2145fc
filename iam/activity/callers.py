"""Parses who made a call from CloudTrail's `userIdentity`.

Source:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

USER: Final = "user"
ROLE: Final = "role"
ROOT: Final = "root"
SERVICE: Final = "service"
FEDERATED: Final = "federated"
IDENTITY_CENTER: Final = "identity-center"
OTHER_ACCOUNT: Final = "other-account"
UNKNOWN: Final = "unknown"
ISSUERS: Final = {"IAMUser": USER, "Root": ROOT}

NAME_LENGTH: Final = 256
ARN_LENGTH: Final = 2048
ID_LENGTH: Final = 256
IDENTITIES_KEPT: Final = 4_000


class CallerKey(NamedTuple):
    """A principal as named in the events of a trail.

    `unique_id` is AWS's unique ID (AIDA…, AROA…), which differs for a user that was deleted and created
    again; it is empty if the event lacks it. `account_id` is the principal's account.
    """

    kind: str
    account_id: str
    unique_id: str
    arn: str
    name: str


class CallerSession(NamedTuple):
    """The session of a principal. `mfa` is None if the event lacks it. `person` is the user behind the
    session in the identity provider or in IAM Identity Center. `instance_id` is an EC2 instance that used its
    role.
    """

    name: str
    access_key: str
    source_identity: str
    person: str
    mfa: bool | None
    instance_id: str


NOBODY: Final = CallerKey(UNKNOWN, "", "", "", "")
NO_SESSION: Final = CallerSession("", "", "", "", None, "")


def text_of(value: Any, length: int) -> str:
    """Return an event's text, cut to a length and without characters that a database can't hold, or an empty
    string for other types.
    """
    if not isinstance(value, str):
        return ""
    text = value.replace("\0", "") if "\0" in value else value
    return text[:length]


def truth(value: Any) -> bool | None:
    """Return a boolean that CloudTrail writes either as a string or as a boolean, or None if it is absent."""
    return None if value is None else str(value).lower() == "true"


_callers: dict[bytes, tuple[CallerKey, CallerSession]] = {}
"""The callers of identities, by their JSON: the calls of a session, often hundreds, have the same one."""


def caller_of(identity: Mapping[str, Any], invoked_by: Any = None) -> tuple[CallerKey, CallerSession]:
    """Return the principal and its session. An identity without a type is an AWS service."""
    try:
        text = orjson.dumps((identity, invoked_by))
    except TypeError:
        return _parsed_caller(identity, invoked_by)
    caller = _callers.get(text)
    if caller is None:
        if len(_callers) >= IDENTITIES_KEPT:
            _callers.clear()
        caller = _callers[text] = _parsed_caller(identity, invoked_by)
    return caller


def _parsed_caller(identity: Mapping[str, Any], invoked_by: Any) -> tuple[CallerKey, CallerSession]:
    kind = identity.get("type")
    service = text_of(identity.get("invokedBy") or invoked_by, NAME_LENGTH)
    if kind is None or kind == "AWSService":
        caller = CallerKey(SERVICE, "", "", "", service)
        return (caller if service else NOBODY), NO_SESSION
    context = _mapping(identity.get("sessionContext"))
    session = _session(identity, context)
    account = text_of(identity.get("accountId"), 12)
    principal = text_of(identity.get("principalId"), ID_LENGTH)
    arn = text_of(identity.get("arn"), ARN_LENGTH)
    name = text_of(identity.get("userName"), NAME_LENGTH)
    if kind == "IAMUser":
        return CallerKey(USER, account, principal, arn, name or _last(arn)), session
    if kind in ("AssumedRole", "Role", "FederatedUser"):
        return _issuer(context, account, principal, arn, name), session
    if kind == "Root":
        root_arn = arn if arn.endswith(":root") else ""
        return CallerKey(ROOT, account, account, root_arn, "root"), session
    if kind == "IdentityCenterUser":
        person = session.person or principal
        return CallerKey(IDENTITY_CENTER, account, person, "", name or person), session
    if kind in ("WebIdentityUser", "SAMLUser"):
        provider = text_of(identity.get("identityProvider"), NAME_LENGTH)
        subject = name or principal
        return CallerKey(FEDERATED, account, f"{provider}:{subject}"[:ID_LENGTH], "", subject), session
    if kind == "AWSAccount":
        return CallerKey(OTHER_ACCOUNT, account, principal or account, arn, account), session
    return CallerKey(UNKNOWN, account, principal, arn, name or _last(arn)), session


def _issuer(context: Mapping[str, Any], account: str, principal: str, arn: str, name: str) -> CallerKey:
    """Return the role of a session, or the user who called GetFederationToken: the principal whose policies
    apply.
    """
    issuer = _mapping(context.get("sessionIssuer"))
    issuer_arn = text_of(issuer.get("arn"), ARN_LENGTH)
    if issuer:
        kind = ISSUERS.get(str(issuer.get("type")), ROLE)
        owner = text_of(issuer.get("accountId"), 12) or account
        unique_id = text_of(issuer.get("principalId"), ID_LENGTH)
        issuer_name = text_of(issuer.get("userName"), NAME_LENGTH) or _last(issuer_arn)
        if kind == ROOT:
            issuer_name = "root"
        return CallerKey(kind, owner, unique_id, issuer_arn, issuer_name)
    role_name = _role_of_session(arn) or name or _last(arn)
    return CallerKey(ROLE, account, principal.partition(":")[0], "", role_name)


def _session(identity: Mapping[str, Any], context: Mapping[str, Any]) -> CallerSession:
    """Return the session data in the event."""
    attributes = _mapping(context.get("attributes"))
    _, _, name = text_of(identity.get("principalId"), ID_LENGTH).partition(":")
    instance_id = ""
    if "ec2RoleDelivery" in context and name.startswith("i-"):
        instance_id = name
    return CallerSession(
        name=name,
        access_key=text_of(identity.get("accessKeyId"), 128),
        source_identity=text_of(context.get("sourceIdentity"), NAME_LENGTH),
        person=_person(identity, context),
        mfa=truth(attributes.get("mfaAuthenticated")),
        instance_id=instance_id,
    )


def _person(identity: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    """Return the user behind a session: of IAM Identity Center, or the subject named by an
    identity provider.
    """
    on_behalf_of = _mapping(identity.get("onBehalfOf"))
    if on_behalf_of:
        return text_of(on_behalf_of.get("userId"), NAME_LENGTH)
    web = _mapping(context.get("webIdFederationData"))
    attributes = _mapping(web.get("attributes"))
    for key, value in attributes.items():
        if str(key).endswith(":sub"):
            return text_of(value, NAME_LENGTH)
    return ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _last(arn: str) -> str:
    """Return the name at the end of an ARN, cut like other names."""
    name = arn.rpartition("/")[2] or arn.rpartition(":")[2]
    return name[:NAME_LENGTH]


def _role_of_session(arn: str) -> str:
    """Return the role name in the ARN of an assumed role: `…:assumed-role/ROLE/SESSION`."""
    _, marker, rest = arn.partition(":assumed-role/")
    return rest.partition("/")[0][:NAME_LENGTH] if marker else ""
