"""URLs of notifications."""

from django.urls import path

from console.notify import links, outbox, preferences

app_name = "notify"
urlpatterns = [
    path("settings/notifications/", outbox.outbox, name="outbox"),
    path("settings/notifications/test/", outbox.test, name="test"),
    path("settings/notifications/<uuid:pk>/again/", outbox.again, name="send-again"),
    path("profile/notifications/", preferences.preferences, name="preferences"),
    path("go/<str:word>/", links.follow, name="follow-link"),
]
