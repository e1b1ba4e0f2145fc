"""The addresses of the pages of one thing."""

from django.urls import URLPattern, path

from console.identities.details import compare

urlpatterns: list[URLPattern] = [
    path("compare/", compare.compare, name="compare"),
]
