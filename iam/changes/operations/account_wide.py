"""The operations on what an account has beside principals and policies; a new one is added here by hand."""

from __future__ import annotations

from typing import Final

from iam.changes.operations.account_alias import CreateAlias, DeleteAlias
from iam.changes.operations.base import Operation
from iam.changes.operations.oidc_provider import (
    AddClientId,
    CreateOidcProvider,
    DeleteOidcProvider,
    RemoveClientId,
    SetThumbprints,
)
from iam.changes.operations.password_policy import DeletePasswordPolicy, UpdatePasswordPolicy
from iam.changes.operations.saml_provider import CreateSamlProvider, DeleteSamlProvider, UpdateSamlProvider
from iam.changes.operations.server_certificate import (
    DeleteServerCertificate,
    UpdateServerCertificate,
    UploadServerCertificate,
)

ACCOUNT_WIDE: Final[tuple[type[Operation], ...]] = (
    CreateAlias,
    DeleteAlias,
    UpdatePasswordPolicy,
    DeletePasswordPolicy,
    CreateSamlProvider,
    UpdateSamlProvider,
    DeleteSamlProvider,
    CreateOidcProvider,
    DeleteOidcProvider,
    AddClientId,
    RemoveClientId,
    SetThumbprints,
    UploadServerCertificate,
    UpdateServerCertificate,
    DeleteServerCertificate,
)
