"""A page with a total and its parts shows numbers that add up: the changes of a run, and those of each of its
people, accounts and lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from console.offboarding.presenters import progress_of as progress_of_users
from console.runs.progress import RunProgress, progress_of
from iam.changes.models import Change, ChangeSet, ChangeState
from iam.directory.models import Person, Role, Team
from iam.mirror.models import Entity
from iam.people.moving.models import Move
from iam.people.offboarding.models import Leaver, OffboardedUser
from iam.people.offboarding.queries import OffboardedUserChanges
from tests import factories
from tests.console import moving, offboarding, onboarding

NUMBERS = ("111111111111", "222222222222")
DONE = re.compile(r"([\d,]+) of ([\d,]+) (?:changes?|steps?)? ?done")
STATES = st.sampled_from(list(ChangeState))


def parts_of(progress: RunProgress) -> int:
    return sum(
        (
            progress.applied,
            progress.running,
            progress.failed,
            progress.waiting,
            progress.drafts,
            progress.closed,
        )
    )


@given(st.lists(STATES))
def test_every_change_of_a_run_is_in_one_number(states: list[ChangeState]) -> None:
    progress = progress_of(Counter(state.value for state in states))
    assert parts_of(progress) == progress.total == len(states)


@given(
    st.lists(st.tuples(st.booleans(), st.lists(st.tuples(STATES, st.sampled_from("abc"))))),
)
def test_every_step_of_an_offboarding_is_in_one_number_of_one_account(
    accounts: list[tuple[bool, list[tuple[ChangeState, str]]]],
) -> None:
    seats = []
    for is_proved, steps in accounts:
        proved_at = datetime.now(tz=UTC) if is_proved else None
        changes = tuple(Change(state=state, title=title) for state, title in steps)
        seats.append(OffboardedUserChanges(OffboardedUser(proved_at=proved_at), changes))
    whole = progress_of_users(seats)
    assert parts_of(whole) == whole.total
    assert whole.total + whole.made_good == sum(len(seat.changes) for seat in seats)
    each = [progress_of_users([seat]) for seat in seats]
    for name in ("total", "applied", "running", "failed", "waiting", "drafts", "made_good"):
        assert getattr(whole, name) == sum(getattr(one, name) for one in each), name


@pytest.fixture
def user() -> Entity:
    return factories.user(factories.account(NUMBERS[0]), "maya.okafor")


@pytest.fixture
def author() -> Person:
    return factories.person("Hana Sato")


def onboarding_run(user: Entity, author: Person) -> str:
    """Three people with three changes each, of which some are done; each has steps of their own."""
    team = Team.objects.create(slug="payments", name="Payments")
    version = onboarding.blueprint(user.account, team)
    run = onboarding.asked(version, author, user.account, count=3)
    states = ("applied", "failed", "queued", "awaiting_approval", "cancelled")
    for number, change in enumerate(Change.objects.order_by("position")):
        Change.objects.filter(pk=change.pk).update(state=states[number % len(states)])
    return reverse("onboarding:run", args=[run.pk])


def offboarding_run(user: Entity, author: Person) -> str:
    """Somebody with a user in either account, of whom one step failed and one is done in the second."""
    leaver = offboarding.left(user, author)
    second_user(leaver)
    Leaver.objects.update(proved_at=None)
    OffboardedUser.objects.update(proved_at=None)
    return reverse("offboarding:leaver", args=[leaver.pk])


def second_user(leaver: Leaver) -> OffboardedUser:
    """The user of a leaver in the other account, with a step that is done and one that failed."""
    other = factories.user(factories.account(NUMBERS[1], name="staging"), "maya.okafor")
    first = leaver.seats.get()
    seat: OffboardedUser = OffboardedUser.objects.create(
        leaver=leaver,
        account=other.account,
        user=other,
        user_arn=other.arn,
        user_name=other.name,
        change_set=first.change_set,
        lane=1,
    )
    assert first.change_set is not None
    for position, state in enumerate(("applied", "failed", "queued"), start=10):
        copy_of_change(first.change_set, position=position, lane=1, state=state)
    return seat


def copy_of_change(change_set: ChangeSet, *, position: int, lane: int, state: str) -> None:
    """Another change, as one that is there."""
    change = Change.objects.order_by("position")[0]
    change.pk, change.idempotency_key = uuid4(), str(uuid4())
    change.change_set, change.lane, change.position, change.branch = change_set, lane, position, position
    change.title, change.state = f"Step {position}", state
    change._state.adding = True
    change.save()


def move(user: Entity, author: Person) -> str:
    """A change of team with a change in each of three states."""
    team = Team.objects.create(slug="data", name="Data")
    version = onboarding.blueprint(user.account, team)
    made: Move = moving.moved(version, version, author)
    offboarding.left(user, author)
    assert made.change_set is not None
    for position, state in enumerate(("applied", "failed", "applied"), start=20):
        copy_of_change(made.change_set, position=position, lane=0, state=state)
    return reverse("moving:move", args=[made.pk])


def numbers(text: str) -> list[tuple[int, int]]:
    """'3 of 5 changes done' as (3, 5), each time that a text says so."""
    plain = " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())
    return [(int(done), int(total)) for done, total in DONE.findall(plain)]


def added(pairs: list[tuple[int, int]]) -> tuple[int, int]:
    return sum(done for done, _ in pairs), sum(total for _, total in pairs)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("made", "parts"),
    [(onboarding_run, r'<details class="disclose bt"\s+id="person-'), (offboarding_run, 'id="steps-')],
)
def test_the_parts_of_a_page_add_up_to_its_total(
    user: Entity, author: Person, made: Callable[[Entity, Person], str], parts: str
) -> None:
    client = Client()
    address = made(user, author)
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    page = client.get(address).content.decode()
    whole, *rest = re.split(parts, page.partition("<main")[2])
    totals = set(numbers(whole))
    assert len(totals) == 1, "the heading, and what is read to those who can't see it"
    assert len(rest) > 1
    shown = [numbers(part.partition("</summary>")[0]) for part in rest]
    assert all(len(pairs) == 1 for pairs in shown), "of one kind: steps of people's own are said as such"
    assert added([pairs[0] for pairs in shown]) == totals.pop()


@pytest.mark.django_db
def test_a_change_of_team_lists_as_many_changes_as_it_counts(user: Entity, author: Person) -> None:
    client = Client()
    address = move(user, author)
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    page = client.get(address).content.decode()
    assert set(numbers(page)) == {(2, 3)}
    listed = page.partition('id="st-h"')[2].partition("</section>")[0]
    assert len(re.findall(r'<span class="state"', listed)) == 3
    assert len(re.findall("Done", listed)) == 2


@pytest.mark.django_db
def test_accounts_that_someone_cannot_see_are_counted_beside_those_they_see(
    user: Entity, author: Person
) -> None:
    address = offboarding_run(user, author)
    auditor = factories.operator(None, name="Amara Diallo")
    factories.assign(auditor.person, Role.AUDITOR, account_id=NUMBERS[0])
    client = Client()
    client.force_login(auditor)
    page = client.get(address).content.decode()
    whole, first = re.split('id="steps-', page.partition("<main")[2])
    hidden = first.partition("more account")[2]
    assert set(numbers(whole)) == {(4, 6)}
    assert added(numbers(first.partition("</summary>")[0]) + numbers(hidden)[:1]) == (4, 6)


@pytest.mark.django_db
def test_whose_access_is_removed_is_counted_among_those_that_one_sees(user: Entity, author: Person) -> None:
    leaver = offboarding.left(user, author)
    elsewhere = factories.user(factories.account(NUMBERS[1], name="staging"), "kwame.boateng")
    other = offboarding.left(elsewhere, author)
    Leaver.objects.filter(pk=other.pk).update(run=leaver.run, position=1)
    leaver.run.source = "leavers.csv"
    leaver.run.save(update_fields=["source"])
    auditor = factories.operator(None, name="Amara Diallo")
    factories.assign(auditor.person, Role.AUDITOR, account_id=NUMBERS[0])
    client = Client()
    client.force_login(auditor)
    page = client.get(reverse("offboarding:run", args=[leaver.run_id])).content.decode()
    assert "Access removed for 1 of 1 person" in " ".join(page.split())
