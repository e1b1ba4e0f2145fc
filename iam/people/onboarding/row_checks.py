"""Checks the rows of a run (duplicates, existing people, user names by the blueprint's rule, end dates) and
writes the draft.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models.functions import Lower

from iam.changes.errors import RefusedError
from iam.changes.models import OPEN, Change
from iam.changes.operations.principals import CreateUser
from iam.directory.models import Person
from iam.guard import Viewer
from iam.linking.ownership import users_of
from iam.mirror.models import Account, Entity, Kind
from iam.people.blueprints.body import BlueprintBody
from iam.people.blueprints.models import BlueprintVersion
from iam.people.blueprints.queries import may_run
from iam.people.blueprints.user_names import free_name, user_name
from iam.people.onboarding.existing_users import reached_by
from iam.people.onboarding.models import OnboardedPerson, OnboardingRun
from iam.people.onboarding.pasted_rows import FieldProblem, NewcomerRow, typed
from iam.people.runs.drafts import lock_draft
from iam.people.runs.models import RowStatus, requester
from iam.phrases import joined


@dataclass
class ExistingEntities:
    """Names and users that already exist in the accounts of a blueprint."""

    names: set[str] = field(default_factory=set)
    people: dict[str, UUID] = field(default_factory=dict)
    at_home: dict[str, list[Entity]] = field(default_factory=dict)
    """The existing users of a person there, by email address."""


@transaction.atomic
def stage(
    actor: Viewer,
    *,
    version: BlueprintVersion,
    rows: Sequence[NewcomerRow],
    source: str = "",
    run: OnboardingRun | None = None,
) -> OnboardingRun:
    """Create or update the draft of a run with these rows, each checked. Nothing in AWS changes. Raises
    RefusedError.
    """
    if not may_run(actor, version.blueprint.team):
        raise RefusedError("You can onboard people only into your own teams.")
    if version.blueprint.retired_at is not None:
        raise RefusedError(f"{version.blueprint.name} is retired. Choose another blueprint.")
    if run is None:
        run = OnboardingRun.objects.create(
            version=version,
            source=source[:128],
            **requester(actor),
        )
    else:
        run = lock_draft(actor, run)
        run.source, run.version = source[:128], version
        run.save(update_fields=["source", "version"])
        run.people.all().delete()
    OnboardedPerson.objects.bulk_create(checked(run, rows, body=version.body, actor=actor), batch_size=500)
    return run


def typed_again(run: OnboardingRun) -> list[NewcomerRow]:
    """Return the rows of a draft as typed, to check them again."""
    return [typed(newcomer.line, typed_values(newcomer)) for newcomer in run.people.all()]


def typed_values(newcomer: OnboardedPerson) -> dict[str, str]:
    """Return the fields of a row as typed."""
    return {
        "name": newcomer.name,
        "email": newcomer.email,
        "user_name": newcomer.typed_name,
        "until": newcomer.typed_until,
    }


@transaction.atomic
def edit_rows(actor: Viewer, *, run: OnboardingRun, values: Mapping[int, Mapping[str, str]]) -> OnboardingRun:
    """Change values in some rows of a draft (by newcomer id). All rows are checked again, and emptied ones
    are removed. Raises RefusedError.
    """
    rows = []
    for newcomer in run.people.all():
        fields = typed_values(newcomer) | dict(values.get(newcomer.pk, {}))
        if any(text.strip() for text in fields.values()):
            rows.append(typed(newcomer.line, fields))
    if not rows:
        raise RefusedError("At least one row must stay. To start over, discard the draft.")
    return stage(actor, version=run.version, rows=rows, source=run.source, run=run)


@transaction.atomic
def check_again(actor: Viewer, *, run: OnboardingRun) -> OnboardingRun:
    """Check the same rows against the current state. Raises RefusedError."""
    return stage(actor, version=run.version, rows=typed_again(run), source=run.source, run=run)


def checked(
    run: OnboardingRun, rows: Sequence[NewcomerRow], *, body: BlueprintBody, actor: Viewer
) -> list[OnboardedPerson]:
    """Return a newcomer for each row, with its problems and its user name."""
    known = known_in(body, emails={row.email for row in rows if row.email})
    reached = reached_by(actor, list(chain.from_iterable(known.at_home.values())))
    taken = set(known.names)
    seen_emails: dict[str, int] = {}
    seen_names: dict[str, int] = {}
    rows_checked = []
    # Typed names take precedence over generated ones, wherever they are in the file.
    taken |= {row.user_name.lower() for row in rows if row.user_name}
    for position, row in enumerate(rows):
        newcomer = OnboardedPerson(
            run=run,
            position=position,
            line=row.line,
            name=row.name,
            email=row.email,
            typed_name=row.user_name,
            typed_until=row.until_text or (row.until.isoformat() if row.until else ""),
        )
        problems = [*row.errors, *_twice(row, seen_emails, seen_names), *_end(row, newcomer, body)]
        newcomer.person_id = known.people.get(row.email) or uuid4()
        home = known.at_home.get(row.email)
        if home:
            newcomer.standing = RowStatus.EXISTING
            newcomer.users = [] if problems else [user.pk for user in home if user.pk in reached]
            newcomer.user_name = home[0].name if newcomer.users else ""
            where = joined([user.account.name for user in home])
            problems.append(
                FieldProblem("email", f"Someone with this email address already has an IAM user in {where}.")
            )
        else:
            problems += _name(row, newcomer, body, known=known, taken=taken)
            newcomer.standing = RowStatus.BAD if problems else RowStatus.READY
        newcomer.problems = [str(problem) for problem in problems]
        newcomer.wrong = {}
        for problem in problems:
            if isinstance(problem, FieldProblem):
                newcomer.wrong.setdefault(problem.field, str(problem))
        rows_checked.append(newcomer)
    return rows_checked


def _twice(row: NewcomerRow, emails: dict[str, int], names: dict[str, int]) -> Iterable[str]:
    for name, what, text, seen in (
        ("email", "email address", row.email, emails),
        ("user_name", "user name", row.user_name.lower(), names),
    ):
        if not text:
            continue
        first = seen.setdefault(text, row.line)
        if first != row.line:
            yield FieldProblem(name, f"Line {first} has the same {what}.")


def _end(row: NewcomerRow, newcomer: OnboardedPerson, body: BlueprintBody) -> Iterable[str]:
    """Set the last day as typed, or else as far as the blueprint allows, and yield its problems."""
    today = datetime.now(tz=UTC).date()
    latest = today + timedelta(days=body.stay) if body.stay else None
    newcomer.until = row.until or latest
    if row.until and row.until < today:
        yield FieldProblem("until", f"The last day, {row.until:%Y-%m-%d}, is in the past.")
    elif row.until and latest and row.until > latest:
        yield FieldProblem(
            "until", f"The blueprint allows {body.stay} days, until {latest:%Y-%m-%d} at the latest."
        )
    elif row.until and row.until > today + timedelta(days=3 * 365 - 1):
        yield FieldProblem(
            "until", "The longest time is three years. Leave the last day empty if there is none."
        )


def _name(
    row: NewcomerRow,
    newcomer: OnboardedPerson,
    body: BlueprintBody,
    *,
    known: ExistingEntities,
    taken: set[str],
) -> Iterable[str]:
    if row.user_name:
        newcomer.user_name = row.user_name
        if row.user_name.lower() in known.names:
            yield FieldProblem("user_name", f"The user name {row.user_name} is taken.")
        return
    wanted = user_name(row.name, email=row.email, rule=body.naming)
    if not wanted:
        if row.name:
            yield FieldProblem("user_name", "We can’t make a user name from this name. Enter one.")
        return
    newcomer.user_name = free_name(wanted, taken=taken)
    taken.add(newcomer.user_name.lower())


def known_in(body: BlueprintBody, *, emails: Iterable[str]) -> ExistingEntities:
    """Return what exists in the accounts or is requested, with a few queries for any number of rows."""
    wanted = set(emails)
    accounts = {account.pk: account for account in Account.objects.filter(account_id__in=body.accounts)}
    users = Entity.objects.filter(account__in=accounts, kind=Kind.USER, gone_at__isnull=True)
    known = ExistingEntities(names=set(users.annotate(low=Lower("name")).values_list("low", flat=True)))
    asked = Change.objects.filter(account__in=accounts, operation=CreateUser.spec.slug, state__in=OPEN)
    known.names |= {str(params.get("name", "")).lower() for params in asked.values_list("params", flat=True)}
    known.people = {
        email.lower(): pk
        for pk, email in Person.objects.values_list("pk", "email")
        if email.lower() in wanted
    }
    _at_home(known, accounts, wanted)
    return known


def _at_home(known: ExistingEntities, accounts: dict[int, Account], wanted: set[str]) -> None:
    """Add the existing users of people, however the match is known."""
    people = {pk: email for email, pk in known.people.items()}
    theirs = users_of(Person.objects.filter(pk__in=people), addresses=wanted)
    for key, owned_users in theirs.items():
        for owned_user in owned_users:
            if owned_user.user.account_id in accounts:
                email = key if isinstance(key, str) else people[key]
                known.at_home.setdefault(email, []).append(owned_user.user)
