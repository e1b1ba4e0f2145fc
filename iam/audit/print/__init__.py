"""Writes documents to print and archive: black-and-white PDF, page by page."""
