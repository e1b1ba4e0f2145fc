"""Templates in the database: shipped once and never over what people wrote, versions that stay, who may
write.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.db import Error, transaction

from iam.access.templates import services
from iam.access.templates.body import TemplateBody, TemplateError
from iam.access.templates.models import Template, TemplateOrigin, TemplateVersion
from iam.access.templates.queries import document_for, offer_of, offered_templates
from iam.access.templates.shipped_files import ship, shipped
from iam.directory.models import Role
from iam.guard import Viewer
from iam.journal.models import Entry
from tests import factories
from tests.iam.access.templates.test_parameter_values import body

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shipped() -> None:
    """A test that committed before may have emptied the tables."""
    ship(Template, TemplateVersion)


@pytest.fixture
def ines() -> Viewer:
    return factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")


def own(**changes: object) -> TemplateBody:
    return TemplateBody.from_json(body(**changes))


def test_every_shipped_template_is_offered_and_shipping_again_adds_none() -> None:
    assert {offer.slug for offer in offered_templates()} >= set(shipped())
    assert ship(Template, TemplateVersion) == 0


MIGRATIONS = "iam.access.templates.migrations"


def digest_of_shipped() -> str:
    """The SHA-256 of all shipped templates; the newest migration that ships them records it as `SHIPPED`."""
    lines = "".join(f"{slug} {body.digest}\n" for slug, body in shipped().items())
    return hashlib.sha256(lines.encode()).hexdigest()


def test_the_newest_migration_that_ships_templates_ships_those_of_today() -> None:
    folder = Path(str(import_module(MIGRATIONS).__file__)).parent
    newest = max(path.stem for path in folder.glob("[0-9]*_ship*.py"))
    recorded = import_module(f"{MIGRATIONS}.{newest}").SHIPPED
    assert recorded == digest_of_shipped(), (
        "shipped/ has changed: a new migration must add its templates to existing databases"
    )


def test_a_database_from_before_own_password_gets_it_and_keeps_the_rest() -> None:
    TemplateVersion.objects.filter(template__slug="own-password").delete()
    Template.objects.filter(slug="own-password").delete()
    before = set(TemplateVersion.objects.values_list("pk", flat=True))
    import_module(f"{MIGRATIONS}.0003_ship_own_password").take_in(apps, None)
    added = TemplateVersion.objects.exclude(pk__in=before)
    assert [(version.template.slug, version.number) for version in added] == [("own-password", 1)]
    assert offer_of("own-password", number=1) is not None


def test_a_newer_shipped_text_becomes_what_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = replace(shipped()["read-bucket"], description="Look at the files of one bucket.")
    monkeypatch.setattr("iam.access.templates.shipped_files.shipped", lambda: {"read-bucket": newer})
    assert ship(Template, TemplateVersion) == 1
    offer = offer_of("read-bucket")
    assert offer is not None
    assert (offer.version.number, offer.body.description) == (2, newer.description)


def test_a_newer_shipped_text_stands_beside_what_people_wrote(
    ines: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = Template.objects.get(slug="read-bucket")
    ours = shipped()["read-bucket"].renamed("Our bucket")
    services.save_version(ines, template=template, body=ours, base=1)
    newer = replace(shipped()["read-bucket"], description="Look at the files of one bucket.")
    monkeypatch.setattr("iam.access.templates.shipped_files.shipped", lambda: {"read-bucket": newer})
    assert ship(Template, TemplateVersion) == 1
    offer = offer_of("read-bucket")
    assert offer is not None
    assert (offer.version.number, offer.body.title) == (2, "Our bucket")
    assert offer_of("read-bucket", number=3).body == newer  # type: ignore[union-attr]


def test_a_version_cannot_be_altered() -> None:
    with pytest.raises(Error, match="never changes"), transaction.atomic():
        TemplateVersion.objects.update(title="Other")


def test_a_new_version_leaves_the_old_one_and_is_journaled(ines: Viewer) -> None:
    version = services.create_template(ines, slug="our-bucket", body=own())
    template = version.template
    services.save_version(ines, template=template, body=own(hours=4), base=1, note="Shorter")
    assert offer_of("our-bucket").version.number == 2  # type: ignore[union-attr]
    assert offer_of("our-bucket", number=1).body.hours == 8  # type: ignore[union-attr]
    kinds = Entry.objects.filter(subject="our-bucket").order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["template.create", "template.version"]
    assert template.origin == TemplateOrigin.OWN


def test_two_who_write_at_once_do_not_overwrite_each_other(ines: Viewer) -> None:
    template = services.create_template(ines, slug="our-bucket", body=own()).template
    services.save_version(ines, template=template, body=own(hours=4), base=1)
    with pytest.raises(TemplateError, match="Someone saved version 2"):
        services.save_version(ines, template=template, body=own(hours=2), base=1)
    assert TemplateVersion.objects.filter(template=template).count() == 2


def test_nothing_new_is_no_version(ines: Viewer) -> None:
    template = services.create_template(ines, slug="our-bucket", body=own()).template
    with pytest.raises(TemplateError, match="Nothing differs"):
        services.save_version(ines, template=template, body=own(), base=1)


@pytest.mark.parametrize("slug", ["", "A", "a b", "-a", "a--b", "ä", "x" * 65, "../x"])
def test_a_short_name_is_refused_in_words(ines: Viewer, slug: str) -> None:
    with pytest.raises(TemplateError, match="short name"):
        services.create_template(ines, slug=slug, body=own())


def test_a_short_name_is_taken_once(ines: Viewer) -> None:
    with pytest.raises(TemplateError, match="already"):
        services.create_template(ines, slug="read-bucket", body=own())


def test_what_aws_would_refuse_is_not_saved(ines: Viewer) -> None:
    wrong = [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "{{bucket}}"}]
    with pytest.raises(TemplateError):
        services.create_template(ines, slug="wrong", body=own(statements=wrong))
    assert not Template.objects.filter(slug="wrong").exists()


@pytest.mark.parametrize("role", [Role.APPROVER, Role.MEMBER, Role.AUDITOR])
def test_only_administrators_write(role: Role) -> None:
    viewer = factories.viewer(role, name="Somebody Else")
    with pytest.raises(TemplateError, match="Only administrators"):
        services.create_template(viewer, slug="mine", body=own())
    template = Template.objects.get(slug="read-bucket")
    with pytest.raises(TemplateError, match="Only administrators"):
        services.save_version(viewer, template=template, body=own(), base=1)
    with pytest.raises(TemplateError, match="Only administrators"):
        services.retire_template(viewer, template=template)


def test_an_administrator_of_one_account_does_not_write() -> None:
    someone = factories.person("Ada One")
    factories.assign(someone, Role.ADMINISTRATOR, account_id="111111111111")
    from iam.guard import viewer_for

    assert not services.may_write(viewer_for(someone))


def test_a_retired_template_is_not_offered_and_comes_back(ines: Viewer) -> None:
    template = Template.objects.get(slug="read-bucket")
    services.retire_template(ines, template=template)
    services.retire_template(ines, template=template)
    assert "read-bucket" not in {offer.slug for offer in offered_templates()}
    assert Entry.objects.filter(kind="template.retire").count() == 1
    services.restore_template(ines, template=template)
    assert "read-bucket" in {offer.slug for offer in offered_templates()}


def test_a_grant_is_given_the_policy_of_its_version_in_its_account() -> None:
    params = {"queue": "pay-events", "region": "eu-west-1"}
    document = document_for(
        "consume-sqs", version=1, parameters=params, account_id="222233334444", partition="aws"
    )
    assert document["Statement"][0]["Resource"] == "arn:aws:sqs:eu-west-1:222233334444:pay-events"
    with pytest.raises(TemplateError, match="no version 9"):
        document_for("consume-sqs", version=9, parameters=params, account_id="222233334444")
