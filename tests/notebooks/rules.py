"""What every lesson's notebook has to be, as functions: a notebook in, a list of complaints out.

They close what nbval does not see (a cell never run, a picture without its text, a skipped cell) and hold the rhythm
of the course. `RULES` are for every notebook, `LESSON_RULES` for the numbered lessons after 00 besides.
"""

from __future__ import annotations

import ast
import base64
import re
import statistics
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import groupby

from nbformat import NotebookNode

from course_utils.core.tracebacks import COLOUR
from refresh import METADATA, RANDOM_ID, WIDGET_VIEW

Rule = Callable[[NotebookNode], list[str]]
RULES: list[Rule] = []
LESSON_RULES: list[Rule] = []

SHOWS_WARNING = "shows-warning"
RAISES = "raises-exception"
TORCH = re.compile(r"torch(?:>=|<|==)\d+(?:\.\d+)*")
UNCOMPARED = re.compile(r"(?i)nbval[-_](?:skip|ignore[-_]output|raises[-_]exception)|skip-execution")
REASON = re.compile(r"(?m)^# not compared: \w+ \w+ \w+")
DRAWING = {"matplotlib", "pylab", "seaborn", "plotly", "bokeh", "ipywidgets", "anywidget", "IPython"}
PRIVATE = re.compile(
    r"(?<![\w./:<])/(?:home|root|Users|tmp|work|opt|usr|var|private|srv|mnt|media|nix|Library|Volumes)/"
    r"|\b[A-Z]:\\(?:Users|Program|Windows|Temp)|ipykernel_\d|\b0x[0-9a-f]{6,}|\.pyi?:\d|(?:site|dist)-packages"
)
FORMULA = r"\$\$.+?\$\$|\\\[.+?\\\]|\\begin\{.+?\\end\{\w+\*?\}"
FENCE = r"^```.*?^```"
NOT_PROSE = re.compile(rf"(?ms){FENCE}|{FORMULA}|^#+ .*?$|^\|.*?$|!\[.*?\]\(.*?\)|\]\(.*?\)|<[^>]+>")


def rule(function: Rule) -> Rule:
    """Adds the rule to those that every notebook has to keep."""
    RULES.append(function)
    return function


def lesson_rule(function: Rule) -> Rule:
    """Adds the rule to those for the numbered lessons after 00."""
    LESSON_RULES.append(function)
    return function


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The notebook's code cells in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The notebook's Markdown cells in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def tags(cell: NotebookNode) -> list[str]:
    """The cell's tags."""
    return cell.metadata.get("tags", [])


def parse(cell: NotebookNode) -> ast.Module:
    """The cell's syntax tree; empty where the cell is no plain Python, which is a rule of its own."""
    try:
        return ast.parse(cell.source)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def statements(notebook: NotebookNode) -> Iterator[tuple[str, ast.AST]]:
    """Every node of every code cell's syntax tree, with the cell's name."""
    for cell in code_cells(notebook):
        for node in ast.walk(parse(cell)):
            yield cell.id, node


def outputs(notebook: NotebookNode, kind: str | None = None) -> Iterator[tuple[str, NotebookNode]]:
    """Every output (of this output type), with the cell's name."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if kind in (None, output.output_type):
                yield cell.id, output


def texts(output: NotebookNode) -> list[str]:
    """All that an output says, pictures' bytes left out."""
    if output.output_type == "stream":
        return [output.text]
    if output.output_type == "error":
        return [output.ename, output.evalue, *(COLOUR.sub("", line) for line in output.traceback)]
    return [re.sub(r"data:image/[^\"]+", "", str(value)) for value in output.data.values()]


def words(markdown: str) -> int:
    """Words of running text: no headings, tables, code blocks or displayed formulas; inline code counts as one word."""
    prose = re.sub(r"`[^`]+`|\$[^$]+\$", "word", NOT_PROSE.sub(" ", markdown))
    return len(re.findall(r"\w[\w'’.-]*", prose))


class _Images(HTMLParser):
    """Collects the attributes of every `<img>`, and whether there is a bare `<svg>`."""

    def __init__(self, html: str):
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.bare_svg = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.append(dict(attributes))
        self.bare_svg |= tag == "svg"


@rule
def one_title_and_no_skipped_level(notebook: NotebookNode) -> list[str]:
    """One H1, at the very start, and no heading more than one level below the one before it."""
    headings = [
        (len(mark), title)
        for cell in markdown_cells(notebook)
        for mark, title in re.findall(r"(?m)^(#{1,6}) (.+)$", re.sub(f"(?ms){FENCE}", "", cell.source))
    ]
    complaints = [f"second H1: {title}" for level, title in headings[1:] if level == 1]
    if not (notebook.cells[0].cell_type == "markdown" and notebook.cells[0].source.startswith("# ")):
        complaints.append("the first cell does not start with an H1")
    for (above, _), (level, title) in zip(headings, headings[1:]):
        if level > above + 1:
            complaints.append(f"heading {title!r} skips a level: {above} to {level}")
    return complaints


@rule
def cells_are_plain_python(notebook: NotebookNode) -> list[str]:
    """No magics, no shell lines, no syntax errors but those that a cell is about."""
    return [
        f"{cell.id}: not plain Python"
        for cell in code_cells(notebook)
        if cell.source.strip() and RAISES not in tags(cell) and not parse(cell).body
    ]


@rule
def imports_come_first_by_name(notebook: NotebookNode) -> list[str]:
    """The first code cell imports torch, sets the seed 0, and holds all imports; nothing is imported with `*`."""
    first = code_cells(notebook)[0]
    complaints = [] if "import torch" in first.source else [f"{first.id}: torch is not imported"]
    if "torch.manual_seed(0)" not in first.source:
        complaints.append(f"{first.id}: torch.manual_seed(0) is missing")
    for name, node in statements(notebook):
        if isinstance(node, ast.Import | ast.ImportFrom):
            if name != first.id:
                complaints.append(f"{name}: {ast.unparse(node)!r} belongs in the first code cell")
            if any(alias.name == "*" for alias in node.names):
                complaints.append(f"{name}: {ast.unparse(node)!r}; import by name")
    return complaints


@rule
def cells_are_short(notebook: NotebookNode) -> list[str]:
    """Lines of code per cell: median 5 or fewer, nine in ten cells 12 or fewer, none over 25."""
    lines = sorted(sum(bool(line.strip()) for line in cell.source.splitlines()) for cell in code_cells(notebook))
    ninth = lines[max(0, -(-len(lines) * 9 // 10) - 1)]
    facts = [("median", statistics.median(lines), 5), ("90th percentile", ninth, 12), ("longest", lines[-1], 25)]
    complaints = [f"{what}: {value} lines of code, over {limit}" for what, value, limit in facts if value > limit]
    return complaints + ["there is an empty cell" for cell in notebook.cells if not cell.source.strip()]


@rule
def prose_leads_to_code(notebook: NotebookNode) -> list[str]:
    """Text before code has a median of 30 to 60 words; at most three code cells stand in a row."""
    blocks = [(kind, list(cells)) for kind, cells in groupby(notebook.cells, key=lambda cell: cell.cell_type)]
    chains = [cells for kind, cells in blocks if kind == "code" and len(cells) > 3]
    complaints = [f"{cells[0].id}: {len(cells)} code cells in a row without a word between" for cells in chains]
    leading = [sum(words(cell.source) for cell in cells) for kind, cells in blocks[:-1] if kind == "markdown"]
    median = statistics.median(leading or [0])
    return complaints if 30 <= median <= 60 else [*complaints, f"median of words before code is {median}, not 30 to 60"]


@rule
def cells_end_on_an_expression(notebook: NotebookNode) -> list[str]:
    """The last line of a cell shows something; so does a definition, a blank for an answer, and `_ =`."""

    def is_fine(last: ast.stmt) -> bool:
        if isinstance(last, ast.Assign):
            blank = not any(isinstance(node, ast.Name) for node in ast.walk(last.value))
            return blank or ast.unparse(last.targets[0]) == "_"
        return isinstance(last, ast.Expr | ast.FunctionDef | ast.ClassDef)

    cells = [cell for cell in code_cells(notebook) if RAISES not in tags(cell) and parse(cell).body]
    hushed = [cell.id for cell in cells if cell.source.rstrip().endswith(";")]
    complaints = [f"{name}: ends on a semicolon, which nbval does not heed; write `_ = …`" for name in hushed]
    lasts = [(cell.id, parse(cell).body[-1]) for cell in cells]
    return complaints + [f"{name}: ends on {ast.unparse(last)!r}" for name, last in lasts if not is_fine(last)]


@rule
def floats_are_never_compared_exactly(notebook: NotebookNode) -> list[str]:
    """No `==` or `!=` with a float or a gradient on either side."""

    def is_float(side: ast.AST) -> bool:
        return any(
            (isinstance(node, ast.Constant) and isinstance(node.value, float))
            or (isinstance(node, ast.Attribute) and node.attr == "grad")
            or (isinstance(node, ast.Call) and ast.unparse(node.func).endswith((".item", "autograd.grad", "float")))
            for node in ast.walk(side)
        )

    return [
        f"{name}: {ast.unparse(node)!r} compares floats exactly"
        for name, node in statements(notebook)
        if isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
        and any(map(is_float, [node.left, *node.comparators]))
    ]


@rule
def drawing_lives_in_the_package(notebook: NotebookNode) -> list[str]:
    """Cells import no plotting and no widget library."""
    complaints = []
    for name, node in statements(notebook):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        complaints += [f"{name}: imports {module}" for module in modules if module.partition(".")[0] in DRAWING]
    return complaints


@rule
def every_cell_was_run_in_order(notebook: NotebookNode) -> list[str]:
    """Execution counts are 1, 2, 3 …, on cells and on their results."""
    complaints = []
    for count, cell in enumerate(code_cells(notebook), start=1):
        results = [output.execution_count for output in cell.outputs if output.output_type == "execute_result"]
        if {cell.execution_count, *results} != {count}:
            complaints.append(f"{cell.id}: counts {cell.execution_count} {results}, not {count}; run make refresh")
    return complaints


@rule
def outputs_say_something(notebook: NotebookNode) -> list[str]:
    """No output is empty, without plain text, or of a kind that nbval does not compare."""
    complaints = []
    for name, output in outputs(notebook):
        kinds = set(output.get("data", ["text/plain"]))
        if not any(text.strip() for text in texts(output)) or "text/plain" not in kinds:
            complaints.append(f"{name}: an output without text")
        complaints += [f"{name}: {kind} is not compared" for kind in kinds & {"image/png", "image/jpeg"}]
        complaints += [f"{name}: a stored widget shows an error when opened" for kind in kinds & {WIDGET_VIEW}]
    return complaints


@rule
def warnings_are_meant(notebook: NotebookNode) -> list[str]:
    """Only a cell tagged `shows-warning` writes to stderr, and such a cell does."""
    complaints = []
    for cell in code_cells(notebook):
        writes = any(output.get("name") == "stderr" for output in cell.outputs)
        if writes != (SHOWS_WARNING in tags(cell)):
            complaints.append(f"{cell.id}: {'stderr without' if writes else 'no stderr under'} the tag {SHOWS_WARNING}")
    return complaints


@rule
def errors_are_meant(notebook: NotebookNode) -> list[str]:
    """A cell holds an error if and only if it is tagged `raises-exception`."""
    complaints = []
    for cell in code_cells(notebook):
        raised = any(output.output_type == "error" for output in cell.outputs)
        if raised != (RAISES in tags(cell)):
            complaints.append(f"{cell.id}: {'an error without' if raised else 'no error under'} the tag {RAISES}")
    return complaints


@rule
def nothing_escapes_comparison_without_a_reason(notebook: NotebookNode) -> list[str]:
    """A cell that nbval skips or does not compare says `# not compared: …`, with a reason of three words or more."""
    escaping = [cell for cell in code_cells(notebook) if UNCOMPARED.search(" ".join([cell.source, *tags(cell)]))]
    return [f"{cell.id}: not compared, and no reason given" for cell in escaping if not REASON.search(cell.source)]


@rule
def tags_are_known(notebook: NotebookNode) -> list[str]:
    """Every tag is one that CONTRIBUTING.md explains."""
    known = {SHOWS_WARNING, RAISES, "nbval-ignore-output"}
    strange = [(cell.id, tag) for cell in notebook.cells for tag in tags(cell) if tag not in known]
    return [f"{name}: the tag {tag!r} says nothing" for name, tag in strange if not TORCH.fullmatch(tag)]


@rule
def pictures_have_words(notebook: NotebookNode) -> list[str]:
    """Every image has alternative text of 15 characters or more; no bare `<svg>`, which untrusted notebooks drop."""
    pages = [(cell.id, cell.source) for cell in markdown_cells(notebook)]
    pages += [(name, output.get("data", {}).get("text/html", "")) for name, output in outputs(notebook)]
    complaints = []
    for name, html in pages:
        found = _Images(html)
        alts = [image.get("alt") or "" for image in found.images] + re.findall(r"!\[(.*?)\]\(", html)
        complaints += [f"{name}: an image with the alt text {alt!r}" for alt in alts if len(alt) < 15]
        complaints += [f"{name}: a bare <svg>"] * found.bare_svg
    return complaints


@rule
def shown_picture_is_the_compared_one(notebook: NotebookNode) -> list[str]:
    """Where an SVG is stored to be compared, the `<img>` holds the same; and its alt text is compared."""
    complaints = []
    for name, output in outputs(notebook):
        data = output.get("data", {})
        for image in _Images(data.get("text/html", "")).images:
            alt, shown = image.get("alt") or "", (image.get("src") or "").partition("base64,")[2]
            if "image/svg+xml" in data and base64.b64decode(shown).decode() != data["image/svg+xml"]:
                complaints.append(f"{name}: the picture shown is not the SVG that is compared")
            if alt not in data.get("text/plain", ""):
                complaints.append(f"{name}: the alt text is not in the plain text")
    return complaints


@rule
def metadata_is_the_same_everywhere(notebook: NotebookNode) -> list[str]:
    """Kernel and language as `make refresh` writes them, tags on cells and nothing else, ids that last."""
    complaints = [] if notebook.metadata == METADATA else [f"notebook metadata is {dict(notebook.metadata)}"]
    for cell in notebook.cells:
        stray = [key for key in cell.metadata if key != "tags"]
        complaints += [f"{cell.id}: stray metadata {key!r}" for key in stray]
        if RANDOM_ID.fullmatch(cell.id):
            complaints.append(f"{cell.id}: a random cell id")
    ids = [cell.id for cell in notebook.cells]
    complaints += [f"{name}: id used twice" for name in {name for name in ids if ids.count(name) > 1}]
    laden = [name for name, output in outputs(notebook) if output.get("metadata")]
    return complaints + [f"{name}: metadata on an output" for name in laden]


@rule
def nothing_of_one_machine(notebook: NotebookNode) -> list[str]:
    """No folder of the author's machine, no line of another package's source, no address, in outputs or in cells."""
    said = [(cell.id, cell.source) for cell in notebook.cells]
    said += [(name, text) for name, output in outputs(notebook) for text in texts(output)]
    return [f"{name}: {found[0]!r}" for name, text in said for found in [PRIVATE.search(text)] if found]


@rule
def formulas_have_words(notebook: NotebookNode) -> list[str]:
    """A displayed formula stands in a cell with at least eight words of text."""
    formulas = [cell for cell in markdown_cells(notebook) if re.search(f"(?s){FORMULA}", cell.source)]
    return [f"{cell.id}: a formula without words" for cell in formulas if words(cell.source) < 8]


@lesson_rule
def opens_with_a_promise_and_closes_with_a_question(notebook: NotebookNode) -> list[str]:
    """Minutes, "before" and "able to" at the start; a table and a question at the end."""
    prose = [cell.source for cell in markdown_cells(notebook)]
    start, end = "\n".join(prose[:2]).lower(), "\n".join(prose[-2:])
    complaints = [f"the start does not say {word!r}" for word in ("minutes", "before", "able to") if word not in start]
    complaints += [] if re.search(r"(?m)^\|[ :|-]+\|$", end) else ["the end has no table"]
    return complaints if "?" in end else [*complaints, "the end has no question"]


@lesson_rule
def has_every_ingredient(notebook: NotebookNode) -> list[str]:
    """Three checked answers or more, an error to read, and an autograd graph."""
    source = "\n".join(cell.source for cell in code_cells(notebook))
    graphs = sum("image/svg+xml" in output.get("data", {}) for _, output in outputs(notebook))
    errors = sum(RAISES in tags(cell) for cell in code_cells(notebook))
    found = [("checked answers", source.count(".check("), 3), ("errors", errors, 1), ("graphs", graphs, 1)]
    return [f"{count} {what}; a lesson has {least} or more" for what, count, least in found if count < least]
