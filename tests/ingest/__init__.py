"""Tests of qm_cli.ingest."""
