"""Sign-in URLs: the views of allauth that Gatehouse uses, without sign-up and change of address."""

from allauth.account import views
from allauth.socialaccount import views as social_views
from django.conf import settings
from django.urls import include, path, re_path

from console.operators import totp
from console.operators.recency import recently_authenticated
from console.operators.single_sign_on_urls import leads_to_provider, oidc_patterns, saml_patterns

urlpatterns = [
    path("", leads_to_provider(views.login), name="account_login"),
    path("out/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("confirm/", views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", views.password_change, name="account_change_password"),
    # People who signed in through single sign-on have no old password; an unattended session must not allow
    # someone to set one.
    path("password/set/", recently_authenticated(views.password_set), name="account_set_password"),
    path("password/reset/", views.password_reset, name="account_reset_password"),
    path("password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("factors/totp/activate/", totp.activate, name="mfa_activate_totp"),
    path("factors/", include("allauth.mfa.urls")),
    path("cancelled/", social_views.login_cancelled, name="socialaccount_login_cancelled"),
    path("error/", social_views.login_error, name="socialaccount_login_error"),
]
if "openid_connect" in settings.SOCIALACCOUNT_PROVIDERS:
    urlpatterns += oidc_patterns
if "saml" in settings.SOCIALACCOUNT_PROVIDERS:
    urlpatterns += saml_patterns
