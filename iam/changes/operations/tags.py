"""Give something other tags: those that go are taken off, and those that come or differ are set, in one operation.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html (UntagUser, TagRole, TagPolicy, TagInstanceProfile, …)
Groups have no tags. AWS tells tag keys of one entity apart without regard to case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from iam.aws.reads.single import EntityNow
from iam.aws.session import Aws
from iam.changes.operations.base import Call, Effect, Image, Operation, Quota
from iam.changes.operations.spec import OperationSpec
from iam.changes.operations.subject import OnSubject, SubjectParams, names_of, tag_list, tags_in_mirror
from iam.changes.world import World
from iam.mirror.models import Entity, Kind
from iam.mirror.reread import reread_tags
from iam.policy.letter_case import fold

MOST: Final = 50
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


@dataclass(frozen=True, slots=True)
class TagParams(SubjectParams):
    """All tags that it has before, and all that it is to have."""

    before: dict[str, str]
    tags: dict[str, str]


class SetTags(OnSubject):
    """Gives it just these tags."""

    params_type = TagParams
    given: TagParams
    word: ClassVar[str]
    """How AWS's calls have it: TagUser."""
    identified_by: ClassVar[str]
    """The parameter by which they name it."""

    @classmethod
    def of(cls, subject: Entity, *, tags: Mapping[str, str]) -> Self:
        """The operation on an entity of the mirror."""
        given = TagParams(**names_of(subject), before=tags_in_mirror(subject), tags=dict(tags))
        return cls(subject.account, given)

    def excludes(self, slug: str, params: Mapping[str, Any]) -> bool:
        """Each is planned on the tags of now, so only one can be open at a time."""
        return slug == self.slug

    @property
    def who(self) -> dict[str, str]:
        """It, as the calls name it."""
        by_name = self.identified_by.endswith("Name")
        return {self.identified_by: self.given.name if by_name else self.given.subject_arn}

    @property
    def goes(self) -> list[str]:
        """The keys that are taken off."""
        return sorted(set(self.given.before) - set(self.given.tags))

    @property
    def comes(self) -> dict[str, str]:
        """The tags that are set."""
        before = self.given.before
        return {key: value for key, value in self.given.tags.items() if before.get(key) != value}

    def calls(self) -> tuple[Call, ...]:
        """What goes first makes room."""
        name, found = self.given.name, []
        if self.goes:
            sentence = f"{name} loses the tags {', '.join(self.goes)}"
            params: dict[str, Any] = {**self.who, "TagKeys": self.goes}
            found.append(Call("iam", f"Untag{self.word}", params, sentence))
        if self.comes:
            sentence = f"{name} gets the tags {', '.join(sorted(self.comes))}"
            params = {**self.who, "Tags": tag_list(self.comes)}
            found.append(Call("iam", f"Tag{self.word}", params, sentence))
        return tuple(found)

    def wanted(self) -> Image:
        return {"tags": dict(self.given.tags)}

    def newborn(self) -> Image:
        """It has those that it was planned on."""
        return {"tags": dict(self.given.before)}

    def may_go_on(self, image: Image, *, before: Image) -> bool:
        tags = before["tags"]
        without = {key: value for key, value in tags.items() if key not in self.goes}
        return image.get("tags") in (tags, without)

    def is_done(self, call: Call, *, image: Image) -> bool:
        return call.operation.startswith("Untag") and not set(self.goes) & set(image["tags"])

    def image_of(self, subject: Entity) -> Image:
        return {"tags": tags_in_mirror(subject)}

    def image_now(self, now: EntityNow) -> Image:
        return {"tags": dict(now.tags)}

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """The last observation is what goes into the mirror, so this costs no call."""
        subject = self.subject()
        if subject is not None and self.seen is not None and self.seen.now is not None:
            tags = self.seen.now.tags
            reread_tags(self.account, subject, tags=tags, at=self.seen.at, cause_id=cause_id)

    def quota(self) -> Quota | None:
        """Tags of it: now, afterwards, and what AWS allows."""
        used, after = len(self.given.before), len(self.given.tags)
        refusal = f"{self.given.name} would have {after} tags, and AWS allows {MOST}."
        return Quota("Tags afterwards", used=used, after=after, limit=MOST, refusal=refusal)

    def problems(self) -> list[str]:
        """Also what AWS says of keys only when it is called."""
        keys = [fold(key) for key in self.given.tags]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            return [f"the key {twice[0]} is used twice. AWS ignores the case of keys."]
        if reserved := sorted(key for key in self.comes if fold(key).startswith("aws:")):
            return [f"{reserved[0]} begins with aws:, which is reserved for AWS."]
        return super().problems()

    def effect(self) -> Effect:
        return Effect()

    def weigh(self, world: World) -> None:
        """Conditions on tags may hold now, or hold no longer."""
        row = world.principal(self.given.subject_arn)
        if row is not None:
            world.put_principal(replace(row, tags=dict(self.given.tags)))

    def inverse(self, before: Image) -> Operation | None:
        if before == self.wanted():
            return None
        tags = dict(before["tags"])
        return type(self)(self.account, replace(self.given, before=dict(self.given.tags), tags=tags))


class SetUserTags(SetTags):
    """Tags of a user."""

    spec = OperationSpec(
        slug="user.set_tags",
        family="user-tags",
        subject_kind=Kind.USER.value,
        title="Update tags of user {name}",
        no_op="The user {name} already has these tags.",
        counted=("Update the tags of", "IAM user"),
    )

    word, identified_by = "User", "UserName"


class SetRoleTags(SetTags):
    """Tags of a role."""

    spec = OperationSpec(
        slug="role.set_tags",
        family="role-tags",
        subject_kind=Kind.ROLE.value,
        title="Update tags of role {name}",
        no_op="The role {name} already has these tags.",
        counted=("Update the tags of", "role"),
    )

    word, identified_by = "Role", "RoleName"


class SetPolicyTags(SetTags):
    """Tags of a customer managed policy."""

    spec = OperationSpec(
        slug="policy.set_tags",
        family="policy-tags",
        subject_kind=Kind.POLICY.value,
        title="Update tags of policy {name}",
        no_op="The policy {name} already has these tags.",
        counted=("Update the tags of", "policy|policies"),
    )

    word, identified_by = "Policy", "PolicyArn"


class SetInstanceProfileTags(SetTags):
    """Tags of an instance profile."""

    spec = OperationSpec(
        slug="instance_profile.set_tags",
        family="instance-profile-tags",
        subject_kind=Kind.INSTANCE_PROFILE.value,
        title="Update tags of instance profile {name}",
        no_op="The instance profile {name} already has these tags.",
        counted=("Update the tags of", "instance profile"),
    )

    word, identified_by = "InstanceProfile", "InstanceProfileName"


class SetMfaDeviceTags(SetTags):
    """Tags of a virtual MFA device."""

    spec = OperationSpec(
        slug="mfa_device.set_tags",
        family="mfa-device-tags",
        subject_kind=Kind.MFA_DEVICE.value,
        title="Update tags of MFA device {name}",
        no_op="The MFA device {name} already has these tags.",
        counted=("Update the tags of", "MFA device"),
    )

    word, identified_by = "MFADevice", "SerialNumber"


class SetServerCertificateTags(SetTags):
    """Tags of a server certificate."""

    spec = OperationSpec(
        slug="server_certificate.set_tags",
        family="server-certificate-tags",
        subject_kind=Kind.SERVER_CERTIFICATE.value,
        title="Update tags of server certificate {name}",
        no_op="The server certificate {name} already has these tags.",
        counted=("Update the tags of", "server certificate"),
    )

    word, identified_by = "ServerCertificate", "ServerCertificateName"


class SetSamlProviderTags(SetTags):
    """Tags of a SAML provider."""

    spec = OperationSpec(
        slug="saml_provider.set_tags",
        family="saml-provider-tags",
        subject_kind=Kind.SAML_PROVIDER.value,
        title="Update tags of SAML provider {name}",
        no_op="The SAML provider {name} already has these tags.",
        counted=("Update the tags of", "SAML provider"),
    )

    word, identified_by = "SAMLProvider", "SAMLProviderArn"


class SetOidcProviderTags(SetTags):
    """Tags of an OpenID Connect provider."""

    spec = OperationSpec(
        slug="oidc_provider.set_tags",
        family="oidc-provider-tags",
        subject_kind=Kind.OIDC_PROVIDER.value,
        title="Update tags of OpenID Connect provider {name}",
        no_op="The OpenID Connect provider {name} already has these tags.",
        counted=("Update the tags of", "OIDC provider"),
    )

    word, identified_by = "OpenIDConnectProvider", "OpenIDConnectProviderArn"
