"""Creates blueprints, adds versions and retires blueprints. Existing versions are never altered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from django.db import IntegrityError, transaction

from iam.access.grants.documents import written
from iam.access.templates.body import TemplateError
from iam.access.templates.queries import document_for
from iam.changes.errors import FieldChecks, FieldError, RefusedError
from iam.directory.models import Person, RuleKind, Team
from iam.guard import Viewer, viewer_for
from iam.journal.services import record
from iam.mirror.models import Account, Edge, EdgeKind, EntityState, valid_at
from iam.people.blueprints.body import BlueprintBody
from iam.people.blueprints.models import Blueprint, BlueprintVersion
from iam.people.blueprints.queries import differences, may_write
from iam.policy.lint import USER_INLINE

MAX_NOTE_LENGTH: Final = 500


@transaction.atomic
def create_blueprint(
    actor: Viewer,
    *,
    team: Team,
    name: str,
    body: BlueprintBody,
    unreadable: Mapping[str, str] | None = None,
) -> BlueprintVersion:
    """Create a blueprint with its first version. `unreadable` are errors of the form that it comes from.
    Raises RefusedError, for wrong fields a FieldError with all of them.
    """
    name = " ".join(name.split())
    checks = FieldChecks(unreadable)
    if not 0 < len(name) <= 80:
        checks.add("name", "Enter a name of up to 80 characters.")
    _check(actor, team, body, checks)
    try:
        with transaction.atomic():
            blueprint = Blueprint.objects.create(team=team, name=name)
    except IntegrityError:
        message = f"{team.name} already has a blueprint named {name}."
        raise FieldError(message, field="name") from None
    version = _write(blueprint, actor=actor, body=body, number=1, note="")
    record(kind="blueprint.create", actor=actor, subject=name, data={"team": team.slug})
    return version


@transaction.atomic
def save_version(
    actor: Viewer,
    *,
    blueprint: Blueprint,
    body: BlueprintBody,
    base: int,
    note: str = "",
    unreadable: Mapping[str, str] | None = None,
) -> BlueprintVersion:
    """Add a version and make it current; existing runs keep theirs. `base` is the version that was edited,
    and `unreadable` are errors of the form. Raises RefusedError, for wrong fields a FieldError with all of
    them.
    """
    before = BlueprintVersion.objects.filter(blueprint=blueprint, number=base).first()
    body_before = before.body if before else None
    _check(actor, blueprint.team, body, FieldChecks(unreadable), before=body_before)
    locked_blueprint = Blueprint.objects.select_for_update().get(pk=blueprint.pk)
    if locked_blueprint.current != base:
        raise RefusedError(
            f"Someone saved version {locked_blueprint.current} after you opened this page. Reload it, then "
            "make your changes again."
        )
    if not differences(BlueprintVersion.objects.get(blueprint=locked_blueprint, number=base).body, body):
        raise RefusedError("Nothing differs from the current version.")
    version = _write(
        locked_blueprint, actor=actor, body=body, number=base + 1, note=note.strip()[:MAX_NOTE_LENGTH]
    )
    locked_blueprint.current = version.number
    locked_blueprint.save(update_fields=["current"])
    record(
        kind="blueprint.version",
        actor=actor,
        subject=locked_blueprint.name,
        data={"team": blueprint.team.slug, "version": version.number, "note": version.note},
    )
    return version


@transaction.atomic
def set_retired(actor: Viewer, *, blueprint: Blueprint, retired: bool) -> None:
    """Retire a blueprint or use it again. Its runs continue. Raises RefusedError."""
    _check_right(actor, blueprint.team)
    retired_at = datetime.now(tz=UTC) if retired else None
    standing = Blueprint.objects.filter(pk=blueprint.pk, retired_at__isnull=retired)
    changed = standing.update(retired_at=retired_at)
    if changed:
        kind = "blueprint.retire" if retired else "blueprint.restore"
        record(kind=kind, actor=actor, subject=blueprint.name, data={"team": blueprint.team.slug})


def _write(
    blueprint: Blueprint, *, actor: Viewer, body: BlueprintBody, number: int, note: str
) -> BlueprintVersion:
    return BlueprintVersion.objects.create(
        blueprint=blueprint,
        number=number,
        content=body.json,
        made_by=actor.person_id,
        made_label=actor.name[:128],
        note=note,
    )


def _check_right(actor: Viewer, team: Team) -> None:
    """Check the actor's current roles, whatever the page showed."""
    person = Person.objects.filter(pk=actor.person_id).first()
    if person is None or not may_write(viewer_for(person), team):
        raise RefusedError("Only administrators and the team’s leads can edit its blueprints.")


def _check(
    actor: Viewer,
    team: Team,
    body: BlueprintBody,
    checks: FieldChecks,
    *,
    before: BlueprintBody | None = None,
) -> None:
    _check_right(actor, team)
    checks.collect(body.check)
    if body.boundary != (before.boundary if before else "") and not actor.asks.sees_everything:
        checks.add("boundary", "Only an administrator can change the permissions boundary.")
    checks.collect(lambda: _check_accounts(body))
    checks.collect(lambda: _check_belongs(team, body))
    if before is None or body.path != before.path:
        checks.collect(lambda: _check_path(actor, team, body))
    if "accounts" not in checks.errors:
        checks.collect(lambda: _check_templates(body))
    checks.finish()


def _check_accounts(body: BlueprintBody) -> None:
    known = set(
        Account.objects.filter(account_id__in=body.accounts, removed_at__isnull=True).values_list(
            "account_id", flat=True
        )
    )
    for number in body.accounts:
        if number not in known:
            raise FieldError(f"Account {number} isn’t connected.", field="accounts")


def _check_belongs(team: Team, body: BlueprintBody) -> None:
    """Check that people who are created belong to the team, by path or by group, so that its lead can see
    them.
    """
    rules = list(team.rules.all())
    for number in body.accounts:
        mine = [rule for rule in rules if rule.account_id in ("", number)]
        paths = [rule.value for rule in mine if rule.kind == RuleKind.PATH]
        groups = {rule.value for rule in mine if rule.kind == RuleKind.GROUP}
        by_path = any(body.path.startswith(start_of(path)) for path in paths)
        if not by_path and not groups.intersection(body.groups):
            ways = ", ".join([*sorted(groups), *paths]) or "none yet"
            raise FieldError(
                f"In account {number}, new users would not belong to {team.name}. Choose one of the team’s "
                "groups, "
                f"or a path under the team’s path: {ways}.",
                field="path",
            )


def _check_path(actor: Viewer, team: Team, body: BlueprintBody) -> None:
    """Check that the actor can use the path. Policies and other teams can depend on paths, so a user without
    access to the whole account can use only the team's paths and /.
    """
    for number in body.accounts:
        mine = [rule for rule in team.rules.all() if rule.account_id in ("", number)]
        own = [rule.value for rule in mine if rule.kind == RuleKind.PATH]
        if actor.asks.sees_account(number) or any(body.path.startswith(start_of(path)) for path in own):
            continue
        theirs = _paths_of([rule.value for rule in mine if rule.kind == RuleKind.GROUP], number)
        allowed = sorted({"/", *own, *theirs})
        if body.path not in allowed:
            raise FieldError(
                f"Choose a path of {team.name} in account {number}: {', '.join(allowed)}. "
                "An administrator can add other paths under Operators, Teams.",
                field="path",
            )


def _paths_of(groups: Sequence[str], number: str) -> set[str]:
    """Return the paths of the members of these groups."""
    members = Edge.objects.filter(
        valid_at(None),
        kind=EdgeKind.MEMBER,
        account__account_id=number,
        target__name__in=groups,
        source__gone_at__isnull=True,
    )
    states = EntityState.objects.filter(valid_at(None), entity__in=members.values("source"))
    return set(states.values_list("path", flat=True).distinct())


def start_of(path: str) -> str:
    """Return a rule's path with a slash at both ends."""
    inner = path.strip("/")
    return f"/{inner}/" if inner else "/"


def _check_templates(body: BlueprintBody) -> None:
    """Check that each template can be filled in and that all together fit into a user's inline policies."""
    checks = FieldChecks()
    for account in Account.objects.filter(account_id__in=body.accounts).order_by("account_id"):
        size = 0
        for number, filled in enumerate(body.templates):
            try:
                document = document_for(
                    filled.slug,
                    version=filled.version,
                    parameters=filled.parameters,
                    account_id=account.account_id,
                    partition=account.partition,
                )
            except TemplateError as error:
                for parameter, message in error.fields.items():
                    checks.add(f"t{number}-{parameter}", message)
                if not error.fields:
                    checks.add(f"t{number}", error.message)
                continue
            size += USER_INLINE.size(written(document)) + ROOM_FOR_END * bool(body.stay)
        if size > USER_INLINE.limit:
            checks.add(
                "t0",
                f"The templates have {size:,} characters together, and a user’s inline policies can have "
                f"{USER_INLINE.limit:,}. "
                "Attach one of them to a group, and use the group instead.",
            )
    checks.finish()


ROOM_FOR_END: Final = 80
"""Approximate number of characters that the end date adds to a statement."""
