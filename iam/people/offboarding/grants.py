"""Finds and ends the grants of an offboarded person and follows them until none are left."""

from __future__ import annotations

from iam.access.grants.models import FINAL_STATES, GrantState
from iam.access.grants.services.offboard_receivers import (
    end_for_leaver,
    follow_takings,
    grants_to,
    is_for_them_alone,
    take_from_leaver,
)
from iam.changes.services import SetCause
from iam.people.offboarding.models import OF_REST, EndedGrant, Leaver, OffboardedUser


def end_grants(seat: OffboardedUser) -> list[str]:
    """End the grants of a user. Returns a sentence for each grant that can't be ended. It is safe to run
    again.
    """
    arns = set(seat.leaver.seats.values_list("user_arn", flat=True))
    run = seat.leaver.run
    reason = f"{seat.leaver.name} was offboarded ({run.reference})."
    if run.is_move:
        reason = f"{seat.leaver.name} changed team ({run.source})."
    problems: list[str] = []
    for grant in grants_to(seat.user):
        whole = is_for_them_alone(grant, arns)
        _, made = EndedGrant.objects.get_or_create(seat=seat, grant=grant, defaults={"is_whole": whole})
        if whole:
            if made or grant.state != GrantState.ENDING:
                end_for_leaver(grant, reason=reason)
        elif seat.change_set is not None:
            problems += take_from_leaver(
                seat.user,
                grant,
                with_set=seat.change_set,
                cause=SetCause(OF_REST, seat.pk),
                key=f"leaving-grant-{seat.pk.hex}-{grant.pk.hex[:12]}",
                reason=reason,
            )
    return problems


def grants_are_over(leaver: Leaver) -> bool:
    """Return True if the person has no active grants."""
    rows = EndedGrant.objects.filter(seat__leaver=leaver).select_related("grant", "seat__user")
    over = True
    for ended in rows:
        if ended.is_whole:
            over &= ended.grant.state in FINAL_STATES
        else:
            over &= follow_takings(ended.seat.user, [ended.grant_id])
    return over
