"""A question to the engine: who asks for what, on what, under which circumstances."""

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
"""Identity providers that stand in trust policies by name. Source: "AWS JSON policy elements: Principal"."""
CURRENT_TIME = "aws:currenttime"
EPOCH_TIME = "aws:epochtime"
TIMES = frozenset({CURRENT_TIME, EPOCH_TIME})
"""Every request has both. Source: "AWS global condition context keys", Availability."""
RESOURCE_ACCOUNT = frozenset({"aws:resourceaccount", "s3:resourceaccount"})


class PrincipalKind(StrEnum):
    """What a principal is; source: "Policy variables", the table of aws:PrincipalType and the keys that each
    has.
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
    """Who asks. `tags` None: unknown. A role stands for any session of it, whose name is open."""

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
        """Twelve digits, or empty where there is none."""
        return self.given_account or (self._parts[4] if self._parts else "")

    @cached_property
    def partition(self) -> str:
        """aws, aws-cn, aws-us-gov and so on."""
        return self._parts[1] if self._parts else "aws"

    @cached_property
    def kind(self) -> PrincipalKind:
        """By the form of the ARN or name."""
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
        """The name of the user, of the role (of a session: of its role), or of the federated user."""
        if not self._parts:
            return self.arn
        pieces = self._parts[5].split("/")
        return pieces[1] if self.kind is PrincipalKind.SESSION and len(pieces) > 1 else pieces[-1]

    @cached_property
    def session_name(self) -> str:
        """What anyone who assumed the role called the session; empty for what is no session."""
        return self._parts[5].rpartition("/")[2] if self.kind is PrincipalKind.SESSION else ""

    @cached_property
    def has_known_tags(self) -> bool:
        """Whether a tag that is not among them is known to be absent. Root users and services cannot have
        any.
        """
        return self.tags is not None or self.kind in UNTAGGED

    @cached_property
    def root_arn(self) -> str:
        """The ARN that stands for the whole account."""
        return f"arn:{self.partition}:iam::{self.account}:root" if self.account else ""

    @cached_property
    def role_arn(self) -> str:
        """The role of a session, without its path, which a session's ARN does not tell; a role's own ARN."""
        if self.kind is PrincipalKind.SESSION:
            return f"arn:{self.partition}:iam::{self.account}:role/{self.name}"
        return self.arn if self.kind is PrincipalKind.ROLE else ""

    @cached_property
    def skips_organization_policies(self) -> bool:
        """Service-linked roles are not restricted by SCPs and RCPs. Source: "Service control policies
        (SCPs)".
        """
        return self.is_service_linked or SERVICE_LINKED_PATH in self.arn

    @cached_property
    def derived(self) -> dict[str, Values]:
        """Context keys that follow from the principal, in lower case; an empty value says that the key is
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
"""Keys that only a service's own call has. Source: "AWS global condition context keys", Availability, as for
all below.
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
    """A call that exchanges a provider's token for a session is not signed with credentials of AWS.

    Source: "IAM and AWS STS condition context keys", available keys for OIDC federation and for SAML-based
    federation.
    """
    absent = ("aws:username", "aws:principalisawsservice", *NEVER_OF_PEOPLE)
    keys: dict[str, Values] = dict.fromkeys(absent, ())
    if ":saml-provider/" in who.arn:
        return {**keys, "aws:federatedprovider": (), "saml:doc": (f"{who.account}/{who.name}",)}
    return {**keys, "aws:federatedprovider": (who.arn,)}


def _user_id(who: Principal) -> str:
    """As the table "Principal key values" of "IAM policy elements: Variables and tags" has it; empty when
    unknown.
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
    """One question. `action` is written as AWS does; `resource` is an ARN or `*`; `context` maps keys in any
    case to values.

    `strict` takes a missing context key for absent, as AWS does with a real request; otherwise it is open.
    `moment` is when the request is made, None for now: unless the context has them, aws:CurrentTime and
    aws:EpochTime follow from it. `is_any_time` leaves both open.
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
        """The values of a context key (in lower case); empty when it is absent, None when that is open."""
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
        """The time of the request, which follows from the other key where the context has only that one."""
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
        """Whether the resource belongs to another account than the principal."""
        return bool(self.principal.account) and self.resource_account != self.principal.account


def account_of(arn: str) -> str:
    """The account in an ARN; empty where it has none, as a bucket's, or where AWS owns the resource."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 and is_digits(parts[4]) else ""


def time_text(key: str, moment: datetime) -> str:
    """A moment as the value of one of the two time keys (in lower case), in whole seconds."""
    return (
        str(int(moment.timestamp())) if key == EPOCH_TIME else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    )


def moment_in(values: Values) -> datetime | None:
    """The moment that a time key holds; None for what is no time, or more than one."""
    seconds = moment_of(values[0]) if len(values) == 1 else None
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def values_of(value: Any) -> Values:
    """Context values as AWS compares them: texts; a list for keys with several values; nothing for none."""
    if isinstance(value, str):
        return (value,)
    if value is None:
        return ()
    if isinstance(value, Sequence):
        return tuple(text_of(item) for item in value)
    return (text_of(value),)


def text_of(value: Any) -> str:
    """A scalar of JSON as the policy language writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
