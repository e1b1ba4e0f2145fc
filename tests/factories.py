"""Small explicit factories: each makes one thing with sensible defaults; tests state what they depend on."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Model

from iam.aws.records import PasswordPolicyRecord
from iam.directory.models import Identity, Person, Role, RoleAssignment, Team
from iam.guard import Viewer, viewer_for
from iam.mirror.models import (
    Account,
    AccountFact,
    Document,
    Edge,
    EdgeKind,
    Entity,
    EntityState,
    InlinePolicy,
    Kind,
    PolicyVersion,
    Section,
    SectionState,
    TemporalRow,
    Usage,
    UserCredentials,
)
from iam.mirror.pull.sections import ALL as ALL_SECTIONS

M = TypeVar("M", bound=Model)
FIRST_READ = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_numbers = itertools.count(1)
_PREFIX = {
    Kind.USER: "AIDA",
    Kind.GROUP: "AGPA",
    Kind.ROLE: "AROA",
    Kind.POLICY: "ANPA",
    Kind.INSTANCE_PROFILE: "AIPA",
}
ALLOW_S3 = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}
TRUST_EC2 = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


_held: dict[type[Model], list[Model]] | None = None


def _make(model: type[M], **fields: Any) -> M:
    """A row, written now or with all others of `at_once`."""
    row = model(**fields)
    if _held is None:
        row.save(force_insert=True)
    else:
        _held.setdefault(model, []).append(row)
    return row


@contextmanager
def at_once() -> Iterator[None]:
    """Entities with what belongs to them that are made in here are written at its end, by one statement for
    each table.
    """
    global _held
    _held = kept_values = {}
    try:
        yield
    finally:
        _held = None
    for model, rows in kept_values.items():
        model._default_manager.bulk_create(rows)


def account(account_id: str = "111111111111", *, name: str = "production", **fields: Any) -> Account:
    """An account that a role reaches."""
    defaults = {
        "name": name,
        "source": "role",
        "role_arn": f"arn:aws:iam::{account_id}:role/gatehouse-reader",
    }
    return Account.objects.create(account_id=account_id, **defaults | fields)


def synced(owner_account: Account, *, but: tuple[str, ...] = (), at: datetime | None = None) -> None:
    """Every section of the account was read whole, except some that were never read."""
    moment = at or FIRST_READ
    Section.objects.bulk_create(
        Section(
            account=owner_account,
            name=name,
            state=SectionState.NEVER if name in but else SectionState.COMPLETE,
            observed_at=None if name in but else moment,
            attempted_at=moment,
        )
        for name in ALL_SECTIONS
    )


def password_policy(owner_account: Account, **fields: Any) -> AccountFact:
    """The account's own password policy, as a pull stores it: AWS's defaults, but for these fields."""
    defaults = PasswordPolicyRecord(
        minimum_length=8,
        requires_symbols=False,
        requires_numbers=False,
        requires_uppercase=False,
        requires_lowercase=False,
        allows_change=False,
        expires=False,
        maximum_age=None,
        reuse_prevention=None,
        hard_expiry=False,
    )
    return AccountFact.objects.create(
        account=owner_account,
        name="password_policy",
        value=asdict(replace(defaults, **fields)),
        valid_from=FIRST_READ,
        observed_at=FIRST_READ,
    )


def document(body: dict[str, Any] | str) -> Document:
    """An interned policy document."""
    text = body if isinstance(body, str) else json.dumps(body)
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return Document.objects.get_or_create(digest=digest, defaults={"text": text})[0]


def entity(
    owner_account: Account,
    kind: Kind,
    name: str,
    *,
    path: str = "/",
    arn: str | None = None,
    since: datetime = FIRST_READ,
    until: datetime | None = None,
    **state: Any,
) -> Entity:
    """An entity with one state from `since` (until `until`)."""
    aws_id = f"{_PREFIX.get(kind, 'AXXX')}{next(_numbers):017d}"
    arn = arn if arn is not None else f"arn:aws:iam::{owner_account.account_id}:{kind.value}{path}{name}"
    made = _make(
        Entity,
        account=owner_account,
        kind=kind,
        aws_id=aws_id,
        name=name,
        arn=arn,
        search=f"{arn} {aws_id}".lower(),
        first_seen=since,
        gone_at=until,
    )
    _make(
        EntityState,
        entity=made,
        account=owner_account,
        kind=kind,
        name=name,
        sort_name=name.lower(),
        path=path,
        arn=arn,
        created_at=state.pop("created_at", since),
        digest=f"{next(_numbers):032d}",
        valid_from=since,
        valid_to=until,
        observed_at=since,
        **state,
    )
    return made


def user(
    owner_account: Account,
    name: str = "maya.okafor",
    *,
    credentials: dict[str, Any] | None = None,
    usage: dict[str, Any] | None = None,
    **fields: Any,
) -> Entity:
    """An IAM user with credentials and usage rows."""
    since = fields.get("since", FIRST_READ)
    made = entity(owner_account, Kind.USER, name, category="user", **fields)
    _make(
        UserCredentials,
        account=owner_account,
        user=made,
        valid_from=since,
        valid_to=fields.get("until"),
        observed_at=since,
        **{"has_password": True, "mfa": "virtual"} | (credentials or {}),
    )
    seen = {"kind": Kind.USER, "observed_at": since} | (usage or {})
    _make(Usage, entity=made, account=owner_account, **seen)
    return made


def group(owner_account: Account, name: str = "deployers", **fields: Any) -> Entity:
    """An IAM group."""
    return entity(owner_account, Kind.GROUP, name, **fields)


def role(
    owner_account: Account, name: str = "app", *, trust: dict[str, Any] | None = None, **fields: Any
) -> Entity:
    """An IAM role with a trust policy and a usage row."""
    made = entity(
        owner_account,
        Kind.ROLE,
        name,
        document=document(trust or TRUST_EC2),
        **{"category": "service:ec2"} | fields,
    )
    _make(
        Usage, entity=made, account=owner_account, kind=Kind.ROLE, observed_at=fields.get("since", FIRST_READ)
    )
    return made


def policy(
    owner_account: Account, name: str = "DeployPayments", *, body: dict[str, Any] | None = None, **fields: Any
) -> Entity:
    """A customer managed policy with one version, v1."""
    since = fields.get("since", FIRST_READ)
    made = entity(owner_account, Kind.POLICY, name, **{"category": "customer"} | fields)
    _make(
        PolicyVersion,
        account=owner_account,
        policy=made,
        version_id="v1",
        document=document(body or ALLOW_S3),
        is_default=True,
        created_at=since,
        valid_from=since,
        observed_at=since,
    )
    return made


def edge(
    kind: EdgeKind,
    source: Entity,
    target: Entity,
    *,
    since: datetime = FIRST_READ,
    until: datetime | None = None,
) -> Edge:
    """A tie between two entities."""
    return _make(
        Edge,
        account=source.account,
        kind=kind,
        source=source,
        target=target,
        valid_from=since,
        valid_to=until,
        observed_at=since,
    )


def inline(
    owner: Entity, name: str = "extra", *, body: dict[str, Any] | None = None, since: datetime = FIRST_READ
) -> InlinePolicy:
    """An inline policy."""
    return _make(
        InlinePolicy,
        account=owner.account,
        owner=owner,
        name=name,
        document=document(body or ALLOW_S3),
        valid_from=since,
        observed_at=since,
    )


BETWEEN_READINGS = timedelta(minutes=15)
Row = TypeVar("Row", bound=TemporalRow)


def seen_after(row: Row) -> Row:
    """The row began after a reading that did not have it: it is a change, and not from a first reading."""
    row.after = row.valid_from - BETWEEN_READINGS
    row.save()
    return row


def ends(row: TemporalRow, *, at: datetime) -> None:
    """The fact is gone at a moment; the reading before still had it."""
    row.valid_to, row.last_seen = at, at - BETWEEN_READINGS
    row.save()


def becomes(row: Row, *, at: datetime, **values: Any) -> Row:
    """The fact is another at a moment: the row ends, and a copy with the values begins."""
    ends(row, at=at)
    new = type(row)._default_manager.get(pk=row.pk)
    new.pk, new._state.adding = None, True
    new.valid_from, new.after, new.observed_at = at, at - BETWEEN_READINGS, at
    new.valid_to = new.last_seen = None
    if isinstance(new, EntityState):
        new.digest = f"{next(_numbers):032d}"
    for name, value in values.items():
        setattr(new, name, value)
    new.save()
    return new


def person(name: str = "Ines Duarte", *, email: str = "", arns: tuple[str, ...] = ()) -> Person:
    """A person, with the IAM users that are theirs."""
    made = Person.objects.create(name=name, email=email or f"{name.lower().replace(' ', '.')}@example.com")
    for arn in arns:
        Identity.objects.create(person=made, user_arn=arn)
    return made


def assign(
    someone: Person, role_name: Role, *, account_id: str = "", team: Team | None = None
) -> RoleAssignment:
    """A role of a person."""
    return RoleAssignment.objects.create(person=someone, role=role_name, account_id=account_id, team=team)


def operator(
    role_name: Role | None = Role.ADMINISTRATOR,
    *,
    name: str = "Ines Duarte",
    team: Team | None = None,
    arns: tuple[str, ...] = (),
) -> Any:
    """A sign-in of a person with one role; use with `client.force_login`."""
    from console.operators.models import Operator

    someone = person(name, arns=arns)
    if role_name is not None:
        assign(someone, role_name, team=team)
    return Operator.objects.create_user(
        username=name.lower().replace(" ", "."),
        email=someone.email,
        password="correct horse battery staple",
        person=someone,
    )


def viewer(role_name: Role = Role.ADMINISTRATOR, **fields: Any) -> Viewer:
    """A viewer with one role."""
    someone = person(**fields)
    assign(someone, role_name)
    return viewer_for(someone)
