"""Rows of the pages about effective access: services and actions, for templates and files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Final, Generic, TypeVar

from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from console.access.bars import allowed, bar, in_words
from console.access.forms.effective import EffectiveAccessForm
from console.identities.details.frame import ShownEntity
from console.web.access_levels import plain_label
from console.web.alike_rows import AlikeRow
from console.web.templatetags.ui import level_bar
from iam.access.effective import (
    AccessGrade,
    ApplicableStatement,
    EffectiveAccess,
    OneAction,
    ServiceAccess,
    patterns_of,
)
from iam.guard import Right
from iam.mirror.models import Kind
from iam.policy.catalogue import catalogue
from iam.policy.sentences.conditions import conditions_in_words

PREVIEW_PHRASES: Final = 2
"""Maximum number of resources or phrases in a cell."""
SIZE: Final = 100
NAMES: Final = {Kind.USER.value: "access:person", Kind.ROLE.value: "access:role"}
ORGANIZATION_LIMITS: Final = (
    "Depends on limits that the organization sets (permissions boundary, SCPs or RCPs)"
)
FULL: Final = "Full access"
PASSES_ROLES: Final = "Can give permissions to services"
_ANY_SERVICE: Final = "any-service"
GRADES: Final = {
    AccessGrade.EVERYWHERE: ("All resources", "", ""),
    AccessGrade.LIMITED: ("Some resources", "", ""),
    AccessGrade.CONDITIONAL: ("Conditional", "warn", "circle-help"),
}


@dataclass(frozen=True, slots=True)
class EffectiveServiceRow(AlikeRow):
    """A service: its bar, the allowed levels in words, the resources, and badges. Numbers are texts, "" for
    none. `is_everywhere` says that something is allowed on all resources, beside those named.
    """

    TEXTS: ClassVar = frozenset({
        "prefix", "title", "url", "bar", "words", "everywhere", "limited", "conditional", "unlisted",
        "resources", "more",
    })  # fmt: skip

    prefix: str
    title: str
    url: str
    bar: SafeString
    words: str
    everywhere: str
    limited: str
    conditional: str
    unlisted: str
    is_everywhere: bool
    resources: tuple[str, ...]
    more: str
    risks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EffectiveActionRow:
    """An action: how far it is allowed, the resources, conditions and statements."""

    name: str
    description: str
    level: str
    grade: tuple[str, str, str]
    resources: tuple[str, ...]
    more: int
    besides: tuple[str, ...]
    when: tuple[str, ...]
    by: tuple[tuple[str, str, str], ...]
    why: str


RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class EffectiveRowsPage(Generic[RowT]):
    """Some of the rows; `after` starts the next page."""

    rows: list[RowT]
    total: int
    first: int
    last: int
    after: str


def address(shown: ShownEntity, prefix: str) -> str:
    """Return the address of one service's page, or of the overview."""
    name = NAMES[shown.entity.kind]
    return (
        reverse(f"{name}-service", args=[shown.entity.pk, prefix])
        if prefix
        else reverse(name, args=[shown.entity.pk])
    )


def service_addresses(shown: ShownEntity) -> Callable[[str], str]:
    """Return a function from a service's prefix to the address of its page. It fills the prefix into an
    address that is looked up once: a hundred lookups take longer than the rows of the page.
    """
    before, _, after = address(shown, _ANY_SERVICE).rpartition(_ANY_SERVICE)
    return lambda prefix: f"{before}{prefix}{after}"


def why_address(shown: ShownEntity, action: str) -> str:
    """Return the address of the page that explains why an action is allowed, without the moment."""
    address = reverse(f"{NAMES[shown.entity.kind]}-why", args=[shown.entity.pk])
    return f"{address}?{urlencode({'action': action})}"


def moment_suffix(shown: ShownEntity) -> str:
    """Return the as-of parameter to append to an address that already has a query."""
    return f"&as-of={shown.at:%Y-%m-%dT%H:%M:%S}" if shown.at else ""


def compare_address(shown: ShownEntity) -> str:
    """Return the address that compares a past moment with now, or now with a week ago.

    Returns "" if the viewer doesn’t see the account.
    """
    if not shown.viewer.scope.sees_account(shown.account_id):
        return ""
    query = {"a": str(shown.entity.pk), "b": str(shown.entity.pk)}
    if shown.at:
        query["a-at"] = f"{shown.at:%Y-%m-%dT%H:%M:%S}"
    return f"{reverse('access:compare')}?{urlencode(query)}"


def escalation_address(shown: ShownEntity) -> str:
    """Return the address of this principal's escalation paths; "" if the viewer doesn’t see the account."""
    if not shown.viewer.scope.sees_account(shown.account_id):
        return ""
    moment = {"as-of": f"{shown.at:%Y-%m-%dT%H:%M:%S}"} if shown.at else {}
    return f"{reverse('access:escalation')}?{urlencode({'from': shown.entity.arn} | moment)}"


def files(shown: ShownEntity) -> list[tuple[str, str]]:
    """Return (label, address) of the exports that the viewer can download."""
    if not shown.viewer.may(Right.EXPORT, account_id=shown.account_id):
        return []
    name = f"{NAMES[shown.entity.kind]}-export"
    return [
        (label, reverse(name, args=[shown.entity.pk, form]))
        for label, form in (("CSV", "csv"), ("JSON", "json"))
    ]


def is_known(prefix: str) -> bool:
    """Return whether AWS has a service with this prefix."""
    return prefix == prefix.lower() and catalogue().has_service(prefix)


def services(
    access: EffectiveAccess, form: EffectiveAccessForm, shown: ShownEntity
) -> EffectiveRowsPage[EffectiveServiceRow]:
    """Return a page of the services that match the filter."""
    services = [service for service in access.services if _is_asked(access, service, form)]
    address_of = service_addresses(shown)
    return _page(
        services,
        [service.prefix for service in services],
        form.after,
        lambda service: service_row(access, service, shown, url=address_of(service.prefix)),
    )


Thing = TypeVar("Thing")


def _page(
    things: Sequence[Thing], names: Sequence[str], after: str, row: Callable[[Thing], RowT]
) -> EffectiveRowsPage[RowT]:
    """Return the items after a name; an unknown name starts at the beginning."""
    begin = names.index(after) + 1 if after in names else 0
    part = things[begin : begin + SIZE]
    end = begin + len(part)
    first = begin + 1 if part else 0
    last_name = names[end - 1] if end < len(things) else ""
    return EffectiveRowsPage(
        rows=[row(thing) for thing in part],
        total=len(things),
        first=first,
        last=end,
        after=last_name,
    )


def _is_asked(access: EffectiveAccess, service: ServiceAccess, form: EffectiveAccessForm) -> bool:
    if form.access_level and not any(
        allowed(service.levels[level]) for level in form.levels if level in service.levels
    ):
        return False
    text = form.text.lower()
    if not text or text in service.title.lower() or text in service.prefix:
        return True
    if any(text in name.lower() for name in access.resources(service.prefix) or ()):
        return True
    return any(text in name.lower() for name in catalogue().names(access.of_service(service.prefix)))


def service_row(
    access: EffectiveAccess, service: ServiceAccess, shown: ShownEntity, *, url: str
) -> EffectiveServiceRow:
    """Return the table row of a service whose page has the address `url`."""
    patterns = access.resources(service.prefix)
    is_everywhere = patterns is None or "*" in patterns
    names = [own_name(pattern, shown) for pattern in patterns or () if pattern != "*"]
    names_shown = names[: PREVIEW_PHRASES - is_everywhere]
    return EffectiveServiceRow(
        prefix=service.prefix,
        title=service.title,
        url=url,
        bar=level_bar(*bar(service.levels)),
        words=in_words(service.levels, service=service.prefix),
        everywhere=_number(service.sum(AccessGrade.EVERYWHERE)),
        limited=_number(service.sum(AccessGrade.LIMITED)),
        conditional=_number(service.sum(AccessGrade.CONDITIONAL)),
        unlisted=_number(service.unlisted),
        is_everywhere=is_everywhere,
        resources=tuple(names_shown),
        more=_number(len(names) - len(names_shown)),
        risks=tuple(_risks(access, service, shown)),
    )


def _number(count: int) -> str:
    return str(intcomma(count)) if count else ""


def _risks(access: EffectiveAccess, service: ServiceAccess, shown: ShownEntity) -> Iterator[str]:
    if service.levels and all(count.everywhere == count.total for count in service.levels.values()):
        yield FULL
    elif service.prefix == "iam" and access.passes_roles:
        yield "iam:PassRole" if shown.viewer.sees_accounts else PASSES_ROLES


def short_name(pattern: str) -> str:
    """Return `role/pay-deploy` of an ARN: the part that distinguishes resources of a service."""
    prefix = "all but " if pattern.startswith("all but ") else ""
    arn = pattern.removeprefix(prefix)
    if arn == "*":
        return f"{prefix}all resources" if prefix else "All resources"
    return prefix + (arn.split(":", 5)[-1] or arn)


def own_name(pattern: str, shown: ShownEntity) -> str:
    """Return the short name; viewers who don’t read policies see the person's name instead of
    `${aws:username}`.
    """
    name = short_name(pattern)
    return name if shown.viewer.sees_accounts else name.replace("${aws:username}", shown.entity.name)


def service_head(prefix: str, service: ServiceAccess | None) -> dict[str, Any]:
    """Return the heading of a service's page, even if nothing is allowed."""
    fills, counts = bar(service.levels) if service and service.levels else ("", "")
    return {
        "prefix": prefix,
        "title": service.title if service else catalogue().title(prefix),
        "fills": fills,
        "counts": counts,
        "words": in_words(service.levels, service=prefix) if service else "",
        "allowed": service.allowed if service else 0,
        "unlisted": service.unlisted if service else 0,
    }


def actions(
    access: EffectiveAccess, prefix: str, form: EffectiveAccessForm, shown: ShownEntity
) -> EffectiveRowsPage[EffectiveActionRow]:
    """Return a page of the service's allowed actions that match the filter."""
    every = access.actions(prefix)
    actions = [
        action
        for action in every
        if form.matches_levels(action.level, action.grade) and _has(action, form.text)
    ]
    return _page(
        actions, [action.name for action in actions], form.after, lambda action: action_row(action, shown)
    )


def _has(action: OneAction, text: str) -> bool:
    if not text or text.lower() in action.name.lower():
        return True
    patterns = chain.from_iterable(patterns_of(entry.statement) for entry in action.allows)
    return any(text.lower() in name.lower() for name in patterns)


def action_row(action: OneAction, shown: ShownEntity) -> EffectiveActionRow:
    """Return the table row of an action."""
    known = catalogue().action(action.name)
    resources = resources_of(action)
    description = known.description if known else ""
    level = _level_words(action, shown)
    denied = chain.from_iterable(map(denied_part, action.denies))
    return EffectiveActionRow(
        name=action.name,
        description=plain_description(description),
        level=level,
        grade=GRADES[action.grade],
        resources=tuple(own_name(name, shown) for name in resources[:PREVIEW_PHRASES]),
        more=max(0, len(resources) - PREVIEW_PHRASES),
        besides=tuple(map(short_name, denied))[:PREVIEW_PHRASES],
        when=condition_text(action),
        by=tuple(_allowed_by(entry, shown) for entry in action.allows),
        why=why_address(shown, action.name),
    )


def _level_words(action: OneAction, shown: ShownEntity) -> str:
    if action.level is None:
        return "Not listed"
    if shown.viewer.sees_accounts:
        return str(action.level)
    return plain_label(action.level, service=action.name.partition(":")[0])


def plain_description(text: str) -> str:
    """Return 'Create a bucket' for 'Grants permission to create a bucket'."""
    rest = text.removeprefix("Grants permission to ").strip()
    return rest[:1].upper() + rest[1:]


def resources_of(action: OneAction) -> tuple[str, ...]:
    """Return the resources of the statements that allow an action."""
    if action.grade is AccessGrade.EVERYWHERE:
        return ("*",)
    patterns = chain.from_iterable(patterns_of(entry.statement) for entry in action.allows)
    return tuple(dict.fromkeys(patterns))


def denied_part(entry: ApplicableStatement) -> tuple[str, ...]:
    """Return the resources that an unconditional deny statement covers."""
    return () if entry.statement.conditions else patterns_of(entry.statement)


def condition_text(action: OneAction) -> tuple[str, ...]:
    """Return the conditions of a conditional action from the principal's own policies."""
    if action.grade is not AccessGrade.CONDITIONAL:
        return ()
    allowed = chain.from_iterable(conditions_in_words(entry.statement) for entry in action.allows)
    denied = chain.from_iterable(conditions_in_words(entry.statement) for entry in action.denies)
    sentences = [f"Only when {phrase}" for phrase in dict.fromkeys(allowed)]
    sentences += [f"Not when {phrase}" for phrase in dict.fromkeys(denied)]
    return tuple(sentences) or (ORGANIZATION_LIMITS,)


def _allowed_by(entry: ApplicableStatement, shown: ShownEntity) -> tuple[str, str, str]:
    """Return (policy, statement, address) of an allowing statement."""
    policy, statement = entry.held.policy, entry.statement
    sid = f", {statement.sid}" if statement.sid else ""
    through = f", through {entry.held.group.name}" if entry.held.group else ""
    url = (
        reverse("identities:policy", args=[policy.pk])
        if policy.pk and shown.viewer.scope.sees_account(shown.account_id)
        else ""
    )
    return policy.name, f"statement {statement.index + 1}{sid}{through}", url


def lines(access: EffectiveAccess, asked: Iterable[ServiceAccess]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file: every allowed action with all of its resources, conditions and statements."""
    for service in asked:
        for action in access.actions(service.prefix):
            conditions = chain.from_iterable(entry.statement.conditions for entry in action.allows)
            yield {
                "service": service.prefix,
                "service_name": service.title,
                "action": action.name,
                "access_level": str(action.level) if action.level else None,
                "allowed": str(action.grade),
                "resources": list(resources_of(action)),
                "except": list(chain.from_iterable(map(denied_part, action.denies))),
                "conditions": [
                    f"{operator} {key}: {', '.join(values)}" for operator, key, values in conditions
                ],
                "policies": list(dict.fromkeys(_file_name(entry) for entry in action.allows)),
            }


def _file_name(entry: ApplicableStatement) -> str:
    through = f" of group {entry.held.group.name}" if entry.held.group else ""
    return f"{entry.held.policy.name}{through}, statement {entry.statement.index + 1}"
