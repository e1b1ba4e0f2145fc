"""OpenID Connect with the authorization code flow, PKCE and a nonce; people are identified by the validated
ID token.
"""

from __future__ import annotations

import re
from secrets import token_urlsafe
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.base.views import BaseLoginView
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET

from console.operators.single_sign_on.addresses import usable_address
from console.operators.single_sign_on.failures import SignInFailedError, failure_page
from console.operators.single_sign_on.id_token import usable_subject, validated_claims
from console.operators.single_sign_on.provider_http import fetch_json

SCOPES = ("openid", "profile", "email")
_ERROR_CODE = re.compile(r"[a-z_]{1,40}")


class ProviderDiscovery(NamedTuple):
    """The relevant parts of the discovery document; `userinfo` is "" if there is none."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str
    takes_basic_auth: bool


class CompanyOpenIdProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """Allauth provider whose bindings belong to the issuer; a browser can’t change the request's
    parameters.
    """

    @property
    def issuer(self) -> str:
        """The configured issuer without a trailing slash, which is the key of its bindings."""
        return str(self.app.settings["server_url"]).rstrip("/")

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """Redirect to the issuer; of the browser's parameters only the page to return to is used."""
        discovery = discover(self)
        pkce = generate_code_challenge()
        verifier, nonce = pkce.pop("code_verifier"), token_urlsafe(32)
        pkce["code_challenge"] = pkce["code_challenge"].decode()
        state = self.stash_redirect_state(
            request, AuthProcess.LOGIN, next_url, pkce_code_verifier=verifier, nonce=nonce
        )
        query = {
            "client_id": self.app.client_id,
            "redirect_uri": self._redirect_address(request),
            "scope": " ".join(SCOPES),
            "response_type": "code",
            "state": state,
            "nonce": nonce,
            **pkce,
        }
        joint = "&" if urlsplit(discovery.authorization).query else "?"
        return HttpResponseRedirect(f"{discovery.authorization}{joint}{urlencode(query)}")

    def _redirect_address(self, request: HttpRequest) -> str:
        address: str = self.get_oauth2_adapter(request).get_callback_url(request, self.app)
        return address

    def sociallogin_from_response(self, request: HttpRequest, response: dict[str, Any]) -> SocialLogin:
        """Return the identity in the claims; of the claims only the address is stored."""
        login: SocialLogin = super().sociallogin_from_response(request, response)
        login.account.provider = self.issuer
        login.account._provider = self
        return login

    def extract_uid(self, data: dict[str, Any]) -> str:
        """Return the subject of the ID token."""
        return usable_subject(data["id_token"]["sub"])

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return what administrators see of a binding."""
        address, _ = _address(data)
        return {"email": address}

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return {}, because people are already known."""
        return {}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        """Return the address, and whether the issuer verified it."""
        address, is_verified = _address(data)
        return [EmailAddress(email=address, verified=is_verified, primary=True)] if address else []


def _address(data: dict[str, Any]) -> tuple[str, bool]:
    """Return address and verification from the same document: userinfo if it has an address, else the ID
    token.

    Some issuers send "false" as text, so only `true` and "true" count.
    """
    for claims in (data.get("userinfo") or {}, data["id_token"]):
        if address := usable_address(claims.get("email")):
            verified = claims.get("email_verified")
            return address, verified is True or verified == "true"
    return "", False


def discover(provider: CompanyOpenIdProvider) -> ProviderDiscovery:
    """Load the discovery document. Raises SignInFailedError if it is invalid or belongs to another issuer."""
    document = fetch_json(provider.server_url, what="discovery document")
    issuer = document.get("issuer")
    if not isinstance(issuer, str) or issuer.rstrip("/") != provider.issuer:
        raise SignInFailedError("bad_discovery", detail="its issuer isn’t the configured one")
    methods = document.get("token_endpoint_auth_methods_supported")
    methods = methods if isinstance(methods, list) else []
    authorization = _endpoint(document, "authorization_endpoint", issuer)
    token = _endpoint(document, "token_endpoint", issuer)
    keys = _endpoint(document, "jwks_uri", issuer)
    userinfo = ""
    if document.get("userinfo_endpoint") is not None:
        userinfo = _endpoint(document, "userinfo_endpoint", issuer)
    return ProviderDiscovery(
        issuer=issuer,
        authorization=authorization,
        token=token,
        keys=keys,
        userinfo=userinfo,
        takes_basic_auth="client_secret_post" not in methods and "client_secret_basic" in methods,
    )


def _endpoint(document: dict[str, Any], name: str, issuer: str) -> str:
    """Return an endpoint of the document, which must be as protected as the issuer itself."""
    address = document.get(name)
    if not isinstance(address, str):
        address = ""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        raise SignInFailedError("bad_discovery", detail=f"{name} isn’t an address") from None
    if not host or parts.scheme not in {"https", urlsplit(issuer).scheme}:
        raise SignInFailedError("bad_discovery", detail=f"{name} isn’t a usable address")
    return str(address)


def _provider(request: HttpRequest, provider_id: str) -> CompanyOpenIdProvider:
    try:
        app = get_adapter().get_app(request, provider=CompanyOpenIdProvider.id)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    if app.provider_id != provider_id:
        raise Http404
    provider: CompanyOpenIdProvider = app.get_provider(request)
    return provider


class _OpenIdLogin(BaseLoginView):  # type: ignore[misc]
    def get_provider(self) -> CompanyOpenIdProvider:
        return _provider(self.request, self.kwargs["provider_id"])


def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Ask whether to go to the issuer (GET), and redirect there (POST)."""
    provider = _provider(request, provider_id)
    try:
        response: HttpResponse = _OpenIdLogin.as_view()(request, provider_id=provider_id)
    except SignInFailedError as failure:
        return failure_page(request, failure, provider=provider.issuer)
    return response


@require_GET
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Handle the redirect back from the issuer."""
    provider = _provider(request, provider_id)
    try:
        social_login = _social_login(request, provider)
    except SignInFailedError as failure:
        return failure_page(request, failure, provider=provider.issuer)
    response: HttpResponse = complete_social_login(request, social_login)
    return response


def _social_login(request: HttpRequest, provider: CompanyOpenIdProvider) -> SocialLogin:
    answer = request.GET
    state = statekit.unstash_state(request, provider_id=provider.sub_id, state_id=answer.get("state", ""))
    if state is None:
        raise SignInFailedError("not_requested")
    if "error" in answer:
        raise _refusal_of_issuer(answer["error"])
    if not answer.get("code"):
        raise SignInFailedError("no_code")
    discovery = discover(provider)
    if answer.get("iss", discovery.issuer) != discovery.issuer:
        raise SignInFailedError("wrong_issuer")
    tokens = _exchange(
        request, provider, discovery, code=answer["code"], verifier=state["pkce_code_verifier"]
    )
    claims = validated_claims(
        tokens.get("id_token"),
        issuer=discovery.issuer,
        client_id=provider.app.client_id,
        key_set=fetch_json(discovery.keys, what="key set"),
        nonce=state["nonce"],
    )
    userinfo = _userinfo(discovery, tokens, subject=claims["sub"])
    social_login = provider.sociallogin_from_response(request, {"id_token": claims, "userinfo": userinfo})
    social_login.state = state
    return social_login


def _refusal_of_issuer(code: str) -> SignInFailedError:
    if code == "access_denied":
        return SignInFailedError("cancelled")
    detail = code if _ERROR_CODE.fullmatch(code) else "of an unknown type"
    return SignInFailedError("provider_error", detail=detail)


def _exchange(
    request: HttpRequest,
    provider: CompanyOpenIdProvider,
    discovery: ProviderDiscovery,
    *,
    code: str,
    verifier: str,
) -> dict[str, Any]:
    """Exchange the code for tokens."""
    app = provider.app
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": provider._redirect_address(request),
        "code_verifier": verifier,
    }
    auth = (app.client_id, app.secret) if discovery.takes_basic_auth else None
    if auth is None:
        form |= {"client_id": app.client_id, "client_secret": app.secret}
    return fetch_json(discovery.token, what="token endpoint", form=form, auth=auth)


def _userinfo(discovery: ProviderDiscovery, tokens: dict[str, Any], *, subject: str) -> dict[str, Any]:
    """Return the userinfo claims about the ID token's subject; {} if the issuer has no userinfo."""
    if not discovery.userinfo:
        return {}
    access_token = tokens.get("access_token")
    if not isinstance(access_token, str) or not access_token.isascii() or not access_token.isprintable():
        raise SignInFailedError("no_access_token")
    if not access_token.strip():
        raise SignInFailedError("no_access_token")
    headers = {"Authorization": f"Bearer {access_token}"}
    userinfo = fetch_json(discovery.userinfo, what="userinfo endpoint", headers=headers)
    if userinfo.get("sub") != subject:
        raise SignInFailedError("other_subject")
    return userinfo
