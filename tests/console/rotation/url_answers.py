"""The expected answers of the pages about access keys; see tests/url_answers.py."""

from __future__ import annotations

# fmt: off
KEYS: dict[tuple[str, str, str], str] = {
    ("GET", "keys:keys", ""): "sign-in 404 404 200 200 200 200",
    ("GET", "keys:keys-export", "csv"): "sign-in 404 404 200 200 200 200",
    ("GET", "keys:my-keys", ""): "sign-in 404 200 200 200 200 200",
    ("GET", "keys:root-keys", ""): "sign-in 404 404 404 200 200 200",
    ("GET", "keys:rotate-many", ""): "sign-in 404 404 200 404 200 200",
    ("POST", "keys:rotate-many", ""): "sign-in 404 404 422 404 422 422",
    ("GET", "keys:rotate", "own key"): "sign-in 404 200 200 404 200 200",
    ("GET", "keys:rotate", "other key"): "sign-in 404 404 404 404 200 200",
    ("GET", "linking:key-owner", "own key"): "sign-in 404 404 404 404 404 200",
    ("GET", "linking:key-owner", "other key"): "sign-in 404 404 404 404 404 200",
    ("POST", "linking:key-owner", "own key"): "sign-in 404 404 404 404 404 302",
    ("POST", "linking:key-owner", "other key"): "sign-in 404 404 404 404 404 302",
    ("POST", "keys:rotate", "own key"): "sign-in 404 422 422 404 422 422",
    ("POST", "keys:rotate", "other key"): "sign-in 404 404 404 404 422 422",
    ("GET", "keys:rotations", ""): "sign-in 404 404 200 200 200 200",
    ("GET", "keys:rotation", "own rotation"): "sign-in 404 200 200 200 200 200",
    ("GET", "keys:rotation", "other rotation"): "sign-in 404 404 404 200 200 200",
    ("POST", "keys:rotation-act", "own rotation"): "sign-in 404 404 404 404 404 404",
    ("POST", "keys:rotation-act", "other rotation"): "sign-in 404 404 404 404 404 404",
    ("GET", "keys:new-key-secret", "own rotation"): "sign-in 302 302 302 302 302 302",
    ("POST", "keys:new-key-secret", "own rotation"): "sign-in 404 422 404 404 404 404",
    ("POST", "keys:new-key-secret", "other rotation"): "sign-in 404 404 404 404 404 404",
    ("GET", "keys:new-key-link", ""): "403 403 403 403 403 403 403",
    ("POST", "keys:new-key-link", ""): "403 403 403 403 403 403 403",
}
