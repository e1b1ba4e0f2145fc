"""Access keys, SSH keys, signing certificates and service-specific credentials of users.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
"""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.models import iam_backends

from console.demo.standin import calls, clock, ids
from console.demo.standin.errors import AnswerError, StandinRefusedError
from console.demo.standin.iam import shapes
from console.demo.standin.iam.extras import ServiceCredential, user_extras
from console.demo.standin.overlay import ResponseOverlay

CREDENTIALS_PER_SERVICE = 2
WITH_AGE = frozenset({"bedrock.amazonaws.com", "logs.amazonaws.com"})
SERVICES = WITH_AGE | {"codecommit.amazonaws.com", "cassandra.amazonaws.com"}


def service_user_name(user: Any, service: str, taken: int) -> str:
    """Return the user name of a service-specific credential. AWS adds a number to the name of the
    second one.
    """
    return f"{user.name}{'+' + str(taken) if taken else ''}-at-{user.account_id}"


class CredentialCalls(ResponseOverlay):
    """Calls about long-term credentials other than the password and MFA."""

    def _user(self) -> Any:
        name = self._get_param("UserName")
        if not name:
            call = calls.current()
            assert call is not None
            name = call.caller.user_name
        return self.backend.get_user(name)

    def create_access_key(self) -> ActionResult:
        """Create a key. Its secret is returned only this once."""
        key = self.backend.create_access_key(self._user().name)
        key.secret_access_key = base64.b64encode(calls.derive("access key")[:30]).decode()
        return ActionResult({"AccessKey": key})

    def list_access_keys(self) -> ActionResult:
        """List a user's keys without secrets, the oldest first."""
        user = self._user()
        return self._page(
            "AccessKeyMetadata",
            user.access_keys,
            name=lambda k: f"{k.create_date.isoformat()} {k.access_key_id}",
            shape=lambda k: {
                "UserName": user.name,
                "AccessKeyId": k.access_key_id,
                "Status": k.status,
                "CreateDate": k.create_date,
            },
        )

    def update_access_key(self) -> ActionResult:
        """Activate or deactivate a key."""
        self._key(self._user()).status = self._get_param("Status")
        return EmptyResult()

    def delete_access_key(self) -> ActionResult:
        """Delete a key."""
        user = self._user()
        key = self._key(user)
        user.access_keys.remove(key)
        self.backend.access_keys.pop(key.access_key_id, None)
        return EmptyResult()

    def _key(self, user: Any) -> Any:
        key_id = self._get_param("AccessKeyId")
        for key in user.access_keys:
            if key.access_key_id == key_id:
                return key
        raise AnswerError("NoSuchEntity", f"The Access Key with id {key_id} cannot be found.")

    def get_access_key_last_used(self) -> ActionResult:
        """Return when, where and for which service a key was last used; N/A if it was never used."""
        key_id = self._get_param("AccessKeyId")
        account = ids.account_of(key_id)
        known = iam_backends[account]["aws"].access_keys if account in iam_backends else {}
        key = known.get(key_id) or self.backend.access_keys.get(key_id)
        if key is None:
            # AWS doesn't reveal whether a key of another account exists.
            raise StandinRefusedError(
                "AccessDenied",
                "User is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key "
                f"{key_id}",
            )
        used = key.last_used
        last = (
            {"LastUsedDate": used.timestamp, "Region": used.region, "ServiceName": used.service}
            if used
            else None
        )
        return ActionResult(
            {
                "UserName": key.user_name,
                "AccessKeyLastUsed": last or {"Region": "N/A", "ServiceName": "N/A"},
            }
        )

    def upload_ssh_public_key(self) -> ActionResult:
        """Upload an SSH public key for Git."""
        key = self._user().upload_ssh_public_key(self._get_param("SSHPublicKeyBody"))
        key.ssh_public_key_id = ids.fresh("APKA", self.backend.account_id)
        key.fingerprint = fingerprint(key.ssh_public_key_body)
        return ActionResult({"SSHPublicKey": key})

    def list_ssh_public_keys(self) -> ActionResult:
        """List the SSH keys of a user, without their text."""
        user = self._user()
        return self._page("SSHPublicKeys", user.ssh_public_keys, name=lambda k: k.ssh_public_key_id)

    def list_signing_certificates(self) -> ActionResult:
        """List the signing certificates of a user."""
        user = self._user()
        return self._page(
            "Certificates",
            user.signing_certificates.values(),
            name=lambda c: c.id,
            shape=lambda c: {
                "UserName": user.name,
                "CertificateId": c.id,
                "CertificateBody": c.body,
                "Status": c.status,
                "UploadDate": c.upload_date,
            },
        )

    def create_service_specific_credential(self) -> ActionResult:
        """Create a credential for a service. Its password is returned only this once."""
        user, service = self._user(), self._get_param("ServiceName")
        if service not in SERVICES:
            raise AnswerError("NotSupportedService", f"No such service {service} is supported.")
        extras = user_extras(user)
        taken = sum(c.service == service for c in extras.service_credentials)
        if taken >= CREDENTIALS_PER_SERVICE:
            raise AnswerError(
                "LimitExceeded",
                f"Cannot exceed quota for ServiceSpecificCredentialsPerUser: {CREDENTIALS_PER_SERVICE}",
            )
        age = self._get_param("CredentialAgeDays")
        name = service_user_name(user, service, taken)
        user_name, alias = ("", name) if service in WITH_AGE else (name, None)
        created = clock.utcnow()
        expires = created + timedelta(days=int(age)) if age else None
        credential = ServiceCredential(
            id=ids.fresh("ACCA", self.backend.account_id),
            service=service,
            service_user_name=user_name,
            created=created,
            expires=expires,
            alias=alias,
        )
        extras.service_credentials.append(credential)
        return ActionResult({"ServiceSpecificCredential": _with_secret(user, credential)})

    def reset_service_specific_credential(self) -> ActionResult:
        """Set a new password for a credential."""
        user, credential = self._service_credential()
        return ActionResult({"ServiceSpecificCredential": _with_secret(user, credential)})

    def update_service_specific_credential(self) -> ActionResult:
        """Activate or deactivate a credential."""
        _, credential = self._service_credential()
        credential.status = self._get_param("Status")
        return EmptyResult()

    def delete_service_specific_credential(self) -> ActionResult:
        """Delete a credential."""
        user, credential = self._service_credential()
        user_extras(user).service_credentials.remove(credential)
        return EmptyResult()

    def list_service_specific_credentials(self) -> ActionResult:
        """List the credentials of a user or (with AllUsers) of the account, without passwords."""
        if self._get_param("AllUsers"):
            if self._get_param("UserName"):
                raise AnswerError("InvalidInput", "UserName cannot be given together with AllUsers.")
            users = list(self.backend.users.values())
        else:
            users = [self._user()]
        service = self._get_param("ServiceName")
        credentials = []
        for user in users:
            for credential in user_extras(user).service_credentials:
                if service in (None, credential.service):
                    credentials.append((user, credential))
        return self._page(
            "ServiceSpecificCredentials",
            credentials,
            name=lambda pair: f"{pair[0].name}/{pair[1].id}",
            shape=lambda pair: _metadata(*pair),
        )

    def _service_credential(self) -> tuple[Any, ServiceCredential]:
        wanted, name = self._get_param("ServiceSpecificCredentialId"), self._get_param("UserName")
        for user in [self.backend.get_user(name)] if name else list(self.backend.users.values()):
            for credential in user_extras(user).service_credentials:
                if credential.id == wanted:
                    return user, credential
        raise AnswerError("NoSuchEntity", f"No such credential {wanted} exists.")


def fingerprint(body: str) -> str:
    """Return the MD5 digest of an SSH key, with colons."""
    parts = body.split()
    try:
        raw = base64.b64decode(parts[1], validate=True)
    except (IndexError, ValueError):
        raw = body.encode()
    digest = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    return ":".join(digest[i : i + 2] for i in range(0, 32, 2))


def _metadata(user: Any, credential: ServiceCredential) -> shapes.Shape:
    return {
        "UserName": user.name,
        "Status": credential.status,
        "ServiceUserName": credential.service_user_name or None,
        "ServiceCredentialAlias": credential.alias,
        "CreateDate": credential.created,
        "ExpirationDate": credential.expires,
        "ServiceSpecificCredentialId": credential.id,
        "ServiceName": credential.service,
    }


def _with_secret(user: Any, credential: ServiceCredential) -> shapes.Shape:
    secret = base64.b64encode(calls.derive("service credential")).decode()
    field = "ServiceCredentialSecret" if credential.service in WITH_AGE else "ServicePassword"
    return _metadata(user, credential) | {field: secret}
