"""Plans which policies of active grants a template version would rewrite. Writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from iam.access.grants.documents import TooLargeError, meaning_of, packed, timed, written
from iam.access.grants.models import GIVING, Grant, LedgerEntry, PermissionSort
from iam.access.grants.queries import visible_grants
from iam.access.templates.body import TemplateBody, TemplateError
from iam.access.templates.models import Template
from iam.changes.operations import CreatePolicyVersion, Operation, PutInlinePolicy
from iam.changes.operations.policy_version import default_text
from iam.guard import Viewer
from iam.mirror.models import Account, Entity, InlinePolicy, valid_at
from iam.policy.lint import MANAGED

MAX_GRANTS = 60
"""The maximum number of grants per set; the rest is rolled out afterwards."""


@dataclass(frozen=True, slots=True)
class FollowingGrant:
    """A grant to update, with the positions of its operations in the plan."""

    grant: Grant
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SkippedGrant:
    """A grant that is not updated, with the reason."""

    grant: Grant
    why: str


@dataclass(slots=True)
class RolloutPlan:
    """The policies to rewrite, each once even if grants share it."""

    operations: list[Operation] = field(default_factory=list)
    followed: list[FollowingGrant] = field(default_factory=list)
    left: list[SkippedGrant] = field(default_factory=list)
    more: int = 0


class _LeftError(Exception):
    """Raised if a grant can't be updated; the message says why."""


def living_grants(template: Template, *, viewer: Viewer, but: int = 0) -> list[Grant]:
    """The active grants of a template, oldest first, without those of the version `but`."""
    rows = visible_grants(viewer).filter(template=template.slug, state__in=GIVING)
    return list(rows.exclude(template_version=but).order_by("created_at", "id"))


def plan_rollout(grants: Sequence[Grant], *, body: TemplateBody) -> RolloutPlan:
    """Plan the operations that update these grants to the body."""
    plan = RolloutPlan(more=len(grants[MAX_GRANTS:]))
    made: dict[tuple[str, str, str], int] = {}
    entries = _entries(grants[:MAX_GRANTS])
    for grant in grants[:MAX_GRANTS]:
        try:
            operations = list(_operations(grant, entries[grant.pk], body))
        except _LeftError as why:
            plan.left.append(SkippedGrant(grant, str(why)))
            continue
        places = []
        for key, operation in operations:
            if key not in made:
                made[key] = len(plan.operations)
                plan.operations.append(operation)
            places.append(made[key])
        plan.followed.append(FollowingGrant(grant, tuple(places)))
    return plan


def _entries(grants: Sequence[Grant]) -> dict[object, list[LedgerEntry]]:
    entries_by_part: dict[object, list[LedgerEntry]] = defaultdict(list)
    rows = LedgerEntry.objects.filter(part__grant__in=grants, since__isnull=False, until__isnull=True)
    for entry in rows.select_related("part", "account", "part__account").order_by("pk"):
        entries_by_part[entry.part.grant_id].append(entry)
    return entries_by_part


def _operations(
    grant: Grant, entries: Sequence[LedgerEntry], body: TemplateBody
) -> Iterator[tuple[tuple[str, str, str], Operation]]:
    """Pairs of policy key and operation for a grant. Raises _LeftError."""
    by_part: dict[int, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        by_part[entry.part_id].append(entry)
    is_any = False
    for part_entries in by_part.values():
        text = _text(grant, part_entries[0].part.account, body)
        roles = {entry.holder_arn for entry in part_entries if entry.sort == PermissionSort.ROLE}
        policies = [entry for entry in part_entries if entry.sort == PermissionSort.POLICY]
        inline = [
            entry
            for entry in part_entries
            if entry.sort == PermissionSort.INLINE and (not roles or entry.holder_arn in roles)
        ]
        is_any = is_any or bool(policies or inline)
        if policies:
            yield from _managed(grant, policies, text)
        for inline_entry in inline:
            yield from _inline(inline_entry, text)
    if not is_any:
        raise _LeftError("It is given through an existing group or policy, which keeps its own text.")


def _text(grant: Grant, account: Account, body: TemplateBody) -> str:
    """The grant's new policy text in an account, with its end date."""
    parameters = dict(grant.agreed.what.parameters)
    names = {parameter.name for parameter in body.parameters}
    try:
        document = body.render(
            {name: value for name, value in parameters.items() if name in names},
            account_id=account.account_id,
            partition=account.partition,
        )
    except TemplateError as error:
        raise _LeftError(f"The new version needs more parameters. {error.message}") from None
    text = written(document)
    return timed(text, end=grant.ends_at) if grant.ends_at else text


def _managed(
    grant: Grant, policies: Sequence[LedgerEntry], text: str
) -> Iterator[tuple[tuple[str, str, str], Operation]]:
    try:
        texts = packed([text])
    except TooLargeError as error:
        raise _LeftError(f"The new version doesn’t fit. {error}") from None
    if len(texts) != len(policies):
        raise _LeftError(
            f"It needs {len(texts)} policies and has {len(policies)}. End the grant and create a new one."
        )
    for entry, policy_text in zip(policies, texts, strict=True):
        _check_shared(grant, entry)
        policy = _current_policy(entry.account, entry.holder_arn)
        if meaning_of([default_text(policy)]) != meaning_of([policy_text]):
            yield (entry.account.account_id, policy.arn, ""), CreatePolicyVersion.of(policy, text=policy_text)


def _check_shared(grant: Grant, entry: LedgerEntry) -> None:
    """Check that grants sharing a permanent policy are all updated together. Raises _LeftError."""
    others = LedgerEntry.objects.filter(
        account=entry.account, holder_arn=entry.holder_arn, sort=PermissionSort.POLICY, until__isnull=True
    ).exclude(part__grant=grant.pk)
    strange = others.exclude(
        part__grant__template=grant.template, part__grant__template_version=grant.template_version
    )
    other = strange.select_related("part__grant").first()
    if other is not None:
        raise _LeftError(f"{other.part.grant.reference} shares its policy and has another version.")


def _inline(entry: LedgerEntry, text: str) -> Iterator[tuple[tuple[str, str, str], Operation]]:
    try:
        texts = packed([text], limit=MANAGED.limit * 2)
    except TooLargeError as error:
        raise _LeftError(f"The new version doesn’t fit. {error}") from None
    holder = _current_policy(entry.account, entry.holder_arn)
    standing = InlinePolicy.objects.filter(valid_at(None), owner=holder, name=entry.target)
    had = standing.values_list("document__text", flat=True).first()
    if had is None:
        raise _LeftError(f"Its policy {entry.target} no longer exists in AWS, as of the last sync.")
    if meaning_of([had]) != meaning_of(texts):
        operation = PutInlinePolicy.of(holder, name=entry.target, text=texts[0])
        yield (entry.account.account_id, holder.arn, entry.target), operation


def _current_policy(account: Account, arn: str) -> Entity:
    entity = (
        Entity.objects.filter(account=account, arn=arn, gone_at__isnull=True)
        .select_related("account")
        .first()
    )
    if entity is None:
        raise _LeftError(f"{arn.rpartition('/')[2]} no longer exists in AWS, as of the last sync.")
    return entity
