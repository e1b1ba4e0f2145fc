"""URLs outside the feature areas: health checks and the page of components."""

from django.urls import path

from console.web import health
from console.web.component_page import component_page

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("development/components/", component_page, name="components"),
]
