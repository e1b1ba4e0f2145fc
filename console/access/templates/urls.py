"""The addresses of the pages of templates."""

from __future__ import annotations

from django.urls import URLPattern, path

from console.access.templates import listing, one, rollout, writing

urlpatterns: list[URLPattern] = [
    path("templates/", listing.templates_page, name="templates"),
    path("templates/new/", writing.template_new, name="template-new"),
    path("templates/<slug:slug>/", one.template_page, name="template"),
    path("templates/<slug:slug>/edit/", writing.template_edit, name="template-edit"),
    path("templates/<slug:slug>/retire/", one.template_retire, name="template-retire"),
    path("templates/<slug:slug>/grant/", one.template_grant, name="template-grant"),
    path("templates/<slug:slug>/versions/<int:number>/", one.template_version, name="template-version"),
    path("templates/<slug:slug>/difference/", rollout.template_difference, name="template-difference"),
    path("templates/<slug:slug>/rollout/", rollout.template_rollout, name="template-rollout"),
]
