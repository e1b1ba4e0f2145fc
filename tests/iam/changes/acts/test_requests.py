"""Each act is previewed, asked for once however often it is sent, and says in words what it does not take."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest

from console.changes.actions import ACTIONS
from console.changes.actions.fields import CHOICE, HIDDEN
from iam.changes.acts import ACTS
from iam.changes.credential_acts import (
    _OF_USER,
    _ON_ONE,
    CredentialActRequest,
    kind_of,
    operation_of,
)
from iam.changes.models import Change
from iam.changes.operations import REGISTRY
from iam.changes.operations.params import Recipient
from iam.mirror.models import Account, EdgeKind, Entity, Kind
from tests import factories
from tests.iam.changes.acts.cases import CASES, Case
from tests.iam.changes.acts.conftest import asking, seen_in, text
from tests.iam.changes.acts.equivalents import differing
from tests.iam.changes.acts.subjects import READS, role, user
from tests.iam.changes.operations.key_pairs import certificate, public_key
from tests.iam.changes.site import Site

CHOSEN = {
    slug: {field.name for field in action.fields if field.kind in (CHOICE, HIDDEN)}
    for slug, action in ACTIONS.items()
}
"""What is chosen from a list, which does not hold what cannot be chosen."""
HEADING = re.compile(r"<h2[^>]*>(.*?)</h2>", re.DOTALL)

CREDENTIAL_ACTS = (*_ON_ONE, *_OF_USER, "service_credential.reset")


def page_of(asked: Sequence[Change]) -> str:
    """The page of the request: that of its change where it is the only one."""
    return f"/changes/{asked[0].pk}/{'request/' if len(asked) > 1 else ''}"


def test_every_act_is_tried() -> None:
    assert {case.slug for case in CASES} == set(ACTS) == set(ACTIONS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.slug)
def test_an_act_is_previewed_and_asked_for_once(
    site: Site, case: Case, sealed_answers: Callable[[str], dict[str, str]]
) -> None:
    form = asking(site, case.slug, case.about(site))
    assert form.client.get(form.page).status_code == 200

    looked = form.look(case.good)

    assert looked.status_code == 200, text(looked)[:2000]
    assert "Calls to AWS" in text(looked)
    assert "Why <not>" in text(looked), "the reason that was written is lost by a preview"
    headings = HEADING.findall(looked.content.decode())
    assert sorted(headings) == sorted(set(headings)), "two cards have the same name"
    assert not Change.objects.exists()
    answers, seen = case.good | sealed_answers(case.slug), seen_in(looked)
    first, second = form.ask(answers, seen=seen), form.ask(answers, seen=seen)
    asked = list(Change.objects.order_by("position"))
    assert tuple(change.operation for change in asked) == case.makes, text(first)[:2000]
    assert first["Location"] == second["Location"] == page_of(asked)
    assert {change.reason for change in asked} == {"On call"}
    assert differing([call for change in asked for call in change.receipt["calls"]]) == []


@pytest.mark.parametrize("case", [case for case in CASES if case.bad], ids=lambda case: case.slug)
def test_what_an_act_does_not_take_is_said_and_what_was_typed_stays(site: Site, case: Case) -> None:
    form = asking(site, case.slug, case.about(site))

    for answers, words in case.bad:
        good = case.good | answers
        answer = form.ask(good, seen="")
        assert answer.status_code == 422, answers
        assert words in text(answer), answers
        assert "Nothing was changed" in text(answer) or 'class="error"' in text(answer)
        typed = {name: value for name, value in good.items() if name not in CHOSEN[case.slug]}
        assert all(value in text(answer) for value in typed.values() if len(value) > 3), answers
    assert not Change.objects.exists()


def test_an_error_is_at_its_field_and_the_cursor_too(site: Site) -> None:
    form = asking(site, "put-inline", user(site))
    page = form.look({"name": "read", "document": "{"}).content.decode()

    assert page.count("autofocus") == 1
    assert page.index('id="id_document"') < page.index("autofocus") < page.index("this isn’t valid JSON")
    assert 'name="reason" value="Why &lt;not&gt;"' in page


def test_without_a_reason_nothing_is_asked_for(site: Site) -> None:
    form = asking(site, "attach", user(site))
    answer = form.ask({"policy": "Reports"}, seen="", reason=" ")

    assert answer.status_code == 422
    assert "Enter a reason" in text(answer)
    assert 'value="Reports"' in text(answer)


def test_what_moved_since_it_was_shown_is_shown_again_first(site: Site) -> None:
    subject = user(site)
    form = asking(site, "delete-inline", subject)
    seen = seen_in(form.look({"name": "extra"}))
    factories.edge(EdgeKind.ATTACHED, subject, factories.policy(site.account, "More"))
    kept = asking(site, "detach", subject)
    gone = Entity.objects.get(name="PaymentsDeploy")
    saw = seen_in(kept.look({"policy": gone.arn}))
    factories.edge(EdgeKind.MEMBER, subject, site.group)

    answer = kept.ask({"policy": gone.arn}, seen=saw)

    assert answer.status_code == 422, "through the group it is held anyway, which was not shown"
    assert "has changed since the preview" in text(answer)
    assert kept.ask({"policy": gone.arn}, seen=seen_in(answer)).status_code == 302
    assert form.ask({"name": "extra"}, seen=seen).status_code == 302


def test_the_same_form_with_other_answers_is_refused(site: Site) -> None:
    form = asking(site, "create-group", site.account)
    first = {"name": "a-team", "path": "/"}
    form.ask(first, seen=seen_in(form.look(first)))
    answer = form.ask({"name": "b-team", "path": "/"}, seen="")

    assert answer.status_code == 422
    assert "already submitted with other content" in text(answer)
    assert Change.objects.count() == 1


def test_who_is_deleted_meanwhile_is_refused_in_words(site: Site) -> None:
    subject = user(site)
    form = asking(site, "attach", subject)
    Entity.objects.filter(pk=subject.pk).update(gone_at=factories.FIRST_READ)

    answer = form.look({"policy": "Reports"})

    assert answer.status_code == 422
    assert "as of the last sync" in text(answer) or "gone" in text(answer)


def test_an_account_that_is_read_only_says_so(site: Site) -> None:
    subject = user(site)
    Account.objects.update(write_role_arn="")

    assert "is read-only because no write role is connected" in text(
        site.asker.get(f"/changes/acts/?on={subject.pk}")
    )
    form = asking(site, "attach", subject)
    answer = form.look({"policy": "Reports"})
    assert answer.status_code == 422
    assert "is read-only" in text(answer)


def test_huge_text_is_refused_before_it_is_read(site: Site) -> None:
    form = asking(site, "create-policy", site.account)
    good = {"name": "Big", "path": "/", "description": "", "tags": ""}

    assert "characters is too long" in text(form.look({**good, "document": " " * 140_000 + "{}"}))
    deep = '{"a":' * 50_000 + "1" + "}" * 50_000
    assert form.look({**good, "document": deep[:131_000]}).status_code == 422


def test_an_inline_policy_that_is_there_is_written_anew(site: Site) -> None:
    subject = user(site)
    page = text(site.asker.get(f"/changes/act/put-inline/?on={subject.pk}&policy=extra"))
    edit = f"/changes/act/put-inline/?on={subject.pk}&policy=extra"

    assert 'value="extra"' in page
    assert '"s3:' in page
    assert edit in text(site.asker.get(f"/people/{subject.pk}/"))


def test_lines_may_end_as_forms_or_as_scripts_end_them(site: Site) -> None:
    form, laid_out = asking(site, "put-inline", user(site)), READS.replace(", ", ",\n")
    seen = seen_in(form.look({"name": "read", "document": laid_out}))

    answer = form.ask({"name": "read", "document": laid_out.replace("\n", "\r\n")}, seen=seen)
    assert answer.status_code == 302


def test_the_private_key_is_asked_for_at_the_end_and_comes_back_in_no_page(site: Site) -> None:
    case = next(case for case in CASES if case.slug == "upload-certificate")
    form = asking(site, case.slug, site.account)
    seen = seen_in(form.look(case.good))

    without = form.ask(case.good, seen=seen)
    other = form.ask({**case.good, "sealed": "-----BEGIN PRIVATE KEY-----\nc2VjcmV0"}, seen=seen)

    assert "Paste the private key" in text(without)
    assert "The private key isn’t valid PEM" in text(other)
    assert "c2VjcmV0" not in text(other)
    assert (without.status_code, other.status_code) == (422, 422)


def test_a_deletion_tells_once_what_does_not_come_back_and_all_that_one_should_know(
    site: Site,
) -> None:
    leaver = factories.user(site.account, "ada.l", credentials={"mfa": "none"})
    factories.edge(EdgeKind.MEMBER, leaver, site.group)
    page = text(site.asker.get(f"/changes/act/delete/?on={leaver.pk}"))

    assert "In this order" in page
    assert "Groups afterwards" not in page
    assert page.count("This does not come back") == 1
    assert "This can’t be undone" not in page


def test_what_was_shown_of_a_revocation_can_be_asked_for_a_while_later(site: Site) -> None:
    form = asking(site, "revoke-sessions", role(site))
    params = {"whose": "everybody", "value": "", "since": "2026-01-02T03:04:05Z"}
    assert 'name="since" value="20' in text(form.client.get(form.page))

    assert form.ask(params, seen=seen_in(form.look(params))).status_code == 302
    assert "2026-01-02T03:04:05Z" in str(Change.objects.get().params)


def test_a_policy_of_aws_is_not_deleted_nor_tagged(site: Site) -> None:
    of_aws = factories.policy(site.account, "ReadOnlyAccess", arn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    menu = text(site.asker.get(f"/changes/acts/?on={of_aws.pk}"))

    assert "/changes/act/" not in menu
    assert "There’s nothing to change about ReadOnlyAccess itself" in menu
    assert asking(site, "delete", of_aws).look({}).status_code == 422


def test_an_existing_user_can_be_attached_a_policy_of_aws_that_nobody_has(site: Site) -> None:
    form = asking(site, "attach", user(site))
    assert "iam:AttachUserPolicy" in text(
        form.look({"policy": "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"})
    )


def test_a_new_text_is_linted(site: Site) -> None:
    form = asking(site, "put-inline", factories.user(site.account, "ada.l"))
    wide = READS.replace("s3:GetObject", "iam:*").replace("arn:aws:s3:::r/*", "*")

    page = text(form.look({"name": "wide", "document": wide}))

    assert "Lint of the new text" in page
    assert "Allows privilege escalation" in page


def test_the_snippets_of_credentials_make_the_same_calls(site: Site) -> None:
    recipient = Recipient(site.asks.person_id, "Ines Duarte")
    made = {
        kind: factories.entity(site.account, kind, f"AKIA{kind.name}", category="Active")
        for kind in (Kind.ACCESS_KEY, Kind.SSH_KEY, Kind.SIGNING_CERTIFICATE, Kind.SERVICE_CREDENTIAL)
    }
    serial = f"arn:aws:iam::{site.account.account_id}:mfa/keyring"
    made[Kind.MFA_DEVICE] = factories.entity(site.account, Kind.MFA_DEVICE, "keyring", arn=serial)
    Entity.objects.filter(pk=made[Kind.MFA_DEVICE].pk).update(aws_id=serial)
    Entity.objects.filter(pk__in=[entity.pk for entity in made.values()]).update(owner=site.user)
    Entity.objects.filter(pk=made[Kind.SIGNING_CERTIFICATE].pk).update(aws_id="CERT".ljust(24, "X"))
    fields = {"service": "codecommit.amazonaws.com"}
    bodies = {"ssh_key.upload": public_key(1), "signing_certificate.upload": certificate(1)}

    tried, differing_calls = set(), []
    for act in CREDENTIAL_ACTS:
        kind = kind_of(act)
        entity = Entity.objects.select_related("account", "owner").get(pk=made[kind].pk) if kind else None
        asked = CredentialActRequest(
            site.user, entity, recipient, UUID(int=1), fields | {"body": bodies.get(act, "")}
        )
        calls = [call.body for call in operation_of(act, asked).calls()]
        tried |= {call["operation"] for call in calls}
        differing_calls += differing(calls)

    assert differing_calls == []
    assert {"CreateAccessKey", "CreateLoginProfile", "DeactivateMFADevice", "UploadSSHPublicKey"} <= tried


OTHERWISE = {
    "the same act on another kind": {
        "group.update",
        "group.delete",
        "role.delete",
        "role.put_boundary",
        "role.delete_boundary",
        "role.set_tags",
        "policy.delete",
        "instance_profile.delete",
        "instance_profile.set_tags",
        "instance.replace_profile",
        "mfa_device.set_tags",
        "oidc_provider.set_tags",
        "saml_provider.delete",
        "saml_provider.set_tags",
        "server_certificate.set_tags",
        "service_linked_role.delete",
    },
    "the page of memberships": {"group_membership.add", "group_membership.remove"},
    "the editor of policies": {"policy.create_version"},
    "the person themselves, who holds the device": {
        "mfa_device.create_virtual",
        "mfa_device.enable",
        "mfa_device.resync",
    },
    "undoing another change": {"policy.restore_version", "policy.take_back_version"},
}


def test_every_operation_can_be_asked_for_in_the_browser() -> None:
    acts = {slug for case in CASES for slug in case.makes} | set(CREDENTIAL_ACTS)
    assert set(REGISTRY) - acts == set().union(*OTHERWISE.values())
