"""Tags of everything that has tags: one goes, one comes, one changes, one stays, and one is spelled
otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.demo.organisation import material
from iam.changes.operations import Operation
from iam.changes.operations.spec import OperationSpec
from iam.changes.operations.tags import SET_TAGS, SetTags
from iam.mirror.models import Kind, TagSet
from tests import factories
from tests.iam.changes.operations.stage import Stage
from tests.iam.changes.operations.table import Case

BEFORE = {"owner": "web", "Team": "web", "gone": "soon", "kept": "yes"}
AFTER = {"owner": "ops", "team": "web", "kept": "yes", "new": "1"}
DATES = {"begins": datetime(2026, 1, 1), "ends": datetime(2036, 1, 1)}


def as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags as boto3 takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


@dataclass(frozen=True)
class Tagged:
    """How something with tags is made by boto3: (name, ARN, unique id); and how its tags are asked for and
    set."""

    spec: OperationSpec
    make: Callable[[Stage], tuple[str, str, str]]
    word: str
    parameter: str

    def asks(self, stage: Stage) -> dict[str, str]:
        """It, as boto3's calls name it."""
        name, arn = stage.keep["name"], stage.keep["arn"]
        return {self.parameter: name if self.parameter.endswith("Name") else arn}

    def call(self, stage: Stage, verb: str, rest: str = "", **params: Any) -> Any:
        """One of boto3's calls."""
        return getattr(stage.iam, f"{verb}_{self.word}{rest}")(**self.asks(stage), **params)

    def made(self, stage: Stage) -> Operation:
        """It is in AWS and in the mirror, with its tags."""
        name, arn, aws_id = self.make(stage)
        stage.keep.update(name=name, arn=arn)
        self.call(stage, "tag", Tags=as_list(BEFORE))
        entity = factories.entity(stage.account, Kind(self.spec.subject_kind), name, arn=arn)
        entity.aws_id = aws_id
        entity.save(update_fields=["aws_id"])
        since = {"valid_from": factories.FIRST_READ, "observed_at": factories.FIRST_READ}
        TagSet.objects.create(account=stage.account, entity=entity, tags=BEFORE, **since)
        return SetTags.of(entity, tags=AFTER)

    def shows(self, stage: Stage) -> Any:
        """Its tags."""
        tags = self.call(stage, "list", "_tags")["Tags"]
        return {tag["Key"]: tag["Value"] for tag in tags}

    def meddle(self, stage: Stage) -> None:
        """Somebody sets another tag."""
        self.call(stage, "tag", Tags=as_list({"by": "hand"}))

    @property
    def case(self) -> Case:
        """Its case."""
        slug = self.spec.slug
        return Case(slug, self.made, self.shows, after=lambda *_: AFTER, meddle=self.meddle, calls=2)


def user(stage: Stage) -> tuple[str, str, str]:
    """A user."""
    made = stage.iam.create_user(UserName=stage.name())["User"]
    return made["UserName"], made["Arn"], made["UserId"]


def role(stage: Stage) -> tuple[str, str, str]:
    """A role."""
    made = stage.role()
    made.delete()
    return made.name, made.arn, made.aws_id


def policy(stage: Stage) -> tuple[str, str, str]:
    """A managed policy."""
    made = stage.policy()
    made.delete()
    return made.name, made.arn, made.aws_id


def profile(stage: Stage) -> tuple[str, str, str]:
    """An instance profile."""
    made = stage.iam.create_instance_profile(InstanceProfileName=stage.name())["InstanceProfile"]
    return made["InstanceProfileName"], made["Arn"], made["InstanceProfileId"]


def device(stage: Stage) -> tuple[str, str, str]:
    """A virtual MFA device."""
    made = stage.iam.create_virtual_mfa_device(VirtualMFADeviceName=stage.name())["VirtualMFADevice"]
    arn = made["SerialNumber"]
    return arn.rpartition("/")[2], arn, arn


def certificate(stage: Stage) -> tuple[str, str, str]:
    """A server certificate."""
    name = stage.name()
    body = material.certificate(name, **DATES)
    made = stage.iam.upload_server_certificate(
        ServerCertificateName=name, CertificateBody=body, PrivateKey="none that is kept"
    )["ServerCertificateMetadata"]
    return name, made["Arn"], made["ServerCertificateId"]


def saml(stage: Stage) -> tuple[str, str, str]:
    """A SAML provider."""
    name = stage.name()
    text = material.saml_metadata(f"{name}.example", **DATES)
    arn = stage.iam.create_saml_provider(Name=name, SAMLMetadataDocument=text)["SAMLProviderArn"]
    return name, arn, arn


def oidc(stage: Stage) -> tuple[str, str, str]:
    """An OpenID Connect provider."""
    name = f"{stage.name()}.example"
    made = stage.iam.create_open_id_connect_provider(Url=f"https://{name}", ThumbprintList=["a" * 40])
    arn = made["OpenIDConnectProviderArn"]
    return name, arn, arn


CASES = tuple(
    tagged.case
    for tagged in (
        Tagged(SET_TAGS[Kind.USER], user, "user", "UserName"),
        Tagged(SET_TAGS[Kind.ROLE], role, "role", "RoleName"),
        Tagged(SET_TAGS[Kind.POLICY], policy, "policy", "PolicyArn"),
        Tagged(SET_TAGS[Kind.INSTANCE_PROFILE], profile, "instance_profile", "InstanceProfileName"),
        Tagged(SET_TAGS[Kind.MFA_DEVICE], device, "mfa_device", "SerialNumber"),
        Tagged(SET_TAGS[Kind.SERVER_CERTIFICATE], certificate, "server_certificate", "ServerCertificateName"),
        Tagged(SET_TAGS[Kind.SAML_PROVIDER], saml, "saml_provider", "SAMLProviderArn"),
        Tagged(SET_TAGS[Kind.OIDC_PROVIDER], oidc, "open_id_connect_provider", "OpenIDConnectProviderArn"),
    )
)
