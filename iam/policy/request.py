"""A request to evaluate: the principal, the action, the resource and the context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from iam.policy.letter_case import fold, is_digits
from iam.policy.operators import moment_of

Values = tuple[str, ...]
SERVICE_LINKED_PATH = ":role/aws-service-role/"
PROVIDERS = frozenset(
    {"accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"}
)
"""Identity providers that trust policies name without an ARN. Source: "AWS JSON policy elements:
Principal".
"""
CURRENT_TIME = "aws:currenttime"
EPOCH_TIME = "aws:epochtime"
TIMES = frozenset({CURRENT_TIME, EPOCH_TIME})
"""Context keys that every request has. Source: "AWS global condition context keys", Availability."""
RESOURCE_ACCOUNT = frozenset({"aws:resourceaccount", "s3:resourceaccount"})


class PrincipalKind(StrEnum):
    """The type of a principal. Source: "Policy variables", the table of aws:PrincipalType and of the keys of
    each type.
    """

    ROOT = "root"
    USER = "user"
    ROLE = "role"
    SESSION = "session"
    FEDERATED_USER = "federated user"
    PROVIDER = "provider"
    SERVICE = "service"
    ANONYMOUS = "anonymous"
    OTHER = "other"


TYPES = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE: "AssumedRole",
    PrincipalKind.SESSION: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
    PrincipalKind.ANONYMOUS: "Anonymous",
}


@dataclass(frozen=True)
class Principal:
    """The caller of a request. `tags` None means unknown. A role represents any of its sessions, with the
    session name open.
    """

    arn: str
    given_account: str = ""
    tags: Mapping[str, str] | None = None
    is_service_linked: bool = False
    is_management_account: bool = False
    unique_id: str = ""

    @cached_property
    def _parts(self) -> list[str]:
        parts = self.arn.split(":", 5)
        return parts if len(parts) == 6 and parts[0] == "arn" else []

    @cached_property
    def account(self) -> str:
        """The account ID, or empty if there is none."""
        return self.given_account or (self._parts[4] if self._parts else "")

    @cached_property
    def partition(self) -> str:
        """The partition, such as aws, aws-cn or aws-us-gov."""
        return self._parts[1] if self._parts else "aws"

    @cached_property
    def kind(self) -> PrincipalKind:
        """The principal's type, derived from the form of its ARN or name."""
        if self.arn in {"*", ""}:
            return PrincipalKind.ANONYMOUS
        if not self._parts:
            return _kind_of_name(self.arn)
        service, resource = self._parts[2], self._parts[5]
        kind = resource.partition("/")[0]
        if service == "iam":
            return {
                "root": PrincipalKind.ROOT,
                "user": PrincipalKind.USER,
                "role": PrincipalKind.ROLE,
                "saml-provider": PrincipalKind.PROVIDER,
                "oidc-provider": PrincipalKind.PROVIDER,
            }.get(kind, PrincipalKind.OTHER)
        if service == "sts":
            return {
                "assumed-role": PrincipalKind.SESSION,
                "federated-user": PrincipalKind.FEDERATED_USER,
            }.get(kind, PrincipalKind.OTHER)
        return PrincipalKind.OTHER

    @cached_property
    def name(self) -> str:
        """The name of the user, of the role (also for a session), or of the federated user."""
        if not self._parts:
            return self.arn
        pieces = self._parts[5].split("/")
        return pieces[1] if self.kind is PrincipalKind.SESSION and len(pieces) > 1 else pieces[-1]

    @cached_property
    def session_name(self) -> str:
        """The role session name, or empty if the principal isn't a session."""
        return self._parts[5].rpartition("/")[2] if self.kind is PrincipalKind.SESSION else ""

    @cached_property
    def has_known_tags(self) -> bool:
        """True if a tag that isn't listed is known to be absent. Root users and services can't have tags."""
        return self.tags is not None or self.kind in UNTAGGED

    @cached_property
    def root_arn(self) -> str:
        """The ARN of the account's root, which represents the whole account; empty without an account."""
        return f"arn:{self.partition}:iam::{self.account}:root" if self.account else ""

    @cached_property
    def role_arn(self) -> str:
        """The ARN of a role, or of a session's role without its path, which a session's ARN lacks; empty for
        others.
        """
        if self.kind is PrincipalKind.SESSION:
            return f"arn:{self.partition}:iam::{self.account}:role/{self.name}"
        return self.arn if self.kind is PrincipalKind.ROLE else ""

    @cached_property
    def skips_organization_policies(self) -> bool:
        """True for service-linked roles, which SCPs and RCPs don't restrict. Source: "Service control
        policies (SCPs)".
        """
        return self.is_service_linked or SERVICE_LINKED_PATH in self.arn

    @cached_property
    def derived(self) -> dict[str, Values]:
        """Context keys, in lower case, that follow from the principal. An empty value means that the key is
        absent.
        """
        return _derived(self)


def _kind_of_name(name: str) -> PrincipalKind:
    if name in PROVIDERS:
        return PrincipalKind.PROVIDER
    return (
        PrincipalKind.SERVICE
        if name.endswith((".amazonaws.com", ".amazonaws.com.cn"))
        else PrincipalKind.OTHER
    )


NEVER_OF_PEOPLE: Final = ("aws:principalservicename", "aws:principalservicenameslist")
"""Keys that only calls made by AWS services have. Source: "AWS global condition context keys", Availability,
as for all below.
"""
ANONYMOUS_KEYS: Final[dict[str, Values]] = {
    "aws:principaltype": (TYPES[PrincipalKind.ANONYMOUS],),
    "aws:principalaccount": ("anonymous",),
    "aws:userid": ("anonymous",),
    **dict.fromkeys(
        (
            "aws:username",
            "aws:principalarn",
            "aws:principalorgid",
            "aws:principalorgpaths",
            "aws:principalisawsservice",
            *NEVER_OF_PEOPLE,
        ),
        (),
    ),
}
UNTAGGED: Final = frozenset({PrincipalKind.ANONYMOUS, PrincipalKind.SERVICE, PrincipalKind.ROOT})


def _derived(who: Principal) -> dict[str, Values]:
    if who.kind is PrincipalKind.ANONYMOUS:
        return dict(ANONYMOUS_KEYS)
    if who.kind is PrincipalKind.SERVICE:
        return _derived_of_service(who)
    if who.kind is PrincipalKind.PROVIDER:
        return _derived_of_provider(who)
    keys: dict[str, Values] = {
        "aws:principalisawsservice": ("false",),
        "aws:principalarn": (who.role_arn or who.arn,),
        "aws:username": (who.name,) if who.kind is PrincipalKind.USER else (),
        **dict.fromkeys(NEVER_OF_PEOPLE, ()),
    }
    if who.kind in TYPES:
        keys["aws:principaltype"] = (TYPES[who.kind],)
    if who.account:
        keys["aws:principalaccount"] = keys["kms:calleraccount"] = (who.account,)
    if user_id := _user_id(who):
        keys["aws:userid"] = (user_id,)
    for tag, value in (who.tags or {}).items():
        keys[f"aws:principaltag/{fold(tag)}"] = (value,)
    return keys


def _derived_of_service(who: Principal) -> dict[str, Values]:
    absent = ("aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:username")
    return {
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (who.arn,),
        **dict.fromkeys(absent, ()),
    }


def _derived_of_provider(who: Principal) -> dict[str, Values]:
    """Return the keys of a call that exchanges a provider's token for a session. Such a call isn't signed
    with AWS credentials.

    Source: "IAM and AWS STS condition context keys", available keys for OIDC federation and for SAML-based
    federation.
    """
    absent = ("aws:username", "aws:principalisawsservice", *NEVER_OF_PEOPLE)
    keys: dict[str, Values] = dict.fromkeys(absent, ())
    if ":saml-provider/" in who.arn:
        return {**keys, "aws:federatedprovider": (), "saml:doc": (f"{who.account}/{who.name}",)}
    return {**keys, "aws:federatedprovider": (who.arn,)}


def _user_id(who: Principal) -> str:
    """Return aws:userid as defined by the table "Principal key values" in "IAM policy elements: Variables and
    tags", or an empty string if it is unknown.
    """
    if who.kind is PrincipalKind.ROOT:
        return who.account
    if who.kind is PrincipalKind.FEDERATED_USER:
        return f"{who.account}:{who.name}"
    if who.kind is PrincipalKind.SESSION and who.unique_id:
        return f"{who.unique_id}:{who.session_name}"
    return who.unique_id if who.kind is PrincipalKind.USER else ""


@dataclass(slots=True)
class Request:
    """A request to evaluate. `action` is written as AWS does, `resource` is an ARN or `*`, and `context` maps
    keys in any letter case to values.

    With `strict`, a missing context key is absent, as AWS treats it; otherwise it is open. `moment` is the
    time of the request, None for now; aws:CurrentTime and aws:EpochTime follow from it unless the context has
    them. `is_any_time` leaves both open.
    """

    action: str
    resource: str
    principal: Principal
    resource_account: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = False
    moment: datetime | None = None
    is_any_time: bool = False
    lowered: str = field(init=False)
    keys: dict[str, Values] = field(init=False)

    def __post_init__(self) -> None:
        self.lowered = fold(self.action)
        self.keys = (
            {fold(key): values_of(value) for key, value in self.context.items()} if self.context else {}
        )
        if not self.resource_account:
            self.resource_account = account_of(self.resource) or self.principal.account

    def values(self, key: str) -> Values | None:
        """Return the values of a context key (in lower case). It is empty if the key is absent and None if
        the value is open.
        """
        known_values = self.keys.get(key)
        if known_values is not None:
            return known_values
        known_values = self.principal.derived.get(key)
        if known_values is not None:
            return known_values
        if key in RESOURCE_ACCOUNT and self.resource_account:
            return (self.resource_account,)
        if key in TIMES:
            return self._time(key)
        if self.strict or (key.startswith("aws:principaltag/") and self.principal.has_known_tags):
            return ()
        return None

    @property
    def _unknown(self) -> Values | None:
        return () if self.strict else None

    def _time(self, key: str) -> Values | None:
        """Return the time of the request, derived from the other time key if the context has only that."""
        other_key = EPOCH_TIME if key == CURRENT_TIME else CURRENT_TIME
        other = self.keys.get(other_key)
        if other is not None:
            moment = moment_in(other)
            return self._unknown if moment is None else (time_text(key, moment),)
        if self.is_any_time:
            return self._unknown
        if self.moment is None:
            self.moment = datetime.now(tz=UTC)
        return (time_text(key, self.moment),)

    @property
    def is_cross_account(self) -> bool:
        """True if the resource belongs to a different account than the principal."""
        return bool(self.principal.account) and self.resource_account != self.principal.account


def account_of(arn: str) -> str:
    """Return the account in an ARN. It is empty if the ARN has none, such as a bucket's, or if AWS owns the
    resource.
    """
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 and is_digits(parts[4]) else ""


def time_text(key: str, moment: datetime) -> str:
    """Return a time as the value of one of the two time keys (in lower case), in whole seconds."""
    return (
        str(int(moment.timestamp())) if key == EPOCH_TIME else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    )


def moment_in(values: Values) -> datetime | None:
    """Return the time that a time key holds, or None for several values or an invalid one."""
    seconds = moment_of(values[0]) if len(values) == 1 else None
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def values_of(value: Any) -> Values:
    """Return context values as the strings that AWS compares: several for a list, none for None."""
    if isinstance(value, str):
        return (value,)
    if value is None:
        return ()
    if isinstance(value, Sequence):
        return tuple(text_of(item) for item in value)
    return (text_of(value),)


def text_of(value: Any) -> str:
    """Return a JSON scalar as the policy language writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
