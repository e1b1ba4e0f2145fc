"""Tests of the AWS layer."""
