"""URLs of offboarding and suspensions."""

from django.urls import URLPattern, path

from console.offboarding import (
    begin,
    certificate,
    detail,
    file,
    leaver_handover,
    lists,
    restore_and_delete,
    run,
    suspend,
)

app_name = "offboarding"

urlpatterns: list[URLPattern] = [
    path("", lists.leavers_page, name="leavers"),
    path("new/", begin.begin_page, name="begin"),
    path("suspend/", suspend.suspend_page, name="suspend"),
    path("file/", file.file_page, name="file"),
    path("people/<uuid:pk>/", detail.leaver_page, name="leaver"),
    path("people/<uuid:pk>/again/", detail.leaver_again, name="retry"),
    path("people/<uuid:pk>/hand-over/", leaver_handover.hand_over_page, name="hand-over"),
    path("people/<uuid:pk>/invite/", restore_and_delete.leaver_invite, name="invite"),
    path("people/<uuid:pk>/confirm/", suspend.leaver_confirm, name="confirm"),
    path("people/<uuid:pk>/take-back/", suspend.leaver_take_back, name="lift-suspension"),
    path("people/<uuid:pk>/restore/", restore_and_delete.leaver_restore, name="restore"),
    path("people/<uuid:pk>/delete/", restore_and_delete.leaver_delete, name="delete"),
    path("people/<uuid:pk>/certificate/<str:kind>/", certificate.certificate_page, name="certificate"),
    path(
        "people/<uuid:pk>/certificate/<str:kind>/certificate.json",
        certificate.certificate_export,
        name="certificate-export",
    ),
    path("<uuid:pk>/", run.run_page, name="run"),
    path("<uuid:pk>/ask/", run.run_ask, name="run-request"),
    path("<uuid:pk>/discard/", run.run_discard, name="run-discard"),
]
