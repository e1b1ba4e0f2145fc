"""Updates matches between users and people in the background: after the mirror was written, when the rules
change, and when a person is added.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from iam.batches import batches
from iam.directory.identity_links import backfill_aws_id, drop_recreated
from iam.directory.models import Identity, OwnedUser, Person
from iam.directory.services import follow_rename
from iam.linking.matching import KnownPeople, MatchResult, MatchRules, UserFacts, small_keys
from iam.linking.models import ExcludedMatch, MatchedAccount, NameRule, UserMatch
from iam.linking.models import MatchSettings as Row
from iam.linking.patterns import NamePattern
from iam.mirror.models import Account, Entity, Kind, TagSet, valid_at

CHUNK: Final = 500
LATE_COMMIT_WINDOW: Final = timedelta(minutes=1)
"""How long after its timestamp a person's row can be committed and still be noticed."""
SIGN_FIELDS: Final = ("account", "login", "address", "standing", "person", "how", "words", "said")


def settings_row() -> Row:
    """Return the organization's settings, created on first use."""
    return Row.objects.get_or_create(pk=1)[0]


def current_rules() -> MatchRules:
    """Return the current matching rules, with two queries."""
    row = Row.objects.filter(pk=1).first() or Row()
    rules = NameRule.objects.order_by("pk").values_list("user_name", "address")
    return MatchRules(tuple(row.tag_keys), row.by_address, tuple(NamePattern(*texts) for texts in rules))


def people_known_by(ways: MatchRules) -> KnownPeople:
    """Return everyone in the directory, indexed for the rules, with one query."""
    return KnownPeople(Person.objects.order_by("created_at", "pk").values_list("pk", "email"), ways)


def refresh_links(*, whole: bool = False) -> int:
    """Update matches in every account for changes since the last run, and return how many users were checked.
    A few queries if nothing changed.

    `whole` checks all users again.
    """
    row = settings_row()
    now = datetime.now(tz=UTC)
    progress = MatchedAccount.objects.filter(account=OuterRef("pk"))
    current = progress.filter(revision__gte=OuterRef("revision"), rules_version=row.version)
    accounts = Account.objects.filter(removed_at__isnull=True).order_by("pk")
    rows_due = accounts if whole else accounts.filter(~Exists(current))
    due = list(rows_due)
    came = Person.objects.all()
    if row.people_until is not None:
        came = came.filter(created_at__gt=row.people_until - LATE_COMMIT_WINDOW)
    newcomers = [] if row.people_until is None or whole else list(came.values_list("pk", "email"))
    if not due and not newcomers:
        if row.people_until is not None:
            # No one was added since. The next run starts from the same point, and nothing is written.
            return 0
        Row.objects.filter(pk=row.pk).update(people_until=now)
        return 0
    known = people_known_by(current_rules())
    done = sum(_account(account, known, version=row.version, whole=whole) for account in due)
    done += _newcomers(newcomers, known)
    Row.objects.filter(pk=row.pk).update(people_until=now)
    return done


def refresh_users(pks: Collection[int]) -> None:
    """Update the matches of users at once, after a manual decision."""
    known = people_known_by(current_rules())
    for chunk in batches(list(pks), CHUNK):
        _users(chunk, known)


def _account(account: Account, known: KnownPeople, *, version: int, whole: bool) -> int:
    # It is read before the users: concurrent writes get a later revision and are handled next time.
    revision = Account.objects.values_list("revision", flat=True).get(pk=account.pk)
    worked = MatchedAccount.objects.filter(pk=account.pk).first()
    if worked is not None and worked.rules_version == version and worked.revision >= revision and not whole:
        # Another worker was faster.
        return 0
    users = Entity.objects.filter(account=account, kind=Kind.USER, gone_at__isnull=True)
    if worked is not None and worked.rules_version == version and not whole:
        users = users.filter(revision__gt=worked.revision)
    pks = list(users.order_by("pk").values_list("pk", flat=True))
    for chunk in batches(pks, CHUNK):
        _users(chunk, known)
    MatchedAccount.objects.bulk_create(
        [MatchedAccount(account=account, revision=revision, rules_version=version)],
        update_conflicts=True,
        unique_fields=["account"],
        update_fields=["revision", "rules_version"],
    )
    return len(pks)


def _newcomers(people: Iterable[tuple[UUID, str]], known: KnownPeople) -> int:
    """Update the users that the rules may match with new people, and return how many."""
    names: set[str] = set()
    addresses: set[str] = set()
    for pk, email in people:
        names |= known.names_of(pk, email)
        addresses.add(email.lower())
    newcomers: set[int] = set()
    for texts_part in batches(sorted(names | addresses), CHUNK):
        rows = UserMatch.objects.filter(Q(login__in=texts_part) | Q(address__in=texts_part))
        newcomers.update(rows.values_list("pk", flat=True))
    for chunk in batches(sorted(newcomers), CHUNK):
        _users(chunk, known)
    return len(newcomers)


@transaction.atomic
def _users(pks: Collection[int], known: KnownPeople) -> None:
    users = list(Entity.objects.filter(pk__in=pks, kind=Kind.USER).select_related("account"))
    former = _follow(users)
    facts = facts_of({entity.pk: entity.name for entity in users})
    rows = [_row(entity, known.judge(facts[entity.pk]), former.get(entity.pk)) for entity in users]
    kept = [sign for sign in rows if sign.former_id is None]
    for signs_to_save, fields in (
        (kept, SIGN_FIELDS),
        ([sign for sign in rows if sign.former_id], (*SIGN_FIELDS, "former")),
    ):
        UserMatch.objects.bulk_create(
            signs_to_save, update_conflicts=True, unique_fields=["user"], update_fields=list(fields)
        )


def facts_of(names: Mapping[int, str]) -> dict[int, UserFacts]:
    """Return the facts for matching, of users by id and name, with two queries."""
    tags = dict(TagSet.objects.filter(valid_at(None), entity__in=names).values_list("entity_id", "tags"))
    excluded: dict[int, set[UUID]] = defaultdict(set)
    for user, person in ExcludedMatch.objects.filter(user__in=names).values_list("user_id", "person_id"):
        excluded[user].add(person)
    return {
        pk: UserFacts(name, small_keys(tags.get(pk, {})), excluded.get(pk, ())) for pk, name in names.items()
    }


def _row(user: Entity, verdict: MatchResult, former: UUID | None) -> UserMatch:
    return UserMatch(
        user=user,
        account_id=user.account_id,
        login=user.name.lower()[:128],
        address=verdict.address,
        standing=verdict.standing,
        person_id=verdict.person,
        former_id=former,
        how=verdict.how,
        words=verdict.words[:256],
        said=[voice.as_json() for voice in verdict.said],
    )


def _follow(users: Collection[Entity]) -> dict[int, UUID]:
    """Move links and owning teams along with renamed users, and end links whose name another user has now.
    Returns the former person by user.
    """
    living = [entity for entity in users if entity.gone_at is None]
    by_id = {entity.aws_id: entity for entity in living}
    for aws_id, arn in list(Identity.objects.filter(aws_id__in=by_id).values_list("aws_id", "user_arn")):
        user = by_id[aws_id]
        if arn != user.arn and arn.split(":")[4] == user.account.account_id:
            _free_renamed_arn(user, of=aws_id)
            follow_rename(arn, new_arn=user.arn)
    for owned in OwnedUser.objects.filter(aws_id__in=by_id):
        arn = by_id[owned.aws_id].arn
        if arn != owned.user_arn:
            OwnedUser.objects.filter(pk=owned.pk).update(user_arn=arn)
    former: dict[int, UUID] = {}
    by_arn = {entity.arn: entity for entity in living}
    for identity in Identity.objects.filter(user_arn__in=by_arn).select_related("person"):
        user = by_arn[identity.user_arn]
        if not identity.aws_id:
            backfill_aws_id(identity, aws_id=user.aws_id)
        elif identity.aws_id != user.aws_id:
            former[user.pk] = identity.person_id
            drop_recreated(identity)
    return former


def _free_renamed_arn(user: Entity, *, of: str) -> None:
    """End links of an earlier user to the ARN that a renamed user has now."""
    for stale in (
        Identity.objects.filter(user_arn=user.arn).exclude(aws_id__in=["", of]).select_related("person")
    ):
        drop_recreated(stale)
