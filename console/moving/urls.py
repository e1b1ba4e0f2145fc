"""URLs of team changes."""

from django.urls import URLPattern, path

from console.moving import begin, detail, lists

app_name = "moving"

urlpatterns: list[URLPattern] = [
    path("", lists.moves_page, name="moves"),
    path("new/", begin.begin_page, name="begin"),
    path("<uuid:pk>/", detail.move_page, name="move"),
    path("<uuid:pk>/invite/", detail.move_invite, name="move-invite"),
]
