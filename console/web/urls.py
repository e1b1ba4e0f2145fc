"""Addresses that belong to no area: health."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
