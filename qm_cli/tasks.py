"""What is compared: tasks and their parameters as options give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from qm_cli.errors import UsageError, nearest, refuse_options
from qm_cli.settings import BOXES, COCO_SIGMAS, TASKS, Measure

ANGLES = ("degrees", "radians")
LARGEST_BUFFER = 1e6
TASK_HINT = f"--task is one of {', '.join(TASKS)}"


def refuse_unknown(task: str | None) -> None:
    """Raises UsageError for what is no task."""
    if task is not None and task not in TASKS:
        raise UsageError(f"--task: {task!r} is no task", nearest(task, list(TASKS)) or TASK_HINT)


def refuse_idle(measure: Measure) -> None:
    """Raises UsageError for a parameter that is given although the measure's task is not computed with it.

    >>> refuse_idle(Measure(task="keypoints", sigmas=(0.1,)))
    """
    used = measure.parameters()
    for name in ("sigmas", "buffer", "pycocotools_area", "angle"):
        if name not in used and getattr(measure, name) != getattr(BOXES, name):
            raise UsageError(f"--{name.replace('_', '-')}: not for {measure.task}", "leave it out, or see --task")


def refuse_reading(naming: Mapping[str, Any]) -> None:
    """Raises UsageError for options of how files are read, where a run is asked, which is scored already."""
    what = "a run, which is scored already"
    match_by = None if naming["match_by"] == "id" else naming["match_by"]
    refuse_options(what, {**naming, "match_by": match_by, "measure": None})
    refuse_idle(replace(naming["measure"], task=what))


def measure_from(
    sigmas: str | None = None, buffer: float = 70.0, pycocotools_area: bool = False, angle: str = "degrees"
) -> Measure:
    """The parameters of the tasks as options give them. Raises UsageError for what is none."""
    if angle not in ANGLES:
        raise UsageError(f"--angle: {angle!r} is neither degrees nor radians", "see --help")
    if not 0 < buffer <= LARGEST_BUFFER:
        raise UsageError(f"--buffer: {buffer:g} is not above 0 and at most {LARGEST_BUFFER:,.0f}", "in pixels")
    return Measure(sigmas=sigmas_from(sigmas), buffer=float(buffer), pycocotools_area=pycocotools_area, angle=angle)


def sigmas_from(text: str | None) -> tuple[float, ...]:
    """Sigmas of the keypoints: COCO's 17, or numbers above 0 by commas. Raises UsageError for anything else.

    >>> sigmas_from("0.05, 0.1")
    (0.05, 0.1)
    """
    if text is None or text == "coco":
        return COCO_SIGMAS
    try:
        sigmas = tuple(float(part) for part in text.split(","))
    except ValueError:
        sigmas = ()
    if not sigmas or not all(0 < sigma < float("inf") for sigma in sigmas):
        raise UsageError(f"--sigmas: {text!r} is neither coco nor numbers above 0 by commas", "e.g. 0.026,0.025,0.035")
    return sigmas
