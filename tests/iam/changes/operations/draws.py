"""By slug, how an operation is drawn on a random account; one that makes no sense as things stand is drawn
again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from iam.changes.operations import REGISTRY, Operation, class_of
from iam.changes.operations import oidc_provider as oidc
from iam.changes.operations.account_setting import UpdatePasswordPolicy
from iam.changes.operations.boundary import DeleteBoundary, PutBoundary
from iam.changes.operations.instance_profile import profile_for
from iam.changes.operations.params import Recipient
from iam.changes.operations.policy_version import CreatePolicyVersion
from iam.changes.operations.principals import RoleSettings
from iam.changes.operations.tags import SET_TAGS
from iam.changes.operations.user_credential import WITH_STATUS
from iam.mirror.models import Entity, Kind, PolicyVersion, valid_at
from tests.iam.changes.operations.cases_account import STRICT
from tests.iam.changes.operations.cases_providers import metadata, new_certificate
from tests.iam.changes.operations.credential_sorts import CODECOMMIT, recipient
from tests.iam.changes.operations.key_pairs import certificate, public_key
from tests.iam.changes.operations.land import SERVICE, Land
from tests.iam.changes.operations.stage import TRUST_EC2
from tests.iam.changes.operations.table import all_cases
from tests.iam.changes.true_receipts import random_text

Draw = Callable[[Land], Operation]

LEFT_OUT = {
    "mfa_device.enable": "takes two codes of a device, which hold for a minute and are taken once",
    "mfa_device.resync": "takes two codes of a device, which hold for a minute and are taken once",
    "mfa_device.create_virtual": "its seed is for one browser of one person",
    "policy.take_back_version": "is drawn as the way back of policy.create_version",
}
"""Operations that take no part, each with the reason; all have their cases."""


def op(slug: str) -> Any:
    """What makes the operation: its class, whose usual constructor gets the spec."""
    made_by: Any = class_of(slug)
    if made_by.of.__func__ is not vars(Operation)["of"].__func__:
        return made_by
    return SimpleNamespace(of=partial(made_by.of, REGISTRY[slug]))


def holder(land: Land) -> Entity:
    """A user, group or role."""
    return land.one(land.rng.choice([Kind.USER, Kind.GROUP, Kind.ROLE]))


def path(land: Land) -> str:
    """A path."""
    return land.rng.choice(["/", "/eng/", "/ops/on-call/"])


def name(land: Land) -> str:
    """A name that nothing has."""
    return land.stage.name("drawn")


def tags(land: Land) -> dict[str, str]:
    """Some tags."""
    keys = land.rng.sample(["team", "Team-", "Gone", "owner"], land.rng.randint(0, 3))
    return {key: land.rng.choice(["web", "", "ops"]) for key in keys}


def bound(land: Land) -> str:
    """A permissions boundary, or none."""
    return land.rng.choice(["", land.one(Kind.POLICY).arn])


def trust(land: Land) -> str:
    """A trust policy."""
    body = json.loads(TRUST_EC2)
    services = ["lambda", "ecs-tasks", "ec2"]
    chosen = sorted(
        f"{service}.amazonaws.com" for service in land.rng.sample(services, land.rng.randint(1, 2))
    )
    body["Statement"][0]["Principal"] = {"Service": chosen}
    return json.dumps(body)


def new_principal(slug: str) -> Draw:
    """A user or a profile."""

    def draw(land: Land) -> Operation:
        more = {"boundary": bound(land)} if slug == "user.create" else {}
        made: Operation = op(slug).of(
            land.stage.account, name=name(land), path=path(land), tags=tags(land), **more
        )
        return made

    return draw


def new_role(land: Land) -> Operation:
    """A role."""
    made: Operation = op("role.create").of(
        land.stage.account,
        name=name(land),
        trust=trust(land),
        path=path(land),
        settings=settings(land),
        boundary=bound(land),
        tags=tags(land),
    )
    return made


def settings(land: Land) -> RoleSettings:
    """What a role says of itself."""
    return RoleSettings(
        land.rng.choice(["", "Runs the shop", "Böses"]), land.rng.choice([3600, 7200, 43_200])
    )


def on(slug: str, kind: Kind, **more: Callable[[Land], Any]) -> Draw:
    """An operation on anything of a kind, with more that is drawn."""
    return lambda land: op(slug).of(land.one(kind), **{key: draw(land) for key, draw in more.items()})


def anew(slug: str, kind: Kind | None = None, **more: Callable[[Land], Any]) -> Draw:
    """One that makes a secret, for a user or in the place of a credential."""

    def draw(land: Land) -> Operation:
        who: Recipient = recipient(land.stage)
        values = {key: make_value(land) for key, make_value in more.items()}
        made: Operation = op(slug).of(land.one(kind or Kind.USER), recipient=who, sealed_id=uuid4(), **values)
        return made

    return draw


def former(*, is_there: bool) -> Draw:
    """A version that does not hold, or did not when it was there."""

    def draw(land: Land) -> Operation:
        policy = land.one(Kind.POLICY)
        there = PolicyVersion.objects.filter(valid_at(None), policy=policy)
        rows = PolicyVersion.objects.filter(policy=policy)
        policy_versions = (
            there.filter(is_default=False)
            if is_there
            else rows.exclude(version_id__in=there.values("version_id"))
        )
        slug = "policy.delete_version" if is_there else "policy.restore_version"
        made: Operation = op(slug).of(policy, version=land.rng.choice(list(policy_versions)))
        return made

    return draw


def set_default(land: Land) -> Operation:
    """Another version is to hold."""
    policy = land.one(Kind.POLICY)
    rows = PolicyVersion.objects.filter(valid_at(None), policy=policy, is_default=False)
    made: Operation = op("policy.set_default_version").of(policy, version=land.rng.choice(list(rows)))
    return made


def revoke(land: Land) -> Operation:
    """Sessions of a role end."""
    role, now = land.one(Kind.ROLE), datetime.now(tz=UTC)
    of_one = op("role_sessions.revoke").of_session_name
    whole: Operation = op("role_sessions.revoke").of_everybody(role, at=now)
    return of_one(role, session_name="kwame", at=now) if land.rng.random() < 0.5 else whole


def upload(slug: str, body: Callable[[int], str]) -> Draw:
    """A public part of a key that a user has not uploaded yet."""
    return lambda land: op(slug).of(land.one(Kind.USER), body=body(land.rng.randint(1, 4)))


def client(land: Land) -> str:
    """An audience."""
    return land.rng.choice(["console", "deploy", "more"])


def instance(has: bool, profile: bool) -> Draw:
    """The machine gets, changes or loses its profile."""

    def draw(land: Land) -> Operation:
        wanted = land.one(Kind.INSTANCE_PROFILE) if profile else None
        made = profile_for(land.one(Kind.INSTANCE), profile=wanted)
        if (made.slug == "instance.associate_profile") == has:
            raise IndexError("It has a profile, or has none.")
        return made

    return draw


def rules(land: Land) -> Operation:
    """Other rules for passwords."""
    length = land.rng.choice([8, 14, 20])
    return UpdatePasswordPolicy(land.stage.account, replace(STRICT, minimum_length=length))


def in_account(slug: str, **more: Callable[[Land], Any]) -> Draw:
    """Something of the account, or made in it."""
    return lambda land: op(slug).of(land.stage.account, **{key: draw(land) for key, draw in more.items()})


def boundary(kind: Kind, *, puts: bool) -> Draw:
    """The boundary of a user or role."""

    def draw(land: Land) -> Operation:
        who = land.one(kind)
        return PutBoundary.of(who, policy=land.one(Kind.POLICY)) if puts else DeleteBoundary.of(who)

    return draw


def text(land: Land) -> str:
    """A policy."""
    return random_text(land.rng)


def member(slug: str) -> Draw:
    """A user and a group."""
    return on(slug, Kind.USER, group=lambda land: land.one(Kind.GROUP))


def held(slug: str, **more: Callable[[Land], Any]) -> Draw:
    """Something that somebody holds."""
    return lambda land: op(slug).of(holder(land), **{key: draw(land) for key, draw in more.items()})


def inline(land: Land) -> str:
    """The name of an inline policy."""
    return land.rng.choice("abc")


def policy(land: Land) -> Entity:
    """A managed policy."""
    return land.one(Kind.POLICY)


TAGGED = {kind.value.replace("-", "_"): kind for kind in map(Kind, SET_TAGS)}
CREDENTIALS = {sort.slug: sort.kind for sort in WITH_STATUS}
DOOMED = {
    **{f"{word}.delete": kind for word, kind in TAGGED.items()},
    "group.delete": Kind.GROUP,
    "mfa_device.deactivate": Kind.MFA_DEVICE,
    "mfa_device.delete_spare": Kind.MFA_DEVICE,
    "login_profile.delete": Kind.USER,
    "service_linked_role.delete": Kind.ROLE,
}

DRAWS: dict[str, Draw] = {
    **{f"{word}.set_tags": on(f"{word}.set_tags", kind, tags=tags) for word, kind in TAGGED.items()},
    **{slug: on(slug, kind) for slug, kind in DOOMED.items()},
    **{
        f"{word}.{verb}": on(f"{word}.{verb}", kind)
        for word, kind in CREDENTIALS.items()
        for verb in ("activate", "deactivate", "delete")
    },
    "access_key.create": anew("access_key.create"),
    "service_credential.create": anew("service_credential.create", service=lambda _: CODECOMMIT),
    "service_credential.reset": anew("service_credential.reset", Kind.SERVICE_CREDENTIAL),
    "login_profile.create": anew("login_profile.create"),
    "login_profile.update": anew("login_profile.update"),
    "login_profile.require_change": on("login_profile.require_change", Kind.USER, must_change=lambda _: True),
    "ssh_key.upload": upload("ssh_key.upload", public_key),
    "signing_certificate.upload": upload("signing_certificate.upload", certificate),
    "user.create": new_principal("user.create"),
    "instance_profile.create": new_principal("instance_profile.create"),
    "role.create": new_role,
    "group.create": in_account("group.create", name=name, path=path),
    "policy.create": in_account("policy.create", name=name, path=path, text=text, tags=tags),
    "user.update": on("user.update", Kind.USER, new_name=name, new_path=path),
    "group.update": on("group.update", Kind.GROUP, new_name=name, new_path=path),
    "role.update": lambda land: op("role.update").of(land.one(Kind.ROLE), **settings(land).params),
    "role.limit_sign_in": lambda land: op("role.limit_sign_in").of(
        land.one(Kind.ROLE), **settings(land).params, max_sign_in="28800"
    ),
    "login_profile.limit_sign_in": on(
        "login_profile.limit_sign_in", Kind.USER, max_sign_in=lambda _: "28800"
    ),
    "trust_policy.replace": on("trust_policy.replace", Kind.ROLE, document=trust),
    "role_sessions.revoke": revoke,
    "user.put_boundary": boundary(Kind.USER, puts=True),
    "role.put_boundary": boundary(Kind.ROLE, puts=True),
    "user.delete_boundary": boundary(Kind.USER, puts=False),
    "role.delete_boundary": boundary(Kind.ROLE, puts=False),
    "group_membership.add": member("group_membership.add"),
    "group_membership.remove": member("group_membership.remove"),
    "attachment.attach": held("attachment.attach", policy=policy),
    "attachment.detach": held("attachment.detach", policy=policy),
    "inline_policy.put": held("inline_policy.put", name=inline, text=text),
    "inline_policy.delete": held("inline_policy.delete", policy_name=inline),
    "policy.create_version": lambda land: CreatePolicyVersion.of(policy(land), text=text(land)),
    "policy.set_default_version": set_default,
    "policy.delete_version": former(is_there=True),
    "policy.restore_version": former(is_there=False),
    "instance_profile.add_role": on(
        "instance_profile.add_role", Kind.INSTANCE_PROFILE, role=lambda land: land.one(Kind.ROLE)
    ),
    "instance_profile.remove_role": on(
        "instance_profile.remove_role", Kind.INSTANCE_PROFILE, role=lambda land: land.one(Kind.ROLE)
    ),
    "instance.associate_profile": instance(has=False, profile=True),
    "instance.replace_profile": instance(has=True, profile=True),
    "instance.disassociate_profile": instance(has=True, profile=False),
    "service_linked_role.create": in_account(
        "service_linked_role.create",
        service=lambda _: SERVICE,
        suffix=lambda land: land.stage.name("x").replace("-", ""),
    ),
    "saml_provider.create": in_account(
        "saml_provider.create", name=name, metadata=lambda _: metadata(1), tags=tags
    ),
    "saml_provider.update": on(
        "saml_provider.update", Kind.SAML_PROVIDER, metadata=lambda land: metadata(land.rng.randint(1, 3))
    ),
    "oidc_provider.create": in_account(
        "oidc_provider.create",
        url=lambda land: f"https://{name(land)}.example/id",
        clients=lambda land: [client(land)],
        thumbprints=lambda _: ["a" * 40],
        tags=tags,
    ),
    "oidc_provider.add_client_id": on("oidc_provider.add_client_id", Kind.OIDC_PROVIDER, client=client),
    "oidc_provider.remove_client_id": on("oidc_provider.remove_client_id", Kind.OIDC_PROVIDER, client=client),
    "oidc_provider.set_thumbprints": lambda land: oidc.SetThumbprints.of(
        land.one(Kind.OIDC_PROVIDER), thumbprints=[land.rng.choice("abc") * 40]
    ),
    "server_certificate.upload": lambda land: new_certificate(land.stage),
    "server_certificate.update": on(
        "server_certificate.update", Kind.SERVER_CERTIFICATE, new_name=name, new_path=path
    ),
    "account_alias.create": in_account(
        "account_alias.create", alias=lambda land: land.rng.choice(["northline", "northline-new"])
    ),
    "account_alias.delete": in_account("account_alias.delete", alias=lambda _: "northline-old"),
    "password_policy.update": rules,
    "password_policy.delete": lambda land: op("password_policy.delete").of(land.stage.account),
}
"""Slug → how it is drawn."""
CASES_BY_SLUG = {case.name.partition(" ")[0]: case for case in all_cases() if case.draw is not None}
DRAWS |= {slug: case.draw for slug, case in CASES_BY_SLUG.items() if callable(case.draw)}
LEFT_OUT |= {slug: case.draw for slug, case in CASES_BY_SLUG.items() if isinstance(case.draw, str)}
