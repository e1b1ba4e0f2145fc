"""AWS's rules for tags, and the tag calls of entities for which moto lacks them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
"""

from __future__ import annotations

import re
from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from console.demo.standin.errors import AnswerError
from console.demo.standin.iam.extras import TagList, tags_of
from console.demo.standin.overlay import ResponseOverlay

TAGS_PER_ENTITY = 50
KEY = re.compile(r"[\w\s.:/=+\-@]{1,128}")


def checked_tags(tags: TagList) -> TagList:
    """Return the tags after checking AWS's rules. Keys are compared case-insensitively. Raises InvalidInput,
    ValidationError or LimitExceeded.
    """
    keys = [tag["Key"].lower() for tag in tags]
    if len(set(keys)) != len(keys):
        raise AnswerError(
            "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    for tag in tags:
        if not KEY.fullmatch(tag["Key"]) or len(tag.get("Value", "")) > 256:
            raise AnswerError("ValidationError", f"The tag {tag['Key']!r} is not valid.")
    if len(tags) > TAGS_PER_ENTITY:
        raise AnswerError("LimitExceeded", f"Cannot exceed quota for TagsPerEntity: {TAGS_PER_ENTITY}")
    return tags


def add_tags(present: TagList, new: TagList) -> TagList:
    """Return the tags after a tag call. Existing keys get the new value."""
    replaced = {tag["Key"].lower() for tag in checked_tags(new)}
    return checked_tags([tag for tag in present if tag["Key"].lower() not in replaced] + new)


def drop_tags(present: TagList, keys: list[str]) -> TagList:
    """Return the tags after an untag call. Unknown keys are ignored."""
    gone = {key.lower() for key in keys}
    return [tag for tag in present if tag["Key"].lower() not in gone]


class TagCalls(ResponseOverlay):
    """Tag calls of users, roles, policies, OIDC providers, instance profiles, SAML providers and server
    certificates.
    """

    def _list(self, tags: TagList) -> ActionResult:
        return self._page("Tags", tags, name=lambda tag: tag["Key"])

    def list_user_tags(self) -> ActionResult:
        """List the tags of a user."""
        return self._list(self.backend.list_user_tags(self._get_param("UserName")))

    def list_role_tags(self) -> ActionResult:
        """List the tags of a role."""
        return self._list(self.backend.get_role(self._get_param("RoleName")).tags)

    def list_policy_tags(self) -> ActionResult:
        """List the tags of a customer managed policy."""
        return self._list(self.backend.get_policy(self._get_param("PolicyArn")).get_tags())

    def list_open_id_connect_provider_tags(self) -> ActionResult:
        """List the tags of an OIDC provider."""
        provider = self.backend.get_open_id_connect_provider(self._get_param("OpenIDConnectProviderArn"))
        return self._list(provider.get_tags())

    def list_instance_profile_tags(self) -> ActionResult:
        """List the tags of an instance profile."""
        return self._list(self.backend.get_instance_profile(self._get_param("InstanceProfileName")).tags)

    def list_saml_provider_tags(self) -> ActionResult:
        """List the tags of a SAML provider."""
        return self._list(tags_of(self._saml()))

    def tag_saml_provider(self) -> ActionResult:
        """Add tags to a SAML provider."""
        return self._add(self._saml())

    def untag_saml_provider(self) -> ActionResult:
        """Remove tags from a SAML provider."""
        return self._drop(self._saml())

    def list_server_certificate_tags(self) -> ActionResult:
        """List the tags of a server certificate."""
        return self._list(tags_of(self._certificate()))

    def tag_server_certificate(self) -> ActionResult:
        """Add tags to a server certificate."""
        return self._add(self._certificate())

    def untag_server_certificate(self) -> ActionResult:
        """Remove tags from a server certificate."""
        return self._drop(self._certificate())

    def _saml(self) -> Any:
        return self.backend.get_saml_provider(self._get_param("SAMLProviderArn"))

    def _certificate(self) -> Any:
        return self.backend.get_server_certificate(self._get_param("ServerCertificateName"))

    def _add(self, entity: Any) -> ActionResult:
        entity.gatehouse_tags = add_tags(tags_of(entity), self._get_param("Tags"))
        return EmptyResult()

    def _drop(self, entity: Any) -> ActionResult:
        entity.gatehouse_tags = drop_tags(tags_of(entity), self._get_param("TagKeys"))
        return EmptyResult()
