"""The addresses of the identities area."""

from django.urls import URLPattern

from console.identities.details import urls as details

app_name = "identities"
lists: list[URLPattern] = []
urlpatterns: list[URLPattern] = [*lists, *details.urlpatterns]
