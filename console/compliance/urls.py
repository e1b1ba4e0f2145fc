"""URLs of frameworks."""

from django.urls import path

from console.compliance import (
    decision_requests,
    exports,
    framework_list,
    framework_page,
    requirement_page,
    scope_pages,
)

app_name = "compliance"
urlpatterns = [
    path("compliance/", framework_list.frameworks_page, name="frameworks"),
    path("compliance/scopes/", scope_pages.scopes_page, name="scopes"),
    path("compliance/scopes/new/", scope_pages.new, name="scope-new"),
    path("compliance/scopes/<slug:slug>/", scope_pages.edit, name="scope"),
    path("compliance/scopes/<slug:slug>/remove/", scope_pages.remove, name="scope-remove"),
    path("compliance/decisions/<uuid:pk>/answer/", decision_requests.answer, name="answer"),
    path("compliance/decisions/<uuid:pk>/end/", decision_requests.end, name="end"),
    path("compliance/<str:name>/", framework_page.framework_page, name="framework"),
    path("compliance/<str:name>/assessed/", decision_requests.mark, name="mark"),
    path("compliance/<str:name>/export.<str:form>", exports.export, name="export"),
    path("compliance/<str:name>/<str:number>/", requirement_page.requirement_page, name="requirement"),
    path("compliance/<str:name>/<str:number>/decide/", decision_requests.decide, name="decide"),
]
