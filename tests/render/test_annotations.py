"""Workflow commands: one a line, escaped as GitHub's documentation says."""

from __future__ import annotations

from qm_cli.render.annotations import as_github_annotations
from tests.made_verdict import verdict


def test_a_line_per_check_that_does_not_pass() -> None:
    text = as_github_annotations(verdict("precision=0.5", "recall=0.9"), "ci/a,b.toml")
    assert text == (
        "::error file=ci/a%2Cb.toml,title=qm gate%3A recall ≥ 0.9::recall is 0.5, 0.4 below the floor of 0.9\n"
    )
    assert as_github_annotations(verdict("precision=0.5")) == ""


def test_kinds() -> None:
    assert as_github_annotations(verdict("precision=0.7", sure=True)).startswith("::warning title=")
    assert as_github_annotations(verdict("APs=0.7", skip=True)).startswith("::notice title=")


def test_a_reason_of_several_lines_is_one_command() -> None:
    found = verdict("recall=0.9")
    found["checks"][0]["reason"] = "50 %\r\nno"
    assert as_github_annotations(found).endswith("::50 %25%0D%0Ano\n")
