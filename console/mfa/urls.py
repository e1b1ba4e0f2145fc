"""The addresses of MFA enrolment."""

from django.urls import path

from console.mfa import (
    campaigns,
    devices,
    door,
    enforcing,
    enrolling,
    fleet,
    replacing,
    resync,
    roots,
    sending,
)

app_name = "mfa"
urlpatterns = [
    path("mfa/", fleet.fleet, name="fleet"),
    path("mfa/export.<str:form>", fleet.fleet_export, name="fleet-export"),
    path("mfa/roots/", roots.roots_page, name="roots"),
    path("mfa/roots/export.<str:form>", roots.roots_export, name="roots-export"),
    path("mfa/campaigns/", campaigns.index, name="campaigns"),
    path("mfa/campaigns/new/", campaigns.begin, name="campaign-begin"),
    path("mfa/campaigns/<uuid:pk>/", campaigns.one, name="campaign"),
    path("mfa/campaigns/<uuid:pk>/act/", campaigns.act, name="campaign-act"),
    path("mfa/enforce/", enforcing.enforce, name="enforce"),
    path("mfa/hardware/", roots.demands, name="demands"),
    path("link/<str:word>/", door.link, name="link"),
    path("enrol/", enrolling.by_link, name="by-link"),
    path("enrol/<int:place>/", enrolling.by_link, name="by-link-at"),
    path("mfa/<int:pk>/enrol/", enrolling.own, name="enrol"),
    path("mfa/<int:pk>/send/", sending.send, name="send"),
    path("mfa/<int:pk>/hardware/", devices.hardware, name="hardware"),
    path("mfa/<int:pk>/security-key/", devices.security_key, name="security-key"),
    path("mfa/devices/<int:pk>/label/", devices.label, name="label"),
    path("mfa/devices/<int:pk>/lost/", replacing.lost, name="lost"),
    path("mfa/replacements/", replacing.index, name="replacements"),
    path("mfa/replacements/<uuid:pk>/", replacing.replacement, name="replacement"),
    path("mfa/devices/<int:pk>/resync/", resync.own, name="resync"),
    path("mfa/links/<uuid:pk>/revoke/", sending.revoke, name="revoke"),
]
