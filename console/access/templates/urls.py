"""URLs of templates."""

from __future__ import annotations

from django.urls import URLPattern, path

from console.access.templates import detail, editor, lists, rollout

urlpatterns: list[URLPattern] = [
    path("templates/", lists.templates_page, name="templates"),
    path("templates/new/", editor.template_new, name="template-new"),
    path("templates/<slug:slug>/", detail.template_page, name="template"),
    path("templates/<slug:slug>/edit/", editor.template_edit, name="template-edit"),
    path("templates/<slug:slug>/retire/", detail.template_retire, name="template-retire"),
    path("templates/<slug:slug>/grant/", detail.template_grant, name="template-grant"),
    path("templates/<slug:slug>/versions/<int:number>/", detail.template_version, name="template-version"),
    path("templates/<slug:slug>/difference/", rollout.template_difference, name="template-difference"),
    path("templates/<slug:slug>/rollout/", rollout.template_rollout, name="template-rollout"),
]
