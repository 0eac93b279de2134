"""qm gate: may this model ship? Exit code 0 or 1, and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qm_cli import console, options
from qm_cli.errors import UsageError

if TYPE_CHECKING:
    from qm_cli.settings import Settings

PASSED, FAILED = 0, 1
CHECKS = "Checks"

Target = Annotated[Path, typer.Argument(help="A run folder; or the label file, with PREDICTIONS.")]
PredictionFile = Annotated[Path | None, typer.Argument(help="Prediction file, when TARGET is the label file.")]
Minimum = Annotated[
    list[str] | None,
    typer.Option(
        "--min", help="Floor, repeatable: precision=0.8, AP50=0.5, recall@person=0.6.", rich_help_panel=CHECKS
    ),
]
Maximum = Annotated[
    list[str] | None,
    typer.Option("--max", help="Ceiling, repeatable: false_positives=100.", rich_help_panel=CHECKS),
]
AllowUndefined = Annotated[
    bool,
    typer.Option("--allow-undefined", help="An undefined value passes; otherwise it fails.", rich_help_panel=CHECKS),
]
AllowFindings = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-findings",
        metavar="CODE",
        help="Samples dropped as bad input fail the gate, but for this code. Repeatable.",
        rich_help_panel=CHECKS,
    ),
]
JUnit = Annotated[
    Path | None, typer.Option("--junit", help="Write JUnit XML to this file.", rich_help_panel=options.OUTPUT)
]
Markdown = Annotated[
    Path | None, typer.Option("--markdown", help="Write a Markdown table to this file.", rich_help_panel=options.OUTPUT)
]


def gate(
    target: Target,
    predictions: PredictionFile = None,
    minimum: Minimum = None,
    maximum: Maximum = None,
    iou: options.OwnIoU = None,
    confidence: options.OwnConfidence = None,
    allow_undefined: AllowUndefined = False,
    allow_findings: AllowFindings = None,
    model: options.Model = None,
    match_by: options.MatchBy = "id",
    map_categories: options.MapCategories = None,
    missing_score: options.MissingScore = None,
    junit: JUnit = None,
    markdown: Markdown = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Hold a model against floors and ceilings: exit code 0 when all hold, 1 when one does not."""
    from qm_cli.analysis import gating

    bounds = [gating.parsed(gating.MIN, text) for text in minimum or ()]
    bounds += [gating.parsed(gating.MAX, text) for text in maximum or ()]
    allowed = options.split(allow_findings)
    if not bounds:
        raise UsageError("no check given", "name one: --min precision=0.8")
    gating.known_codes(allowed)
    if predictions is None:
        source, report, findings = _of_run(target, model, iou, confidence)
    else:
        if model is not None:
            raise UsageError("--model picks one of a run's models", "leave it out with LABELS and PREDICTIONS")
        naming = {"match_by": match_by, "map_categories": map_categories, "missing_score": missing_score}
        source, report, findings = _of_files(target, predictions, iou, confidence, naming)
    verdict = gating.gated(report, bounds, findings, allow_undefined=allow_undefined, allowed=allowed)
    verdict = {**source, **verdict}
    code = PASSED if verdict["passed"] else FAILED
    console.mood.verdict = code
    _write(verdict, junit, markdown, json)
    return code


Found = tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]


def _of_run(target: Path, model: str | None, iou: float | None, confidence: float | None) -> Found:
    """The run's own evaluation, or one at the thresholds asked for."""
    from qm_cli.run_folder import open_run

    if target.is_file():
        raise UsageError(f"{target}: is a file", "gate a run folder, or give LABELS and PREDICTIONS")
    run = open_run(target, model)
    if model is None and len(run.models) > 1:
        raise UsageError(f"{run.path}: holds the models {', '.join(run.models)}", "name one with --model")
    changed = run.changed_inputs()
    if changed:
        raise UsageError(f"{run.path}: {changed[0]} has changed since the run was made", "score the dataset again")
    report = own = run.evaluation()
    if report["iou"] is None and (iou is not None or confidence not in (None, report["confidence"])):
        raise UsageError(f"{run.path}: holds classes, counted as they were scored", "leave --iou and --confidence out")
    if iou not in (None, report["iou"]) or confidence not in (None, report["confidence"]):
        from qm_cli.report import report_of
        from qm_cli.run_tables import tables_of_run
        from qm_cli.settings import Settings

        report = report_of(tables_of_run(run), _at(Settings.from_dict(run.manifest["settings"]), iou, confidence))
    known = {finding["code"] for finding in own["findings"]}
    others = [
        finding
        for finding in run.summary().get("findings", [])
        if finding["code"] not in known and not finding["code"].startswith("prediction-")
    ]
    name = model or next(iter(run.models), None)
    return {"target": str(run.path), "model": name}, report, [*own["findings"], *others]


def _at(settings: Settings, iou: float | None, confidence: float | None) -> Settings:
    """The settings at the thresholds asked for."""
    settings = settings if iou is None else replace(settings, iou=iou)
    return settings if confidence is None else replace(settings, confidence=confidence)


def _of_files(
    labels: Path, predictions: Path, iou: float | None, confidence: float | None, naming: dict[str, Any]
) -> Found:
    """The evaluation of the two files; naming: how predictions name what the labels do (see `load.Source`)."""
    if labels.is_dir():
        raise UsageError(f"{labels}: is a folder", "give the label file, or a run folder alone")
    from qm_cli.answer_task import holds_answers

    target = {"target": f"{labels} {predictions}", "model": predictions.stem}
    if holds_answers(labels, predictions):
        from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files
        from qm_cli.load_answers import AnswerSource

        source = AnswerSource(labels, predictions, **naming)
        request = AnswerRequest(source, iou=0.5 if iou is None else iou, confidence=confidence)
        _, report = evaluate_answer_files(request)
        return target, report, report["findings"]
    from qm_cli.load import Source, reading

    with reading(Source(labels, predictions, **naming)) as tables:
        from qm_cli.report import report_of
        from qm_cli.settings import Settings

        report = report_of(tables(), _at(Settings(), iou, confidence))
    return target, report, report["findings"]


def _write(verdict: dict[str, Any], junit: Path | None, markdown: Path | None, json: bool) -> None:
    """The files first: a closed stdout must not keep them from being written."""
    from qm_cli.output import deliver

    if junit is not None:
        from qm_cli.render.junit import as_junit

        deliver(as_junit(verdict), junit)
    if markdown is not None:
        from qm_cli.render.markdown import gate_as_markdown

        deliver(gate_as_markdown(verdict), markdown)
    if json:
        from qm_cli.render.as_json import as_json

        deliver(as_json(verdict), None)
    elif "-" not in (str(junit), str(markdown)):
        from qm_cli.render.terminal import show_gate

        show_gate(verdict)
