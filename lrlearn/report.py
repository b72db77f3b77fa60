"""What a class believes: right answers and misconceptions, counted in the notebooks that learners have saved.

    python -m lrlearn.report FOLDER_OR_ZIP ... [--to PAGE.html] [--csv FILE] [--names] [--watch]

FOLDER_OR_ZIP is a folder with one home folder a learner, nbgrader's course folder or exchange, the zip of a
learning platform, or a notebook. Nothing in the notebooks is run. Of several copies of one lesson in one learner's
folders the one that was changed last counts, once. The page and the table hold no names without --names, and never
an answer. With --watch the page is written again whenever a notebook has changed, until Ctrl+C.
"""

import argparse
import csv
import io
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lrlearn.commands import CommandError, command, lessons, notebooks_under, one_line
from lrlearn.comparison import FEEDBACK
from lrlearn.exercises import EXERCISES, HINTS, PREDICTIONS
from lrlearn.gathering import Found, UnreadableError, cells_of, check_sources, gather
from lrlearn.misconceptions import IN_CLASS
from lrlearn.questions import IDEAS

HERE = Path(__file__).parent
VERDICTS = ("right", "not yet", "not answered")
# what asks, and what it may ask; a question of `recap` comes again in every round, and counts by its idea
KINDS: dict[str, Mapping[str, Any]] = {"exercise": EXERCISES, "question": IDEAS, "prediction": PREDICTIONS}
POLL = 1.0  # seconds between two looks at the folders
RELOAD = 3  # seconds after which a page that is kept current loads itself again
ASKS = re.compile(r"""(?<![\w.])(check|predicted)\(\s*["']([\w.-]+)["']""")
NONE: frozenset[str] = frozenset()
Question = tuple[str, str]  # its kind and its id


@dataclass(frozen=True)
class Answer:
    """What one learner's notebook says of one question: the verdict, the misconception now and those before."""

    verdict: str = "not answered"
    now: frozenset[str] = NONE
    earlier: frozenset[str] = NONE


@dataclass(frozen=True)
class Read:
    """A notebook that was read: the lesson that it is, its answers, and how many records are not of this course."""

    lesson: str
    answers: Mapping[Question, Answer]
    foreign: int = 0

    @property
    def is_begun(self) -> bool:
        return any(answer.verdict != "not answered" for answer in self.answers.values())


@dataclass
class Row:
    """One question, with the learners behind each verdict and behind each misconception."""

    lesson: str
    kind: str
    asked: str
    learners: dict[str, list[str]] = field(default_factory=lambda: {verdict: [] for verdict in VERDICTS})
    now: dict[str, list[str]] = field(default_factory=dict)
    earlier: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Belief:
    """One misconception: who holds it now, who held it in an earlier try alone, and where it shows (most first)."""

    slug: str
    now: list[str]
    earlier: list[str]
    places: list[tuple[str, str, int]]  # lesson, question, learners
    hint: str
    in_class: str


@dataclass
class Report:
    """All that the page, the table and the CSV show."""

    learners: int
    notebooks: int
    copies: int
    silent: int
    foreign: int
    begun: dict[str, int]
    rows: list[Row]
    beliefs: list[Belief]
    guesses: list[Belief]
    troubles: list[tuple[str, str]]

    def rows_of(self, kind: str, begun: bool = True) -> list[Row]:
        """The questions of one kind, in lessons that somebody has begun, or in the others."""
        return [row for row in self.rows if row.kind == kind and (self.begun[row.lesson] > 0) == begun]


class Course:
    """The course's own lessons: which questions each asks, and by which marks a copy of it is known again."""

    def __init__(self, folder: Path) -> None:
        self.questions: dict[str, list[Question]] = {}
        self.marks: dict[str, set[Any]] = {}
        for path in notebooks_under(folder):
            cells = cells_of(path.read_bytes())
            asked = [question for cell in cells for question in questions_of(cell) if question[1] in KINDS[question[0]]]
            self.questions[path.stem] = list(dict.fromkeys(asked))
            self.marks[path.stem] = {*asked, *(cell.get("id") for cell in cells)} - {None}

    def lesson(self, cells: list[dict[str, Any]]) -> str:
        """The lesson that the cells are a copy of, whatever its file is called by now.

        Raises:
            UnreadableError: of none.
        """
        seen = {
            *(_text(cell.get("id")) for cell in cells),
            *(question for cell in cells for question in questions_of(cell)),
        }
        shared = {lesson: len(marks & seen) for lesson, marks in self.marks.items()}
        best = max(shared, key=lambda lesson: shared[lesson])
        if not shared[best]:
            raise UnreadableError("is another course's: nothing of it is in these lessons")
        return best


def read(data: bytes, course: Course) -> Read:
    """What a saved notebook says of its learner's answers.

    Raises:
        UnreadableError: nothing that can be counted.
    """
    cells = cells_of(data)
    lesson = course.lesson(cells)
    answers, foreign = _answers(cells)
    asked = course.questions[lesson]
    if asked and not answers:
        raise UnreadableError("has no outputs: it was not run, its outputs were cleared, or its lrlearn is too old")
    again = [question for question in answers if question[0] == "question"]
    known = {question: answers.get(question, Answer()) for question in [*asked, *again]}
    return Read(lesson, known, foreign + len(answers.keys() - known.keys()))


def questions_of(cell: dict[str, Any]) -> list[Question]:
    """The questions that the text of a cell puts."""
    found = ASKS.findall(_text(cell.get("source")))
    return [("exercise" if name == "check" else "prediction", asked) for name, asked in found]


def _text(given: Any) -> str:
    """A text, which nbformat may keep line by line; of anything else nothing."""
    if isinstance(given, list):
        return "".join(line for line in given if isinstance(line, str))
    return given if isinstance(given, str) else ""


def _answers(cells: list[dict[str, Any]]) -> tuple[dict[Question, Answer], int]:
    """The latest answer to each question; what an older one was explained by was met on the way."""
    answers: dict[Question, Answer] = {}
    foreign = 0
    for record in (record for cell in sorted(cells, key=_when_run) for record in _records(cell)):
        kind = next((kind for kind in KINDS if kind in record), "")
        asked, verdict = record.get(kind), record.get("verdict")
        if kind == "question" and isinstance(asked, str):
            asked = asked.split(" ", 2)[-1]  # "02 1 half-life": the lesson, the round, the idea
        if not isinstance(asked, str) or asked not in KINDS.get(kind, ()) or verdict not in VERDICTS:
            foreign += 1
            continue
        before = answers.get((kind, asked), Answer())
        earlier = before.earlier | _known(record.get("earlier"))
        if verdict == "not answered" and before.verdict != verdict:  # the question stands in one cell, the answer above
            answers[kind, asked] = replace(before, earlier=earlier)
        else:
            now = _known([record.get("misconception")]) if verdict == "not yet" else NONE
            answers[kind, asked] = Answer(verdict, now, earlier | before.now)
    return answers, foreign


def _when_run(cell: dict[str, Any]) -> int:
    number = cell.get("execution_count")
    return number if isinstance(number, int) else 0


def _records(cell: dict[str, Any]) -> list[dict[str, Any]]:
    """What `check` and `predicted` have left in a cell's outputs for a report."""
    outputs = cell.get("outputs")
    bundles = (
        [output.get("data") for output in outputs if isinstance(output, dict)] if isinstance(outputs, list) else []
    )
    records = [bundle.get(FEEDBACK) for bundle in bundles if isinstance(bundle, dict)]
    records = [one for record in records for one in _of_recap(record)]
    return [record for record in records if isinstance(record, dict)]


def _of_recap(record: Any) -> list[Any]:
    """The records in a recap's, or the record itself."""
    parts = record.get("answers") if isinstance(record, dict) and "recap" in record else [record]
    return parts if isinstance(parts, list) else []


def _known(slugs: Any) -> frozenset[str]:
    """The misconceptions of this course among them; any other text of a notebook goes no further."""
    return (
        frozenset(slug for slug in slugs if isinstance(slug, str) and slug in HINTS)
        if isinstance(slugs, list)
        else NONE
    )


def count(found: Sequence[Found], read_of: Mapping[str, Read | str], course: Course, names: bool = False) -> Report:
    """Count the answers of a class.

    Args:
        found: the notebooks, of `gather`.
        read_of: place -> what was read there, or why nothing was.
        course: the lessons that they are copies of.
        names: tell the places of notebooks that could not be read; otherwise they are numbered.
    """
    latest: dict[tuple[str, str], Found] = {}
    troubles, readable = [], 0
    for number, one in enumerate(found, start=1):
        got = read_of[one.place]
        if isinstance(got, str):
            troubles.append((one_line(one.place) if names else f"notebook {number}", got))
            continue
        readable += 1
        whose = latest.setdefault((one.learner, got.lesson), one)
        if one.changed > whose.changed:
            latest[one.learner, got.lesson] = one
    rows = {
        (lesson, *question): Row(lesson, *question)
        for lesson in dict.fromkeys(sorted(lesson for _, lesson in latest))
        for question in course.questions[lesson]
    }
    counted = {key: got for key, one in sorted(latest.items()) if isinstance(got := read_of[one.place], Read)}
    for (learner, lesson), got in counted.items():
        for question, answer in got.answers.items():
            row = rows.setdefault((lesson, *question), Row(lesson, *question))
            row.learners[answer.verdict].append(learner)
            for slug in answer.now:
                row.now.setdefault(slug, []).append(learner)
            for slug in answer.earlier:
                row.earlier.setdefault(slug, []).append(learner)
    return Report(
        learners=len({learner for learner, _ in latest}),
        notebooks=readable,
        copies=readable - len(latest),
        silent=sum(not got.answers for got in counted.values()),
        foreign=sum(got.foreign for got in counted.values()),
        begun={lesson: sum(got.is_begun for (_, its), got in counted.items() if its == lesson) for _, lesson in latest},
        rows=list(rows.values()),
        beliefs=_beliefs([row for row in rows.values() if row.kind != "prediction"]),
        guesses=_beliefs([row for row in rows.values() if row.kind == "prediction"]),
        troubles=troubles,
    )


def _beliefs(rows: list[Row]) -> list[Belief]:
    """The misconceptions behind some questions, the one that most learners hold now first."""
    found = []
    for slug in dict.fromkeys(slug for row in rows for slug in [*row.now, *row.earlier]):
        now, earlier = (
            {one for row in rows for one in getattr(row, when).get(slug, [])} for when in ("now", "earlier")
        )
        shows = [(row, {*row.now.get(slug, []), *row.earlier.get(slug, [])}) for row in rows]
        places = sorted(((row.lesson, row.asked, len(who)) for row, who in shows if who), key=lambda place: -place[2])
        found.append(Belief(slug, sorted(now), sorted(earlier - now), places, HINTS[slug], IN_CLASS[slug]))
    return sorted(found, key=lambda belief: (-len(belief.now), -len(belief.earlier), belief.slug))


def page(report: Report, names: bool = False, reload: int = 0, at: str = "") -> str:
    """The report as one page of HTML that loads nothing; with ``reload``, itself again after so many seconds."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    room = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    room.filters["told"] = lambda who: ", ".join(map(one_line, who))
    shown = {"report": report, "names": names, "reload": reload, "at": at, "verdicts": VERDICTS}
    return room.get_template("report.html.j2").render(shown)


def table(report: Report, names: bool = False) -> str:
    """The report for a terminal."""
    lines = [summary(report)]
    for title, beliefs in (("exercises", report.beliefs), ("predictions", report.guesses)):
        if beliefs:
            lines += ["", f"What is behind wrong answers: {title}", f"{'now':>5} {'on the way':>11}  misconception"]
        for one in beliefs:
            places = ", ".join(f"{asked} ({lesson}) {count}" for lesson, asked, count in one.places)
            lines += [f"{len(one.now):5} {len(one.earlier):11}  {one.slug}: {one.hint}"]
            lines += [f"{'':19}shows in {places}", f"{'':19}in class: {one.in_class}"]
            if names and one.now:
                lines.append(f"{'':19}now: {', '.join(map(one_line, one.now))}")
    for kind in KINDS:
        if rows := report.rows_of(kind):
            lines += ["", f"{'right':>6} {'not yet':>8} {'not answered':>13}  {kind}"]
        for row in rows:
            right, not_yet, open_ = (len(row.learners[verdict]) for verdict in VERDICTS)
            lines.append(f"{right:6} {not_yet:8} {open_:13}  {row.asked} ({row.lesson})")
    lines += [""] + [f"not counted: {place} {why}" for place, why in report.troubles]
    return "\n".join(lines).rstrip()


def summary(report: Report) -> str:
    """In one line how many were read, and how far the class is."""
    begun = [f"{lesson} begun by {count}" for lesson, count in report.begun.items() if count]
    read_ = f"{report.learners} learners, {report.notebooks} notebooks read, {len(report.troubles)} could not be"
    return f"{read_}; {', '.join(begun) or 'nothing answered yet'}"


def spreadsheet(report: Report, names: bool = False) -> str:
    """The report as CSV: a row for each question, then one for each misconception."""
    head = ["kind", "lesson", "id", *VERDICTS, "hold it now", "met it on the way"]
    rows: list[list[Any]] = [head + ["names"] * names]
    for row in report.rows:
        counts = [len(row.learners[verdict]) for verdict in VERDICTS]
        rows.append([row.kind, row.lesson, row.asked, *counts, "", "", *[_plain(row.learners["not yet"])] * names])
    for kind, beliefs in (("exercise", report.beliefs), ("prediction", report.guesses)):
        for one in beliefs:
            lesson = " ".join(dict.fromkeys(place[0] for place in one.places))
            counts = [len(one.now), len(one.earlier)]
            rows.append([f"misconception, {kind}", lesson, one.slug, "", "", "", *counts, *[_plain(one.now)] * names])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _plain(who: Sequence[str]) -> str:
    """Names that no spreadsheet takes for a formula."""
    told = "; ".join(map(one_line, who))
    return f"'{told}" if told[:1] in ("=", "+", "-", "@") else told


class Reader:
    """Reads notebooks, and each again only when it has changed."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.known: dict[str, tuple[tuple[Any, ...], Read | str]] = {}

    def __call__(self, found: Sequence[Found]) -> dict[str, Read | str]:
        """Place -> what was read there, or why nothing was."""
        held = self.known
        self.known = {one.place: held.get(one.place, ((), "")) for one in found}
        for one in found:
            if self.known[one.place][0] != one.version:
                self.known[one.place] = (one.version, self._read(one))
        return {place: got for place, (_, got) in self.known.items()}

    def _read(self, one: Found) -> Read | str:
        try:
            return read(one.read(), self.course)
        except UnreadableError as why:
            return str(why)


def write(path: Path, text: str) -> None:
    """A file that is always whole: who opens it sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="")
    part.replace(path)


@command("lrlearn report")
def main(arguments: list[str]) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser("lrlearn report", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sources", nargs="+", type=Path, metavar="FOLDER_OR_ZIP", help="where the notebooks are")
    parser.add_argument("--to", type=Path, default=Path("report.html"), metavar="PAGE.html", help="./report.html")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="the same counts for a spreadsheet")
    parser.add_argument("--names", action="store_true", help="say who; not for the projector")
    parser.add_argument("--watch", action="store_true", help="keep the page current, until Ctrl+C")
    given = parser.parse_args(arguments)
    check_sources(given.sources)
    if given.to.suffix.lower() not in (".html", ".htm"):
        raise CommandError(f"--to names the page, such as report.html, not {given.to}")
    if given.csv and given.csv.suffix.lower() in (".ipynb", ".zip", ".html", ".htm"):
        raise CommandError(f"--csv names a file for a spreadsheet, such as report.csv, not {given.csv}")
    reader = Reader(Course(lessons()))
    before: object = None
    while True:
        began = time.monotonic()
        found = gather(given.sources)
        now = [(one.place, one.version) for one in found]
        if now != before:
            before = now
            report = count(found, reader(found), reader.course, given.names)
            at = time.strftime("%H:%M:%S") if given.watch else ""
            write(given.to, page(report, given.names, RELOAD if given.watch else 0, at))
            if given.csv:
                write(given.csv, spreadsheet(report, given.names))
            print(f"{at} {summary(report)}" if given.watch else table(report, given.names), flush=True)
        if not given.watch:
            break
        time.sleep(max(POLL, 4 * (time.monotonic() - began)))  # at most a fifth of one core
    if not report.notebooks:
        raise CommandError(f"no notebook of this course could be read; {given.to} says why")
    print(f"\n{given.to}", *([str(given.csv)] if given.csv else []))


if __name__ == "__main__":
    main()
