"""Tests of qm's commands."""
