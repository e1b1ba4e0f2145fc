"""The options of form fields from the mirror: policies, roles, profiles, attached policies and versions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from django.db.models import Q

from iam.changes.errors import FieldError
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
    TagSet,
    valid_at,
)

Choices = Sequence[tuple[str, str]]
"""Pairs of value and label for a choice field."""
PROPOSED: Final = 300
"""The maximum number of suggested names; others are found by typing."""


def entity_named(account: Account, kind: Kind, text: str, *, field: str) -> Entity:
    """The entity with this name or ARN in the account. Raises FieldError if there is none or more
    than one.
    """
    wanted = Q(arn=text) if text.startswith("arn:") else Q(name=text)
    matches = list(
        Entity.objects.filter(wanted, account=account, kind=kind, gone_at__isnull=True).select_related(
            "account"
        )[:2]
    )
    if not matches:
        raise not_there(account, kind, text, field=field)
    if len(matches) > 1:
        raise FieldError(
            f"Several {_label(kind)} entries are named {text[:200]}. Enter the ARN.", field=field
        )
    return matches[0]


def not_there(account: Account, kind: Kind, text: str, *, field: str) -> FieldError:
    """The message for a name that doesn't exist in an account."""
    return FieldError(
        f"{account.name} has no {_label(kind)} “{text[:200]}”, as of the last sync.", field=field
    )


def _label(kind: Kind) -> str:
    """The kind of entity, as written within a sentence."""
    return "policy" if kind == Kind.POLICY else kind.label.removeprefix("IAM ").lower()


def of_kind(account: Account, kind: Kind) -> Choices:
    """Names in an account to suggest; for policies, the ARN with the name as label."""
    rows = Entity.objects.filter(account=account, kind=kind, gone_at__isnull=True).order_by("name", "id")[
        :PROPOSED
    ]
    if kind == Kind.POLICY:
        return [(row.arn, row.name) for row in rows]
    return [(row.name, row.name) for row in rows]


def attached(holder: Entity) -> Choices:
    """The managed policies that a user, group or role has attached."""
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.ATTACHED, source=holder)
    return [
        (edge.target.arn, edge.target.name)
        for edge in edges.select_related("target").order_by("target__name")
    ]


def inline(holder: Entity) -> Choices:
    """The names of its inline policies."""
    names = (
        InlinePolicy.objects.filter(valid_at(None), owner=holder)
        .order_by("name")
        .values_list("name", flat=True)
    )
    return [(name, name) for name in names]


def inline_text(holder: Entity, name: str) -> str:
    """The text of an inline policy; "" if it doesn't exist."""
    rows = InlinePolicy.objects.filter(valid_at(None), owner=holder, name=name)
    return laid_out(rows.values_list("document__text", flat=True).first() or "")


def spare_versions(policy: Entity) -> Choices:
    """The versions of a policy that are not the default."""
    rows = PolicyVersion.objects.filter(valid_at(None), policy=policy, is_default=False).order_by(
        "created_at", "id"
    )
    return [(row.version_id, row.version_id) for row in rows]


def trust_text(role: Entity) -> str:
    """The current trust policy of a role."""
    state = state_of(role)
    text = Document.objects.filter(digest=state.document_id).first() if state and state.document_id else None
    return laid_out(text.text) if text else ""


def state_of(entity: Entity) -> EntityState | None:
    """The current state of an entity."""
    return EntityState.objects.filter(valid_at(None), entity=entity).first()


def tags_text(entity: Entity) -> str:
    """Its tags, one per line."""
    row = TagSet.objects.filter(valid_at(None), entity=entity).first()
    return "\n".join(f"{key} = {value}" for key, value in sorted((row.tags if row else {}).items()))


def fact(account: Account, name: str) -> object:
    """A fact of the account from the mirror; None if unknown."""
    row = AccountFact.objects.filter(valid_at(None), account=account, name=name).first()
    return row.value if row else None


def laid_out(text: str) -> str:
    """The policy formatted for reading; text that is not JSON stays unchanged."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
