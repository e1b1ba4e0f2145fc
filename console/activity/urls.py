"""The addresses of the activity pages."""

from django.urls import path

from console.activity import events, identity

app_name = "activity"
urlpatterns = [
    path("activity/", events.activity, name="events"),
    path("activity/<int:moment>/<uuid:event_id>/", events.event, name="event"),
    path("people/<int:pk>/activity/", identity.person_activity, name="person"),
    path("roles/<int:pk>/activity/", identity.role_activity, name="role"),
]
