"""What the Rust kernel says, in words that tell a learner what to do. Texts in, texts out.

    python -m doctest kernel_words.py    runs the examples below
"""

import re
import textwrap

# Columns of a cell's output in a window of 1280 pixels with JupyterLab's list of files open.
WIDTH = 100

INTERRUPTED = (
    "The process that runs the cells was interrupted, or memory ran short. All variables are lost: run the cells "
    "again from the top (menu Run, Run All Above Selected Cell). What is compiled is kept."
)
ENDED = (
    "The process that runs the cells has ended, and all variables are lost: run the cells again from the top "
    "(menu Run, Run All Above Selected Cell)."
)
CRATE_CHANGED = (
    "A `:dep` line has changed a crate that was loaded already, so the process has ended and all variables are lost: "
    "write your own `:dep` lines into the first cell, restart the kernel and run all cells."
)
READS_STDIN = (
    "This cell reads from stdin, where nothing arrives in a notebook, so it may wait for ever: interrupt it, then write "
    "the value into the cell. An interrupt loses all variables."
)

# Characters of a line or a value, and of all lines of a cell: a page with more of them answers slowly, or not at all.
LONGEST, MOST = 10_000, 1_000_000

COLOUR = re.compile("\x1b\\[([0-9;]*)m")
# The compiler's colours are made for paper: grey on pink, dark purple on dark red. These follow JupyterLab's theme.
COLOURS = {"38;5;54": "35", "38;5;100": "96", "38;5;115": "96", "38;5;240": "0", "38;5;246": "0", "38;5;249": "0"}


def lost_process(text):
    """The sentence for the end of the process, or None if the text tells of something else.

    >>> lost_process("Subprocess terminated with status: signal: 9 (SIGKILL)") == INTERRUPTED
    True
    >>> lost_process("Subprocess terminated with status: signal: 6 (SIGABRT)")[:50]
    'Subprocess terminated with status: signal: 6 (SIGA'
    >>> lost_process("mismatched types")
    """
    if "Subprocess terminated" not in text:
        return None
    if re.search(r"terminated with (status: )?signal:? 9\b", text):
        return INTERRUPTED
    if text.rstrip().endswith("status: 99"):
        return CRATE_CHANGED
    return f"{text.strip()}\n{ENDED}"


def names_made(code):
    """The variables that a cell makes.

    >>> sorted(names_made("let a = 1;\\nlet mut b: u8 = 2; let (x, mut y) = (a, b);"))
    ['a', 'b', 'x', 'y']
    """
    patterns = re.findall(r"\blet\s+(\([^)=]*\)|(?:mut\s+)?\w+)", code)
    return {name for pattern in patterns for name in re.findall(r"\w+", pattern)} - {"mut", "_"}


def missing_variable(text, made, lost):
    """The sentence for a variable that was there, or None.

    >>> missing_variable("cannot find value `w` in this scope", made={"w"}, lost=set())[:60]
    '`w` is gone: an earlier cell gave it away, as `let b = w;` d'
    >>> missing_variable("cannot find value `w` in this scope", made=set(), lost={"w"})[:40]
    '`w` was lost when the process ended: run'
    >>> missing_variable("cannot find value `q` in this scope", made={"w"}, lost=set())
    """
    if not (found := re.search(r"cannot find value `(\w+)` in this scope", text)):
        return None
    name = found[1]
    if name in made:
        return (
            f"`{name}` is gone: an earlier cell gave it away, as `let b = {name};` does (`{name}.clone()` gives a copy), "
            f"or the cell that makes it failed. Run that cell again."
        )
    if name in lost:
        return f"`{name}` was lost when the process ended: run the cells again from the top."
    return None


def missing_crate(text, project):
    """The sentence for a notebook that does not stand in its folder, or None.

    >>> from pathlib import PurePosixPath as Path
    >>> print(missing_crate('No such file or directory (os error 2): "../lenet_core"', Path("/p")))
    This notebook stands outside of the project: open it in /p/notebooks, or write `path = "/p/lenet_core"` in this cell.
    >>> missing_crate('No such file or directory (os error 2): "../other"', Path("/p"))
    """
    if not re.search(r'\(os error [23]\): "[^"]*lenet_core"', text):
        return None
    crate = (project / "lenet_core").as_posix()
    return (
        f"This notebook stands outside of the project: open it in {project / 'notebooks'}, "
        f'or write `path = "{crate}"` in this cell.'
    )


def reads_stdin(code):
    """Whether a cell seems to wait for input.

    >>> reads_stdin("std::io::stdin().read_line(&mut name)?"), reads_stdin("// no stdin() here")
    (True, False)
    """
    return any(re.search(r"\bstdin\(\)", line.split("//")[0]) for line in code.splitlines())


class Panics:
    """Takes the stack out of what a panic prints, line by line: in a notebook it is a list of the unknown.

    >>> panics = Panics()
    >>> lines = ["thread '<unnamed>' (7) panicked at src/lib.rs:105:2:", "index out of bounds", "stack backtrace:",
    ...          "   0: <unknown>", "             at /rustc/x.rs:6:5", "note: Some details are omitted, run", "0: kept"]
    >>> [shorter for line in lines if (shorter := panics.shorten(line)) is not None]
    ['the cell panicked:', 'index out of bounds', '0: kept']
    """

    def __init__(self):
        self.in_stack = False

    def shorten(self, line):
        """The line as it is to be shown, or None."""
        if line.rstrip() == "stack backtrace:":
            self.in_stack = True
            return None
        if self.in_stack and re.match(r"\s+(\d+: |at )", line):
            return None
        self.in_stack = False
        if line.startswith(("note: Some details are omitted", "note: run with `RUST_BACKTRACE")):
            return None
        return re.sub(r"thread '.*' (\(\d+\) )?panicked at src/lib\.rs:\d+:\d+:", "the cell panicked:", line)


class Printed:
    """Bounds what a cell prints, text by text.

    >>> printed = Printed(most=8)
    >>> [printed.shorten(text) for text in ["one\\n", "two\\n", "three\\n", "four\\n"]]
    ['one\\n', 'two\\n', '… the cell prints more, which is left out\\n', None]
    """

    def __init__(self, most=MOST):
        self.room = most

    def shorten(self, text):
        """The text as it is to be shown, or None."""
        if self.room < 0:
            return None
        text = bounded(text)
        self.room -= len(text)
        return text if self.room >= 0 else "… the cell prints more, which is left out\n"


def bounded(text, limit=LONGEST):
    """A text of this many characters at most, and how many are left out.

    >>> bounded("0.5, " * 4, limit=10)
    '0.5, 0.5, … 10 characters are left out\\n'
    >>> bounded("0.5\\n")
    '0.5\\n'
    """
    left_out = len(text) - limit
    return f"{text[:limit]}… {left_out:,} characters are left out\n" if left_out > 0 else text


def traceback(lines):
    """A compile error's lines with colours of the page's theme, short names of types, and broken between words.

    >>> traceback(["\\x1b[38;5;249ma\\x1b[0m\\x1b[38;5;249mb\\x1b[0m\\x1b[38;5;54mc\\x1b[0m\\x1b[38;5;54md\\x1b[0m"])
    ['ab\\x1b[35mcd\\x1b[0m']
    >>> traceback(["   │  ╰── expected `lenet_core::prelude::Tensor<(core::Const<4>,)>`"])
    ['   │  ╰── expected `Tensor<(Const<4>,)>`']
    >>> for line in traceback(["   │  ╰── " + "word " * 30]): print(line)
       │  ╰── word word word word word word word word word word word word word word word word word word
       │      word word word word word word word word word word word word
    >>> traceback(["   │ \\x1b[36mNote\\x1b[0m: " + "word " * 30])[1]
    '   │ word word word word word word word word word word word word\\x1b[0m'
    >>> traceback(["─" * 120]) == ["─" * 120]
    True
    """
    return [part for line in lines for one in line.split("\n") for part in wrap(shorten_names(recolour(one)))]


def recolour(line):
    parts, now = [], "0"
    pieces = COLOUR.split(line)
    wanted = "0"
    for index, piece in enumerate(pieces):
        if index % 2:
            wanted = COLOURS.get(piece, piece or "0")
        elif piece:
            if wanted != now:
                parts.append("\x1b[0m" if wanted == "0" or now != "0" else "")
                parts.append("" if wanted == "0" else f"\x1b[{wanted}m")
                now = wanted
            parts.append(piece)
    return "".join(parts) + ("" if now == "0" else "\x1b[0m")


def shorten_names(line):
    # Lines of the cell itself stay as they were written.
    if re.match(r"\s*\d+ │", COLOUR.sub("", line)):
        return line
    return re.sub(r"\b(?:[a-z_]\w*::)+(?=[A-Z])", "", line)


def wrap(line):
    """The line, or lines of at most WIDTH columns: text behind the drawing stays right of where it begins."""
    plain = COLOUR.sub("", line)
    if len(plain) <= WIDTH or re.match(r"\s*\d+ │", plain):
        return [line]
    drawing = re.match(r"[\s│─╰├┬╮╭]*", plain)[0]
    colours = f"(?:{COLOUR.pattern})*"
    first = re.match(f"(?:{colours}.){{{len(drawing)}}}{colours}", line)[0]
    rest = re.sub(r"[─╰├┬╮╭]", " ", drawing)
    text = plain[len(drawing) :]
    parts = textwrap.wrap(text, max(WIDTH - len(drawing), 40), break_long_words=False, break_on_hyphens=False) or [""]
    end = "" if first == drawing else "\x1b[0m"
    return [(rest if index else first) + part + end for index, part in enumerate(parts)]
