"""The addresses of MFA enrolment."""

from django.urls import path

from console.mfa import door, enforcing, enrolling, fleet, resync, roots, sending

app_name = "mfa"
urlpatterns = [
    path("mfa/", fleet.fleet, name="fleet"),
    path("mfa/export.<str:form>", fleet.fleet_export, name="fleet-export"),
    path("mfa/roots/", roots.roots_page, name="roots"),
    path("mfa/roots/export.<str:form>", roots.roots_export, name="roots-export"),
    path("mfa/enforce/", enforcing.enforce, name="enforce"),
    path("mfa/hardware/", roots.demands, name="demands"),
    path("link/<str:word>/", door.link, name="link"),
    path("enrol/", enrolling.by_link, name="by-link"),
    path("mfa/<int:pk>/enrol/", enrolling.own, name="enrol"),
    path("mfa/<int:pk>/send/", sending.send, name="send"),
    path("mfa/devices/<int:pk>/resync/", resync.own, name="resync"),
    path("mfa/links/<uuid:pk>/revoke/", sending.revoke, name="revoke"),
]
