"""The addresses of access keys and their rotation."""

from django.urls import path

from console.rotation import acting, begin, keys, lists, many, mine, one, receiving, roots

app_name = "keys"
urlpatterns = [
    path("keys/", keys.keys_page, name="keys"),
    path("keys/export.<str:form>", keys.keys_export, name="keys-export"),
    path("keys/mine/", mine.mine_page, name="mine"),
    path("keys/roots/", roots.roots_page, name="roots"),
    path("keys/rotate/", many.many_page, name="rotate-many"),
    path("keys/<int:pk>/rotate/", begin.begin_page, name="rotate"),
    path("keys/rotations/", lists.rotations_page, name="rotations"),
    path("keys/rotations/<uuid:pk>/", one.rotation_page, name="rotation"),
    path("keys/rotations/<uuid:pk>/act/", acting.act, name="act"),
    path("keys/rotations/<uuid:pk>/secret/", receiving.secret, name="secret"),
    path("key/", receiving.by_link, name="by-link"),
]
