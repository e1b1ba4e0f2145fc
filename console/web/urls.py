"""Addresses that belong to no area: health."""

from django.urls import path

from console.web import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
