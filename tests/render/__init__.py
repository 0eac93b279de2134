"""Tests of qm's render."""
