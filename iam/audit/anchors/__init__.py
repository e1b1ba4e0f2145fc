"""Writes anchors of the journal to a folder, to S3 with Object Lock or by mail, and reads them back."""
