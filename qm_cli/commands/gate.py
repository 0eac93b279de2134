"""qm gate: may this model ship? Exit code 0, 1 or 3, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qm_cli import console, options
from qm_cli.errors import UsageError, not_nan

if TYPE_CHECKING:
    from qm_cli.analysis.gate_checks import Gate

CODES = {"passed": 0, "failed": 1, "inconclusive": 3}
CHECKS = "Checks"
TOML = ".toml"
GITHUB = "github"
COCO = "coco"

Target = Annotated[
    Path | None,
    typer.Argument(metavar="[RUN|GATE.TOML|LABELS]", help="A run folder; a gate file; or labels, with PREDICTIONS."),
]
PredictionFile = Annotated[Path | None, typer.Argument(help="Prediction file, when TARGET is the label file.")]
Config = Annotated[
    Path | None,
    typer.Option("--config", help="Gate file with the checks, see docs/ci.md.", rich_help_panel=CHECKS),
]
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
ConfidenceLevel = Annotated[
    float | None,
    typer.Option(
        "--confidence-level",
        min=0.5,
        max=0.9999,
        callback=not_nan,
        help="How sure --min and --max must be, 0.95: else exit 3.",
        rich_help_panel=CHECKS,
    ),
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
Init = Annotated[
    bool, typer.Option("--init", help="Write a gate file from RUN's numbers instead.", rich_help_panel=CHECKS)
]
GateOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Where --init writes; default gate.toml.", rich_help_panel=options.OUTPUT),
]
JUnit = Annotated[
    Path | None, typer.Option("--junit", help="Write JUnit XML to this file.", rich_help_panel=options.OUTPUT)
]
Markdown = Annotated[
    Path | None, typer.Option("--markdown", help="Write a Markdown table to this file.", rich_help_panel=options.OUTPUT)
]
Annotations = Annotated[
    str | None,
    typer.Option(
        "--annotations",
        help="github: a workflow annotation per check that does not pass, on stderr.",
        rich_help_panel=options.OUTPUT,
    ),
]


def gate(
    target: Target = None,
    predictions: PredictionFile = None,
    config: Config = None,
    minimum: Minimum = None,
    maximum: Maximum = None,
    confidence_level: ConfidenceLevel = None,
    task: options.Task = None,
    sigmas: options.Sigmas = None,
    buffer: options.Buffer = 70.0,
    pycocotools_area: options.PycocotoolsArea = False,
    angle: options.Angle = "degrees",
    convention: options.OwnConvention = None,
    voc_devkit: options.VocDevkit = False,
    iou: options.OwnIoU = None,
    confidence: options.OwnConfidence = None,
    allow_undefined: AllowUndefined = False,
    allow_findings: AllowFindings = None,
    init: Init = False,
    model: options.Model = None,
    match_by: options.MatchBy = "id",
    map_categories: options.MapCategories = None,
    missing_score: options.MissingScore = None,
    output: GateOutput = None,
    junit: JUnit = None,
    markdown: Markdown = None,
    annotations: Annotations = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Hold a model against floors, ceilings and a baseline: exit 0 when all hold, 1 when one does not, 3 undecided."""
    if annotations not in (None, GITHUB):
        raise UsageError(f"--annotations {annotations}: there is no such kind", f"write --annotations {GITHUB}")
    if output is not None and not init:
        raise UsageError("-o is where --init writes", "see --junit, --markdown and --json")
    if init:
        return _write_gate(target, model, output or Path("gate.toml"), minimum or maximum or config or predictions)
    if target is not None and target.suffix == TOML and predictions is None and not target.is_dir():
        if config is not None:
            raise UsageError(f"{target} and --config {config} are both gate files", "give the run folder, or one file")
        target, config = None, target
    from msgspec.structs import replace

    from qm_cli.analysis.gate_checks import MAX, MIN, Rules, parsed, skipping_undefined
    from qm_cli.tasks import measure_from

    rules = Rules(confidence_level=confidence_level)
    checks = [parsed(side, text, rules) for side, texts in ((MIN, minimum), (MAX, maximum)) for text in texts or ()]
    wanted = _gate(config, checks, options.split(allow_findings))
    if allow_undefined:
        wanted = replace(wanted, checks=tuple(map(skipping_undefined, wanted.checks)))
    wanted = replace(
        wanted,
        model=model or wanted.model,
        iou=wanted.iou if iou is None else iou,
        confidence=wanted.confidence if confidence is None else confidence,
        convention=options.named(convention) or wanted.convention,
        voc_devkit=wanted.voc_devkit or voc_devkit,
    )
    naming: dict[str, Any] = {"match_by": match_by, "map_categories": map_categories, "missing_score": missing_score}
    naming |= {"task": task, "measure": measure_from(sigmas, buffer, pycocotools_area, angle)}
    verdict = _verdict(wanted, target or wanted.run, predictions, config, naming)
    console.mood.verdict = CODES[verdict["verdict"]]
    if annotations is not None:
        from qm_cli.render.annotations import as_github_annotations

        console.tell(as_github_annotations(verdict, None if config is None else str(config)))
    _write(verdict, junit, markdown, json)
    return CODES[verdict["verdict"]]


def _gate(config: Path | None, checks: list[Any], allowed: tuple[str, ...]) -> Gate:
    """That of the file, with the checks of the command line."""
    from msgspec.structs import replace

    from qm_cli.analysis.gate_checks import Gate
    from qm_cli.analysis.gating import known_codes

    if config is None:
        if not checks:
            raise UsageError("no check given", "name one: --min precision=0.8, or a gate file: --config gate.toml")
        found = Gate()
    else:
        from qm_cli.gate_file import read_gate

        found = read_gate(config)
    known_codes(allowed)
    return replace(found, checks=(*found.checks, *checks), allow_findings=(*found.allow_findings, *allowed))


def _verdict(
    wanted: Gate, target: Path | None, predictions: Path | None, config: Path | None, naming: dict[str, Any]
) -> dict[str, Any]:
    from msgspec.structs import replace

    from qm_cli import deciding, gate_subject

    if target is None:
        raise UsageError(f"{config or 'qm gate'}: names no run", 'give the run folder, or write run = "…" in the file')
    if predictions is None:
        from qm_cli.tasks import refuse_reading

        refuse_reading(naming)
        return deciding.decide(wanted, gate_subject.of_run(target, wanted))
    if wanted.model is not None:
        raise UsageError("--model picks one of a run's models", "leave it out with LABELS and PREDICTIONS")
    if target.is_dir():
        raise UsageError(f"{target}: is a folder", "give the label file, or a run folder alone")
    from qm_cli.answer_task import asks_answers
    from qm_cli.tasks import refuse_idle

    if asks_answers(naming["task"], target, predictions):
        task, measure = naming.pop("task"), naming.pop("measure")
        refuse_idle(replace(measure, task="classes and text"))
        return deciding.decide(wanted, gate_subject.of_answers(target, predictions, naming, wanted, task))
    from qm_cli.load import Source, reading
    from qm_cli.settings import Settings, missing_score

    metadata = bool(wanted.slices or wanted.cluster) or any(check.scope.slice is not None for check in wanted.checks)
    convention = wanted.convention or COCO
    naming["missing_score"] = missing_score(convention, naming["missing_score"])
    fields = Settings(convention=convention).fields
    with reading(Source(target, predictions, metadata=metadata, fields=fields, **naming)) as read:
        return deciding.decide(wanted, gate_subject.of_files(target, predictions, read(), wanted))


def _write_gate(run: Path | None, model: str | None, output: Path, other: Any) -> int:
    """A gate file from a run's numbers; one that is there stays."""
    if run is None or other:
        raise UsageError("--init makes a gate file of a run", "write: qm gate --init RUN")
    if str(output) != "-" and output.exists():
        raise UsageError(f"{output}: is there already", "name another place with -o")
    from qm_cli.gate_writing import gate_text
    from qm_cli.output import deliver

    text, checks = gate_text(run, model, output.parent)
    deliver(text, output)
    if str(output) != "-":
        console.say(f"qm: {output} holds {checks} checks; run them with: qm gate {output}")
    return 0


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
        from qm_cli.render.terminal_gate import show_gate

        show_gate(verdict)
