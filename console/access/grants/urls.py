"""URLs of shared access."""

from __future__ import annotations

from django.urls import URLPattern, path

from console.access.grants import (
    about,
    acts,
    ask,
    detail,
    export,
    handover,
    lists,
    my_access,
    owner,
    preview,
    reduce,
    what,
    who,
    wizard,
)

urlpatterns: list[URLPattern] = [
    path("grants/", lists.grants, name="grants"),
    path("grants/export.<str:form>", export.grants_export, name="grants-export"),
    path("grants/new/", wizard.begin, name="grant-new"),
    path("grants/new/of/", wizard.begin_with, name="grant-of"),
    path("grants/new/<uuid:pk>/who/", who.who_step, name="grant-who"),
    path("grants/new/<uuid:pk>/what/", what.what_step, name="grant-what"),
    path("grants/new/<uuid:pk>/preview/", preview.preview_step, name="grant-preview"),
    path("grants/new/<uuid:pk>/done/", detail.done_step, name="grant-done"),
    path("grants/new/<uuid:pk>/discard/", wizard.discard, name="grant-discard"),
    path("grants/<uuid:pk>/", detail.grant, name="grant"),
    path("grants/<uuid:pk>/in/<int:number>/", detail.part, name="grant-part"),
    path("grants/<uuid:pk>/hand-over/", handover.handover, name="grant-handover"),
    path("grants/<uuid:pk>/owner/", owner.grant_owner, name="grant-owner"),
    path("grants/<uuid:pk>/end/", acts.end, name="grant-end"),
    path("grants/<uuid:pk>/extend/", acts.extend, name="grant-extend"),
    path("grants/<uuid:pk>/shorten/", acts.shorten, name="grant-shorten"),
    path("grants/<uuid:pk>/retry/", acts.retry, name="grant-retry"),
    path("grants/<uuid:pk>/reduce/", reduce.reduce, name="grant-reduce"),
    path("grants/<uuid:pk>/cut/<int:number>/", acts.cut, name="grant-cut"),
    path("grants/<uuid:pk>/again/", acts.again, name="grant-again"),
    path("grants/<uuid:pk>/withdraw/", acts.withdraw, name="grant-withdraw"),
    path("people/<int:pk>/grants/", about.person_grants, name="person-grants"),
    path("roles/<int:pk>/grants/", about.role_grants, name="role-grants"),
    path("groups/<int:pk>/grants/", about.group_grants, name="group-grants"),
    path("ask/", ask.ask, name="ask"),
    path("ask/choose/", ask.ask_from_template, name="ask-from-template"),
    path("my-access/", my_access.mine, name="my-access"),
    path("my-access/<int:pk>/can/", my_access.mine_can, name="my-permissions"),
]
