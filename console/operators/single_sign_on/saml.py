"""SAML sign-in with one signed assertion, for us, in answer to this browser's request;
https://docs.oasis-open.org/security/saml/v2.0/saml-profiles-2.0-os.pdf 4.1.4
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import xmlsec
from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.base.views import BaseLoginView
from allauth.socialaccount.providers.saml.provider import SAMLProvider
from allauth.socialaccount.sessions import LoginSession
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from lxml.etree import LxmlError  # type: ignore[import-untyped]
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Constants
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from console.operators.single_sign_on.addresses import usable_address
from console.operators.single_sign_on.failures import SignInFailedError, failure_page
from console.operators.single_sign_on.id_token import usable_subject
from console.operators.single_sign_on.provider_http import fetch_bytes
from console.single_sign_on import UnusableMetadataError, identity_provider

LARGEST_RESPONSE: Final = 256 * 1024
KEPT_SECONDS: Final = 600
_VERIFIED_ATTRIBUTES: Final = ("http://schemas.auth0.com/email_verified", "email_verified")
_LIBRARY_ERRORS: Final = (OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError)
# Errors of the XML, base64, time and key parsers for invalid input.
_UNREADABLE: Final = (LxmlError, xmlsec.Error, ValueError, TypeError, LookupError, AttributeError)


class CompanySamlProvider(SAMLProvider):  # type: ignore[misc]
    """Allauth provider whose bindings belong to the identity provider's entity ID; identifiers must be
    persistent.
    """

    @property
    def entity_id(self) -> str:
        """The identity provider's entity ID, which is the key of its bindings."""
        return str(self.app.settings["idp"]["entity_id"])

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """Redirect to the identity provider."""
        configuration = _configuration(request, self)
        try:
            auth = OneLogin_Saml2_Auth(_request_data(request), configuration)
        except _LIBRARY_ERRORS:
            raise _malformed_metadata() from None
        target = auth.login(return_to="")
        self.stash_redirect_state(request, AuthProcess.LOGIN, next_url, state_id=auth.get_last_request_id())
        return HttpResponseRedirect(target)

    def sociallogin_from_response(
        self, request: HttpRequest, response: OneLogin_Saml2_Response
    ) -> SocialLogin:
        """Return the identity in the assertion; of the attributes only the address is stored."""
        login: SocialLogin = super().sociallogin_from_response(request, response)
        login.account.provider = self.entity_id
        login.account._provider = self
        return login

    def extract_uid(self, data: OneLogin_Saml2_Response) -> str:
        """Return the attribute GATEHOUSE_SAML_UID if the assertion has it, else a persistent NameID. Raises
        SignInFailedError.
        """
        values = data.get_attributes().get(self.app.settings["attribute_mapping"]["uid"])
        if values is not None:
            only_value = values[0] if len(values) == 1 else None
            return usable_subject(only_value)
        if data.get_nameid_format() == Constants.NAMEID_TRANSIENT:
            raise SignInFailedError("transient_name_id")
        name_id = data.get_nameid()
        if not name_id or not name_id.strip():
            raise SignInFailedError("no_name_id")
        return usable_subject(name_id)

    def extract_extra_data(self, data: OneLogin_Saml2_Response) -> dict[str, Any]:
        """Return what administrators see of a binding."""
        return {"email": self._address(data)}

    def extract_common_fields(self, data: OneLogin_Saml2_Response) -> dict[str, Any]:
        """Return {}, because people are already known."""
        return {}

    def extract_email_addresses(self, data: OneLogin_Saml2_Response) -> list[EmailAddress]:
        """Return the address; it is the company's own and so verified, unless the assertion says
        otherwise.
        """
        attributes = data.get_attributes()
        address = self._address(data)
        is_verified = all(attributes.get(name, ["true"]) == ["true"] for name in _VERIFIED_ATTRIBUTES)
        return [EmailAddress(email=address, verified=is_verified, primary=True)] if address else []

    def _address(self, data: OneLogin_Saml2_Response) -> str:
        attributes = data.get_attributes()
        for name in self.app.settings["attribute_mapping"]["email"]:
            for value in attributes.get(name, ()):
                if address := usable_address(value):
                    return address
        is_address = data.get_nameid_format() == Constants.NAMEID_EMAIL_ADDRESS
        return usable_address(data.get_nameid()) if is_address else ""


def _provider(request: HttpRequest, slug: str) -> CompanySamlProvider:
    try:
        app = get_adapter().get_app(request, provider=CompanySamlProvider.id, client_id=slug)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    provider: CompanySamlProvider = app.get_provider(request)
    return provider


def _request_data(request: HttpRequest) -> dict[str, Any]:
    """Return what python3-saml compares addresses with, always those of the assertion consumer service."""
    slug = request.resolver_match.kwargs["organization_slug"] if request.resolver_match else ""
    return {
        "https": "on" if request.is_secure() else "off",
        "http_host": request.get_host(),
        "script_name": reverse("saml_acs", args=[slug]),
        "get_data": {},
        "post_data": {},
    }


def _configuration(
    request: HttpRequest, provider: CompanySamlProvider, *, with_identity_provider: bool = True
) -> dict[str, Any]:
    """Return python3-saml's settings. Single logout is off, because an unsigned message could end someone's
    session.
    """
    slug = provider.app.client_id
    configuration: dict[str, Any] = {
        "strict": True,
        "security": {
            "digestAlgorithm": Constants.SHA256,
            "signatureAlgorithm": Constants.RSA_SHA256,
            "rejectDeprecatedAlgorithm": True,
            "requestedAuthnContext": False,
            "wantAssertionsSigned": True,
            "wantNameId": False,
            "wantAttributeStatement": False,
            "allowRepeatAttributeName": True,
            # For the signatures of others: many identity providers are reached under a single label inside a
            # company.
            "allowSingleLabelDomains": True,
        },
        "sp": {
            "entityId": request.build_absolute_uri(reverse("saml_metadata", args=[slug])),
            "assertionConsumerService": {
                "url": request.build_absolute_uri(reverse("saml_acs", args=[slug])),
                "binding": Constants.BINDING_HTTP_POST,
            },
        },
    }
    if with_identity_provider:
        idp = _identity_provider(provider)
        configuration["idp"] = {
            "entityId": idp["entity_id"],
            "singleSignOnService": {"url": idp["sso_url"], "binding": Constants.BINDING_HTTP_REDIRECT},
            "x509certMulti": {"signing": idp["certificates"]},
        }
    return configuration


def _identity_provider(provider: CompanySamlProvider) -> dict[str, Any]:
    """Return entity ID, address and all signing certificates, from the file or from the metadata address."""
    idp: dict[str, Any] = provider.app.settings["idp"]
    address = idp.get("metadata_url")
    if not address:
        return idp
    text = fetch_bytes(address, what="SAML metadata")
    try:
        return identity_provider(text, entity_id=idp["entity_id"])
    except UnusableMetadataError as error:
        raise SignInFailedError("bad_metadata", detail=str(error)) from None


def _malformed_metadata() -> SignInFailedError:
    return SignInFailedError("bad_metadata", detail="an address in it is malformed")


class _SamlLogin(BaseLoginView):  # type: ignore[misc]
    def get_provider(self) -> CompanySamlProvider:
        return _provider(self.request, self.kwargs["organization_slug"])


def login(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Ask whether to go to the identity provider (GET), and redirect there (POST)."""
    provider = _provider(request, organization_slug)
    try:
        response: HttpResponse = _SamlLogin.as_view()(request, organization_slug=organization_slug)
    except SignInFailedError as failure:
        return failure_page(request, failure, provider=provider.entity_id)
    return response


@csrf_exempt
@require_POST
def acs(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Receive the identity provider's POST, which comes from another site and so without the session cookie.

    The answer is kept for the following GET, which has the cookie.
    """
    provider = _provider(request, organization_slug)
    try:
        answer = request.POST.get("SAMLResponse", "")
        if len(answer) > LARGEST_RESPONSE:
            raise SignInFailedError("bad_saml_xml", detail=f"it is larger than {LARGEST_RESPONSE // 1024} KB")
    except RequestDataTooBig:
        failure = SignInFailedError("bad_saml_xml", detail=f"it is larger than {LARGEST_RESPONSE // 1024} KB")
        return failure_page(request, failure, provider=provider.entity_id)
    except SignInFailedError as failure:
        return failure_page(request, failure, provider=provider.entity_id)
    response = HttpResponseRedirect(reverse("saml_finish_acs", args=[organization_slug]))
    kept = LoginSession(request, "saml_acs_session", "saml-acs-session")
    kept.store["response"] = answer
    kept.store.set_expiry(KEPT_SECONDS)
    kept.save(response)
    return response


@require_GET
def finish_acs(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Validate the answer in the browser's own session, and sign in."""
    provider = _provider(request, organization_slug)
    kept = LoginSession(request, "saml_acs_session", "saml-acs-session")
    answer = kept.store.get("response")
    kept.delete()
    try:
        if answer is None:
            raise SignInFailedError("not_requested")
        social_login = _social_login(request, provider, answer)
    except SignInFailedError as failure:
        return failure_page(request, failure, provider=provider.entity_id)
    response: HttpResponse = complete_social_login(request, social_login)
    return response


def _social_login(request: HttpRequest, provider: CompanySamlProvider, answer: str) -> SocialLogin:
    if not answer:
        raise SignInFailedError("no_saml_response")
    configuration = _configuration(request, provider)
    data = _request_data(request)
    try:
        settings = OneLogin_Saml2_Settings(settings=configuration)
    except _LIBRARY_ERRORS:
        raise _malformed_metadata() from None
    response = _parsed(settings, answer)
    _validate(response, data)
    entity_id, address = (
        configuration["sp"]["entityId"],
        configuration["sp"]["assertionConsumerService"]["url"],
    )
    _check_audience(response, entity_id)
    request_id = _answered_request(response, address)
    state = statekit.unstash_state(request, provider_id=provider.sub_id, state_id=request_id)
    if state is None:
        raise SignInFailedError("not_requested")
    try:
        social_login = provider.sociallogin_from_response(request, response)
    except (*_LIBRARY_ERRORS, *_UNREADABLE) as error:
        raise SignInFailedError("bad_saml_response", detail=_name_of(error)) from None
    social_login.state = state
    return social_login


def _parsed(settings: OneLogin_Saml2_Settings, answer: str) -> OneLogin_Saml2_Response:
    """Parse the response; DTDs and entities are refused."""
    try:
        OneLogin_Saml2_Utils.b64decode(answer)
    except ValueError:
        raise SignInFailedError("no_saml_response") from None
    try:
        return OneLogin_Saml2_Response(settings, answer)
    except _LIBRARY_ERRORS as error:
        raise SignInFailedError("bad_saml_response", detail=_name_of(error)) from None
    except _UNREADABLE as error:
        raise SignInFailedError("bad_saml_xml", detail=_name_of(error)) from None


def _validate(response: OneLogin_Saml2_Response, data: dict[str, Any]) -> None:
    """Check signature, times, status, issuer, destination and audience with python3-saml."""
    try:
        response.is_valid(data, raise_exceptions=True)
    except (*_LIBRARY_ERRORS, *_UNREADABLE) as error:
        raise SignInFailedError("bad_saml_response", detail=_name_of(error)) from None


def _check_audience(response: OneLogin_Saml2_Response, entity_id: str) -> None:
    """Check that the signed assertion has an audience restriction, and that each names us; python3-saml
    accepts none.
    """
    restrictions = response._query_assertion("/saml:Conditions/saml:AudienceRestriction")
    for restriction in restrictions:
        audiences = restriction.findall("saml:Audience", namespaces=Constants.NSMAP)
        if entity_id not in [(audience.text or "").strip() for audience in audiences]:
            raise SignInFailedError("no_audience")
    if not restrictions:
        raise SignInFailedError("no_audience")


def _answered_request(response: OneLogin_Saml2_Response, address: str) -> str:
    """Return the ID of our request that the signed assertion answers, at our address and in time.

    The response's own ID may be unsigned: an assertion made for another request could be placed in it.
    """
    now = datetime.now(tz=UTC).timestamp()
    path = "/saml:Subject/saml:SubjectConfirmation"
    for confirmation in response._query_assertion(path):
        data = confirmation.find("saml:SubjectConfirmationData", namespaces=Constants.NSMAP)
        if confirmation.get("Method") != Constants.CM_BEARER or data is None:
            continue
        request_id, ends = data.get("InResponseTo"), data.get("NotOnOrAfter")
        if not request_id or not ends or data.get("Recipient") != address:
            continue
        is_current = OneLogin_Saml2_Utils.parse_SAML_to_time(ends) > now
        if is_current and request_id == response.get_in_response_to():
            return str(request_id)
    raise SignInFailedError("not_in_response")


def _name_of(error: Exception) -> str:
    """Return the library's error codes; its messages repeat what the sender wrote."""
    if isinstance(error, _LIBRARY_ERRORS):
        for name, code in vars(type(error)).items():
            if name.isupper() and code == error.code:
                return str(name).lower().replace("_", " ")
    words = {"DTDForbidden": "it has a DTD", "EntitiesForbidden": "it has entities"}
    return words.get(type(error).__name__, "it can’t be parsed")


@require_GET
def metadata(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Return the metadata of Gatehouse for the identity provider."""
    provider = _provider(request, organization_slug)
    configuration = _configuration(request, provider, with_identity_provider=False)
    settings = OneLogin_Saml2_Settings(settings=configuration, sp_validation_only=True)
    return HttpResponse(settings.get_sp_metadata(), content_type="application/samlmetadata+xml")
