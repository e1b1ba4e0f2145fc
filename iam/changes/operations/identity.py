"""Checks whether a name in AWS still refers to what was approved, and finds the mirror's entity for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db.models import BigIntegerField, CharField

from iam.aws.errors import AwsError, ErrorKind
from iam.changes.planning_cache import is_absent, memoize
from iam.compiled_queries import CompiledQuery, columns, instance
from iam.mirror.models import Account, Entity
from iam.prepared_statements import QueryParam

T = TypeVar("T")


def lost_identity(
    what: str, current: str | None, *, expected: str, missing: str = "no longer exists under this name"
) -> str:
    """Return a sentence on why `what` is not what was approved (deleted, renamed, recreated), or "".

    `current` is its unique ID now, None if it doesn't exist. Without an expected ID, it is enough that it
    exists.
    """
    if current is None:
        return f"{what} {missing} in AWS."
    if expected and current != expected:
        return f"{what} was replaced by another with this name: its ID is now {current}, not {expected}."
    return ""


def found_or_none(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except AwsError as error:
        if error.kind is not ErrorKind.NOT_FOUND:
            raise
    return None


def _current_entity_by(column: str) -> CompiledQuery:
    """The query for an account's current entity of a kind with a value in this column."""
    return CompiledQuery(
        lambda: (
            Entity.objects.filter(
                account=QueryParam("account", BigIntegerField()),
                kind=QueryParam("kind", CharField()),
                gone_at__isnull=True,
                **{column: QueryParam(column, CharField())},
            )
            .order_by("pk")
            .values_list(*columns(Entity))[:1]
        )
    )


_BY_ID, _BY_ARN = _current_entity_by("aws_id"), _current_entity_by("arn")


def find_current_entity(account: Account, *, kind: str, aws_id: str = "", arn: str = "") -> Entity | None:
    """Return the entity with this unique ID or, without an ID, with this ARN. None if it is deleted or not
    created yet.
    """
    if not aws_id and (not arn or is_absent(account.pk, arn)):
        return None

    def read() -> Entity | None:
        statement, which = (_BY_ID, {"aws_id": aws_id}) if aws_id else (_BY_ARN, {"arn": arn})
        rows = statement.rows(account=account.pk, kind=kind, **which)
        return instance(Entity, rows[0]) if rows else None

    return memoize(("living", account.pk, kind, aws_id, "" if aws_id else arn), read)
