"""The differences between two times: of an entity as a whole, of an account by section and page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from iam.mirror.mfa import mfa_is_unknown
from iam.mirror.models import (
    Account,
    AccountFact,
    Edge,
    EdgeKind,
    EntityState,
    InlinePolicy,
    Kind,
    PolicyVersion,
    TemporalRow,
    UserCredentials,
    valid_at,
)
from iam.mirror.queries.search import SEARCHED_KINDS

CAME, WENT, CHANGED = "came", "went", "changed"
TIES = (
    EdgeKind.MEMBER,
    EdgeKind.ATTACHED,
    EdgeKind.BOUNDARY,
    EdgeKind.PROFILE_ROLE,
    EdgeKind.PARENT,
    EdgeKind.TARGET,
)
KINDS = (
    *SEARCHED_KINDS,
    Kind.SERVER_CERTIFICATE,
    Kind.ORG_ROOT,
    Kind.ORG_UNIT,
    Kind.ORG_ACCOUNT,
    Kind.SCP,
    Kind.RCP,
)


@dataclass(frozen=True, slots=True)
class MomentPair:
    """Two times, the earlier one first. `right` None is now."""

    left: datetime
    right: datetime | None

    def begun_rows(self) -> Q:
        """Return the condition for rows valid on the right that began since the left, except those of a first
        sync.
        """
        since = Q(valid_from__gt=self.left, after__isnull=False)
        return since & valid_at(self.right)

    def ended(self) -> Q:
        """Return the condition for rows that were valid on the left and ended since."""
        until = Q(valid_to__lte=self.right) if self.right else Q(valid_to__isnull=False)
        return Q(valid_to__gt=self.left, valid_from__lte=self.left) & until


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """A difference. `sort` names the section, `sign` is came, went or changed. Which other fields are set
    depends on the section.
    """

    sort: str
    sign: str
    pk: int
    when: datetime
    after: datetime | None
    name: str
    kind: str
    entity: int
    other: str = ""
    other_kind: str = ""
    other_entity: int | None = None
    words: str = ""
    cause_kind: str = ""
    cause_id: UUID | None = None


@dataclass(slots=True)
class DifferenceSection:
    """The differences of a section: the number per sign, and the first few."""

    sort: str
    counts: dict[str, int] = field(default_factory=dict)
    rows: list[DifferenceRow] = field(default_factory=list)


def sections(account: Account, span: MomentPair, *, few: int) -> list[DifferenceSection]:
    """Return every section with differences, with its numbers and first rows. One query per source."""
    by_name: dict[str, DifferenceSection] = {}
    for source in SOURCES:
        rows = source.rows(account, span).annotate(
            place=Window(RowNumber(), partition_by=[F(source.sort)], order_by=F("pk").asc()),
            total=Window(Count("pk"), partition_by=[F(source.sort)]),
        )
        for raw in source.select(rows.filter(place__lte=few).order_by("pk"), extra=("total",)):
            row = source.read(raw)
            section = by_name.setdefault(row.sort, DifferenceSection(row.sort))
            section.counts[row.sign] = raw["total"]
            section.rows.append(row)
    order = {sort: place for place, sort in enumerate(ORDER)}
    return sorted(by_name.values(), key=lambda section: order.get(section.sort, len(order)))


def section_page(
    account: Account, span: MomentPair, *, sort: str, sign: str, after: int, size: int
) -> tuple[list[DifferenceRow], bool]:
    """Return a page of a section and sign, in order of discovery, after a row, and whether more follows. One
    query.
    """
    for source in SOURCES:
        if source.sign == sign and sort in source.sorts:
            rows = source.rows(account, span).filter(pk__gt=after)
            if not source.fixed:
                rows = rows.filter(**{source.sort: sort})
            page_rows = [source.read(raw) for raw in source.select(rows.order_by("pk")[: size + 1])]
            return page_rows[:size], len(page_rows) > size
    return [], False


class FactChange(NamedTuple):
    """A fact about the account at both times, and the observations between which it got its value on the
    right.
    """

    name: str
    left: Any
    right: Any
    when: datetime
    after: datetime | None


def fact_changes(account: Account, span: MomentPair) -> list[FactChange]:
    """Return the differing facts about the account, such as the password policy, with two queries.

    The figures of the overview are left out, because they follow from everything else.
    """
    facts = AccountFact.objects.filter(account=account).exclude(name="numbers")
    left = {fact.name: fact for fact in facts.filter(valid_at(span.left))}
    right = {fact.name: fact for fact in facts.filter(valid_at(span.right))}
    changes = []
    for name in sorted(left.keys() & right.keys()):
        old = left[name]
        new = right[name]
        if old.value != new.value:
            changes.append(FactChange(name, old.value, new.value, new.valid_from, new.after))
    return changes


class DifferenceSource:
    """The source of the rows of some sections: one table, one sign."""

    sort = ""
    sorts: tuple[str, ...] = ()
    fixed = False

    def __init__(self, sign: str) -> None:
        self.sign = sign

    def rows(self, account: Account, span: MomentPair) -> QuerySet[Any, Any]:
        """Return the rows of the sign."""
        raise NotImplementedError

    def select(self, rows: QuerySet[Any, Any], *, extra: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
        """Return the columns that `read` needs."""
        return iter(rows.values("pk", *self.bounds(), *self.cause(), *self.columns, *extra))

    columns: tuple[str, ...] = ()

    def bounds(self) -> tuple[str, str]:
        """Return the columns with the times between which the difference occurred."""
        return ("valid_to", "last_seen") if self.sign == WENT else ("valid_from", "after")

    def cause(self) -> tuple[str, str]:
        """Return the columns with the cause."""
        if self.bounds()[0] == "valid_to":
            return ("end_cause_kind", "end_cause_id")
        return ("cause_kind", "cause_id")

    def read(self, raw: dict[str, Any]) -> DifferenceRow:
        """Return a row as a difference."""
        raise NotImplementedError

    def _row(self, raw: dict[str, Any], **values: Any) -> DifferenceRow:
        when, after = (raw[name] for name in self.bounds())
        kind, cause = (raw[name] for name in self.cause())
        return DifferenceRow(
            sign=self.sign, pk=raw["pk"], when=when, after=after, cause_kind=kind, cause_id=cause, **values
        )


def _same_fact_at(model: type[TemporalRow], at: datetime | None, **same: str) -> Exists:
    """Return the condition that the same fact is valid at another time."""
    keys = {name: OuterRef(column) for name, column in same.items()}
    return Exists(model._default_manager.filter(valid_at(at), **keys))


class EntityDifferences(DifferenceSource):
    """Entities that were created, deleted or changed."""

    sort, sorts = "kind", tuple(kind.value for kind in KINDS)
    columns = ("kind", "name", "entity", "entity__owner", "entity__owner__name", "category")

    def rows(self, account: Account, span: MomentPair) -> QuerySet[Any, Any]:
        """Return the rows, by whether the entity had a state on the other side."""
        rows = EntityState.objects.filter(account=account, kind__in=self.sorts)
        if self.sign == WENT:
            return rows.filter(span.ended()).exclude(_same_fact_at(EntityState, span.right, entity="entity"))
        rows = rows.filter(span.begun_rows())
        was_there = _same_fact_at(EntityState, span.left, entity="entity")
        if self.sign == CAME:
            return rows.exclude(was_there)
        return rows.filter(was_there).exclude(
            _same_fact_at(EntityState, span.left, entity="entity", digest="digest")
        )

    def read(self, raw: dict[str, Any]) -> DifferenceRow:
        """Return the difference, with the owner as the other entity."""
        owner_kind = Kind.USER.value if raw["entity__owner"] else ""
        category = raw["category"] if self.sign == CHANGED and raw["entity__owner"] else ""
        return self._row(
            raw,
            sort=raw["kind"],
            name=raw["name"],
            kind=raw["kind"],
            entity=raw["entity"],
            other=raw["entity__owner__name"] or "",
            other_kind=owner_kind,
            other_entity=raw["entity__owner"],
            words=category,
        )


class ConnectionDifferences(DifferenceSource):
    """Memberships, attachments, boundaries, roles of instance profiles, and the places and policies of the
    organization.
    """

    sort, sorts = "kind", tuple(kind.value for kind in TIES)
    columns = (
        "kind",
        "source",
        "source__name",
        "source__kind",
        "target",
        "target__name",
        "target__kind",
    )

    def rows(self, account: Account, span: MomentPair) -> QuerySet[Any, Any]:
        """Return connections without the same connection on the other side."""
        rows = Edge.objects.filter(account=account, kind__in=self.sorts)
        side, other = (span.ended(), span.right) if self.sign == WENT else (span.begun_rows(), span.left)
        return rows.filter(side).exclude(
            _same_fact_at(Edge, other, source="source", kind="kind", target="target")
        )

    def read(self, raw: dict[str, Any]) -> DifferenceRow:
        """Return the difference: from the principal to the group or policy, from a child to its unit, from an
        SCP to its target.
        """
        return self._row(
            raw,
            sort=raw["kind"],
            name=raw["source__name"],
            kind=raw["source__kind"],
            entity=raw["source"],
            other=raw["target__name"],
            other_kind=raw["target__kind"],
            other_entity=raw["target"],
        )


class InlinePolicyDifferences(DifferenceSource):
    """Inline policies."""

    sort, sorts, fixed = "owner__account", ("inline",), True
    columns = ("name", "owner", "owner__name", "owner__kind")

    def rows(self, account: Account, span: MomentPair) -> QuerySet[Any, Any]:
        """Return the rows, by whether the owner had a policy of that name on the other side, and with which
        document.
        """
        rows = InlinePolicy.objects.filter(account=account)
        same = {"owner": "owner", "name": "name"}
        if self.sign == WENT:
            return rows.filter(span.ended()).exclude(_same_fact_at(InlinePolicy, span.right, **same))
        rows, was_there = rows.filter(span.begun_rows()), _same_fact_at(InlinePolicy, span.left, **same)
        if self.sign == CAME:
            return rows.exclude(was_there)
        return rows.filter(was_there).exclude(
            _same_fact_at(InlinePolicy, span.left, **same, document="document")
        )

    def read(self, raw: dict[str, Any]) -> DifferenceRow:
        """Return the difference, with the policy's name and its owner."""
        return self._row(
            raw,
            sort="inline",
            name=raw["owner__name"],
            kind=raw["owner__kind"],
            entity=raw["owner"],
            words=raw["name"],
        )


class DocumentDifferences(DifferenceSource):
    """Managed policies whose default version has a different document."""

    sort, sorts, fixed = "policy__account", ("document",), True
    columns = ("version_id", "policy", "policy__name", "policy__kind")

    def rows(self, account: Account, span: MomentPair) -> QuerySet[Any, Any]:
        """Return new default versions of policies that had a different one."""
        rows = PolicyVersion.objects.filter(span.begun_rows(), account=account, is_default=True)
        was = PolicyVersion.objects.filter(valid_at(span.left), policy=OuterRef("policy"), is_default=True)
        return rows.filter(Exists(was)).exclude(Exists(was.filter(document=OuterRef("document"))))

    def read(self, raw: dict[str, Any]) -> DifferenceRow:
        """Return the policy with its current default version."""
        return self._row(
            raw,
            sort="document",
            name=raw["policy__name"],
            kind=raw["policy__kind"],
            entity=raw["policy"],
            words=raw["version_id"],
        )


class CredentialsDifference(DifferenceSource):
    """Users whose MFA or password was added, removed or changed."""

    sort, fixed = "user__account", True
    columns = ("mfa", "was_mfa", "has_password", "had_password", "user", "user__name", "user__kind")

    def __init__(self, sign: str, sort: str) -> None:
        super().__init__(sign)
        self.sorts = (sort,)

    def bounds(self) -> tuple[str, str]:
        """Return the beginning of the row on the right, when the difference occurred."""
        return ("valid_from", "after")

    def rows(self, account: Account, span: MomentPair) -> QuerySet[Any, Any]:
        """Return users that also had a row on the left."""
        was = UserCredentials.objects.filter(valid_at(span.left), user=OuterRef("user"))
        rows = UserCredentials.objects.filter(span.begun_rows(), account=account).annotate(
            was_mfa=Subquery(was.values("mfa")[:1]), had_password=Subquery(was.values("has_password")[:1])
        )
        if self.sorts == ("password",):
            return rows.filter(had_password=self.sign == WENT, has_password=self.sign == CAME)
        rows = rows.exclude(mfa_is_unknown()).exclude(mfa_is_unknown("was_mfa"))
        if self.sign == WENT:
            return rows.exclude(was_mfa="none").filter(mfa="none")
        if self.sign == CAME:
            return rows.filter(was_mfa="none").exclude(mfa="none")
        return rows.exclude(was_mfa="none").exclude(mfa="none").exclude(was_mfa=F("mfa"))

    def read(self, raw: dict[str, Any]) -> DifferenceRow:
        """Return the user with the difference."""
        both_mfa = f"{raw['was_mfa']} {raw['mfa']}" if self.sorts == ("mfa",) else ""
        return self._row(
            raw,
            sort=self.sorts[0],
            name=raw["user__name"],
            kind=raw["user__kind"],
            entity=raw["user"],
            words=both_mfa,
        )


SOURCES: tuple[DifferenceSource, ...] = (
    EntityDifferences(CAME),
    EntityDifferences(WENT),
    EntityDifferences(CHANGED),
    ConnectionDifferences(CAME),
    ConnectionDifferences(WENT),
    InlinePolicyDifferences(CAME),
    InlinePolicyDifferences(WENT),
    InlinePolicyDifferences(CHANGED),
    DocumentDifferences(CHANGED),
    CredentialsDifference(CAME, "mfa"),
    CredentialsDifference(WENT, "mfa"),
    CredentialsDifference(CHANGED, "mfa"),
    CredentialsDifference(CAME, "password"),
    CredentialsDifference(WENT, "password"),
)
ORDER = (
    "user",
    "group",
    "role",
    "policy",
    "document",
    "inline",
    "member",
    "attached",
    "boundary",
    "mfa",
    "password",
    "access-key",
    "mfa-device",
    "instance-profile",
    "profile-role",
    "saml-provider",
    "oidc-provider",
    "org-root",
    "org-unit",
    "org-account",
    "parent",
    "scp",
    "rcp",
    "target",
)
