"""The access graph: identities, groups, policies and resource in four columns, drawn by a template."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Final, NamedTuple

from console.access.lines import policy_name, short
from iam.access.explanation import ExplanationStep
from iam.access.who_can import WhoCanRow
from iam.phrases import counted
from iam.policy.evaluate import EvaluationDecision
from iam.policy.request import PrincipalKind

COLUMNS: Final = ((10, 190), (254, 170), (478, 210), (742, 168))
"""Position and width of each column."""
TITLES: Final = ("Identity", "Group", "Policy", "Resource")
WIDTH, TOP, HEIGHT, STEP, BEND = 920, 32, 40, 54, 60
LETTERS: Final = 7.2
"""Average width of a letter, by which names are cut."""
MAX_BOXES: Final = 12
"""Maximum number of boxes per column; further ones share the last box."""
WAYS: Final = 3
IDENTITY, GROUP, POLICY, RESOURCE = range(4)
Key = tuple[int, str]


class GraphEdge(NamedTuple):
    """An edge between two boxes; `css` is "", `maybe` or `deny`."""

    source: Key
    target: Key
    css: str


@dataclass(slots=True)
class GraphBox:
    """A box; `text` and `sub` are cut to fit, `title` is complete."""

    key: Key
    name: str
    sub: str
    css: str = ""
    y: int = 0

    @property
    def x(self) -> int:
        """The x coordinate of the left side."""
        return COLUMNS[self.key[0]][0]

    @property
    def width(self) -> int:
        """Its width."""
        return COLUMNS[self.key[0]][1]

    @property
    def text(self) -> str:
        """The name, cut to the width."""
        return _cut(self.name, self.width)

    @property
    def below(self) -> str:
        """The second line in smaller letters, cut to the width."""
        return _cut(self.sub, self.width + 16)

    @property
    def text_positions(self) -> tuple[int, int, int]:
        """The x coordinate of the texts, and the y coordinates of both lines."""
        return self.x + 12, self.y + 17, self.y + 31


@dataclass(slots=True)
class GraphDrawing:
    """The data for the template; `lines` are (class, path)."""

    height: int = 0
    boxes: list[GraphBox] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    heads: tuple[tuple[int, str], ...] = tuple((COLUMNS[i][0], title) for i, title in enumerate(TITLES))
    words: str = ""
    width: int = WIDTH

    @property
    def has_maybe(self) -> bool:
        """Whether any edge is conditional."""
        return any(css == "maybe" for css, _ in self.lines)

    @property
    def has_deny(self) -> bool:
        """Whether any edge is a deny."""
        return any(css == "deny" for css, _ in self.lines)


def graph_of(rows: Sequence[WhoCanRow], *, resource: str) -> GraphDrawing:
    """Return the graph of the principals on a page."""
    boxes: dict[Key, GraphBox] = {}
    edges: dict[GraphEdge, None] = {}
    goal = (RESOURCE, resource)
    is_wide = len({row.account for row in rows}) > 1
    for row in rows:
        for step in _steps(row):
            way = _way_boxes(row, step, is_wide=is_wide)
            for box in way:
                boxes.setdefault(box.key, box)
            keys = [*(box.key for box in way), goal]
            edges |= {GraphEdge(start, two, _css(row, step)): None for start, two in pairwise(keys)}
    sub = "The resource" if resource != "*" else "of the action"
    boxes[goal] = GraphBox(goal, short(resource), sub, "end")
    kept = _merged(boxes, list(edges))
    return _drawn(boxes, kept, _plain_words(rows, resource))


def _steps(row: WhoCanRow) -> Sequence[ExplanationStep]:
    denied = row.decision is EvaluationDecision.EXPLICITLY_DENIED
    return (row.why.denies if denied else row.why.grants)[:WAYS]


def _css(row: WhoCanRow, step: ExplanationStep) -> str:
    if row.decision is EvaluationDecision.CONDITIONAL:
        return "maybe"
    return "" if step.allows else "deny"


def _way_boxes(row: WhoCanRow, step: ExplanationStep, *, is_wide: bool) -> list[GraphBox]:
    """Return the boxes of principal, group (if any) and statement; `is_wide` shows the accounts, since there
    are several.
    """
    mark = "denied" if _css(row, step) == "deny" else ""
    way = [_principal(row, mark)]
    if step.held is not None and step.held.group is not None:
        name = step.held.group.name
        sub = f"group, {row.account}" if is_wide else "group"
        way.append(GraphBox((GROUP, f"{row.account} {name}"), name, sub))
    level = f", level {step.reason.level}" if step.reason.level else ""
    verdict = "explicit deny, " if mark else ""
    label = f"{verdict}{step.statement}" if step.statement else "AWS rule"
    name = policy_name(step).removesuffix(f" at level {step.reason.level}")
    way.append(
        GraphBox(
            (POLICY, f"{_home(row, step)} {step.reason.statement}{level}"), name, f"{label}{level}", mark
        )
    )
    return way


def _principal(row: WhoCanRow, mark: str) -> GraphBox:
    if row.kind is PrincipalKind.ROLE:
        sub = "role"
    elif row.name != row.display:
        sub = row.name
    else:
        sub = "user"
    return GraphBox((IDENTITY, row.arn), row.display, sub, mark)


def _home(row: WhoCanRow, step: ExplanationStep) -> str:
    """Return what distinguishes policies with the same name: the ARN of a managed policy, or the holder of an
    inline policy.
    """
    name = (
        step.reason.policy.partition(" ")[0] if step.held and not step.held.is_inline else step.reason.policy
    )
    if step.held is None or not step.held.is_inline:
        return f"{step.reason.kind} {name}"
    return f"{row.account if step.held.group else row.arn} {name}"


def _merged(boxes: dict[Key, GraphBox], edges: list[GraphEdge]) -> list[GraphEdge]:
    """Merge identities with the same paths, and the boxes beyond a column's maximum."""
    edges = _replaced(boxes, edges, _shared_boxes(boxes, edges))
    for column in (IDENTITY, GROUP, POLICY):
        mine = [key for key in boxes if key[0] == column]
        if len(mine) > MAX_BOXES:
            rest = mine[MAX_BOXES - 1 :]
            more = (column, "")
            count = sum(_count(boxes[key]) for key in rest)
            boxes[more] = GraphBox(more, f"{count} more", TITLES[column].lower())
            edges = _replaced(boxes, edges, dict.fromkeys(rest, more))
    return edges


def _count(box: GraphBox) -> int:
    return int(box.name.split()[0]) if box.css == "several" else 1


def _shared_boxes(boxes: dict[Key, GraphBox], edges: list[GraphEdge]) -> dict[Key, Key]:
    """Return the shared box of each identity if there are more identities than boxes."""
    ways: dict[Key, list[tuple[Key, str]]] = defaultdict(list)
    for edge in edges:
        if edge.source[0] == IDENTITY:
            ways[edge.source].append((edge.target, edge.css))
    if len(ways) <= MAX_BOXES:
        return {}
    alike: dict[tuple[tuple[Key, str], ...], list[Key]] = defaultdict(list)
    for key, twins in ways.items():
        alike[tuple(twins)].append(key)
    shared: dict[Key, Key] = {}
    for keys in alike.values():
        if len(keys) > 1:
            together = (IDENTITY, f"with {keys[0][1]}")
            boxes[together] = GraphBox(
                together, f"{len(keys)} principals", f"{boxes[keys[0]].name} and others", "several"
            )
            shared |= dict.fromkeys(keys, together)
    return shared


def _replaced(boxes: dict[Key, GraphBox], edges: list[GraphEdge], shared: dict[Key, Key]) -> list[GraphEdge]:
    for key in shared:
        boxes.pop(key, None)
    changed = (
        GraphEdge(shared.get(edge.source, edge.source), shared.get(edge.target, edge.target), edge.css)
        for edge in edges
    )
    return list(dict.fromkeys(changed))


def _drawn(boxes: dict[Key, GraphBox], edges: list[GraphEdge], words: str) -> GraphDrawing:
    """Place the boxes column by column from the left, each as near as possible to its incoming edges."""
    sources: dict[Key, list[Key]] = defaultdict(list)
    for edge in edges:
        sources[edge.target].append(edge.source)
    bottom = TOP
    for column in range(4):
        mine = [box for key, box in boxes.items() if key[0] == column]
        wanted = {box.key: _middle([boxes[key].y for key in sources[box.key]]) for box in mine}
        if column == IDENTITY:
            first = {edge.source: edge.target for edge in reversed(edges)}
            # Places identities next to each other that lead to the same group or policy.
            mine.sort(key=lambda box: list(boxes).index(first.get(box.key, box.key)))
        else:
            mine.sort(key=lambda box: wanted[box.key])
        free = TOP
        for box in mine:
            box.y = max(free, wanted[box.key])
            free = box.y + STEP
        bottom = max(bottom, free)
    lines = [(edge.css, _curve(boxes[edge.source], boxes[edge.target])) for edge in edges]
    return GraphDrawing(height=bottom, boxes=list(boxes.values()), lines=lines, words=words)


def _middle(places: list[int]) -> int:
    return sum(places) // len(places) if places else TOP


def _curve(source: GraphBox, target: GraphBox) -> str:
    start_x = source.x + source.width
    start_y = source.y + HEIGHT // 2
    end_x = target.x
    end_y = target.y + HEIGHT // 2
    is_next_column = target.key[0] == source.key[0] + 1
    bend = (start_x + end_x) // 2 if is_next_column else end_x - BEND
    return f"M{start_x} {start_y}C{bend} {start_y} {bend} {end_y} {end_x} {end_y}"


def _cut(text: str, width: int) -> str:
    room = int((width - 24) / LETTERS)
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _plain_words(rows: Sequence[WhoCanRow], resource: str) -> str:
    """Return a description of the drawing for screen readers."""
    denied = sum(row.decision is EvaluationDecision.EXPLICITLY_DENIED for row in rows)
    able = len(rows) - denied
    steps = chain.from_iterable(map(_steps, rows))
    policies = {policy_name(step) for step in steps if step.allows}
    sentence = (
        f"{counted(able, 'principal')} through "
        f"{counted(len(policies), 'policy', 'policies')}: {short(resource)}."
    )
    if denied:
        sentence += f" {counted(denied, 'principal is', 'principals are')} denied."
    return f"{sentence} The lists above show the same as text."
