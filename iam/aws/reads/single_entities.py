"""The current state of one user, group, role, instance profile or other named entity, with one call each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from iam.aws.calls import build_all, part
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads.lists import tag_dictionary
from iam.aws.reads.pages import members, read_one
from iam.aws.session import Aws

WORDS: Final = {"user": "User", "group": "Group", "role": "Role", "instance-profile": "InstanceProfile"}
"""The words for each kind in AWS's names of calls and parameters."""


@dataclass(frozen=True, slots=True)
class EntityNow:
    """The current state of an entity. Fields that its kind does not have are empty. `roles` are the names of
    the roles in an instance profile.
    """

    aws_id: str
    name: str
    path: str
    arn: str
    tags: dict[str, str] = field(default_factory=dict)
    boundary: str = ""
    trust: str = ""
    description: str = ""
    max_session_duration: int = 0
    max_sign_in_duration: int | None = None
    roles: tuple[str, ...] = ()
    created_at: datetime | None = None


def entity_now(aws: Aws, *, kind: str, name: str, arn: str = "") -> EntityNow | None:
    """Return the entity with this name (or ARN, if AWS's call requires it), or None if it does not exist. One
    call; AwsError.
    """
    try:
        return _tagged(aws, kind, name, arn) if kind in _TAGGED else _named(aws, kind, name)
    except AwsError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return None
        raise


def _named(aws: Aws, kind: str, name: str) -> EntityNow:
    word = WORDS[kind]
    few = {"MaxItems": 1} if kind == "group" else {}
    entity = read_one(aws, f"Get{word}", key=word, **{f"{word}Name": name}, **few)
    return build_all([entity], lambda each: _built(each, word), action=f"iam:Get{word}")[0]


_TAGGED: Final = frozenset({"policy", "mfa-device", "server-certificate", "saml-provider", "oidc-provider"})
"""Kinds of which only the id and the tags are needed."""


def _tagged(aws: Aws, kind: str, name: str, arn: str) -> EntityNow:
    aws_id, answer = arn, {}
    if kind == "policy":
        answer = read_one(aws, "GetPolicy", key="Policy", PolicyArn=arn)
        aws_id = str(part(answer, "PolicyId", action="iam:GetPolicy"))
    elif kind == "server-certificate":
        answer = read_one(aws, "GetServerCertificate", key="ServerCertificate", ServerCertificateName=name)
        metadata = part(answer, "ServerCertificateMetadata", action="iam:GetServerCertificate")
        aws_id = str(part(metadata, "ServerCertificateId", action="iam:GetServerCertificate"))
    elif kind == "saml-provider":
        answer = read_one(aws, "GetSAMLProvider", SAMLProviderArn=arn)
    elif kind == "oidc-provider":
        answer = read_one(aws, "GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
    else:
        answer = {"Tags": list(members(aws, "ListMFADeviceTags", key="Tags", SerialNumber=arn))}
    return EntityNow(aws_id=aws_id, name=name, path="", arn=arn, tags=tag_dictionary(answer.get("Tags", ())))


def _built(entity: dict[str, Any], word: str) -> EntityNow:
    return EntityNow(
        aws_id=entity[f"{word}Id"],
        name=entity[f"{word}Name"],
        path=entity["Path"],
        arn=entity["Arn"],
        tags=tag_dictionary(entity.get("Tags", ())),
        boundary=entity.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        trust=entity.get("AssumeRolePolicyDocument", ""),
        description=entity.get("Description", ""),
        max_session_duration=entity.get("MaxSessionDuration", 0),
        max_sign_in_duration=entity.get("MaxSigninSessionDuration"),
        roles=tuple(sorted(role["RoleName"] for role in entity.get("Roles", ()))),
        created_at=entity["CreateDate"],
    )
