"""Tests of qm."""
