"""The form to start a campaign: account or team, people in a pasted list, and terms."""

from __future__ import annotations

from datetime import date

from console.web.access import ViewerRequest
from iam.changes.errors import FieldChecks, FieldError
from iam.directory.models import Team
from iam.guard import Viewer
from iam.mirror.models import Account
from iam.mirror.queries.accounts import visible_accounts
from iam.people.campaigns import services
from iam.people.campaigns.models import CampaignEnding
from iam.people.campaigns.pasted_people import ListedUsers, listed
from iam.people.campaigns.queries import may_begin


def places_for(viewer: Viewer) -> list[tuple[str, str]]:
    """Return (value, label) of the accounts and teams that a campaign can be for."""
    choices = [("all", "All accounts")] if may_begin(viewer, account=None, team=None) else []
    accounts = visible_accounts(viewer).order_by("name", "id")
    choices += [
        (f"account:{a.account_id}", a.name) for a in accounts if may_begin(viewer, account=a, team=None)
    ]
    teams = Team.objects.order_by("name")
    return choices + [
        (f"team:{t.slug}", f"Team {t.name}") for t in teams if may_begin(viewer, account=None, team=t)
    ]


def read_campaign(request: ViewerRequest) -> services.CampaignTerms:
    """Parse the terms; what can’t be read is refused with everything else that is wrong."""
    post, unreadable = request.POST, FieldChecks()
    kind, _, name = post.get("place", "").partition(":")
    account: Account | None = None
    team: Team | None = None
    if kind == "account":
        account = visible_accounts(request.viewer).filter(account_id=name).first()
    elif kind == "team":
        team = Team.objects.filter(slug=name).first()
    people: ListedUsers | None = None
    if kind not in ("all", "account", "team") or (kind != "all" and account is None and team is None):
        unreadable.add("place", "Choose an account or a team.")
    else:
        people = unreadable.collect(lambda: _people(request, account, team))
    ending = post.get("ending", "")
    if ending not in CampaignEnding.values:
        unreadable.add("ending", "Choose what happens after the due date.")
        ending = CampaignEnding.NOTIFY
    return services.CampaignTerms(
        name=post.get("name", ""),
        due=unreadable.collect(lambda: date_typed(post.get("due", ""))) or date.min,
        ending=CampaignEnding(ending),
        reason=post.get("reason", ""),
        account=account,
        team=team,
        remind=unreadable.collect(lambda: _days(post.get("remind", ""))) or (),
        listed=_numbers_of(people),
        unreadable=unreadable.errors,
    )


def _people(request: ViewerRequest, account: Account | None, team: Team | None) -> ListedUsers | None:
    """Return the users that the pasted list names. Raises FieldError if it names none."""
    people = listed_people(request, account, team)
    if people is not None and not people.users and not people.to_decide:
        raise FieldError(
            "None of these names matches an IAM user with a console password there.", field="people"
        )
    if people is not None and not people.users and request.POST.get("do") == "start":
        raise FieldError("Choose at least one person who takes part.", field="people")
    return people


def listed_people(request: ViewerRequest, account: Account | None, team: Team | None) -> ListedUsers | None:
    """Return the users that the pasted list names; None without a list."""
    text = request.POST.get("people", "")
    if not text.strip():
        return None
    picks = {int(word) for word in request.POST.getlist("pick") if word.isdecimal() and len(word) < 19}
    return listed(text, picks=picks, viewer=request.viewer, account=account, team=team)


def _numbers_of(people: ListedUsers | None) -> tuple[int, ...]:
    """Return the IDs of the participants; (0,) if the list names none yet, since an empty tuple would mean
    everyone.
    """
    if people is None:
        return ()
    return tuple(user.pk for user in people.users) or (0,)


def date_typed(text: str) -> date:
    """Parse the due date. Raises FieldError."""
    typed = date_or_none(text)
    if typed is None:
        raise FieldError("Enter a date, such as 2026-12-05.", field="due")
    return typed


def date_or_none(text: str) -> date | None:
    """Parse a date field; None if it has no date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _days(text: str) -> tuple[int, ...]:
    parts = text.replace(",", " ").split()
    if len(parts) > 10 or not all(
        part.isdecimal() and 0 < int(part[:4]) <= services.MAX_EXCEPTION_DAYS for part in parts
    ):
        raise FieldError("Enter days as numbers, such as 14, 7, 3, 1.", field="remind")
    return tuple(int(part) for part in parts)
