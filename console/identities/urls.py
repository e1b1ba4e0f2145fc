"""The addresses of the identities area."""

from django.urls import URLPattern

app_name = "identities"
urlpatterns: list[URLPattern] = []
