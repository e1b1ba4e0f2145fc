"""URLs of access keys and their rotation."""

from django.urls import path

from console.rotation import actions, begin, bulk_rotation, detail, keys, lists, my_keys, new_key, roots

app_name = "keys"
urlpatterns = [
    path("keys/", keys.keys_page, name="keys"),
    path("keys/export.<str:form>", keys.keys_export, name="keys-export"),
    path("keys/mine/", my_keys.mine_page, name="my-keys"),
    path("keys/roots/", roots.roots_page, name="root-keys"),
    path("keys/rotate/", bulk_rotation.many_page, name="rotate-many"),
    path("keys/<int:pk>/rotate/", begin.begin_page, name="rotate"),
    path("keys/rotations/", lists.rotations_page, name="rotations"),
    path("keys/rotations/<uuid:pk>/", detail.rotation_page, name="rotation"),
    path("keys/rotations/<uuid:pk>/act/", actions.act, name="rotation-act"),
    path("keys/rotations/<uuid:pk>/secret/", new_key.secret, name="new-key-secret"),
    path("key/", new_key.by_link, name="new-key-link"),
]
