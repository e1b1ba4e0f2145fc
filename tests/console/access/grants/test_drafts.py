"""Drafts: they belong to one person, keep what each step wrote, and go after a month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from iam.access.drafts import services
from iam.access.drafts.models import GrantDraft
from iam.access.drafts.terms import terms_of, what_of, who_of
from iam.access.grants.terms import TermsError, WhoKind
from iam.directory.models import Role
from iam.guard import Viewer, viewer_for
from tests import factories as make

MAYA = "arn:aws:iam::111111111111:user/maya"
JON = "arn:aws:iam::222222222222:user/jon"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
POLICY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
WHOLE = {
    "kind": "users",
    "who": {"users": {"arns": [MAYA, JON]}, "team": {"team": "payments"}},
    "what": {"kind": "managed", "policy_arn": POLICY},
    "ends": "8h",
    "why": " the audit ",
}


def viewer(name: str = "Ines") -> Viewer:
    someone = make.person(name)
    make.assign(someone, Role.ADMINISTRATOR)
    return viewer_for(someone)


@pytest.mark.django_db
def test_a_link_opens_the_draft_of_its_owner_and_of_nobody_else() -> None:
    ines, hana, pk = viewer(), viewer("Hana"), uuid4()
    draft = services.open_draft(ines, pk)
    assert draft is not None
    assert draft.body == {}
    services.write(draft, kind="group")
    grant_draft = services.open_draft(ines, pk)
    assert grant_draft is not None
    assert grant_draft.body == {"kind": "group"}
    assert services.open_draft(hana, pk) is None


@pytest.mark.django_db
def test_two_windows_write_parts_of_one_draft_and_lose_none() -> None:
    ines, pk = viewer(), uuid4()
    here, there = services.open_draft(ines, pk), services.open_draft(ines, pk)
    assert here is not None
    assert there is not None
    services.write(here, kind="users")
    services.write(there, why="because")
    assert GrantDraft.objects.get().body == {"kind": "users", "why": "because"}


@pytest.mark.django_db
def test_nobody_writes_into_a_draft_of_somebody_else() -> None:
    ines, hana, pk = viewer(), viewer("Hana"), uuid4()
    foreign = services.open_draft(hana, pk)
    mine = services.open_draft(ines, pk)
    assert foreign is not None
    assert mine is not None
    services.write(mine, why="mine")
    with pytest.raises(PermissionError):
        services.write(foreign, why="theirs")
    services.discard(foreign)
    assert GrantDraft.objects.get().body == {"why": "mine"}


@pytest.mark.django_db
def test_drafts_go_a_month_after_they_were_last_written() -> None:
    ines = viewer()
    for pk in (uuid4(), uuid4()):
        draft = services.open_draft(ines, pk)
        assert draft is not None
        services.write(draft, why="x")
    old = services.drafts_of(ines)[1]
    GrantDraft.objects.filter(pk=old.pk).update(updated_at=datetime.now(tz=UTC) - timedelta(days=31))
    assert services.sweep() == 1
    assert old.pk not in services.drafts_of(ines).values_list("pk", flat=True)
    assert services.drafts_of(ines).count() == 1


def test_whole_terms_are_read_with_the_accounts_of_the_people() -> None:
    terms = terms_of(WHOLE, now=NOW)
    assert terms.who.arns == (MAYA, JON)
    assert terms.accounts == ("111111111111", "222222222222")
    assert terms.lasts == 8 * 3600
    assert terms.why == "the audit"


def test_each_kind_keeps_its_own_choice() -> None:
    assert who_of(WHOLE | {"kind": "team"}).team == "payments"
    assert who_of(WHOLE).arns == (MAYA, JON)
    assert who_of({}).kind is WhoKind.USERS
    assert who_of({"kind": "nonsense"}).kind is WhoKind.USERS
    assert what_of({}) is None


@pytest.mark.parametrize(
    ("change", "part", "words"),
    [
        ({"who": {}}, "who", "Choose who"),
        ({"what": None}, "what", "Choose permissions"),
        ({"ends": ""}, "until", "Choose a duration"),
        ({"ends": "date", "until": "soon"}, "until", "Enter the end as a date"),
        ({"ends": "date", "until": "2026-11-25T12:01"}, "until", "five minutes"),
        ({"why": " "}, "why", "Enter a reason"),
        ({"kind": "team"}, "accounts", "Choose the accounts"),
    ],
)
def test_what_is_missing_names_the_step_on_which_it_is_put_right(
    change: dict[str, object], part: str, words: str
) -> None:
    with pytest.raises(TermsError, match=words) as error:
        terms_of(WHOLE | change, now=NOW)
    assert error.value.part == part


@pytest.mark.django_db
def test_signs_that_no_database_keeps_are_left_out() -> None:
    draft = services.open_draft(make.viewer(), uuid4())
    assert draft is not None
    services.write(draft, why="a\x00b", what_form={"chosen": [{"s\ud800": ("x\udfff", 1, None)}]})
    kept = GrantDraft.objects.get(pk=draft.pk).body
    assert kept == {"why": "ab", "what_form": {"chosen": [{"s": ["x", 1, None]}]}}
