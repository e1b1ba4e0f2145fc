"""Documents to print and to keep: PDF in black and white, written page by page."""
