"""URLs of MFA devices, links, campaigns and enforcement."""

from django.urls import path

from console.mfa import (
    campaigns,
    devices,
    enforcement,
    enrollment,
    fleet,
    link_landing,
    replacement,
    resync,
    roots,
    send_link,
)

app_name = "mfa"
urlpatterns = [
    path("mfa/", fleet.fleet, name="fleet"),
    path("mfa/export.<str:form>", fleet.fleet_export, name="fleet-export"),
    path("mfa/roots/", roots.roots_page, name="root-users"),
    path("mfa/roots/export.<str:form>", roots.roots_export, name="root-users-export"),
    path("mfa/campaigns/", campaigns.index, name="campaigns"),
    path("mfa/campaigns/new/", campaigns.begin, name="campaign-begin"),
    path("mfa/campaigns/<uuid:pk>/", campaigns.campaign_detail, name="campaign"),
    path("mfa/campaigns/<uuid:pk>/act/", campaigns.act, name="campaign-act"),
    path("mfa/enforce/", enforcement.enforce, name="enforcement"),
    path("mfa/hardware/", roots.demands_page, name="hardware-demands"),
    path("link/<str:word>/", link_landing.link, name="link"),
    path("enrol/", enrollment.by_link, name="enrollment-link"),
    path("enrol/<int:place>/", enrollment.by_link, name="enrollment-link-user"),
    path("mfa/<int:pk>/enrol/", enrollment.start_own_enrollment, name="enrol"),
    path("mfa/<int:pk>/send/", send_link.send, name="send-link"),
    path("mfa/<int:pk>/hardware/", devices.hardware, name="add-hardware-device"),
    path("mfa/<int:pk>/security-key/", devices.security_key, name="security-key"),
    path("mfa/devices/<int:pk>/label/", devices.label, name="rename-device"),
    path("mfa/devices/<int:pk>/lost/", replacement.report_lost_device, name="report-lost-device"),
    path("mfa/replacements/", replacement.index, name="replacements"),
    path("mfa/replacements/<uuid:pk>/", replacement.replacement, name="replacement"),
    path("mfa/devices/<int:pk>/resync/", resync.resync_own_device, name="resync-device"),
    path("mfa/links/<uuid:pk>/revoke/", send_link.revoke, name="revoke"),
]
