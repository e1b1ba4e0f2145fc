"""Asking for a change of one thing, or in one account, by the pages of acts."""
