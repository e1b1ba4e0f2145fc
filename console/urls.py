"""The root URL configuration, which includes the URLs of each area."""

from django.conf import settings
from django.urls import include, path

from console.onboarding.invitation import gatehouse_sign_in, invitation, invitation_request

handler404 = "console.web.disconnected.not_found"
handler500 = "console.web.unavailable.error_500"
urlpatterns = [
    path("", include("console.dashboard.urls")),
    path("", include("console.identities.urls")),
    path("", include("console.access.urls")),
    path("", include("console.linking.urls")),
    path("", include("console.activity.urls")),
    path("accounts/", include("console.setup.urls")),
    path("changes/", include("console.changes.urls")),
    path("invitation/", invitation, name="invitation"),
    path("invitation/sign-in/", gatehouse_sign_in, name="invitation-sign-in"),
    path("invitation/request/<str:word>/", invitation_request, name="invitation-request"),
    path("onboarding/", include("console.onboarding.urls")),
    path("leaving/", include("console.offboarding.urls")),
    path("moving/", include("console.moving.urls")),
    path("audit/", include("console.audit.urls")),
    path("", include("console.findings.urls")),
    path("", include("console.compliance.urls")),
    path("", include("console.reviews.urls")),
    path("", include("console.evidence.urls")),
    path("", include("console.mfa.urls")),
    path("", include("console.rotation.urls")),
    path("", include("console.notify.urls")),
    path("", include("console.operators.urls")),
    path("", include("console.web.urls")),
]
if settings.DEBUG_TOOLBAR:
    urlpatterns.append(path("__debug__/", include("debug_toolbar.urls")))
