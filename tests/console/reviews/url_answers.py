"""The addresses of reviews for tests/test_urls_by_role.py. The team lead reviews a row of “review”; the
administrator started it, and the draft.
"""

from __future__ import annotations

# fmt: off
REVIEWS: dict[tuple[str, str, str], str] = {
    ("GET", "reviews:list", ""): "sign-in 404 404 200 200 200 200",
    ("GET", "reviews:new", ""): "sign-in 404 404 404 404 200 200",
    ("POST", "reviews:new", ""): "sign-in 404 404 404 404 422 422",
    ("GET", "reviews:campaign", "review"): "sign-in 404 404 200 200 200 200",
    ("GET", "reviews:campaign", "other review"): "sign-in 404 404 404 200 200 200",
    ("GET", "reviews:campaign", "review draft"): "sign-in 404 404 404 404 404 200",
    ("GET", "reviews:export", "review csv"): "sign-in 404 404 200 200 200 200",
    ("GET", "reviews:export", "other review csv"): "sign-in 404 404 404 200 200 200",
    ("POST", "reviews:open", "review draft"): "sign-in 404 404 404 404 404 302",
    ("POST", "reviews:discard", "review draft"): "sign-in 404 404 404 404 404 302",
    ("POST", "reviews:cancel", "review"): "sign-in 404 404 422 404 422 422",
    ("POST", "reviews:cancel", "other review"): "sign-in 404 404 404 404 422 422",
    ("POST", "reviews:assign", "review"): "sign-in 404 404 422 404 422 422",
    ("POST", "reviews:assign", "other review"): "sign-in 404 404 404 404 422 422",
    ("POST", "reviews:request", "review"): "sign-in 404 404 302 404 302 302",
    ("POST", "reviews:request", "other review"): "sign-in 404 404 404 404 302 302",
    ("POST", "reviews:sign", "review"): "sign-in 404 404 422 404 422 422",
    ("POST", "reviews:sign", "other review"): "sign-in 404 404 404 404 422 422",
    ("POST", "reviews:acknowledge", "review"): "sign-in 404 404 404 404 422 422",
    ("POST", "reviews:acknowledge", "other review"): "sign-in 404 404 404 404 422 422",
    ("POST", "reviews:decide", "review"): "sign-in 404 404 422 404 422 422",
    ("POST", "reviews:decide", "other review"): "sign-in 404 404 404 404 422 422",
    ("GET", "reviews:row", "review row"): "sign-in 404 404 200 200 200 200",
    ("GET", "reviews:row", "other review row"): "sign-in 404 404 404 200 200 200",
    ("POST", "reviews:decide-row", "review row"): "sign-in 404 404 422 404 422 422",
    ("POST", "reviews:decide-row", "other review row"): "sign-in 404 404 404 404 422 422",
    ("POST", "reviews:give-back", "review row"): "sign-in 404 404 302 404 302 302",
    ("POST", "reviews:give-back", "other review row"): "sign-in 404 404 404 404 302 302",
    ("GET", "reviews:rules", ""): "sign-in 404 404 404 200 200 200",
    ("GET", "reviews:rule-new", ""): "sign-in 404 404 404 404 200 200",
    ("POST", "reviews:rule-new", ""): "sign-in 404 404 404 404 422 422",
    ("GET", "reviews:rule", "duties"): "sign-in 404 404 404 200 200 200",
    ("POST", "reviews:rule-retire", "duties"): "sign-in 404 404 404 404 422 422",
    ("POST", "reviews:rule-decide", "duties"): "sign-in 404 404 404 404 302 302",
}
