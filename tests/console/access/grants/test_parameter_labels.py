"""A parameter of a template is called by its label, as in the form, in everything that a grant of it says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from console.access.what import WhatState, what_of
from iam.access.grants.models import Grant
from iam.access.grants.terms import TermsError
from iam.access.templates import services
from iam.access.templates.body import TemplateBody, TemplateError
from iam.access.templates.queries import offer_of
from iam.changes.models import Change, ChangeSet
from iam.guard import viewer_for
from iam.notify.models import OutgoingMessage
from iam.people.blueprints.body import FilledTemplate
from iam.people.blueprints.queries import template_words
from tests.console.access.grants.conftest import NUMBER, Office, at
from tests.iam.access.templates.test_parameter_values import body

pytestmark = pytest.mark.django_db

NAME, LABEL, SLUG = "zq_store", "Ledger store", "ledger-store"
SECOND, SECOND_LABEL = "aa_folder", "Folder"
_TAGS = re.compile(r"<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>", re.DOTALL)


@pytest.fixture
def template(office: Office) -> TemplateBody:
    """One whose parameters have labels unlike their names."""
    text = body(
        {"name": NAME, "kind": "bucket", "label": LABEL},
        {"name": SECOND, "kind": "prefix", "label": SECOND_LABEL},
        statements=[
            {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{{{{{NAME}}}}}/{{{{{SECOND}}}}}",
            }
        ],
    )
    made = TemplateBody.from_json(text)
    services.create_template(viewer_for(office.people["asker"].person), slug=SLUG, body=made)
    return made


def _on_bucket() -> list[dict[str, Any]]:
    return [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{{{{{NAME}}}}}/*"}]


def bare(text: str) -> list[str]:
    """The names that somebody reads in this text."""
    return [name for name in (NAME, SECOND) if name in text]


def page(client: Client, address: str) -> str:
    """What is read on a page."""
    return " ".join(_TAGS.sub(" ", client.get(address, follow=True).content.decode()).split())


def draft(office: Office, **parameters: str) -> Any:
    what = {"kind": "template", "template": SLUG, "version": 1, "parameters": parameters}
    who = {"users": {"arns": [office.arn("maya.okafor")]}}
    return office.draft(kind="users", who=who, what=what, ends="8h", why="Settles the quarter")


@pytest.mark.parametrize(
    "parameters",
    [{}, {NAME: "Not A Bucket", SECOND: "2026/"}, {NAME: "pay-ledger"}, {NAME: "pay-*", SECOND: "2026/"}],
)
def test_an_error_about_a_value_names_its_field(
    office: Office, template: TemplateBody, parameters: dict[str, str]
) -> None:
    with pytest.raises(TemplateError) as wrong:
        template.values(parameters)
    with pytest.raises(TermsError) as refused:
        what_of(WhatState(template=SLUG, version=1, parameters=parameters), accounts=(NUMBER,))
    for message in (wrong.value.message, refused.value.message, *wrong.value.fields.values()):
        assert not bare(message)
    assert any(label in refused.value.message for label in (LABEL, SECOND_LABEL))
    pk = draft(office, **parameters)
    for step in ("what", "preview"):
        assert not bare(page(office.asker, at(step, pk)))


def test_a_request_its_receipt_its_mails_and_its_grant_don_t_show_the_name(
    office: Office, template: TemplateBody
) -> None:
    pk = draft(office, **{NAME: "pay-ledger", SECOND: "2026/"})
    assert LABEL in page(office.asker, at("what", pk))
    preview = page(office.asker, at("preview", pk))
    assert "pay-ledger" in preview
    assert office.asker.post(at("preview", pk)).status_code == 302
    grant, change_set = Grant.objects.get(), ChangeSet.objects.get()
    texts = [
        preview,
        change_set.title,
        json.dumps([change_set.receipt, change_set.summary, change_set.notes]),
    ]
    texts += [json.dumps([change.title, change.receipt, change.reason]) for change in Change.objects.all()]
    for outgoing in OutgoingMessage.objects.all():
        texts.append(outgoing.subject + outgoing.text)
    for client in (office.asker, office.approver, office.auditor, office.member):
        texts.append(page(client, reverse("access:grant", args=[grant.pk])))
    texts.append(page(office.approver, reverse("changes:request", args=[Change.objects.earliest("pk").pk])))
    for text in texts:
        assert not bare(text)


def test_a_blueprint_shows_the_labels_in_the_order_of_the_form(template: TemplateBody) -> None:
    filled = FilledTemplate(SLUG, 1, {SECOND: "2026/", NAME: "pay-ledger"})
    assert template_words(filled) == f"Read one bucket ({LABEL}: pay-ledger, {SECOND_LABEL}: 2026/)"


def test_the_differences_of_a_version_show_the_labels(office: Office, template: TemplateBody) -> None:
    author = viewer_for(office.people["asker"].person)
    text = body({"name": NAME, "kind": "bucket", "label": LABEL}, statements=_on_bucket())
    newer = TemplateBody.from_json(text)
    offer = offer_of(SLUG)
    assert offer is not None
    services.save_version(author, template=offer.template, body=newer, base=1)
    words = page(office.asker, reverse("access:template-difference", args=[SLUG]))
    assert f"{LABEL} ({NAME}), {SECOND_LABEL} ({SECOND})" in words


def test_values_of_a_version_that_is_gone_are_shown_by_their_names(template: TemplateBody) -> None:
    assert offer_of(SLUG, number=7) is None
    assert template_words(FilledTemplate(SLUG, 7, {NAME: "pay-ledger"})) == f"{SLUG} ({NAME}: pay-ledger)"
    extra = FilledTemplate(SLUG, 1, {"old": "x", NAME: "pay-ledger"})
    assert template_words(extra) == f"Read one bucket ({LABEL}: pay-ledger, old: x)"
