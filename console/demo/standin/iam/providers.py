"""SAML and OIDC providers, and server certificates.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from moto.core.responses import ActionResult, EmptyResult

from console.demo.standin import clock, ids
from console.demo.standin.errors import AnswerError
from console.demo.standin.iam import shapes
from console.demo.standin.iam.extras import tags_of
from console.demo.standin.iam.tags import checked_tags
from console.demo.standin.overlay import ResponseOverlay

METADATA_CERTIFICATE = re.compile(r"<(?:\w+:)?X509Certificate[^>]*>\s*([^<]+?)\s*</")


class ProviderCalls(ResponseOverlay):
    """Calls about identity providers and server certificates."""

    def create_saml_provider(self) -> ActionResult:
        """Create a SAML provider from its metadata document."""
        document = self._get_param("SAMLMetadataDocument")
        if "EntityDescriptor" not in document:
            raise AnswerError("InvalidInput", "Could not parse metadata")
        name = self._get_param("Name")
        if name in self.backend.saml_providers:
            raise AnswerError("EntityAlreadyExists", "Provider with this name already exists.")
        provider = self.backend.create_saml_provider(name, document)
        provider.gatehouse_tags = checked_tags(self._get_param("Tags") or [])
        provider.gatehouse_id = ids.fresh("ASAM", self.backend.account_id)
        return ActionResult({"SAMLProviderArn": provider.arn, "Tags": tags_of(provider) or None})

    def list_saml_providers(self) -> ActionResult:
        """List all SAML providers. This list has no pages."""
        saml_providers = sorted(self.backend.saml_providers.values(), key=lambda p: str(p.name))
        return ActionResult(
            {
                "SAMLProviderList": [
                    {"Arn": p.arn, "ValidUntil": valid_until(p), "CreateDate": p.create_date}
                    for p in saml_providers
                ]
            }
        )

    def get_saml_provider(self) -> ActionResult:
        """Return a SAML provider with its metadata document."""
        provider = self.backend.get_saml_provider(self._get_param("SAMLProviderArn"))
        return ActionResult(
            {
                "SAMLProviderUUID": getattr(provider, "gatehouse_id", None),
                "SAMLMetadataDocument": provider.saml_metadata_document,
                "CreateDate": provider.create_date,
                "ValidUntil": valid_until(provider),
                "Tags": tags_of(provider) or None,
            }
        )

    def delete_saml_provider(self) -> ActionResult:
        """Delete a SAML provider. The roles that trust it remain."""
        provider = self.backend.get_saml_provider(self._get_param("SAMLProviderArn"))
        del self.backend.saml_providers[provider.name]
        return EmptyResult()

    def list_open_id_connect_providers(self) -> ActionResult:
        """List all OIDC providers. This list has no pages."""
        return ActionResult(
            {"OpenIDConnectProviderList": [{"Arn": arn} for arn in sorted(self.backend.open_id_providers)]}
        )

    def get_open_id_connect_provider(self) -> ActionResult:
        """Return an OIDC provider with its audiences, thumbprints and tags."""
        provider = self._oidc()
        return ActionResult(
            {
                "Url": provider.url,
                "ClientIDList": provider.client_id_list,
                "ThumbprintList": provider.thumbprint_list,
                "CreateDate": provider.create_date,
                "Tags": provider.get_tags() or None,
            }
        )

    def add_client_id_to_open_id_connect_provider(self) -> ActionResult:
        """Add an audience. If it exists already, nothing changes."""
        provider, audience = self._oidc(), self._get_param("ClientID")
        if audience not in provider.client_id_list:
            provider.client_id_list = [*provider.client_id_list, audience]
        return EmptyResult()

    def remove_client_id_from_open_id_connect_provider(self) -> ActionResult:
        """Remove an audience. If it doesn't exist, nothing changes."""
        provider, audience = self._oidc(), self._get_param("ClientID")
        provider.client_id_list = [c for c in provider.client_id_list if c != audience]
        return EmptyResult()

    def delete_open_id_connect_provider(self) -> ActionResult:
        """Delete an OIDC provider."""
        del self.backend.open_id_providers[self._oidc().arn]
        return EmptyResult()

    def _oidc(self) -> Any:
        return self.backend.get_open_id_connect_provider(self._get_param("OpenIDConnectProviderArn"))

    def upload_server_certificate(self) -> ActionResult:
        """Store a certificate. The private key is discarded at once, because nothing here needs it."""
        name, body = self._get_param("ServerCertificateName"), self._get_param("CertificateBody")
        if any(c.cert_name == name for c in self.backend.certificates.values()):
            raise AnswerError(
                "EntityAlreadyExists", f"The Server Certificate with name {name} already exists."
            )
        _expiry(body)
        certificate = self.backend.upload_server_certificate(
            name, body, "", cert_chain=self._get_param("CertificateChain"), path=self._get_param("Path")
        )
        certificate.gatehouse_id = ids.fresh("ASCA", self.backend.account_id)
        certificate.gatehouse_uploaded = clock.utcnow()
        certificate.gatehouse_tags = checked_tags(self._get_param("Tags") or [])
        return ActionResult({"ServerCertificateMetadata": _metadata(certificate)})

    def list_server_certificates(self) -> ActionResult:
        """List the certificates of the account, without their text."""
        prefix = self._get_param("PathPrefix") or "/"
        certificates = [c for c in self.backend.certificates.values() if c.path.startswith(prefix)]
        return self._page(
            "ServerCertificateMetadataList", certificates, name=lambda c: c.cert_name, shape=_metadata
        )

    def get_server_certificate(self) -> ActionResult:
        """Return a certificate with its text and tags."""
        certificate = self.backend.get_server_certificate(self._get_param("ServerCertificateName"))
        return ActionResult(
            {
                "ServerCertificate": {
                    "ServerCertificateMetadata": _metadata(certificate),
                    "CertificateBody": certificate.cert_body,
                    "CertificateChain": certificate.cert_chain,
                    "Tags": tags_of(certificate) or None,
                }
            }
        )

    def update_server_certificate(self) -> ActionResult:
        """Rename a certificate or move it to another path."""
        certificate = self.backend.get_server_certificate(self._get_param("ServerCertificateName"))
        certificate.cert_name = self._get_param("NewServerCertificateName") or certificate.cert_name
        certificate.path = self._get_param("NewPath") or certificate.path
        return EmptyResult()


def valid_until(provider: Any) -> datetime:
    """Return the end of a provider's metadata: that of the signing certificate in them, if they have one."""
    match = METADATA_CERTIFICATE.search(provider.saml_metadata_document)
    if match:
        lines = re.sub(r"\s+", "", match[1])
        try:
            return _expiry(f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
        except AnswerError:
            pass
    until: datetime = provider.valid_until
    return until


def _expiry(body: str) -> datetime:
    try:
        ends = x509.load_pem_x509_certificate(body.encode()).not_valid_after_utc
    except ValueError:
        raise AnswerError(
            "MalformedCertificate",
            "Unable to parse certificate. Please ensure the certificate is in PEM format.",
        ) from None
    return ends.astimezone(UTC).replace(tzinfo=None)


def _metadata(certificate: Any) -> shapes.Shape:
    return {
        "Path": certificate.path,
        "ServerCertificateName": certificate.cert_name,
        "ServerCertificateId": certificate.gatehouse_id,
        "Arn": certificate.arn,
        "UploadDate": certificate.gatehouse_uploaded,
        "Expiration": _expiry(certificate.cert_body),
    }
