"""What could not be read whole is stale and keeps its rows; a killed pull leaves the old state; an unusual
loss waits.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from iam.mirror.doctor.refused_calls import missing_of
from iam.mirror.models import Account, Entity, Pull, PullSection, Section
from iam.mirror.models.accounts import PullState
from iam.mirror.pull import authorization
from iam.mirror.pull.sections import AUTHORIZATION, FAST_LANE
from tests.bench.fakeaws.world import World
from tests.iam.mirror.pull.conftest import redraw
from tests.iam.mirror.pull.picture import picture, rows, seen, source

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
ACTIONS = {
    "iam:ListUsers": "user_list",
    "iam:ListRoles": "role_list",
    "iam:ListVirtualMFADevices": "mfa_devices",
    "iam:GenerateCredentialReport": "credential_report",
    "iam:GetCredentialReport": "credential_report",
    "iam:ListServiceSpecificCredentials": "service_credentials",
    "iam:ListInstanceProfiles": "instance_profiles",
    "iam:GetSAMLProvider": "providers",
    "iam:ListServerCertificates": "server_certificates",
    "iam:GetAccountSummary": "account",
}
PAGES = 6
ENDS = [(page, "denied") for page in range(1, PAGES + 1)] + [
    (page, kind) for page in (1, 2, PAGES) for kind in ("500", "malformed", "short")
]


@pytest.fixture
def small_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> int:
    """Pages of so few entities that the bulk answer has many; their number."""
    a = world.account
    total = len(a.users + a.groups + a.roles + a.policies + a.managed)
    monkeypatch.setattr(authorization, "PAGE_SIZE", -(-total // PAGES))
    return PAGES


def fail(world: World, action: str, *, at: int, kind: str = "denied") -> None:
    """Let every call of an action fail from the nth on."""
    world.reset()
    world.control("/_config", {"fail": f"{action}:{at}:{kind}"})


def mend(world: World) -> None:
    """Let nothing fail."""
    world.control("/_config", {"fail": "", "deny": "", "fault_rate": "0"})


@pytest.mark.parametrize("action", ACTIONS)
def test_a_denied_section_is_stale_names_the_permission_and_loses_nothing(
    world: World, account: Account, pull: Callable[..., Pull], action: str
) -> None:
    pull(account)
    shown, before = picture(account), rows(account)
    observed = {s.name: s.observed_at for s in Section.objects.all()}
    world.control("/_config", {"deny": action})
    done = pull(account)
    section = Section.objects.get(account=account, name=ACTIONS[action])
    assert (section.state, section.permission, section.error_code) == ("denied", action, "AccessDenied")
    assert action in section.message
    assert section.bad_since == section.attempted_at
    assert section.observed_at == observed[section.name]
    assert section.request_id
    assert (picture(account), rows(account)) == (shown, before)
    assert done.state == PullState.PARTIAL
    assert set(Section.objects.filter(state="complete").values_list("name", flat=True)) == set(FAST_LANE) - {
        ACTIONS[action]
    }
    mend(world)
    pull(account)
    section.refresh_from_db()
    assert (section.state, section.permission, section.message, section.bad_since) == (
        "complete",
        "",
        "",
        None,
    )


def test_the_bulk_answer_denied_makes_its_four_sections_stale(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    shown = picture(account)
    world.control("/_config", {"deny": "iam:GetAccountAuthorizationDetails"})
    pull(account)
    first = {s.name: s.bad_since for s in Section.objects.filter(name__in=AUTHORIZATION)}
    states = Section.objects.filter(name__in=AUTHORIZATION).values_list("state", flat=True)
    assert set(states) == {"denied"}
    assert picture(account) == shown
    pull(account)
    assert first == {s.name: s.bad_since for s in Section.objects.filter(name__in=AUTHORIZATION)}


def test_a_first_pull_with_the_bulk_answer_denied_shows_nothing_and_says_so(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    world.control("/_config", {"deny": "iam:GetAccountAuthorizationDetails"})
    done = pull(account)
    assert done.state == PullState.PARTIAL
    assert "iam:GetAccountAuthorizationDetails" in done.message
    assert not Entity.objects.filter(account=account, kind__in=("user", "role")).exists()
    section = Section.objects.get(account=account, name="users")
    assert (section.state, section.observed_at, section.count) == ("denied", None, 0)
    mend(world)
    assert pull(account).state == PullState.COMPLETE
    assert seen(picture(account)) == source(world)


def test_no_way_in_fails_the_pull_and_names_the_role_and_what_can_be_wrong_with_it(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    from tests import factories

    pull(account)
    shown = picture(account)
    spoke = factories.account("111111111112", role_arn="arn:aws:iam::111111111112:role/gatehouse-read")
    world.control("/_config", {"deny": "sts:AssumeRole"})
    done = pull(spoke)
    assert done.state == PullState.FAILED
    assert "assume arn:aws:iam::111111111112:role/gatehouse-read" in done.message
    assert "external ID" in done.message
    assert "missing permission" not in done.message
    assert picture(account) == shown


def test_a_way_in_that_is_lost_makes_all_sections_stale_until_it_is_back(
    world: World, pull: Callable[..., Pull], db: None
) -> None:
    from iam.aws import credentials
    from tests import factories

    spoke = factories.account("111111111112", role_arn="arn:aws:iam::111111111112:role/gatehouse-read")
    pull(spoke)
    shown = picture(spoke)
    observed = dict(Section.objects.values_list("name", "observed_at"))
    credentials._kept.clear()
    world.control("/_config", {"deny": "sts:AssumeRole"})
    pull(spoke)
    synced = Section.objects.exclude(state="never")
    assert set(synced.values_list("state", "permission")) == {("denied", "")}
    assert not missing_of(spoke, Section.objects.all(), None)
    assert not synced.filter(bad_since=None).exists()
    assert dict(Section.objects.values_list("name", "observed_at")) == observed
    assert picture(spoke) == shown
    mend(world)
    assert pull(spoke).state == PullState.COMPLETE
    assert set(synced.values_list("state", "bad_since", "message")) == {("complete", None, "")}


def test_credentials_of_another_account_read_nothing(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    Account.objects.filter(pk=account.pk).update(account_id="999999999999")
    account.refresh_from_db()
    done = pull(account)
    assert done.state == PullState.FAILED
    assert "111111111111" in done.message
    assert not Entity.objects.exists()


@pytest.mark.parametrize(("page", "kind"), ENDS)
def test_an_answer_that_ends_at_any_page_sweeps_nothing(
    world: World, account: Account, pull: Callable[..., Pull], small_pages: int, page: int, kind: str
) -> None:
    pull(account)
    shown = picture(account)
    world.mutate(4)
    gone = world.account.users.pop(0)
    redraw(world, new_report=False)
    fail(world, "GetAccountAuthorizationDetails", at=page, kind=kind)
    done = pull(account)
    assert done.state == PullState.PARTIAL
    states = set(Section.objects.filter(name__in=AUTHORIZATION).values_list("state", flat=True))
    assert states == {"denied" if kind == "denied" else "failed" if page == 1 else "partial"}
    # Devices and instance profiles have their own lists; of the bulk answer nothing is applied.
    assert seen(picture(account)) == seen(shown)
    assert not Entity.objects.get(aws_id=gone["id"]).gone_at
    mend(world)
    assert pull(account).state == PullState.COMPLETE
    assert seen(picture(account)) == source(world)


class KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("page", range(1, PAGES + 1))
@pytest.mark.parametrize("is_first", [True, False])
def test_a_pull_killed_at_any_page_leaves_the_old_state_and_the_next_one_completes(
    world: World,
    account: Account,
    pull: Callable[..., Pull],
    small_pages: int,
    monkeypatch: pytest.MonkeyPatch,
    page: int,
    is_first: bool,
) -> None:
    if not is_first:
        pull(account)
        world.mutate(4)
        world.account.users.pop(0)
        redraw(world)
    shown = picture(account)
    take = authorization._take_page

    def killed(job: object, bulk: object, read: object) -> None:
        if read.number == page:  # type: ignore[attr-defined]
            raise KilledError
        take(job, bulk, read)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(authorization, "_take_page", killed)
        with pytest.raises(KilledError):
            pull(account)
    assert seen(picture(account)) == seen(shown)
    Pull.objects.filter(state="running").update(lease_until="2020-01-01T00:00:00Z")
    assert pull(account).state == PullState.COMPLETE
    assert seen(picture(account)) == source(world)
    assert list(Pull.objects.order_by("created_at").values_list("state", flat=True))[-2:] == [
        "failed",
        "complete",
    ]
    assert not PullSection.objects.filter(state="reading").exists()


def test_a_pull_killed_while_it_applies_leaves_the_old_state(
    world: World, account: Account, pull: Callable[..., Pull], monkeypatch: pytest.MonkeyPatch
) -> None:
    from iam.mirror.pull import principals

    pull(account)
    shown = picture(account)
    world.mutate(5)

    def killed(*args: object, **options: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(principals, "_load_usage", killed)
        with pytest.raises(KilledError):
            pull(account)
    assert picture(account) == shown


def test_an_unexpected_error_ends_the_row(
    world: World, account: Account, pull: Callable[..., Pull], monkeypatch: pytest.MonkeyPatch
) -> None:
    from iam.mirror.pull import principals

    def broken(*args: object, **options: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(principals, "_load_usage", broken)
    with pytest.raises(RuntimeError):
        pull(account)
    done = Pull.objects.get()
    assert (done.state, done.lease_until) == (PullState.FAILED, None)
    assert done.message
    assert not PullSection.objects.filter(state="reading").exists()
    assert PullSection.objects.get(name="users").state == "failed"
    assert "mistake of ours" not in done.message


def test_an_unusual_loss_is_held_back_until_it_is_accepted(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    users = len(world.account.users)
    kept = world.account.users[15]["name"]
    del world.account.users[:15]
    world.mutate(2)
    redraw(world)
    done = pull(account)
    assert done.state == PullState.HELD
    assert f"15 of {users}" in done.message
    section = Section.objects.get(account=account, name="users")
    assert (section.state, section.count) == ("held", users)
    assert section.bad_since is not None
    assert Entity.objects.filter(kind="user", gone_at=None).count() == users
    assert Section.objects.get(account=account, name="policies").state == "complete"
    # What is there is up to date all the same.
    assert seen(picture(account))["versions"] == source(world)["versions"]
    assert pull(account).state == PullState.HELD
    assert pull(account, accept_loss=True).state == PullState.COMPLETE
    assert seen(picture(account)) == source(world)
    assert Entity.objects.get(name=kept, kind="user").gone_at is None
    assert Section.objects.get(account=account, name="users").state == "complete"


def test_a_handful_may_go_whatever_its_share(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    names = {g["name"] for g in world.account.groups}
    world.account.groups.clear()
    for user in world.account.users:
        user["groups"] = []
    redraw(world)
    assert len(names) <= 10
    assert pull(account).state == PullState.COMPLETE
    assert not Entity.objects.filter(kind="group", gone_at=None).exists()


def test_the_rows_of_a_pull_tell_what_each_section_did(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    world.mutate(3)
    world.account.users.pop(0)
    redraw(world)
    done = pull(account)
    rows_of = {s.name: s for s in PullSection.objects.filter(pull=done)}
    assert set(rows_of) == set(FAST_LANE)
    assert (rows_of["policies"].changed, rows_of["users"].ended) == (3, 1)
    assert rows_of["users"].count == len(world.account.users)
    assert sum(s.calls for s in rows_of.values()) + 1 == done.calls
    assert all(s.ended_at and s.began_at <= s.ended_at for s in rows_of.values())
