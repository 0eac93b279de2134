"""qm gate: may this model ship? Exit code 0 or 1, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from qm_cli import console, options
from qm_cli.errors import UsageError, refuse_options

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
    convention: options.OwnConvention = None,
    voc_devkit: options.VocDevkit = False,
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
    chosen: dict[str, Any] = {
        "convention": None if convention is None else convention.value,
        "iou": iou,
        "confidence": confidence,
        "voc_devkit": voc_devkit,
    }
    if predictions is None:
        source, report, findings = _of_run(target, model, chosen)
    else:
        if model is not None:
            raise UsageError("--model picks one of a run's models", "leave it out with LABELS and PREDICTIONS")
        naming = {"match_by": match_by, "map_categories": map_categories, "missing_score": missing_score}
        source, report, findings = _of_files(target, predictions, chosen, naming)
    verdict = gating.gated(report, bounds, findings, allow_undefined=allow_undefined, allowed=allowed)
    verdict = {**source, **verdict}
    code = PASSED if verdict["passed"] else FAILED
    console.mood.verdict = code
    _write(verdict, junit, markdown, json)
    return code


Found = tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]


def _of_run(target: Path, model: str | None, chosen: dict[str, Any]) -> Found:
    """The run's own evaluation, or one by the convention and at the thresholds asked for (see `Settings.at`)."""
    from qm_cli.answer_task import TASKS
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
    asked = {name: value for name, value in chosen.items() if value is not None and value is not False}
    if asked and report["task"] in TASKS:
        way_out = f"leave --{next(iter(asked)).replace('_', '-')} out"
        raise UsageError(f"{run.path}: holds {report['task']}, counted as it was scored", way_out)
    if asked:
        from qm_cli.report import report_of
        from qm_cli.run_tables import tables_of_run
        from qm_cli.settings import Settings

        settings = Settings.from_dict(run.manifest["settings"])
        wanted = settings.at(**chosen)
        report = own if wanted == settings else report_of(tables_of_run(run), wanted)
    known = {finding["code"] for finding in own["findings"]}
    others = [
        finding
        for finding in run.summary().get("findings", [])
        if finding["code"] not in known and not finding["code"].startswith("prediction-")
    ]
    name = model or next(iter(run.models), None)
    return {"target": str(run.path), "model": name}, report, [*own["findings"], *others]


def _of_files(labels: Path, predictions: Path, chosen: dict[str, Any], naming: dict[str, Any]) -> Found:
    """The evaluation of the two files; naming: how predictions name what the labels do (see `load.Source`)."""
    if labels.is_dir():
        raise UsageError(f"{labels}: is a folder", "give the label file, or a run folder alone")
    from qm_cli.answer_task import holds_answers

    target = {"target": f"{labels} {predictions}", "model": predictions.stem}
    if holds_answers(labels, predictions):
        from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files
        from qm_cli.load_answers import AnswerSource

        source = AnswerSource(labels, predictions, **naming)
        refuse_options("classes and text", {"voc-devkit": chosen.pop("voc_devkit")})
        _, report = evaluate_answer_files(AnswerRequest(source, **chosen))
        return target, report, report["findings"]
    from qm_cli.load import Source, reading
    from qm_cli.settings import missing_score, settings_at

    settings = settings_at(**chosen)
    naming = {**naming, "missing_score": missing_score(settings.convention, naming["missing_score"])}
    with reading(Source(labels, predictions, fields=settings.fields, **naming)) as tables:
        from qm_cli.report import report_of

        report = report_of(tables(), settings)
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
