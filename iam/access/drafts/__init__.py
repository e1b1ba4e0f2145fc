"""Drafts of grants: the form steps filled in so far, stored on the server under a link of their owner."""
