"""Tests whether an invitation still works, given later changes to its person and their password, and who can
send another one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.operations.login_profile import CreateLoginProfile, UpdateLoginProfile
from iam.directory.models import Team
from iam.guard import Viewer
from iam.mirror.models import Entity, Kind, UserCredentials, valid_at
from iam.people.blueprints.models import BlueprintVersion
from iam.people.blueprints.queries import may_run
from iam.people.moving.models import Move
from iam.people.offboarding.models import SUSPENSION, OffboardedUser, OffboardingStage
from iam.people.onboarding.models import OnboardedPerson, ProvisionedUser
from iam.people.runs.models import RunState
from iam.sealed.models import Secret

SLACK: Final = timedelta(seconds=5)
"""AWS's time of a password is slightly later than Gatehouse's."""
ENDED: Final = (
    OffboardingStage.CLOSING,
    OffboardingStage.OPEN,
    OffboardingStage.GONE,
    OffboardingStage.DELETING,
    OffboardingStage.DELETED,
)
SUSPENDED: Final = (*SUSPENSION, OffboardingStage.SUSPENDING, OffboardingStage.RETURNING)
"""Stages without access for now, which a restore ends."""
PASSWORDS: Final = (UpdateLoginProfile.spec.slug, CreateLoginProfile.spec.slug)
TEAM_CHANGED: Final = "You changed team after this invitation was sent, so it no longer works."
ACCESS_ENDED: Final = "Your access to AWS has ended, so this invitation no longer works."
ACCESS_SUSPENDED: Final = (
    "Your access to AWS is suspended, so this invitation doesn’t open. Ask your team lead."
)
MOVED_AWAY: Final = f"{TEAM_CHANGED} The invitation to your new team is in another email."
WITHOUT_ACCESS: Final = frozenset({ACCESS_ENDED, ACCESS_SUSPENDED, MOVED_AWAY})
"""While one of these applies, the invitation can't be sent again."""


def moves_of(newcomer: OnboardedPerson) -> list[Move]:
    """Return the person's team changes that were done at least in part, newest first."""
    done = _carried_out().filter(person_id=newcomer.person_id)
    return list(done.select_related("version__blueprint__team").order_by("-created_at"))


def _carried_out() -> QuerySet[Move]:
    return Move.objects.filter(state__in=(RunState.RUNNING, RunState.DONE, RunState.PARTLY))


def version_of(newcomer: OnboardedPerson) -> BlueprintVersion:
    """Return the blueprint version that gives the person's access: that of their newest team change, or else
    of the run.
    """
    newest = next(iter(moves_of(newcomer)), None)
    if newest is not None and newest.created_at > newcomer.run.created_at:
        return newest.version
    return newcomer.run.version


def team_of(newcomer: OnboardedPerson) -> Team:
    """Return the person's current team."""
    return version_of(newcomer).blueprint.team


def why_over(newcomer: OnboardedPerson, *, since: datetime) -> str:
    """Return why an invitation from this time no longer works, as a sentence to its person, or an empty
    string if it does.
    """
    places = list(newcomer.places.filter(joined_at__isnull=False))
    now = datetime.now(tz=UTC)
    cut = without_access(places)
    is_without = bool(places) and len(cut) == len({place.user_arn for place in places})
    for move in moves_of(newcomer):
        # A team change that creates users in other accounts sends its own invitation.
        if newcomer.run.source != move.reference and (move.ended_at or now) > since:
            return MOVED_AWAY if is_without else TEAM_CHANGED
    if is_without:
        return ACCESS_ENDED if ACCESS_ENDED in cut.values() else ACCESS_SUSPENDED
    return ""


def with_news(places: Collection[ProvisionedUser]) -> list[ProvisionedUser]:
    """Return the places whose invitation may be over because the person changed team or the user lost access.
    Three queries for any number of places, none without places. Newest first: of two places with the same
    ARN, the older one has more news.
    """
    if not places:
        return []
    cut = without_access(places)
    people = {place.newcomer.person_id for place in places}
    moved = set(_carried_out().filter(person_id__in=people).values_list("person_id", flat=True))
    return [place for place in places if place.user_arn in cut or place.newcomer.person_id in moved]


def without_access(places: Iterable[ProvisionedUser]) -> dict[str, str]:
    """Return the users whose access was ended or suspended since they were created, as ARN with a sentence to
    the person, with two queries. A person who returns under an old name has their current access.
    """
    joined_at = {place.user_arn: place.joined_at for place in places if place.joined_at}
    seats = OffboardedUser.objects.filter(user_arn__in=joined_at, leaver__stage__in=(*ENDED, *SUSPENDED))
    reasons: dict[str, str] = {}
    for arn, stage, at in seats.values_list("user_arn", "leaver__stage", "leaver__run__created_at"):
        if at < joined_at[arn]:
            continue
        if stage in ENDED:
            reasons[arn] = ACCESS_ENDED
        else:
            reasons.setdefault(arn, ACCESS_SUSPENDED)
    users = Entity.objects.filter(kind=Kind.USER, arn__in=joined_at).values_list("arn", "gone_at")
    living = {arn for arn, gone_at in users if gone_at is None}
    for arn, gone_at in users:
        if arn not in living and gone_at is not None and gone_at >= joined_at[arn]:
            reasons[arn] = ACCESS_ENDED
    return reasons


def check_may_invite(newcomer: OnboardedPerson, *, actor: Viewer) -> None:
    """Raise RefusedError unless the actor can run blueprints of the person's current team or of the run's
    team.
    """
    if not (may_run(actor, newcomer.run.version.blueprint.team) or may_run(actor, team_of(newcomer))):
        raise RefusedError("You can invite only people in your teams.")


def has_chosen_password(place: ProvisionedUser | OffboardedUser) -> bool:
    """Return True if the person replaced the first password with their own."""
    row, made = _credentials(place), _made_at(place)
    if row is None or made is None or row.password_changed_at is None:
        return False
    return row.password_changed_at > made + SLACK


def is_password_gone(place: ProvisionedUser | OffboardedUser) -> bool:
    """Return True if AWS was read after the first password was set and showed no password, so that someone
    deleted it.
    """
    row, made = _credentials(place), _made_at(place)
    return row is not None and made is not None and row.has_password is False and row.valid_from > made


def lacks_password(place: ProvisionedUser | OffboardedUser) -> bool:
    """Return True if the latest data from AWS shows no password, whenever it was read."""
    row = _credentials(place)
    return row is not None and row.has_password is False


def _credentials(place: ProvisionedUser | OffboardedUser) -> UserCredentials | None:
    users = Entity.objects.filter(
        account=place.account_id, kind=Kind.USER, arn=place.user_arn, gone_at__isnull=True
    )
    return UserCredentials.objects.filter(valid_at(None), user__in=users).first()


def _made_at(place: ProvisionedUser | OffboardedUser) -> datetime | None:
    seal = Secret.objects.filter(pk=place.password_seal).first() if place.password_seal else None
    return last_made_at(seal, made_passwords([place.user_arn]).get(place.user_arn))


def made_passwords(arns: Iterable[str]) -> dict[str, datetime]:
    """Return when Gatehouse last set a console password of these users, by ARN, in an onboarding, a restore
    or a reset. One query.
    """
    users = Entity.objects.filter(kind=Kind.USER, arn__in=list(arns), gone_at__isnull=True)
    rows = Change.objects.filter(
        entity__in=users, operation__in=PASSWORDS, state=ChangeState.APPLIED, ended_at__isnull=False
    )
    return {arn: at for arn, at in rows.order_by("ended_at").values_list("entity__arn", "ended_at") if at}


def last_made_at(seal: Secret | None, made_at: datetime | None) -> datetime | None:
    """Return since when a user's password is the one that Gatehouse set, or None if it set none."""
    if seal is None or seal.released_at is None:
        return None
    return max(seal.released_at, made_at) if made_at else seal.released_at
