"""The addresses of the pages about access."""

from django.urls import URLPattern

app_name = "access"

urlpatterns: list[URLPattern] = []
