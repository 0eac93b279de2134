"""Tests of the built-in metrics: per module a table of examples worked by hand, oracles, and edges."""
