"""The addresses of MFA enrolment."""

from django.urls import path

from console.mfa import door, enrolling, resync, sending

app_name = "mfa"
urlpatterns = [
    path("link/<str:word>/", door.link, name="link"),
    path("enrol/", enrolling.by_link, name="by-link"),
    path("mfa/<int:pk>/enrol/", enrolling.own, name="enrol"),
    path("mfa/<int:pk>/send/", sending.send, name="send"),
    path("mfa/devices/<int:pk>/resync/", resync.own, name="resync"),
    path("mfa/links/<uuid:pk>/revoke/", sending.revoke, name="revoke"),
]
