"""Addresses of the pages of frameworks."""

from django.urls import path

from console.compliance import framework_list

app_name = "compliance"
urlpatterns = [
    path("compliance/", framework_list.frameworks_page, name="frameworks"),
]
