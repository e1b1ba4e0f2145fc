"""Matches a pasted list of people with the users of a campaign's account or team, with ambiguous and unknown
lines.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import chain

from iam.directory.models import Team
from iam.guard import Viewer
from iam.linking.ownership import owners
from iam.linking.pasted_people import PastedLine, match_list
from iam.mirror.models import Account, Entity
from iam.people.campaigns.models import Campaign
from iam.people.campaigns.queries import users_of


@dataclass(frozen=True, slots=True)
class ListedUsers:
    """The result of matching a list. `users` were matched or chosen, `to_decide` are ambiguous lines,
    `unknown` lines match no one, and `left_over` lines exceeded the limit.
    """

    users: list[Entity] = field(default_factory=list)
    to_decide: list[PastedLine] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    left_over: tuple[str, ...] = ()


def listed(
    text: str, *, picks: Collection[int], viewer: Viewer, account: Account | None, team: Team | None
) -> ListedUsers:
    """Return the users with a console password that the list names, within the account or team. `picks` are
    users chosen for ambiguous lines.
    """
    pasted = match_list(text, among=users_of(Campaign(account=account, team=team), viewer=viewer))
    matches = chain.from_iterable(line.matches for line in pasted.lines)
    people = owners(match.entity.arn for match in matches)
    person_by_arn: dict[str, object] = {arn: person.pk for arn, person in people.items()}
    users: dict[int, Entity] = {}
    open_lines = []
    for line in pasted.lines:
        chosen = _users_meant(line, person_by_arn)
        if not chosen:
            chosen = [match.entity for match in line.matches if match.entity.pk in picks]
            if line.matches:
                open_lines.append(line)
        for user in chosen:
            users[user.pk] = user
    return ListedUsers(list(users.values()), open_lines, pasted.unknown, pasted.left_over)


def _users_meant(line: PastedLine, people: dict[str, object]) -> list[Entity]:
    """Return the users of a line: the chosen one, or all matched users if they belong to one person."""
    if line.chosen is not None:
        return [line.chosen]
    sure = [match.entity for match in line.matches if match.is_sure]
    whose = {people.get(user.arn) for user in sure}
    return sure if len(whose) == 1 and None not in whose else []
