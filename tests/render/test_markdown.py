"""A gate's verdict as Markdown."""

from __future__ import annotations

from qm_cli.analysis.gating import gated, parsed
from qm_cli.render.markdown import gate_as_markdown
from tests.made_run import report

GOLDEN = """\
## Gate failed: 1 of 2 checks

run, model better, IoU 0.5, confidence 0.5

| check | value | limit | margin | verdict |
| --- | ---: | ---: | ---: | ---: |
| precision ≥ 0.5 | 0.7500 | 0.5000 | 0.2500 | pass |
| false_positives ≤ 2 | 3 | 2 | -1 | **FAIL**: false_positives is 3, 1 above the ceiling of 2 |
"""


def test_golden() -> None:
    verdict = gated(report(), [parsed("min", "precision=0.5"), parsed("max", "false_positives=2")], [])
    assert gate_as_markdown({"target": "run", "model": "better", **verdict}) == GOLDEN


def test_notes() -> None:
    verdict = gated(report() | {"notes": ["a | b\nc"]}, [parsed("min", "precision=0.5")], [])
    text = gate_as_markdown({"target": "run", **verdict})
    assert text.startswith("## Gate passed\n\nrun, IoU")
    assert text.endswith("\n\n- a \\| b c\n")
