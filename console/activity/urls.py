"""URLs of activity."""

from django.urls import path

from console.activity import (
    coverage,
    events,
    export,
    identity,
    services_report,
    source_requests,
    sources,
    uploads,
)

app_name = "activity"
urlpatterns = [
    path("activity/", events.activity, name="events"),
    path("activity/<int:moment>/<uuid:event_id>/", events.event, name="event"),
    path("activity/export.<str:form>", export.events_export, name="events-export"),
    path("people/<int:pk>/activity/export.<str:form>", export.person_export, name="person-export"),
    path("roles/<int:pk>/activity/export.<str:form>", export.role_export, name="role-export"),
    path("activity/coverage/", coverage.coverage_page, name="coverage"),
    path("activity/sources/", sources.sources_page, name="sources"),
    path("activity/sources/add/", sources.add, name="add-source"),
    path("activity/sources/upload/", uploads.upload, name="upload"),
    path("activity/sources/upload/<uuid:pk>/", uploads.uploaded, name="uploaded"),
    path("activity/sources/requests/<uuid:pk>/", source_requests.request_page, name="source-request"),
    path("activity/sources/requests/<uuid:pk>/decide/", source_requests.decide, name="source-decide"),
    path("activity/sources/<uuid:pk>/remove/", sources.remove, name="source-remove"),
    path("activity/sources/<uuid:pk>/", sources.source_page, name="source"),
    path("activity/sources/<uuid:pk>/<slug:what>/", sources.act, name="source-act"),
    path("activity/services/<int:pk>/read/", services_report.read_services, name="read-services"),
    path("people/<int:pk>/activity/", identity.person_activity, name="person"),
    path("roles/<int:pk>/activity/", identity.role_activity, name="role"),
]
