"""What the mirror shows of an account at a moment, and what the small AWS has, in the same plain shape."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from iam.mirror.models import (
    Account,
    AccountFact,
    Edge,
    EntityState,
    InlinePolicy,
    PolicyVersion,
    TagSet,
    UserCredentials,
    valid_at,
)
from tests.bench.fakeaws.world import World

TABLES = (EntityState, Edge, InlinePolicy, PolicyVersion, TagSet, UserCredentials, AccountFact)
PRINCIPALS = ("user", "group", "role", "policy")


def picture(account: Account, *, at: datetime | None = None) -> dict[str, Any]:
    """Everything about users, groups, roles and policies that holds at a moment, without row ids."""
    now = valid_at(at)
    states = EntityState.objects.filter(now, account=account, kind__in=PRINCIPALS).select_related("entity")
    return {
        "entities": {
            s.entity.aws_id: (s.kind, s.name, s.path, s.arn, s.created_at, s.document_id, s.attrs)
            for s in states
        },
        "edges": {
            (e.source.aws_id, e.kind, e.target.arn)
            for e in Edge.objects.filter(now, account=account, source__kind__in=PRINCIPALS).select_related(
                "source", "target"
            )
        },
        "inline": {
            (p.owner.aws_id, p.name): p.document.text
            for p in InlinePolicy.objects.filter(now, account=account).select_related("owner", "document")
        },
        "versions": {
            (v.policy.aws_id, v.version_id): (v.document.text, v.is_default)
            for v in PolicyVersion.objects.filter(now, account=account).select_related("policy", "document")
        },
        "tags": {
            t.entity.aws_id: t.tags
            for t in TagSet.objects.filter(now, account=account, entity__kind__in=PRINCIPALS).select_related(
                "entity"
            )
        },
        "credentials": {
            c.user.aws_id: (c.has_password, c.mfa, c.active_keys, c.keys, c.oldest_key_at)
            for c in UserCredentials.objects.filter(now, account=account).select_related("user")
        },
    }


def source(world: World, *, has_details: bool = False) -> dict[str, Any]:
    """The same of the world, but for documents of states and attributes, which have their own tests.

    Tags of policies come with the detail lane.
    """
    a = world.account
    principals = a.users + a.groups + a.roles
    return {
        "entities": {e["id"]: (e["kind"], e["name"], e["path"], e["arn"]) for e in principals}
        | {p["id"]: ("policy", p["name"], p["path"], p["arn"]) for p in a.policies + a.managed},
        "edges": {(u["id"], "member", a.group[g]["arn"]) for u in a.users for g in u["groups"]}
        | {(e["id"], "attached", arn) for e in principals for _, arn in e["attached"]}
        | {(e["id"], "boundary", e["boundary"]) for e in principals if e["boundary"]},
        "inline": {(e["id"], name): text for e in principals for name, text in e["inline"]},
        "versions": {
            (p["id"], version): (text, version == p["default"])
            for p in a.policies + a.managed
            for version, text, _ in p["versions"]
        },
        "tags": {
            e["id"]: e["tags"] for e in a.users + a.roles + (a.policies if has_details else []) if e["tags"]
        },
    }


def seen(shown: dict[str, Any]) -> dict[str, Any]:
    """A picture reduced to what `source` gives."""
    return {
        **{name: shown[name] for name in ("edges", "inline", "versions", "tags")},
        "entities": {pk: facts[:4] for pk, facts in shown["entities"].items()},
    }


def rows(account: Account) -> dict[str, tuple[int, int, int]]:
    """Per table in time: rows, rows that hold now, and the highest id, to prove that nothing was written."""
    rows = {}
    for table in TABLES:
        of_account = table.objects.filter(account=account)
        last = of_account.order_by("-pk").values_list("pk", flat=True).first() or 0
        rows[table.__name__] = (of_account.count(), of_account.filter(valid_at(None)).count(), last)
    return rows
