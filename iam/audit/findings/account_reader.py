"""Reads the facts of an account from the mirror, with some thirty queries whatever its size."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final, NamedTuple

from iam.access.administrators import administrators
from iam.access.certainty import unread_by_account
from iam.access.escalation_calculation.stored_calculation import kept_at
from iam.access.escalation_groups import all_groups
from iam.access.escalation_use import used_paths
from iam.access.grants.unused_grants import unused_grants
from iam.audit.assertions.checks import assertions_at
from iam.audit.findings.dates import moment_of
from iam.audit.findings.facts import AccountFacts, AssertionFact, CredentialFact, EntityFact, KeyFact
from iam.audit.findings.read_rows import rows_read
from iam.audit.findings.recorded_calls import DAYS, key_places, last_calls, services_used
from iam.batches import batches
from iam.changes.services.own_resources import own_arns
from iam.directory.models import Identity
from iam.linking.key_owners import keys_with_own_owner
from iam.linking.known_owners import owners_known
from iam.mirror.models import (
    NEVER,
    Account,
    AccountFact,
    Document,
    Edge,
    EdgeKind,
    EntityState,
    InlinePolicy,
    Kind,
    PolicyVersion,
    Section,
    SectionState,
    TagSet,
    Usage,
    UserCredentials,
    valid_at,
)
from iam.mirror.models.accounts import unknown_at
from iam.mirror.pull.credentials import KEYS_READ_AT
from iam.mirror.pull.sections import ORGANIZATION
from iam.mirror.pull.transform.credentials import MAX_SIGN_IN
from iam.mirror.queries.accounts import gatehouse_role_arns
from iam.mirror.snapshot import snapshot
from iam.people.fleet.roots import REPORT, SUMMARY, RootUserFact, RootUserFacts, root_of
from iam.policy.escalation.path_builder import PathBuilder
from iam.policy.escalation.states import OutsideFacts

KINDS: Final = (
    Kind.USER,
    Kind.GROUP,
    Kind.ROLE,
    Kind.POLICY,
    Kind.INSTANCE_PROFILE,
    Kind.SERVICE_CREDENTIAL,
    Kind.SERVER_CERTIFICATE,
    Kind.SAML_PROVIDER,
    Kind.OIDC_PROVIDER,
    Kind.INSTANCE,
    Kind.TRAIL,
    Kind.DELEGATION_REQUEST,
    Kind.ANYWHERE_PROFILE,
    Kind.TRUST_ANCHOR,
    Kind.POD_IDENTITY,
)
WITH_TEXT: Final = (Kind.ROLE, Kind.DELEGATION_REQUEST, Kind.ANYWHERE_PROFILE, Kind.POD_IDENTITY)
"""Kinds of entities whose document is needed."""
COLUMNS: Final = (
    "entity_id",
    "entity__aws_id",
    "kind",
    "name",
    "arn",
    "path",
    "created_at",
    "category",
    "attrs",
    "document_id",
)
CHUNK: Final = 900
SAME_SECONDS: Final = 2
"""AWS gives the times of the report and of the key itself with different precision."""
_texts: dict[str, str] = {}
"""Documents by digest, cached while an account uses them."""
USERS_KEPT: Final = 50_000
_credentials_known: dict[int, tuple[CredentialSource, CredentialFact]] = {}
"""Credentials by user, with the rows that they are made of."""


@contextmanager
def facts_of(
    account: Account, *, at: datetime | None = None, now: datetime | None = None
) -> Iterator[AccountFacts]:
    """Yield the facts of an account at a moment (None: now). They are valid only inside the block, which
    holds the policy index.
    """
    entities = {row[0]: EntityFact(*row) for row in _states(account, at)}
    edges = _edges(account, at)
    inline = _inline(account, at)
    versions, defaults = _versions(account, at)
    digests = set(defaults.values())
    digests.update(digest for _, digest in chain.from_iterable(inline.values()))
    digests |= {
        entity.document for entity in entities.values() if entity.document and entity.kind in WITH_TEXT
    }
    complete = _complete(account, at)
    usage, details, has_reports = (None, {}, False) if at else _usage(account)
    account_facts = list(AccountFact.objects.filter(valid_at(at), account=account))
    with snapshot(at, accounts=None) as index:
        connected = Account.objects.filter(removed_at__isnull=True)
        revisions = dict(connected.values_list("account_id", "revision"))
        shard = index.accounts.get(account.account_id)
        left_users = Identity.objects.filter(person__is_active=False)
        facts = AccountFacts(
            number=account.account_id,
            partition=account.partition,
            now=at or now or datetime.now(tz=UTC),
            entities=entities,
            members=_turned(edges[EdgeKind.MEMBER]),
            attached=edges[EdgeKind.ATTACHED],
            bounds={holder: targets[0] for holder, targets in edges[EdgeKind.BOUNDARY].items()},
            profiles=edges[EdgeKind.PROFILE_ROLE],
            running=edges[EdgeKind.INSTANCE_PROFILE],
            inline=inline,
            versions=versions,
            defaults=defaults,
            credentials=_credentials(account, at, entities, details),
            usage=usage,
            tags=_tags(account, at),
            values={fact.name: fact.value for fact in account_facts},
            documents=_documents(digests),
            complete=complete,
            known_accounts=_listed_accounts(at).union(revisions),
            unread=unread_by_account(index, accounts=[account.account_id], at=at).get(account.account_id, ()),
            is_organization_known=bool(shard and shard.standing.organization_id) or ORGANIZATION in complete,
            own_roles=gatehouse_role_arns(),
            own_users=_own_users(account, entities, {*inline, *edges[EdgeKind.ATTACHED]}),
            persons_gone=frozenset(left_users.values_list("user_arn", flat=True)),
            root=_root(account, account_facts),
            is_root_mfa_virtual=_has_virtual_device(account, at),
            index=index,
            assertions=_assertions(at),
        )
        if at is None:
            facts.last_calls = last_calls(account.account_id, now=facts.now)
            calls = facts.last_calls
            facts.key_places = key_places(facts)
            if has_reports and (calls is None or not calls.is_complete):
                facts.services = services_used(account, now=facts.now)
            since = facts.days_ago(DAYS)
            facts.unused_grants = tuple(unused_grants(account, since=since, is_known=calls is not None))
            facts.owned = _owned(account, facts)
        if shard is not None:
            if at is None:
                facts.administrators = administrators(revisions, account=account.account_id)
            else:
                facts.administrators = PathBuilder(index, shard, OutsideFacts()).administrators()
        calculated = kept_at(at)
        if calculated is not None and (at is not None or account.account_id in calculated.counts):
            facts.openings = tuple(all_groups(frozenset({account.account_id}), at=at)[1])
            if at is None:
                affected = chain.from_iterable(opening.affected for opening in facts.openings)
                facts.used_paths = used_paths([each.path for each in affected])
        yield facts


def _own_users(
    account: Account, entities: Mapping[int, EntityFact], holders: Collection[int]
) -> frozenset[str]:
    """The users whose keys Gatehouse uses; queried only if a user has a policy of its own."""
    if not any(number in entities and entities[number].kind == Kind.USER for number in holders):
        return frozenset()
    return frozenset(own_arns(account.account_id))


def _assertions(at: datetime | None) -> tuple[AssertionFact, ...]:
    """The assertions that were active at a moment."""
    facts = []
    for key, name, terms in assertions_at(at):
        facts.append(AssertionFact(key, name, terms))
    return tuple(facts)


def _states(account: Account, at: datetime | None) -> list[tuple[Any, ...]]:
    return rows_read(
        EntityState.objects.filter(valid_at(at), account=account, kind__in=KINDS).values_list(*COLUMNS)
    )


def _edges(account: Account, at: datetime | None) -> dict[str, dict[int, list[int]]]:
    """Relations by kind, from source to targets."""
    edges: dict[str, dict[int, list[int]]] = {kind.value: {} for kind in EdgeKind}
    rows = Edge.objects.filter(valid_at(at), account=account)
    for kind, source, target in rows_read(rows.values_list("kind", "source_id", "target_id")):
        edges[kind].setdefault(source, []).append(target)
    return edges


def _turned(edges: Mapping[int, list[int]]) -> dict[int, list[int]]:
    """Relations from target to sources."""
    turned: dict[int, list[int]] = {}
    for source, targets in edges.items():
        for target in targets:
            turned.setdefault(target, []).append(source)
    return turned


def _inline(account: Account, at: datetime | None) -> dict[int, list[tuple[str, str]]]:
    inline: dict[int, list[tuple[str, str]]] = {}
    rows = InlinePolicy.objects.filter(valid_at(at), account=account)
    for owner, name, digest in rows_read(rows.values_list("owner_id", "name", "document_id")):
        inline.setdefault(owner, []).append((name, digest))
    return inline


def _versions(
    account: Account, at: datetime | None
) -> tuple[dict[int, list[tuple[str, bool]]], dict[int, str]]:
    versions: dict[int, list[tuple[str, bool]]] = {}
    defaults: dict[int, str] = {}
    rows = PolicyVersion.objects.filter(valid_at(at), account=account)
    columns = ("policy_id", "version_id", "is_default", "document_id")
    for policy, version, is_default, digest in rows_read(rows.values_list(*columns)):
        versions.setdefault(policy, []).append((version, is_default))
        if is_default:
            defaults[policy] = digest
    return versions, defaults


def _documents(digests: set[str]) -> dict[str, str]:
    """The texts of documents; those that are cached are not read again."""
    missing = sorted(digests - _texts.keys())
    for batch in batches(missing, CHUNK):
        rows = Document.objects.filter(digest__in=batch)
        _texts.update(rows.values_list("digest", "text"))
    return {digest: _texts[digest] for digest in digests if digest in _texts}


def forget() -> None:
    """Clear the caches."""
    _texts.clear()
    _credentials_known.clear()


def _complete(account: Account, at: datetime | None) -> frozenset[str]:
    """The sections that were fully synced by the moment, or in the last sync."""
    rows = Section.objects.filter(account=account)
    rows = rows.exclude(unknown_at(at)) if at else rows.filter(state=SectionState.COMPLETE)
    return frozenset(rows.values_list("name", flat=True))


def _listed_accounts(at: datetime | None) -> frozenset[str]:
    """The accounts listed in the organizations of connected accounts."""
    listed = EntityState.objects.filter(valid_at(at), kind=Kind.ORG_ACCOUNT, account__removed_at__isnull=True)
    return frozenset(listed.values_list("entity__aws_id", flat=True))


def _root(account: Account, facts: list[AccountFact]) -> RootUserFacts:
    known = {
        fact.name: RootUserFact(fact.name, fact.value, fact.observed_at)
        for fact in facts
        if fact.name in (SUMMARY, REPORT)
    }
    return root_of(account.account_id, account.name, known)


def _has_virtual_device(account: Account, at: datetime | None) -> bool:
    """True if the root user's MFA device is a virtual one."""
    devices = EntityState.objects.filter(valid_at(at), account=account, kind=Kind.MFA_DEVICE)
    return devices.filter(category="virtual", attrs__IsRoot=True).exists()


def _owned(account: Account, facts: AccountFacts) -> frozenset[int]:
    """The users and roles that need an owner and have a known one, and the access keys with an owner of their
    own.
    """
    owners = owners_known((entity.id for entity in facts.needing_owner), tags=facts.tags)
    return frozenset(owners).union(keys_with_own_owner(account))


def _usage(account: Account) -> tuple[dict[int, datetime], dict[int, dict[str, str]], bool]:
    """Return when each user and role was last used (NEVER for never), for users also by credential, and
    whether IAM has a services report for any of them.
    """
    has_reports = False
    usage: dict[int, datetime] = {}
    details: dict[int, dict[str, str]] = {}
    rows = Usage.objects.filter(account=account, kind__in=(Kind.USER, Kind.ROLE))
    columns = ("entity_id", "last_used_at", "details", "entity__services_report__read_at")
    for number, used_at, of_credentials, services_read_at in rows_read(rows.values_list(*columns)):
        usage[number] = used_at
        details[number] = of_credentials
        has_reports |= services_read_at is not None
    return usage, details, has_reports


def _tags(account: Account, at: datetime | None) -> dict[int, dict[str, str]]:
    """The tags of users and roles."""
    rows = TagSet.objects.filter(valid_at(at), account=account, entity__kind__in=(Kind.USER, Kind.ROLE))
    return dict(rows_read(rows.values_list("entity_id", "tags")))


def _credentials(
    account: Account,
    at: datetime | None,
    entities: Mapping[int, EntityFact],
    details: Mapping[int, dict[str, str]],
) -> dict[int, CredentialFact]:
    keys = _keys(account, at)
    rows = UserCredentials.objects.filter(valid_at(at), account=account)
    columns = (
        "user_id",
        "has_password",
        "password_changed_at",
        "mfa",
        "active_keys",
        "oldest_key_at",
        "report",
    )
    credentials = {}
    for row in rows_read(rows.values_list(*columns)):
        user = row[0]
        if user in entities:
            source = CredentialSource(row, details.get(user, {}), keys.get(user, []))
            known = _credentials_known.get(user)
            if known is None or known[0] != source:
                if len(_credentials_known) >= USERS_KEPT:
                    _credentials_known.clear()
                known = _credentials_known[user] = (source, _credential(source))
            credentials[user] = known[1]
    return credentials


def _credential(source: CredentialSource) -> CredentialFact:
    _, has_password, changed_at, mfa, active, oldest, report = source.row
    return CredentialFact(
        has_password=has_password,
        password_changed_at=changed_at,
        password_used_at=moment_of(source.used_at.get("password_last_used")),
        mfa=mfa,
        active_keys=active,
        oldest_key_at=oldest,
        keys=_active_keys(report, source.used_at, source.keys),
        max_sign_in=_max_sign_in(report),
    )


class StoredKey(NamedTuple):
    """An active access key, from the sync of user details."""

    key_id: str
    created_at: datetime | None
    used_at: datetime | None
    entity: int


class CredentialSource(NamedTuple):
    """What a user's credentials are made of: the stored row, the last uses, and the stored keys."""

    row: tuple[Any, ...]
    used_at: Mapping[str, str]
    keys: list[StoredKey]


def _keys(account: Account, at: datetime | None) -> dict[int, list[StoredKey]]:
    """The active keys that were synced in detail, by user."""
    keys: dict[int, list[StoredKey]] = {}
    rows = EntityState.objects.filter(valid_at(at), account=account, kind=Kind.ACCESS_KEY, category="Active")
    columns = ("entity__owner_id", "entity__aws_id", "created_at", "entity__usage__last_used_at", "entity_id")
    for user, key_id, created_at, used_at, entity in rows_read(rows.values_list(*columns)):
        used = used_at if used_at and used_at > NEVER and at is None else None
        keys.setdefault(user, []).append(StoredKey(key_id, created_at, used, entity))
    return keys


def _active_keys(
    report: Mapping[str, Any], used_at: Mapping[str, str], stored: list[StoredKey]
) -> tuple[KeyFact, ...]:
    """Return the active keys of the credential report with their IDs, or those synced in detail.

    Keys read after the report, such as after a change, take precedence.
    """
    is_read_later = KEYS_READ_AT in report
    if "access_key_1_active" not in report:
        return tuple(
            KeyFact(slot, key.created_at, key.used_at, key.key_id, key.entity)
            for slot, key in enumerate(stored, 1)
        )
    keys, left = [], list(stored)
    for slot in (1, 2):
        if report.get(f"access_key_{slot}_active"):
            created_at = moment_of(report.get(f"access_key_{slot}_last_rotated"))
            same = [key for key in left if _is_same_moment(key.created_at, created_at)]
            key_id, entity, used = "", 0, moment_of(used_at.get(f"key_{slot}_last_used"))
            if is_read_later and not same:
                continue
            if same:
                left.remove(same[0])
                key_id, entity = same[0].key_id, same[0].entity
                used = max((moment for moment in (used, same[0].used_at) if moment), default=None)
            keys.append(KeyFact(slot, created_at, used, key_id, entity))
    if is_read_later:
        for key in left:
            keys.append(KeyFact(len(keys) + 1, key.created_at, key.used_at, key.key_id, key.entity))
    return tuple(keys)


def _max_sign_in(report: Mapping[str, Any]) -> int | None:
    """The maximum sign-in duration in seconds; 0 if not set, None if not synced."""
    profile = report.get("login_profile")
    return (profile[MAX_SIGN_IN] or 0) if profile and MAX_SIGN_IN in profile else None


def _is_same_moment(first: datetime | None, second: datetime | None) -> bool:
    return first is not None and second is not None and abs((first - second).total_seconds()) < SAME_SECONDS
