"""The tab with all users of a person: how they sign in, why they are linked, and how to correct it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.access.people_levels import levels_shown
from console.identities.details.frame import ShownEntity, render_shown, shown_or_404
from console.identities.details.people import SEES, person_head
from console.linking.labels import facts_of, summary_of
from console.web.access import ViewerRequest, require
from iam.access.levels import levels_of
from iam.directory.models import Person
from iam.guard import Viewer
from iam.linking.models import ExcludedMatch, UserMatch
from iam.linking.owners import may_set_owner, owning_team, teams_to_set
from iam.linking.queries import (
    PersonUsers,
    everything_of,
    gone_of,
    people_found,
    same_names,
    users_found,
)
from iam.linking.rights import may_link_any, may_rule, may_say
from iam.mirror.models import Kind

HERE = "linking:person"


@require_safe
@require(*SEES)
def person_users(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the tab: a summary over all accounts, each user, and the forms for viewers who can link."""
    shown = shown_or_404(request, pk, kinds=[Kind.USER])
    if shown.state is None:
        return render_shown(request, shown, "identities/person.html", {})
    context = person_head(shown, here=HERE) | {"tab": "linking/person.html"}
    return render_shown(request, shown, "identities/person.html", context | users_context(request, shown))


def users_context(request: ViewerRequest, shown: ShownEntity) -> dict[str, Any]:
    """Return the context of the tab."""
    everybody = everything_of(shown.entity, viewer=request.viewer)
    may = everybody.may_say and request.at is None and shown.entity.gone_at is None
    person = everybody.ownership.person
    reach = _access(everybody, viewer=request.viewer)
    context: dict[str, Any] = {
        "whose": everybody.ownership,
        "owner": person,
        "rows": [facts_of(line, bar=reach["bars"].get(line.user.pk, "")) for line in everybody.lines],
        "summary": summary_of(everybody.lines),
        "unseen": everybody.unseen,
        "gone": gone_of(person, viewer=request.viewer) if person is not None else [],
        "may_say": may,
        "links_page": may_link_any(request.viewer),
        **_owner_context(request, shown, everybody),
        "is_me": person is not None and person.pk == request.viewer.person_id,
    }
    return context | reach | (_forms(request, shown, everybody, person) if may else {})


def _owner_context(request: ViewerRequest, shown: ShownEntity, everybody: PersonUsers) -> dict[str, Any]:
    """Return the owning team of a user without a linked person, and the teams if the viewer can set it."""
    if everybody.ownership.confirmed or request.at is not None or shown.entity.gone_at is not None:
        return {"shows_owner": False}
    sets_owner = may_set_owner(request.viewer, shown.entity)
    owned = owning_team(shown.entity)
    return {
        "shows_owner": sets_owner or owned is not None,
        "owned": owned,
        "sets_owner": sets_owner,
        "teams": teams_to_set(request.viewer) if sets_owner else [],
    }


def _access(everybody: PersonUsers, *, viewer: Viewer) -> dict[str, Any]:
    """Return the access levels per user, and the number of accounts where the person could change permissions
    or data.
    """
    levels = levels_of({line.user.pk: line.user.account.account_id for line in everybody.lines}, at=None)
    bars = {pk: levels_shown(levels_of_user, viewer=viewer) for pk, levels_of_user in levels.items()}
    known = [
        (line.user.account_id, levels[line.user.pk]) for line in everybody.lines if line.user.pk in levels
    ]
    return {
        "bars": bars,
        "changing": len({account for account, account_levels in known if account_levels.permissions}),
        "writing": len({account for account, account_levels in known if account_levels.write}),
    }


def _forms(
    request: ViewerRequest, shown: ShownEntity, everybody: PersonUsers, person: Person | None
) -> dict[str, Any]:
    text = request.GET.get("q", "").strip()[:128]
    sign = everybody.ownership.sign
    proposed = _proposed(sign, viewer=request.viewer) if person is None and sign is not None else []
    people = people_found(request.viewer, text) if text and person is None else []
    users = users_found(request.viewer, text) if text and person is not None else []
    return {
        "text": text,
        "may_add": may_rule(request.viewer) and person is None,
        "people": people,
        "users": [entity for entity in users if entity.pk != shown.entity.pk],
        "proposed": [
            (candidate, words)
            for candidate, words in proposed
            if may_say(request.viewer, user=shown.entity, person=candidate)
        ],
        "marks": list(ExcludedMatch.objects.filter(user=shown.entity).select_related("person")),
    }


def _proposed(sign: UserMatch, *, viewer: Viewer) -> list[tuple[Person, str]]:
    """Return candidates and reasons: conflicting proposals, people with a user of the same name, and the
    former owner.
    """
    known = Person.objects.in_bulk([voice["person"] for voice in sign.said if voice["person"]])
    people = {str(pk): person for pk, person in known.items()}
    suggestions = [
        (people[voice["person"]], voice["words"]) for voice in sign.said if voice["person"] in people
    ]
    for person, user in same_names([sign], viewer=viewer)[sign.pk]:
        suggestions.append((person, f"has the user {user.name} in {user.account.name}"))
    if sign.former is not None:
        suggestions.append((sign.former, "had a user of this name before it was made again"))
    return suggestions
