"""What the pages of one thing show, now and in the past."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from iam.directory.models import Role
from iam.mirror.models import EdgeKind, Entity, Kind, PolicyVersion, TagSet, Usage, UserCredentials
from tests import factories
from tests.console.identities.details.conftest import SignIn, Small
from tests.factories import FIRST_READ, becomes, ends, seen_after

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LATER = FIRST_READ + 10 * DAY
THEN, AFTER = "?as-of=2026-01-06T09:00", "?as-of=2026-01-16T09:00"
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def admin(sign_in: SignIn, small: Small) -> Client:
    return sign_in(Role.ADMINISTRATOR)


def _text(client: Client, address: str, **headers: Any) -> str:
    answer = client.get(address, **headers)
    assert answer.status_code == 200, address
    return answer.content.decode()


def _own(user: Entity, kind: Kind, name: str, **fields: Any) -> Entity:
    made = factories.entity(user.account, kind, name, arn="", **fields)
    Entity.objects.filter(pk=made.pk).update(owner=user, aws_id=name)
    return made


def test_htmx_gets_the_panel_and_a_history_restore_the_page(small: Small, admin: Client) -> None:
    for address in small.addresses().values():
        panel = _text(admin, address, headers={"HX-Request": "true"})
        assert panel.lstrip().startswith('<div class="stack lg" id="panel">')
        restored = _text(admin, address, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
        assert "<!DOCTYPE html>" in restored


def test_every_page_is_marked_as_past_in_the_past_and_keeps_the_moment_in_its_tabs(
    small: Small, admin: Client
) -> None:
    for address in small.addresses().values():
        now, then = _text(admin, address), _text(admin, address + THEN)
        assert "You can’t change anything here" not in now
        assert "You can’t change anything here" in then
        assert "as-of=2026-01-06T09%3A00" in then


def test_a_person_shows_the_groups_and_policies_of_the_moment(small: Small, admin: Client) -> None:
    seen_after(
        factories.edge(EdgeKind.MEMBER, small.maya, factories.group(small.account, "sre"), since=LATER)
    )
    address = f"/people/{small.maya.pk}/"
    assert ">sre<" in _text(admin, address)
    assert ">sre<" in _text(admin, address + AFTER)
    assert ">sre<" not in _text(admin, address + THEN)


def test_a_person_shows_inline_documents_tags_boundary_and_path(small: Small, admin: Client) -> None:
    factories.inline(small.maya, "debug", body={"Statement": [{"Action": "kms:Decrypt"}]})
    factories.edge(EdgeKind.BOUNDARY, small.maya, factories.policy(small.account, "Wall"))
    TagSet.objects.create(
        account=small.account,
        entity=small.maya,
        tags={"cost-center": "4410"},
        valid_from=FIRST_READ,
        observed_at=FIRST_READ,
    )
    page = _text(admin, f"/people/{small.maya.pk}/")
    for words in ("kms:Decrypt", "Wall", "4410", "maya.okafor", small.maya.arn, "1111-1111-1111"):
        assert words in page


def test_credentials_show_password_devices_and_keys(small: Small, admin: Client) -> None:
    UserCredentials.objects.filter(user=small.maya).update(
        mfa="none", password_changed_at=FIRST_READ, report={"login_profile": {"PasswordResetRequired": True}}
    )
    key = _own(small.maya, Kind.ACCESS_KEY, "AKIAEXAMPLE", category="Inactive")
    Usage.objects.create(
        entity=key,
        account=small.account,
        kind=Kind.ACCESS_KEY,
        last_used_at=FIRST_READ,
        service="s3",
        region="eu-west-1",
        observed_at=FIRST_READ,
    )
    _own(small.maya, Kind.MFA_DEVICE, "arn:aws:iam::111111111111:mfa/phone", category="virtual")
    _own(small.maya, Kind.SSH_KEY, "APKAEXAMPLE", category="Active")
    page = _text(admin, f"/people/{small.maya.pk}/credentials/")
    for words in ("No MFA device", "AKIAEXAMPLE", "Inactive", "s3, eu-west-1", "mfa/phone", "APKAEXAMPLE"):
        assert words in page
    assert "At the next sign-in" in page


def test_credentials_that_were_not_read_say_so(small: Small, admin: Client) -> None:
    UserCredentials.objects.filter(user=small.maya).delete()
    page = _text(admin, f"/people/{small.maya.pk}/credentials/")
    assert page.count("Unknown") + page.count("unknown") >= 5, "MFA, password, oldest key, devices and keys"
    assert "No access key" not in page
    assert "No MFA device" not in page


def test_the_number_of_keys_stands_in_for_keys_that_were_not_read(small: Small, admin: Client) -> None:
    UserCredentials.objects.filter(user=small.maya).update(keys=2, active_keys=1)
    assert "2 keys, 1 active, by the credential report" in _text(
        admin, f"/people/{small.maya.pk}/credentials/"
    )


def test_a_group_shows_its_people_of_the_moment_and_finds_one(small: Small, admin: Client) -> None:
    edge = factories.edge(EdgeKind.MEMBER, small.tomas, small.payments)
    ends(edge, at=LATER)
    address = f"/groups/{small.payments.pk}/"
    assert "tomas.lind" not in _text(admin, address)
    assert "tomas.lind" in _text(admin, address + THEN)
    page_text = _text(admin, address + THEN + "&q=tomas")
    assert "tomas.lind" in page_text
    assert "maya.okafor" not in page_text


def test_a_large_group_comes_in_pages(small: Small, admin: Client) -> None:
    for number in range(60):
        factories.edge(EdgeKind.MEMBER, factories.user(small.account, f"user-{number:02}"), small.payments)
    first = _text(admin, f"/groups/{small.payments.pk}/")
    assert "user-48" in first
    assert "user-49" not in first
    after = first.split("after=")[1].split('"')[0].replace("&amp;", "&")
    second = _text(admin, f"/groups/{small.payments.pk}/?after={after}")
    assert "user-49" in second
    assert "user-48" not in second
    assert "61 IAM users" in second


@pytest.mark.parametrize("place", ["x", "1", "~", "9~", f"{'9' * 40}~a", "-1~a"])
def test_a_place_that_makes_no_sense_is_no_error(small: Small, admin: Client, place: str) -> None:
    _text(admin, f"/groups/{small.payments.pk}/?after={place}")


def test_a_role_says_who_may_become_it_and_shows_the_document(small: Small, admin: Client) -> None:
    factories.inline(small.role, "extra", body={"Statement": [{"Action": "sqs:SendMessage"}]})
    page = _text(admin, f"/roles/{small.role.pk}/")
    for words in ("Amazon EC2", "for instances that have this role", "No one else", "sts:AssumeRole"):
        assert words in page
    for words in ("DeployPayments", "sqs:SendMessage", "node"):
        assert words in page


def test_a_trust_policy_without_words_is_shown_as_it_is(small: Small, admin: Client) -> None:
    becomes(small.role.states.get(), at=LATER, document=factories.document(f'"{HOSTILE}"'))
    page = _text(admin, f"/roles/{small.role.pk}/")
    assert "can’t be explained in words" in page
    assert HOSTILE not in page


def test_a_policy_shows_document_versions_and_holders_of_the_moment(small: Small, admin: Client) -> None:
    v1 = PolicyVersion.objects.get(policy=small.policy)
    becomes(v1, at=LATER, is_default=False)
    PolicyVersion.objects.create(
        account=small.account,
        policy=small.policy,
        version_id="v2",
        document=factories.document({"Statement": [{"Action": "s3:PutObject"}]}),
        is_default=True,
        valid_from=LATER,
        observed_at=LATER,
    )
    address = f"/policies/{small.policy.pk}/"
    now, then = _text(admin, address), _text(admin, address + THEN)
    assert "s3:PutObject" in now
    assert "s3:PutObject" not in then
    assert "1 user, 1 group, 1 role" in now
    versions = _text(admin, f"{address}versions/")
    assert "s3:GetObject" in versions
    assert "s3:PutObject" in versions
    swapped = _text(admin, f"{address}versions/?a=v2&b=v1")
    assert 'value="v1" selected' in swapped.split('id="vb"')[1]
    holders = _text(admin, f"{address}holders/?as=group")
    assert "Group, 1 IAM user" in holders
    assert "It is not used as a permissions boundary" in _text(admin, f"{address}holders/?as=boundary")
    assert _text(admin, f"{address}holders/?as=nonsense")


def test_a_policy_whose_document_was_not_read_says_so(small: Small, admin: Client) -> None:
    unread = factories.entity(
        small.account, Kind.POLICY, "ReadOnlyAccess", category="aws", attrs={"IsPlaceholder": True}
    )
    assert "was not synced yet" in _text(admin, f"/policies/{unread.pk}/")


def test_an_instance_profile_shows_its_role_and_instances(small: Small, admin: Client) -> None:
    instance = factories.entity(
        small.account,
        Kind.INSTANCE,
        "pay-1",
        category="running",
        attrs={"Region": "eu-west-1", "HttpTokens": "optional", "HttpEndpoint": "enabled"},
    )
    factories.edge(EdgeKind.INSTANCE_PROFILE, instance, small.profile)
    page = _text(admin, f"/instance-profiles/{small.profile.pk}/")
    for words in ("pay-1", "eu-west-1", "IMDSv1 allowed", ">app<"):
        assert words in page
    assert "1 instance uses it" in _text(admin, f"/roles/{small.role.pk}/")


@pytest.mark.parametrize(
    ("until", "words"),
    [
        ("2026-01-10T00:00:00Z", "The metadata has expired"),
        ("2099-01-10T00:00:00Z", "No role trusts it"),
    ],
)
def test_a_saml_provider_says_until_when_it_is_valid(
    small: Small, admin: Client, until: str, words: str
) -> None:
    state = small.saml.states.get()
    state.attrs = {"ValidUntil": until, "MetadataDigest": "ab" * 32}
    state.save()
    page = _text(admin, f"/providers/{small.saml.pk}/")
    assert words in page
    assert "ab" * 32 in page


def test_an_oidc_provider_shows_audiences_thumbprints_and_roles(small: Small, admin: Client) -> None:
    arn = "arn:aws:iam::111111111111:oidc-provider/gitlab.com"
    provider = factories.entity(
        small.account,
        Kind.OIDC_PROVIDER,
        "gitlab.com",
        arn=arn,
        attrs={"ClientIDList": ["https://gitlab.com"], "ThumbprintList": ["b3dd7606"]},
    )
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringLike": {"gitlab.com:sub": "project_path:northline/pay:ref_type:branch:ref:*"}},
    }
    factories.role(small.account, "pipeline", trust={"Statement": [statement]}, category="oidc")
    page = _text(admin, f"/providers/{provider.pk}/")
    for words in ("https://gitlab.com", "b3dd7606", "pipeline", "GitLab CI of northline/pay", "Wide"):
        assert words in page


def test_what_was_not_there_yet_says_when_it_was_first_seen(small: Small, admin: Client) -> None:
    user = factories.user(small.account, "late.comer", since=LATER)
    seen_after(user.states.get())
    page = _text(admin, f"/people/{user.pk}/{THEN}")
    assert "did not exist" in page
    assert "15 Jan 2026, 09:00" in page
    assert "See it when it was first seen" in page


def test_what_is_gone_says_when_it_was_last_seen_and_keeps_its_history(small: Small, admin: Client) -> None:
    user = factories.user(small.account, "left.early", until=LATER)
    state = user.states.get()
    ends(state, at=LATER)
    page = _text(admin, f"/people/{user.pk}/")
    assert "no longer exists" in page
    assert "15 Jan 2026, 08:45" in page
    assert "Deleted" in _text(admin, f"/people/{user.pk}/history/")
    assert "no longer exists" not in _text(admin, f"/people/{user.pk}/{THEN}")


def test_hostile_names_and_documents_are_shown_and_not_run(small: Small, admin: Client) -> None:
    name = HOSTILE[:60]
    evil = factories.user(small.account, name, path=f"/{name}/")
    group = factories.group(small.account, name)
    factories.edge(EdgeKind.MEMBER, evil, group)
    seen_after(factories.edge(EdgeKind.MEMBER, small.maya, group, since=LATER))
    factories.edge(EdgeKind.ATTACHED, evil, small.policy)
    first = factories.inline(evil, name, body=f'{{"{name}": "</pre>{name}"}}')
    becomes(first, at=LATER, document=factories.document(name))
    TagSet.objects.create(
        account=small.account, entity=evil, tags={name: name}, valid_from=FIRST_READ, observed_at=FIRST_READ
    )
    _own(evil, Kind.ACCESS_KEY, name, category=name)
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": name}, "Action": "sts:AssumeRole"}]}
    role = factories.role(small.account, name, trust=trust, attrs={"Description": name})
    for address in (
        f"/people/{evil.pk}/",
        f"/people/{evil.pk}/credentials/",
        f"/people/{evil.pk}/history/",
        f"/people/{small.maya.pk}/history/",
        f"/groups/{group.pk}/",
        f"/groups/{group.pk}/?q={name}",
        f"/groups/{group.pk}/history/",
        f"/roles/{role.pk}/",
        f"/policies/{small.policy.pk}/holders/?as=user",
        f"/compare/?entity={evil.pk}&from=2026-01-06T00:00",
        "/compare/?account=111111111111&from=2026-01-06T00:00",
        "/",
    ):
        page = _text(admin, address)
        assert "<script>alert" not in page, address
    assert "&lt;script&gt;alert" in _text(admin, f"/people/{evil.pk}/")


ROWS = {
    "person": lambda small, number: factories.edge(
        EdgeKind.MEMBER, small.maya, factories.group(small.account, f"group-{number}")
    ),
    "credentials": lambda small, number: _own(
        small.maya, Kind.ACCESS_KEY, f"AKIA{number}", category="Active"
    ),
    "person history": lambda small, number: seen_after(
        factories.inline(small.maya, f"inline-{number}", since=LATER + number * DAY)
    ),
    "group": lambda small, number: factories.edge(
        EdgeKind.MEMBER, factories.user(small.account, f"user-{number}"), small.payments
    ),
    "role": lambda small, number: factories.inline(small.role, f"inline-{number}"),
    "policy": lambda small, number: factories.edge(
        EdgeKind.ATTACHED, factories.user(small.account, f"user-{number}"), small.policy
    ),
    "holders": lambda small, number: factories.edge(
        EdgeKind.ATTACHED, factories.group(small.account, f"holder-{number}"), small.policy
    ),
    "versions": lambda small, number: PolicyVersion.objects.create(
        account=small.account,
        policy=small.policy,
        version_id=f"v{number + 2}",
        document=factories.document(f'{{"n": {number}}}'),
        is_default=False,
        valid_from=FIRST_READ,
        observed_at=FIRST_READ,
    ),
    "profile": lambda small, number: factories.edge(
        EdgeKind.INSTANCE_PROFILE,
        factories.entity(small.account, Kind.INSTANCE, f"i-{number}"),
        small.profile,
    ),
}


@pytest.mark.parametrize("page", ROWS)
@pytest.mark.parametrize("moment", ["", "?as-of=2026-06-01T09:00"])
def test_as_many_queries_for_one_row_as_for_fifty(
    small: Small, admin: Client, page: str, moment: str, django_assert_max_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    address = small.addresses()[page] + moment
    ROWS[page](small, 0)
    _text(admin, address)
    with CaptureQueriesContext(
        connection,
    ) as few:
        _text(admin, address)
    for number in range(1, 50):
        ROWS[page](small, number)
    with CaptureQueriesContext(connection) as many:
        _text(admin, address)
    assert len(many) == len(few)
    assert len(many) <= 30
