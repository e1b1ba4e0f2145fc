"""Tests of iam.changes.drift and its pages."""
