"""What acts are about: an account, or something of it, as each act needs it."""

from __future__ import annotations

import json

from iam.changes.acts import Subject
from iam.changes.operations.account_setting import PasswordRules
from iam.mirror.models import AccountFact, EdgeKind, Entity, EntityState, Kind, PolicyVersion, TagSet
from tests import factories
from tests.iam.changes.site import Site

READS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::r/*"}],
    }
)


def account(site: Site) -> Subject:
    """The account, with an alias and rules for passwords."""
    site.account.alias = "northline-old"
    site.account.save(update_fields=["alias"])
    rules = dict.fromkeys(PasswordRules.__dataclass_fields__, 0) | {
        "minimum_length": 14,
        "allows_change": True,
    }
    for name, value in (("password_policy", rules), ("alias", site.account.alias)):
        AccountFact.objects.create(
            account=site.account,
            name=name,
            value=value,
            valid_from=factories.FIRST_READ,
            observed_at=factories.FIRST_READ,
        )
    return site.account


def user(site: Site) -> Entity:
    """A user with a managed and an inline policy, a boundary and tags."""
    deploy = Entity.objects.get(name="PaymentsDeploy")
    factories.edge(EdgeKind.ATTACHED, site.user, deploy)
    factories.edge(EdgeKind.BOUNDARY, site.user, deploy)
    factories.inline(site.user, "extra")
    TagSet.objects.create(
        account=site.account,
        entity=site.user,
        tags={"old": "1"},
        valid_from=factories.FIRST_READ,
        observed_at=factories.FIRST_READ,
    )
    factories.policy(site.account, "Reports", body={"Statement": []})
    return site.user


def new_user(site: Site) -> Subject:
    """A user who has nothing."""
    return factories.user(site.account, "new.one", credentials={"has_password": False, "mfa": "none"})


def role(site: Site) -> Subject:
    """A role that EC2 may assume."""
    made = factories.role(site.account, "app")
    EntityState.objects.filter(entity=made).update(attrs={"MaxSessionDuration": 3600})
    return made


def policy(site: Site) -> Subject:
    """A policy with two versions."""
    made = factories.policy(site.account, "Reports")
    PolicyVersion.objects.create(
        account=site.account,
        policy=made,
        version_id="v2",
        document=factories.document(READS),
        is_default=False,
        created_at=factories.FIRST_READ,
        valid_from=factories.FIRST_READ,
        observed_at=factories.FIRST_READ,
    )
    return made


def profile(site: Site) -> Entity:
    """An instance profile, and a role that could go in."""
    factories.role(site.account, "app")
    return factories.entity(site.account, Kind.INSTANCE_PROFILE, "web")


def full_profile(site: Site) -> Subject:
    """An instance profile with its role."""
    made = profile(site)
    factories.edge(EdgeKind.PROFILE_ROLE, made, Entity.objects.get(name="app"))
    return made


def instance(site: Site) -> Entity:
    """An instance, and a profile that it could get."""
    profile(site)
    made = factories.entity(site.account, Kind.INSTANCE, "web-1", category="running")
    EntityState.objects.filter(entity=made).update(
        attrs={"Region": "eu-west-1", "AssociationId": "iip-assoc-1"}
    )
    return made


def held_instance(site: Site) -> Subject:
    """An instance with a profile."""
    made = instance(site)
    factories.edge(
        EdgeKind.INSTANCE_PROFILE, made, factories.entity(site.account, Kind.INSTANCE_PROFILE, "old")
    )
    return made


def saml(site: Site) -> Subject:
    """A SAML provider."""
    arn = f"arn:aws:iam::{site.account.account_id}:saml-provider/corp"
    return factories.entity(site.account, Kind.SAML_PROVIDER, "corp", arn=arn)


def oidc(site: Site) -> Subject:
    """An OpenID Connect provider with one audience."""
    arn = f"arn:aws:iam::{site.account.account_id}:oidc-provider/token.example"
    made = factories.entity(site.account, Kind.OIDC_PROVIDER, "token.example", arn=arn)
    attrs = {"ClientIDList": ["old"], "ThumbprintList": ["a" * 40]}
    EntityState.objects.filter(entity=made).update(attrs=attrs)
    return made


def server_certificate(site: Site) -> Subject:
    """A server certificate."""
    return factories.entity(site.account, Kind.SERVER_CERTIFICATE, "shop")


def device(site: Site) -> Subject:
    """A virtual MFA device of nobody."""
    serial = f"arn:aws:iam::{site.account.account_id}:mfa/spare"
    made = factories.entity(site.account, Kind.MFA_DEVICE, "spare", arn=serial)
    Entity.objects.filter(pk=made.pk).update(aws_id=serial)
    made.refresh_from_db()
    return made
