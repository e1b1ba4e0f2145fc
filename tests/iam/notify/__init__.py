"""Tests of iam.notify and its pages."""
