"""Attacks on the pages about access: what must not be told, what must not break them."""
