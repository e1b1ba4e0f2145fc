"""The addresses to which a company's identity provider sends people back."""

from __future__ import annotations

from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.openid_connect import views as oidc
from allauth.socialaccount.providers.saml import views as saml
from allauth.socialaccount.providers.saml.utils import get_app_or_404
from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from lxml.etree import XMLSyntaxError  # type: ignore[import-untyped]


def finish_acs(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """allauth's view, for which an answer that is no XML is a failure of the server."""
    try:
        response: HttpResponse = saml.finish_acs(request, organization_slug=organization_slug)
    except XMLSyntaxError as error:
        provider = get_app_or_404(request, organization_slug).get_provider(request)
        response = render_authentication_error(request, provider, exception=error)
    return response


# Chromium checks the redirect that follows the POST to the identity provider against form-action.
leads_to_provider = csp_update({"form-action": settings.SIGN_IN_FORM_TARGETS})

oidc_patterns = [
    path("oidc/<slug:provider_id>/login/", leads_to_provider(oidc.login), name="openid_connect_login"),
    path("", include("allauth.socialaccount.providers.openid_connect.urls")),
]
saml_patterns = [
    path("saml/<slug:organization_slug>/login/", leads_to_provider(saml.login), name="saml_login"),
    path("saml/<slug:organization_slug>/acs/finish/", finish_acs, name="saml_finish_acs"),
    path("", include("allauth.socialaccount.providers.saml.urls")),
]
