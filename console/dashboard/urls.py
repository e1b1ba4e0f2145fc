"""URLs of the start page and its parts."""

from django.urls import path

from console.dashboard import overview, views

app_name = "dashboard"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("overview/escalation/", overview.escalation, name="escalation"),
]
