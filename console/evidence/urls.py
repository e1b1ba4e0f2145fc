"""URLs of evidence packs and samples."""

from django.urls import path

from console.evidence import pack, pack_list, sample

app_name = "evidence"
urlpatterns = [
    path("evidence/", pack_list.packs_page, name="packs"),
    path("evidence/new/", pack.new, name="new"),
    path("evidence/sample/", sample.sample_page, name="sample"),
    path("evidence/sample/export/", sample.sample_file, name="sample-export"),
    path("evidence/verifier/", pack_list.verifier, name="verifier"),
    path("evidence/<uuid:pk>/", pack.pack_page, name="pack"),
    path("evidence/<uuid:pk>/delete/", pack.delete_pack, name="pack-delete"),
    path("evidence/<uuid:pk>/download/", pack.download_pack, name="pack-export"),
]
