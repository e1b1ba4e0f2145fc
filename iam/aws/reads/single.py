"""How one user, group, role or instance profile stands just now, by its name, in one call each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from iam.aws.calls import build_all
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads.lists import tag_dictionary
from iam.aws.reads.pages import one
from iam.aws.session import Aws

WORDS: Final = {"user": "User", "group": "Group", "role": "Role", "instance-profile": "InstanceProfile"}
"""Kind → how the names of AWS's calls and parameters have it."""


@dataclass(frozen=True, slots=True)
class EntityNow:
    """What AWS says of it; what its kind does not have is empty. `roles` are those of an instance profile, by unique id."""

    aws_id: str
    name: str
    path: str
    arn: str
    tags: dict[str, str] = field(default_factory=dict)
    boundary: str = ""
    trust: str = ""
    description: str = ""
    max_session_duration: int = 0
    roles: tuple[str, ...] = ()


def entity_now(aws: Aws, *, kind: str, name: str) -> EntityNow | None:
    """What AWS has under this name; None when there is nothing. One call; raises AwsError."""
    word = WORDS[kind]
    few = {"MaxItems": 1} if kind == "group" else {}
    try:
        found = one(aws, f"Get{word}", key=word, **{f"{word}Name": name}, **few)
    except AwsError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return None
        raise
    return build_all([found], lambda each: _built(each, word), action=f"iam:Get{word}")[0]


def _built(found: dict[str, Any], word: str) -> EntityNow:
    return EntityNow(
        aws_id=found[f"{word}Id"],
        name=found[f"{word}Name"],
        path=found["Path"],
        arn=found["Arn"],
        tags=tag_dictionary(found.get("Tags", ())),
        boundary=found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        trust=found.get("AssumeRolePolicyDocument", ""),
        description=found.get("Description", ""),
        max_session_duration=found.get("MaxSessionDuration", 0),
        roles=tuple(sorted(role["RoleId"] for role in found.get("Roles", ()))),
    )
