"""The page on which changes of credentials are asked for: what it shows, refuses, and makes of what was
filled in.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.changes.models import Change
from iam.directory.models import Role
from iam.mirror.models import Entity, Kind, UserCredentials
from tests import factories
from tests.iam.changes.operations.key_pairs import certificate, public_key
from tests.iam.changes.site import Site, signed_in

PAGE = "changes:credential"


def address(act: str, **about: Any) -> str:
    """The page of an act."""
    query = "&".join(f"{name}={value}" for name, value in {"do": act, **about}.items())
    return f"{reverse(PAGE)}?{query}"


def text(answer: Any) -> str:
    """What the browser is told."""
    return str(answer.content.decode())


def form(**fields: str) -> dict[str, str]:
    """What the form sends."""
    return {"reason": "The laptop was lost", "key": str(uuid.uuid4()), **fields}


@pytest.fixture
def key(site: Site) -> Entity:
    """An active key of the site's user."""
    made = factories.entity(site.account, Kind.ACCESS_KEY, "AKIAEXAMPLE", category="Active", arn="")
    Entity.objects.filter(pk=made.pk).update(owner=site.user)
    return made


def test_a_key_is_deactivated_by_a_request(site: Site, key: Entity) -> None:
    page = address("access_key.deactivate", of=key.pk)
    shown = text(site.asker.get(page))
    assert f"Deactivate access key {key.aws_id} of kwame.boateng" in shown
    assert "This can’t be undone" not in shown
    assert "iam:UpdateAccessKey" in shown

    answer = site.asker.post(page, form())

    change = Change.objects.get()
    assert answer["Location"] == reverse("changes:change", args=[change.pk])
    assert (change.operation, change.entity) == ("access_key.deactivate", site.user)


def test_what_cannot_be_undone_says_so_before_and_offers_the_other_means(site: Site, key: Entity) -> None:
    shown = text(site.asker.get(address("access_key.delete", of=key.pk)))

    assert "This can’t be undone" in shown
    assert "Deactivate it instead" in shown
    site.asker.post(address("access_key.delete", of=key.pk), form())
    change = Change.objects.get()
    assert "can’t restore a deleted access key" in change.receipt["irreversible"]
    assert "This can’t be undone" in text(site.approver.get(reverse("changes:change", args=[change.pk])))


def test_a_new_key_is_for_whoever_asks(site: Site) -> None:
    page = address("access_key.create", user=site.user.pk)
    assert "Only Ines Duarte can read the secret, in one browser" in text(site.asker.get(page))

    site.asker.post(page, form())

    change = Change.objects.get()
    assert change.params["recipient_id"] == str(site.asks.person_id)
    assert change.receipt["sensitivity"] == "high"


def test_a_form_that_is_sent_twice_is_one_change(site: Site) -> None:
    page, sent = address("access_key.create", user=site.user.pk), form()
    first, second = site.asker.post(page, sent), site.asker.post(page, sent)

    assert first["Location"] == second["Location"]
    assert Change.objects.count() == 1


def test_a_third_key_is_refused_with_what_to_do(site: Site, key: Entity) -> None:
    other = factories.entity(site.account, Kind.ACCESS_KEY, "AKIAOTHER", category="Inactive", arn="")
    Entity.objects.filter(pk=other.pk).update(owner=site.user)
    page = address("access_key.create", user=site.user.pk)

    assert "AWS allows 2. Delete an unused one" in text(site.asker.get(page))
    assert site.asker.post(page, form()).status_code == 422
    assert not Change.objects.exists()


def test_without_a_reason_the_page_stays_and_says_so(site: Site, key: Entity) -> None:
    answer = site.asker.post(address("access_key.deactivate", of=key.pk), form(reason=" "))

    assert answer.status_code == 422
    assert "Enter a reason" in text(answer)
    assert not Change.objects.exists()


def test_a_service_is_chosen_first(site: Site) -> None:
    page = address("service_credential.create", user=site.user.pk)
    assert "codecommit.amazonaws.com" in text(site.asker.get(page))
    assert "Ask for approval" not in text(site.asker.get(page))

    chosen = f"{page}&service=codecommit.amazonaws.com"
    assert "Create CodeCommit credential" in text(site.asker.get(chosen))
    site.asker.post(page, form(service="codecommit.amazonaws.com"))
    assert Change.objects.get().params["service_name"] == "codecommit.amazonaws.com"


def test_an_unknown_service_is_refused(site: Site) -> None:
    page = address("service_credential.create", user=site.user.pk, service="s3.amazonaws.com")
    assert "Choose a service" in text(site.asker.get(page))


def test_a_public_key_is_previewed_and_kept_while_the_reason_is_written(site: Site) -> None:
    page = address("ssh_key.upload", user=site.user.pk)
    assert "Ask for approval" not in text(site.asker.get(page))

    looked = text(site.asker.post(page, {"body": public_key(1), "look": "1", "reason": "CI", "key": ""}))

    assert "iam:UploadSSHPublicKey" in looked
    assert public_key(1) in looked
    assert ">CI</textarea>" in looked
    assert not Change.objects.exists()
    site.asker.post(page, form(body=public_key(1)))
    assert Change.objects.get().params["body"] == public_key(1)


WRONG_KEYS = {
    "-----BEGIN OPENSSH PRIVATE KEY-----\nabc": "This is a private key",
    "hello": "This isn’t a public key",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0zNH3Z5S5XyZ0v1lq0pQzXQw3Zl1mM8qQ5mZ8p0b6t x": (
        "This isn’t a public key"
    ),
}


@pytest.mark.parametrize("body", WRONG_KEYS)
def test_what_is_no_public_key_is_refused_in_words(site: Site, body: str) -> None:
    page = address("ssh_key.upload", user=site.user.pk)
    answer = site.asker.post(page, form(body=body))

    assert answer.status_code == 422
    assert WRONG_KEYS[body] in text(answer) or "AWS accepts only RSA keys" in text(answer)
    assert not Change.objects.exists()


def test_the_reason_stays_where_the_public_key_is_wrong(site: Site) -> None:
    answer = site.asker.post(
        address("ssh_key.upload", user=site.user.pk), form(body="hello", reason="For CI")
    )

    assert answer.status_code == 422
    assert 'name="reason" value="For CI"' in text(answer)


def test_what_is_no_certificate_is_refused_in_words(site: Site) -> None:
    page = address("signing_certificate.upload", user=site.user.pk)

    assert "isn’t an X.509 certificate" in text(site.asker.post(page, form(body="hello")))
    assert "Paste the certificate" in text(site.asker.post(page, form()))
    site.asker.post(page, form(body=certificate(1)))
    assert Change.objects.get().operation == "signing_certificate.upload"


def test_who_has_a_password_gets_another_and_who_has_none_gets_one(site: Site) -> None:
    create = address("login_profile.create", user=site.user.pk)
    update = address("login_profile.update", user=site.user.pk)
    assert "already has a console password" in text(site.asker.get(create))
    assert "Reset console password of kwame.boateng" in text(site.asker.get(update))

    UserCredentials.objects.filter(user=site.user).update(has_password=False)

    assert "Create console password for kwame.boateng" in text(site.asker.get(create))
    assert "its console password no longer exists" in text(site.asker.get(update))


def test_the_password_stands_in_no_call_that_is_shown(site: Site) -> None:
    shown = text(site.asker.get(address("login_profile.update", user=site.user.pk)))

    assert "(hidden)" in shown


@pytest.mark.parametrize(
    "query",
    [
        "",
        "do=access_key.create",
        "do=access_key.create&user=x",
        "do=access_key.create&user=99999999",
        "do=access_key.create&user=9999999999999999999999",
        "do=access_key.delete&of=99999999",
        "do=user.delete&user=1",
        "do=<script>&user=1",
    ],
)
def test_addresses_that_make_no_sense_are_not_found(site: Site, query: str) -> None:
    assert site.asker.get(f"{reverse(PAGE)}?{query}").status_code == 404


def test_a_credential_of_another_kind_is_not_found(site: Site, key: Entity) -> None:
    assert site.asker.get(address("ssh_key.delete", of=key.pk)).status_code == 404


def test_who_may_only_look_finds_nothing(site: Site, key: Entity) -> None:
    auditor = signed_in(factories.operator(Role.AUDITOR, name="Amara Diallo"))

    assert auditor.get(address("access_key.delete", of=key.pk)).status_code == 404
    page = text(auditor.get(reverse("identities:person-credentials", args=[site.user.pk])))
    assert reverse(PAGE) not in page


def test_the_tab_of_credentials_leads_to_what_can_be_asked_for(site: Site, key: Entity) -> None:
    page = text(site.asker.get(reverse("identities:person-credentials", args=[site.user.pk])))

    for act in ("login_profile.update", "access_key.create", "access_key.deactivate", "ssh_key.upload"):
        assert f"do={act}" in page
    assert "do=access_key.delete" not in page, "a key that works is deactivated first"


def test_the_tab_of_credentials_asks_the_database_as_often_for_one_key_as_for_many(
    site: Site, key: Entity, django_assert_num_queries: Any
) -> None:
    page = reverse("identities:person-credentials", args=[site.user.pk])
    site.asker.get(page)
    with CaptureQueriesContext(connection) as queries:
        site.asker.get(page)
    for number in range(6):
        made = factories.entity(site.account, Kind.SSH_KEY, f"APKA{number}", category="Active", arn="")
        Entity.objects.filter(pk=made.pk).update(owner=site.user)
    with django_assert_num_queries(len(queries)):
        site.asker.get(page)
