"""The Typer app, the one error door and the exit codes."""

from __future__ import annotations

import atexit
import errno
import os
import signal
import sys
from copy import copy
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from qm_cli import INTERRUPTED, __version__, console
from qm_cli.commands.check import check
from qm_cli.commands.compare import compare
from qm_cli.commands.describe import describe
from qm_cli.commands.drift import drift
from qm_cli.commands.evaluate import evaluate
from qm_cli.commands.gate import gate
from qm_cli.commands.importance import importance
from qm_cli.commands.leakage import leakage
from qm_cli.commands.metrics import metrics
from qm_cli.commands.outliers import outliers
from qm_cli.commands.query import query
from qm_cli.commands.rank import rank
from qm_cli.commands.review import review
from qm_cli.commands.score import score
from qm_cli.commands.similar import similar
from qm_cli.commands.slices import slices
from qm_cli.errors import QmError
from qm_cli.heap import keep_freed

SWITCH_SECONDS = 0.00005
DONE, NO, BAD_INPUT, INCONCLUSIVE, UNEXPECTED = 0, 1, 2, 3, 4
WRITE_ERRORS = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EBADF)
CLICK_ERROR: type[Exception] = typer.BadParameter.__mro__[2]

SCORE, DECIDE, INSPECT = "Score and evaluate", "Decide", "Look and inspect"

app = typer.Typer(
    name="qm",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"qm {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Quality metrics for vision datasets and models, over plain files: no upload, no server, no account."""


def _examples(*lines: str) -> str:
    return "\n\n".join(["[bold]Examples[/bold]", *(f"  $ {line}" for line in lines)])


app.command(
    rich_help_panel=SCORE,
    epilog=_examples("qm score my_dataset", "qm score my_dataset --metrics 'image.*' -o - --format csv > images.csv"),
)(score)
app.command(
    rich_help_panel=SCORE,
    epilog=_examples(
        "qm evaluate labels.json predictions.json", "qm evaluate labels.json predictions.json --json | jq .metrics.AP50"
    ),
)(evaluate)

app.command(
    rich_help_panel=DECIDE,
    epilog=_examples(
        "qm rank RUN --acquisition entropy --top 500 --unlabeled-only > next.txt",
        "qm rank RUN --level prediction --where \"outcome = 'FP'\" -a score --order desc --format csv",
    ),
)(rank)
app.command(
    rich_help_panel=DECIDE,
    epilog=_examples(
        "qm gate RUN --min precision=0.8 --min recall@person=0.6 --junit gate.xml",
        "qm gate gate.toml --markdown gate.md --annotations github",
    ),
)(gate)
app.command(
    rich_help_panel=DECIDE,
    epilog=_examples(
        "qm compare RUN --model worse --model-b better", "qm compare labels.json old.json new.json --cluster video_id"
    ),
)(compare)
app.command(
    rich_help_panel=DECIDE,
    epilog=_examples("qm drift RUN_A RUN_B --metrics 'image.*'", "qm drift last_week.json this_week.json --json"),
)(drift)
app.command(
    rich_help_panel=DECIDE,
    epilog=_examples(
        "qm leakage train/qm-run val/qm-run", r"qm leakage train val --recording '^(.+)_\d+\.jpg$' --lines > leaked.txt"
    ),
)(leakage)

app.command(
    rich_help_panel=DECIDE,
    epilog=_examples(
        "qm review RUN --top 20", "qm review RUN --where \"reason = 'wrong category'\" --patch corrected.json"
    ),
)(review)

app.command(
    rich_help_panel=INSPECT,
    epilog=_examples("qm importance RUN --by label", "qm importance RUN --metric image.brightness --json"),
)(importance)
app.command(
    rich_help_panel=INSPECT,
    epilog=_examples("qm slices RUN --by weather --slice 'dark=brightness < 0.2'", "qm slices RUN --discover --json"),
)(slices)
app.command(
    rich_help_panel=INSPECT,
    epilog=_examples("qm describe RUN --by split", "qm describe RUN --level label --by annotator --metrics 'area_*'"),
)(describe)
app.command(
    rich_help_panel=INSPECT,
    epilog=_examples("qm outliers RUN --top 20", "qm outliers RUN --level label --by category --json"),
)(outliers)
app.command(
    rich_help_panel=INSPECT,
    epilog=_examples(
        'qm query RUN "SELECT file_name, entropy FROM image ORDER BY entropy DESC LIMIT 10"',
        'qm query RUN "SELECT outcome, count(*) AS n FROM prediction GROUP BY ALL" --format csv',
    ),
)(query)
app.command(
    rich_help_panel=INSPECT,
    epilog=_examples("qm similar RUN --to 42 --top 20", "qm similar RUN --to new.jpg --json | jq .items[0]"),
)(similar)
app.command(
    rich_help_panel=INSPECT,
    epilog=_examples("qm check my_dataset", "qm check labels.json predictions.json --fix mended"),
)(check)
app.command(
    rich_help_panel=INSPECT,
    epilog=_examples("qm metrics --level image --kind data", "qm metrics entropy"),
)(metrics)


def _flowing(docstring: str) -> str:
    """Its paragraphs without the line ends of the source, which help would keep."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in docstring.split("\n\n"))


for _command in app.registered_commands:
    if _command.callback is not None:
        _command.help = _flowing(_command.callback.__doc__ or "")


def main() -> None:
    """Run the command line and leave at once: tearing down large tables would take longer than matching them.

    Threads that read beside others get the interpreter sooner than Python has it; and memory that columns leave is kept
    for the next.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.setswitchinterval(SWITCH_SECONDS)
    keep_freed()
    signal.signal(signal.SIGTERM, _interrupt)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")
    code = run(sys.argv[1:])
    _close_streams()
    atexit._run_exitfuncs()
    sys.stderr.flush()
    os._exit(code)


def run(arguments: list[str]) -> int:
    """The one error door: whatever happens becomes an exit code and at most a few lines on stderr."""
    console.mood = console.Mood(verdict=DONE)
    try:
        result = _with_command(arguments)(args=arguments, prog_name="qm", standalone_mode=False)
        if result == INTERRUPTED:  # what the framework makes of an interrupt
            raise KeyboardInterrupt
        sys.stdout.flush()
    except QmError as error:
        return _refuse(error.message, error.hint, error.exit_code)
    except CLICK_ERROR as error:
        message, hint, code = _usage(error, arguments)
        return _refuse(message, hint, code) if message else code
    except BrokenPipeError:
        return console.mood.verdict
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):  # the framework leaves with 1 then
            return console.mood.verdict
        raise
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("qm: interrupted\n")
        return INTERRUPTED
    except PermissionError as error:
        if not isinstance(error.filename, str):
            return _unexpected(error, arguments)
        return _refuse(f"{error.filename}: {error.strerror}", "see who may read and write there", BAD_INPUT)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return _refuse(f"{str(error.filename)[:40]}…: {error.strerror}", "check the path", BAD_INPUT)
        if error.filename is not None or error.errno not in WRITE_ERRORS:
            return _unexpected(error, arguments)
        return _refuse(f"stdout cannot be written: {error.strerror}", "make room, or write elsewhere", BAD_INPUT)
    except Exception as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # Python wraps what happens while a class is made
            sys.stderr.write("qm: interrupted\n")
            return INTERRUPTED
        return _unexpected(error, arguments)
    return result if isinstance(result, int) else DONE


def _with_command(arguments: list[str]) -> typer.Typer:
    """The app with the one command that is named first, all where none is: the options of all take long to make."""
    named = [one for one in app.registered_commands if one.callback and [one.callback.__name__] == arguments[:1]]
    if not named:
        return app
    chosen = copy(app)
    chosen.registered_commands = named
    return chosen


def _interrupt(*_: object) -> None:
    """A request to end is answered like Ctrl-C: what was begun is cleaned away."""
    raise KeyboardInterrupt


def _usage(error: Exception, arguments: list[str]) -> tuple[str, str, int]:
    """Message and way out of a usage error; the parser's own errors do not tell the command."""
    context = getattr(error, "ctx", None)
    named = f"qm {arguments[0]}" if arguments and not arguments[0].startswith("-") else "qm"
    command = context.command_path if context else named
    message: str = error.format_message()  # type: ignore[attr-defined]
    return message.rstrip(".").replace("\n", " "), f"see: {command} --help", BAD_INPUT


def _refuse(message: str, hint: str, code: int) -> int:
    line = f"qm: {message}" + (f" — {hint}" if hint else "")
    sys.stderr.write(line.replace("\n", " ") + "\n")
    return code


def _unexpected(error: Exception, arguments: list[str]) -> int:
    """Write the traceback with versions to a log file and name it."""
    import platform
    import tempfile
    import traceback

    trace = "".join(traceback.format_exception(error))
    if console.mood.debug:
        sys.stderr.write(trace)
    head = f"qm {__version__}, Python {platform.python_version()}, {platform.platform()}\nqm {' '.join(arguments)}\n\n"
    with tempfile.NamedTemporaryFile("w", errors=console.FOREIGN, prefix="qm-", suffix=".log", delete=False) as log:
        log.write(head + trace)
    summary = f"unexpected {type(error).__name__}: {error}"
    return _refuse(summary, f"the details are in {log.name}; please report them", UNEXPECTED)


def _close_streams() -> None:
    """Flush stdout; where its reader has gone, point it elsewhere so that the interpreter ends quietly."""
    stream = sys.__stdout__
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
