"""What was not synced is never shown as none, as 0, or in green: each section × each way of not being synced
× each place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.test import Client

from iam.directory.models import Role
from iam.linking.models import MatchedAccount
from iam.mirror.models import NEVER, Account, EdgeKind, Entity, Kind, Section, UserCredentials
from iam.mirror.models.accounts import AccountSource
from iam.mirror.pull.freshness import begin_sections
from iam.mirror.pull.sections import ALL, AUTHORIZATION, LABELS
from tests import factories

pytestmark = pytest.mark.django_db
UNSYNCED = ("never", "denied", "failed", "partial", "held", "upload")
"""How a section can be without a complete sync: "upload" is an account known from a file without it."""


@pytest.fixture(autouse=True)
def _nothing_counted_before() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@dataclass(slots=True)
class Place:
    """Where a page shows a fact of some sections: what must be there if they were not synced, and what must
    not.
    """

    address: str
    says: str
    never: tuple[str, ...]


@dataclass(slots=True)
class World:
    """An account with a user, a role and an instance profile, of which nothing else is known."""

    account: Account
    user: Entity
    role: Entity
    profile: Entity

    def unsync(self, *sections: str, how: str) -> None:
        """Leave sections without any complete sync; an upload has users, groups, roles and policies only."""
        state = "never" if how == "upload" else how
        if how == "upload":
            Account.objects.filter(pk=self.account.pk).update(source=AccountSource.EXPORT, role_arn="")
        Section.objects.filter(account=self.account, name__in=sections).update(
            state=state, observed_at=None, bad_since=datetime.now(tz=UTC)
        )

    def forget_credentials(self) -> None:
        """The row of a user of whom no credential report and no device list was synced."""
        UserCredentials.objects.filter(user=self.user).update(
            has_password=None, mfa="unread", keys=0, active_keys=0, oldest_key_at=NEVER, report={}
        )


@pytest.fixture
def world(db: None) -> World:
    account = factories.account("111111111111", name="production")
    at = datetime.now(tz=UTC) - timedelta(minutes=4)
    Section.objects.bulk_create(
        Section(account=account, name=name, state="complete", observed_at=at, attempted_at=at) for name in ALL
    )
    made = World(
        account,
        factories.user(account, "maya.okafor"),
        factories.role(account, "app"),
        factories.entity(account, Kind.INSTANCE_PROFILE, "node"),
    )
    factories.edge(EdgeKind.PROFILE_ROLE, made.profile, made.role)
    return made


@pytest.fixture
def client(db: None) -> Client:
    signed_in = Client()
    signed_in.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    return signed_in


def text_of(client: Client, address: str) -> str:
    """What a page says, without its markup; a green mark is written as [green]."""
    response = client.get(address)
    assert response.status_code == 200, address
    body = response.content.decode().partition("<main")[2].partition("</main>")[0]
    body = re.sub(r"(?s)<svg.*?</svg>", "", body)
    body = re.sub(r'<[^>]*data-tone="ok"[^>]*>', " [green] ", body)
    return re.sub(r"\s+", " ", unescape(re.sub(r"(?s)<[^>]+>", " ", body)))


def unsynced(sections: Iterable[str]) -> list[tuple[str, str]]:
    """Each section with each way in which it was not synced; an upload has those of the authorization
    details.
    """
    return [
        (section, how)
        for section in sections
        for how in UNSYNCED
        if how != "upload" or section not in AUTHORIZATION
    ]


LISTS = {
    "groups": ("/groups/", "Groups"),
    "roles": ("/roles/", "Roles"),
    "policies": ("/policies/", "Policies"),
    "providers": ("/providers/", "Identity providers"),
    "instance_profiles": ("/instance-profiles/", "Instance profiles"),
    "users": ("/people/", "IAM users"),
}


@pytest.mark.parametrize(("section", "how"), unsynced(LISTS))
def test_an_empty_list_that_was_not_synced_does_not_say_none(
    client: Client, world: World, section: str, how: str
) -> None:
    world.account.entities.all().delete()
    world.unsync(section, how=how)
    address, title = LISTS[section]
    text = text_of(client, address)
    assert f"{title}: not synced" in text
    assert re.search(r"All\s+–", text), text[:300]
    assert f"No {title.lower()}" not in text
    assert not re.search(r"All\s+0\b", text)


@pytest.mark.parametrize(("section", "how"), unsynced(LISTS))
def test_a_list_that_is_not_whole_counts_at_least(
    client: Client, world: World, section: str, how: str
) -> None:
    factories.group(world.account, "team")
    factories.policy(world.account, "Reader")
    factories.entity(world.account, Kind.SAML_PROVIDER, "Okta", category="saml")
    world.unsync(section, how=how)
    text = text_of(client, LISTS[section][0])
    assert re.search(r"All\s+1\+", text), text[:300]
    assert "production:" in text
    assert LABELS[section] in text


@pytest.mark.parametrize("how", UNSYNCED)
def test_views_of_users_without_a_credential_report_are_not_counted(
    client: Client, world: World, how: str
) -> None:
    world.forget_credentials()
    world.unsync("credential_report", "mfa_devices", "user_mfa", "user_list", "access_keys", how=how)
    text = text_of(client, "/people/")
    for view in ("No MFA", "Keys over 90 days", "Inactive 45 days", "Never signed in", "Keys only"):
        assert re.search(rf"{view}\s+–", text), view
    row = text[text.index("maya.okafor") :]
    assert row.count("Unknown") >= 4
    assert "[green]" not in row.partition("production")[0]
    assert "Never" not in row


@pytest.mark.parametrize("how", UNSYNCED)
def test_the_page_of_a_user_without_credentials_shows_none_as_known(
    client: Client, world: World, how: str
) -> None:
    world.forget_credentials()
    sections = ("credential_report", "mfa_devices", "user_mfa", "user_list", "access_keys", "login_profiles")
    others = ("ssh_keys", "signing_certificates", "service_credentials")
    world.unsync(*sections, *others, how=how)
    address = f"/people/{world.user.pk}/"
    head = text_of(client, address).partition("Groups and policies")[0]
    for fact in ("MFA", "Console password", "Oldest key", "Last activity"):
        assert re.search(rf"{fact}\s+Unknown", head), fact
    text = text_of(client, f"{address}credentials/")
    assert "[green]" not in text
    assert "Whether there is an MFA device is unknown" in text
    assert "Whether there are access keys is unknown" in text
    assert "Not synced: SSH keys, Signing certificates, Service-specific credentials" in text
    for wrong in ("No MFA device", "No access key", "None.", "No active key", "Never"):
        assert wrong not in text, wrong
    assert not re.search(r"(MFA devices|Access keys|Other credentials)\s+0\b", text)


@pytest.mark.parametrize("how", UNSYNCED)
@pytest.mark.parametrize(
    ("section", "page", "says", "never"),
    [
        ("instance_profiles", "role", "Instance profiles Not synced", "No instance profile contains"),
        ("instances", "role", "Not synced", "No instance uses"),
        ("roles_anywhere", "role", "Certificates and pods Not synced", "No Roles Anywhere profile"),
        ("pod_identities", "role", "Certificates and pods Not synced", "No Roles Anywhere profile"),
        ("instances", "profile", "Not synced", "No instance uses"),
        ("instances", "list", "Not synced", "None"),
        ("role_list", "role", "Maximum session duration Not synced", "Maximum session duration 1 hour"),
    ],
)
def test_cards_of_other_pages_say_what_was_not_synced(
    client: Client, world: World, section: str, page: str, says: str, never: str, how: str
) -> None:
    if section == "instance_profiles":
        world.profile.delete()
    world.unsync(section, how=how)
    addresses = {
        "role": f"/roles/{world.role.pk}/",
        "profile": f"/instance-profiles/{world.profile.pk or 0}/",
        "list": "/instance-profiles/",
    }
    text = text_of(client, addresses[page])
    assert says in text
    shown = text.partition("node")[2] if page == "list" else text
    assert never not in shown


@pytest.mark.parametrize(("section", "how"), unsynced(ALL))
def test_the_account_page_marks_no_section_green_that_was_not_synced(
    client: Client, world: World, section: str, how: str
) -> None:
    world.unsync(section, how=how)
    text = text_of(client, "/accounts/111111111111/")
    around = text[text.index(LABELS[section]) - 12 :]
    assert not around.lstrip().startswith("[green]"), around[:80]
    after = around.partition(LABELS[section])[2].split("[green]")[0]
    assert re.search(
        r"not synced|denied|sync failed|in part|on hold|not in the upload|not completely", after
    ), after[:120]
    assert not re.match(r"\s*\d", after)


@pytest.mark.parametrize("how", UNSYNCED)
def test_a_person_whose_devices_were_not_synced_has_no_green_mark(
    client: Client, world: World, how: str
) -> None:
    factories.person("Maya Okafor", email="maya@northline.example", arns=(world.user.arn,))
    UserCredentials.objects.filter(user=world.user).update(has_password=True, mfa="unread")
    world.unsync("credential_report", "mfa_devices", "user_mfa", how=how)
    row = text_of(client, "/people/persons/").partition("maya@")[2]
    assert "Unknown for 1 of 1" in row
    assert "[green]" not in row


def test_a_person_has_none_only_when_all_users_were_matched(client: Client, world: World) -> None:
    factories.person("Maya Okafor", email="maya@northline.example")
    Account.objects.update(revision=1)
    MatchedAccount.objects.update_or_create(account=world.account, defaults={"revision": 0})
    before = text_of(client, "/people/persons/")
    assert "Not matched yet in 1 account: users." in before
    assert "None known" in before.partition("maya@")[2]
    MatchedAccount.objects.update(revision=1)
    after = text_of(client, "/people/persons/")
    assert "Not matched yet" not in after
    assert "None known" not in after
    assert "None" in after.partition("maya@")[2]


def test_data_of_four_days_ago_is_not_now_and_green(client: Client, world: World) -> None:
    old = datetime.now(tz=UTC) - timedelta(days=4)
    Section.objects.filter(account=world.account).update(observed_at=old)
    for address in ("/people/", "/groups/", "/"):
        body = client.get(address).content.decode()
        control = re.sub(r"\s+", " ", body[body.index("Show data as of:") :][:400])
        assert 'data-tone="warn"' in control, address
        assert 'data-tone="ok"' not in control, address
        assert " Now " not in re.sub(r"<[^>]+>", " ", control)
        assert "4 d" in control
    accounts = text_of(client, "/accounts/")
    assert "Synced 4\N{NO-BREAK SPACE}d ago" in client.get("/accounts/").content.decode()
    assert "[green] Synced" not in accounts


def as_of_control(client: Client, address: str) -> str:
    body = client.get(address).content.decode()
    return re.sub(r"\s+", " ", body[body.index("Show data as of:") :][:400])


@pytest.mark.parametrize("number", [2, 30])
@pytest.mark.parametrize("how", [*UNSYNCED[:-1], "old"])
def test_one_account_of_many_takes_the_green_now_away(
    client: Client, world: World, how: str, number: int
) -> None:
    for place in range(1, number):
        factories.synced(factories.account(f"{place:012}", name=f"a-{place:02}"), at=datetime.now(tz=UTC))
    addresses = ("/people/", "/roles/", "/")
    for address in addresses:
        assert 'data-tone="ok"' in as_of_control(client, address), address
    last = factories.account("999999999999", name="z-last")
    old = datetime.now(tz=UTC) - timedelta(days=4)
    factories.synced(last, at=old)
    if how != "old":
        observed = None if how == "never" else old
        Section.objects.filter(account=last).update(state=how, observed_at=observed)
    for address in addresses:
        assert 'data-tone="warn"' in as_of_control(client, address), address


def test_what_needs_attention_is_counted_as_at_least_where_an_account_was_not_synced(
    client: Client, world: World
) -> None:
    UserCredentials.objects.filter(user=world.user).update(has_password=True, mfa="none")
    assert re.search(r"No MFA A password alone opens the AWS console\. 1 ", text_of(client, "/"))
    begin_sections([factories.account("999999999999", name="z-last")])
    cache.clear()
    assert re.search(r"No MFA A password alone opens the AWS console\. 1\+ ", text_of(client, "/"))
