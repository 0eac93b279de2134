"""Tests of qm_cli.analysis."""
