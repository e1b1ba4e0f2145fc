"""Plans the operations that create the users of a run, per account and person. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from iam.access.grants.documents import name_for, timed, written
from iam.access.grants.grant_content import GrantContent, WhatKind
from iam.access.templates.body import TemplateError
from iam.access.templates.queries import document_for, offer_of
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation, PutInlinePolicy
from iam.changes.operations.group_membership import ADD_TO_GROUP, Membership, MembershipParams
from iam.changes.operations.lifecycle import arn_of
from iam.changes.operations.login_profile import CreateLoginProfile, PasswordParams
from iam.changes.operations.one_time_credential import CreateAccessKey, GivenParams
from iam.changes.operations.params import NO, YES
from iam.changes.operations.principals import CreateUser
from iam.changes.operations.sealed_secret import seal_id
from iam.changes.services.plans import check_account
from iam.guard import Viewer
from iam.mirror.display_names import NAME_TAG, tag_for_name
from iam.mirror.models import Account, Entity, Kind
from iam.mirror.queries.visibility import visible_entities
from iam.people.blueprints.body import BlueprintBody, FilledTemplate
from iam.people.onboarding.models import OnboardedPerson
from iam.people.onboarding.pasted_rows import last_moment


@dataclass(frozen=True, slots=True)
class CreationStep:
    """An operation with the grant content that it gives, or None if it gives no permission. Branch 0 comes
    before the others.
    """

    operation: Operation
    branch: int
    what: GrantContent | None = None


@dataclass(frozen=True, slots=True)
class PersonAccountPlan:
    """What a person gets in an account."""

    newcomer: OnboardedPerson
    account: Account
    user_arn: str
    steps: tuple[CreationStep, ...]
    password_seal: UUID | None = None
    key_seal: UUID | None = None


@dataclass(slots=True)
class CreationSite:
    """An account of a blueprint, with data that is looked up once for all people."""

    account: Account
    body: BlueprintBody
    groups: list[Entity] = field(default_factory=list)
    boundary: str = ""
    documents: list[tuple[FilledTemplate, str, str]] = field(default_factory=list)
    """(template, its title, the document) of each template."""


def sites_of(body: BlueprintBody, *, viewer: Viewer) -> list[CreationSite]:
    """Return the accounts of a blueprint. Raises RefusedError, in the same words, if an account lacks
    something in the blueprint or the viewer can't request it.
    """
    sites = []
    known = {account.account_id: account for account in Account.objects.filter(account_id__in=body.accounts)}
    for number in body.accounts:
        account = known.get(number)
        if account is None:
            raise RefusedError(f"Account {number} isn’t connected.")
        check_account(account)
        site = CreationSite(account, body, boundary=_boundary(account, body.boundary))
        site.groups = [_group(account, name, viewer) for name in body.groups]
        site.documents = [_document(account, filled) for filled in body.templates]
        sites.append(site)
    return sites


def part_of(site: CreationSite, newcomer: OnboardedPerson, *, key: str) -> PersonAccountPlan:
    """Return what a person gets in an account. The ids of sealed secrets are derived from the run's `key`."""
    body, account = site.body, site.account
    arn = arn_of(account, kind=Kind.USER.value, name=newcomer.user_name, path=body.path)
    create = CreateUser.of(
        account,
        name=newcomer.user_name,
        path=body.path,
        boundary=site.boundary,
        tags=tags_for(newcomer, body),
    )
    seals = {
        sort: seal_id(
            person_id=newcomer.person_id, key=f"{key}:{newcomer.position}:{account.account_id}:{sort}"
        )
        for sort, is_given in (("password", body.password), ("key", body.key))
        if is_given
    }
    operations = [*memberships(site, newcomer, arn), *policies(site, newcomer, arn, key=key)]
    operations += [(operation, None) for operation in _secrets(site, newcomer, arn, seals)]
    steps = [
        CreationStep(operation, branch, what) for branch, (operation, what) in enumerate(operations, start=1)
    ]
    return PersonAccountPlan(
        newcomer,
        account,
        arn,
        (CreationStep(create, 0), *steps),
        password_seal=seals.get("password"),
        key_seal=seals.get("key"),
    )


def tags_for(newcomer: OnboardedPerson, body: BlueprintBody) -> dict[str, str]:
    """Return the blueprint's tags and those for the person's name and email address."""
    return dict(body.tags) | {NAME_TAG: tag_for_name(newcomer.name), "Email": tag_for_name(newcomer.email)}


def notes_for(sites: Sequence[CreationSite]) -> list[str]:
    """Return notes for the approver that no receipt contains."""
    notes = []
    if sites and sites[0].body.key:
        notes.append("Each person gets an access key that never expires. A role is safer.")
    if sites and not sites[0].body.mfa:
        notes.append("The blueprint doesn’t require MFA.")
    return notes


def _group(account: Account, name: str, viewer: Viewer) -> Entity:
    reached = visible_entities(replace(viewer, scope=viewer.asks))
    entity = reached.filter(account=account, kind=Kind.GROUP, name=name, gone_at__isnull=True).first()
    if entity is None:
        whose = "" if viewer.asks.sees_account(account.account_id) else " of your teams"
        raise RefusedError(f"{account.name} has no group “{name}”{whose}, as of the last sync.")
    return entity


def _boundary(account: Account, named: str) -> str:
    """Return the boundary's ARN in the account: that of an AWS policy, or of a customer policy
    found by name.
    """
    if not named or ":iam::aws:" in named:
        return named
    name = named.rpartition("/")[2]
    living = Entity.objects.filter(account=account, kind=Kind.POLICY, name=name, gone_at__isnull=True)
    entity = living.exclude(arn__contains=":iam::aws:").first()
    if entity is None:
        raise RefusedError(
            f"{account.name} has no policy “{name}” for the permissions boundary, as of the last sync."
        )
    return entity.arn


def _document(account: Account, filled: FilledTemplate) -> tuple[FilledTemplate, str, str]:
    offer = offer_of(filled.slug, number=filled.version)
    if offer is None:
        raise RefusedError(f"Version {filled.version} of the template {filled.slug} doesn’t exist.")
    try:
        document = document_for(
            filled.slug,
            version=filled.version,
            parameters=filled.parameters,
            account_id=account.account_id,
            partition=account.partition,
        )
    except TemplateError as error:
        raise RefusedError(f"{offer.version.title}: {error.message}") from None
    return filled, offer.version.title, written(document)


def memberships(
    site: CreationSite, newcomer: OnboardedPerson, arn: str
) -> Iterator[tuple[Operation, GrantContent | None]]:
    """Yield the memberships in the blueprint's groups for the user with this ARN."""
    user = {"user_name": newcomer.user_name, "user_id": "", "user_arn": arn}
    for group in site.groups:
        named = {"group_name": group.name, "group_id": group.aws_id, "group_arn": group.arn}
        what = GrantContent(WhatKind.GROUP, group_arn=group.arn)
        yield Membership(site.account, MembershipParams(**user, **named), ADD_TO_GROUP), what


def policies(
    site: CreationSite, newcomer: OnboardedPerson, arn: str, *, key: str
) -> Iterator[tuple[Operation, GrantContent | None]]:
    """Yield the policies from the blueprint's templates for the user with this ARN, valid until their last
    day.
    """
    holder = {"holder_kind": "user", "holder_name": newcomer.user_name, "holder_id": "", "holder_arn": arn}
    end = last_moment(newcomer.until)
    for number, (filled, title, text) in enumerate(site.documents):
        mark = f"{key[:8]}-{number}" if number else key[:8]
        name = name_for(title, mark=mark)
        given_text = timed(text, end=end) if end else text
        put = PutInlinePolicy.given_as(site.account, **holder, name=name, text=given_text)
        yield put, filled.grant_content


def _secrets(
    site: CreationSite, newcomer: OnboardedPerson, arn: str, seals: Mapping[str, UUID]
) -> Iterator[Operation]:
    secret_params: dict[str, Any] = {
        "user_name": newcomer.user_name,
        "user_arn": arn,
        "user_id": "",
        "recipient_id": str(newcomer.person_id),
        "recipient_name": newcomer.name,
    }
    if "password" in seals:
        params = PasswordParams(**secret_params, sealed_id=str(seals["password"]), typed=NO, must_change=YES)
        yield CreateLoginProfile(site.account, params)
    if "key" in seals:
        yield CreateAccessKey(
            site.account, GivenParams(**secret_params, sealed_id=str(seals["key"]), known="")
        )
