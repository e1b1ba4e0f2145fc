"""URLs to which an identity provider redirects people."""

from __future__ import annotations

from csp.decorators import csp_update
from django.conf import settings
from django.urls import path

from console.operators.single_sign_on import openid_connect, saml

# Chromium checks the redirect that follows the POST to the identity provider against form-action.
leads_to_provider = csp_update({"form-action": settings.SIGN_IN_FORM_TARGETS})

oidc_patterns = [
    path(
        "oidc/<slug:provider_id>/login/", leads_to_provider(openid_connect.login), name="openid_connect_login"
    ),
    path("oidc/<slug:provider_id>/login/callback/", openid_connect.callback, name="openid_connect_callback"),
]
# No single logout: see docs/decisions.md.
saml_patterns = [
    path("saml/<slug:organization_slug>/login/", leads_to_provider(saml.login), name="saml_login"),
    path("saml/<slug:organization_slug>/acs/", saml.acs, name="saml_acs"),
    path("saml/<slug:organization_slug>/acs/finish/", saml.finish_acs, name="saml_finish_acs"),
    path("saml/<slug:organization_slug>/metadata/", saml.metadata, name="saml_metadata"),
]
