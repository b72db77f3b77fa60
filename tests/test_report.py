"""What a class believes: counted right, from every place where notebooks lie, whatever is in them."""

import csv
import io
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "load"))

import make_class  # noqa: E402

from lrlearn import gathering, report  # noqa: E402
from lrlearn.comparison import FEEDBACK  # noqa: E402
from lrlearn.misconceptions import HINTS, IN_CLASS  # noqa: E402
from lrlearn.recaps import recap  # noqa: E402

COURSE = report.Course(ROOT / "lessons")
LESSON = "03-worked-example"  # one exercise, four predictions
EXERCISE, PREDICTION = ("exercise", "worked-table"), ("prediction", "rate-of-epoch-3-from-0.2")
PLAIN = json.loads((ROOT / "lessons" / f"{LESSON}.ipynb").read_text(encoding="utf-8"))
RECORD = {"exercise": "worked-table", "verdict": "not yet", "misconception": "fence-post", "try": 1, "earlier": []}


def notebook(*beliefs, **guesses):
    """The text of a lesson in which the exercise was answered so, one try after the other."""
    return json.dumps(make_class.answered(PLAIN, {EXERCISE: list(beliefs)} | guesses))


def with_records(*records):
    """The text of a lesson with only these records in its outputs."""
    outputs = [{"output_type": "display_data", "metadata": {}, "data": {FEEDBACK: record}} for record in records]
    cells = [{"cell_type": "code", "source": 'check("worked-table", ...)', "outputs": outputs, "execution_count": 1}]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def put(folder, **texts):
    for name, text in texts.items():
        path = folder / name / f"{LESSON}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def counted(*sources, names=False):
    found = gathering.gather(sources)
    return report.count(found, report.Reader(COURSE)(found), COURSE, names)


def verdicts(counts, asked="worked-table"):
    (row,) = [row for row in counts.rows if row.asked == asked]
    return tuple(len(row.learners[verdict]) for verdict in report.VERDICTS)


def beliefs(found):
    return {one.slug: (len(one.now), len(one.earlier)) for one in found}


SLUGS = ["additive-decay", "off-by-one-epoch", "never-stepped"]
TRIES = st.lists(st.lists(st.sampled_from([None, *SLUGS]), max_size=3), min_size=1, max_size=4)


@settings(max_examples=15)
@given(TRIES)
def test_the_report_finds_exactly_what_a_class_answered(tmp_path_factory, classroom):
    folder = tmp_path_factory.mktemp("class")
    put(folder, **{f"learner{number}": notebook(*tries) for number, tries in enumerate(classroom)})
    counts = counted(folder)
    last = [tries[-1] if tries else ... for tries in classroom]
    right, silent = last.count(None), last.count(...)
    assert verdicts(counts) == (right, len(last) - right - silent, silent)
    now = {slug: last.count(slug) for slug in SLUGS}
    earlier = {slug: sum(slug in tries and tries[-1] != slug for tries in classroom) for slug in SLUGS}
    assert beliefs(counts.beliefs) == {slug: (now[slug], earlier[slug]) for slug in SLUGS if now[slug] + earlier[slug]}
    assert [len(one.now) for one in counts.beliefs] == sorted((len(one.now) for one in counts.beliefs), reverse=True)
    assert not counts.troubles and not counts.guesses


def test_predictions_are_counted_apart(tmp_path):
    put(tmp_path, anna=json.dumps(make_class.answered(PLAIN, {PREDICTION: ["additive-decay"], EXERCISE: [None]})))
    counts = counted(tmp_path)
    assert beliefs(counts.guesses) == {"additive-decay": (1, 0)} and not counts.beliefs
    assert verdicts(counts, PREDICTION[1]) == (0, 1, 0) and verdicts(counts) == (1, 0, 0)


def test_the_questions_of_a_recap_count_by_their_idea(tmp_path):
    asked = recap("03", answers=["nonsense"] * 5)
    ideas = [idea for idea, _, _ in asked.questions]
    records = asked._repr_mimebundle_()[FEEDBACK]
    records["answers"][0] |= {"misconception": "never-stepped", "verdict": "not yet"}
    counts = counted(put(tmp_path, anna=with_records(records, RECORD), ben=with_records(records | {"round": 7})))
    assert {row.asked for row in counts.rows_of("question")} == set(ideas) and counts.foreign == 0
    assert verdicts(counts, ideas[0]) == (0, 2, 0)
    assert beliefs(counts.beliefs) == {"never-stepped": (2, 0), "fence-post": (1, 0)}
    assert "Asked again" in report.page(counts) and ideas[0] in report.table(counts)


def test_each_belief_comes_with_what_a_teacher_needs(tmp_path):
    put(tmp_path, anna=notebook("additive-decay"), ben=notebook("additive-decay"))
    (one,) = counted(tmp_path).beliefs
    assert one.places == [(LESSON, "worked-table", 2)]
    for shown in (report.page(counted(tmp_path)), report.table(counted(tmp_path))):
        assert all(words in shown for words in (HINTS[one.slug], IN_CLASS[one.slug], LESSON, "worked-table"))


# Where notebooks lie

ANNA, BEN = notebook("additive-decay"), notebook(None)
PLACES = {
    "homes on a hub": ["anna/lessons/{}", "ben/lessons/{}"],
    "homes with the whole course": ["anna/course/lessons/{}", "ben/course/lessons/{}"],
    "a course folder of nbgrader": ["submitted/anna/ps1/{}", "submitted/ben/ps1/{}", "source/ps1/{}", "release/ps1/{}"],
    "its folder of submissions": ["anna/ps1/{}", "ben/ps1/{}"],
    "an exchange": [
        "course/inbound/an+na+ps1+2026-11-26 10:00:00.123456 UTC+q1w2/{}",
        "course/inbound/ben+ps1+2026-11-26 10:00:00 UTC/{}",
        "course/outbound/ps1/{}",
    ],
    "Moodle with folders": ["Anna A_12_assignsubmission_file_/{}", "Ben B_13_assignsubmission_file/{}"],
    "Moodle without": ["Anna A_12_assignsubmission_file_{}", "Ben B_13_assignsubmission_file_{}"],
    "a folder around all": ["all of them/anna/{}", "all of them/ben/{}"],
    "loose files": ["anna-{}", "ben-{}"],
}


def laid(root, places, packed):
    """A class of two in such places, in a folder or in a zip."""
    files = {place.format(f"{LESSON}.ipynb"): text for place, text in zip(places, [ANNA, BEN, BEN, BEN], strict=False)}
    files |= {f"anna/.ipynb_checkpoints/{LESSON}.ipynb": BEN, "__MACOSX/anna/._x.ipynb": "x"}
    if packed:
        with zipfile.ZipFile(root / "class.zip", "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return root / "class.zip"
    for name, text in files.items():
        (path := root / "class" / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root / "class"


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
def test_learners_are_told_apart_wherever_their_notebooks_lie(tmp_path, places, packed):
    counts = counted(laid(tmp_path, places, packed))
    assert (counts.learners, counts.copies, counts.troubles) == (2, 0, [])
    assert beliefs(counts.beliefs) == {"additive-decay": (1, 0)} and verdicts(counts) == (1, 1, 0)


def test_loose_files_in_a_folder_of_a_zip_are_no_copies(tmp_path):
    assert counted(laid(tmp_path, ["class/anna-{}", "class/ben-{}"], packed=True)).learners == 2


@pytest.mark.parametrize("newer", [0, 1])
def test_of_several_copies_the_one_changed_last_counts_once(tmp_path, newer):
    put(tmp_path, anna=ANNA, ben=BEN)
    (copy := tmp_path / "anna" / "my copy.ipynb").write_text(BEN)
    os.utime(tmp_path / "anna" / f"{LESSON}.ipynb", (1e9, 1e9))
    os.utime(copy, (1e9, 1e9 + (1 if newer else -1)))
    counts = counted(tmp_path)
    assert (counts.learners, counts.notebooks, counts.copies) == (2, 3, 1)
    assert verdicts(counts) == ((2, 0, 0) if newer else (1, 1, 0))


def test_the_same_name_in_two_folders_is_one_learner_and_a_later_submission_counts(tmp_path):
    names = ["2026-11-26 10:00:00 UTC", "2026-11-26 11:00:00 UTC"]
    for name, text in zip(names, [ANNA, BEN], strict=True):
        put(tmp_path / "course" / "inbound", **{f"anna+ps1+{name}": text})
    assert verdicts(counted(tmp_path)) == (1, 0, 0)
    counts = counted(put(tmp_path / "a", anna=ANNA, carl=BEN), put(tmp_path / "b", anna=ANNA))
    assert (counts.learners, counts.copies) == (2, 1)


def test_a_lesson_is_known_again_whatever_its_file_is_called(tmp_path):
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "Untitled (3).ipynb").write_text(ANNA)
    assert verdicts(counted(tmp_path)) == (0, 1, 0)


def test_lessons_that_nobody_has_begun_stay_in_the_background(tmp_path):
    given = (ROOT / "lessons" / "02-formula.ipynb").read_text(encoding="utf-8")
    (put(tmp_path, anna=ANNA, ben=BEN) / "anna" / "02-formula.ipynb").write_text(given)
    counts = counted(tmp_path)
    assert {row.lesson for row in counts.rows_of("exercise")} == {LESSON}
    assert {row.lesson for row in counts.rows_of("exercise", begun=False)} == {"02-formula"}
    assert "02-formula" not in report.table(counts) and "Lessons that nobody has begun" in report.page(counts)


# Notebooks that cannot be counted, and hostile ones

DEEP = b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
EMPTIED = json.dumps(PLAIN | {"cells": [cell | {"outputs": []} for cell in PLAIN["cells"]]}).encode()
OTHERS = json.dumps({"cells": [{"cell_type": "code", "id": "x", "source": "1", "outputs": []}], "nbformat": 4}).encode()
BROKEN = {
    "cut off": (ANNA[:-100].encode(), "is not JSON"),
    "empty": (b"", "is not JSON"),
    "no text": (b"\xff\xfe\x00", "is not UTF-8"),
    "no notebook": (b'{"worksheets": []}', "no notebook"),
    "a list": (b"[1]", "no notebook"),
    "a number too long for Python": (b"1" * 10_000, "is not JSON"),
    "nested": (DEEP, "nested too deeply"),
    "no outputs": (EMPTIED, "has no outputs"),
    "another course's": (OTHERS, "another course"),
    "too large": (b'{"cells": "' + b" " * gathering.LARGEST + b'"}', "is too large: 20 MB"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize(("content", "why"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_counted_is_named_and_the_rest_is_counted(tmp_path, content, why, packed):
    if packed:
        with zipfile.ZipFile(source := tmp_path / "class.zip", "w") as archive:
            archive.writestr("anna/x.ipynb", content)
            archive.writestr("ben/x.ipynb", BEN)
    else:
        (put(source := tmp_path / "class", ben=BEN) / "anna").mkdir()
        (source / "anna" / "x.ipynb").write_bytes(content)
    counts = counted(source)
    ((place, told),) = counts.troubles
    assert why in told and verdicts(counts) == (1, 0, 0)
    assert place == "notebook 1" and "anna" not in report.page(counts) + report.table(counts)
    ((place, told),) = counted(source, names=True).troubles
    assert place == f"{source}/anna/x.ipynb" and why in told


def test_links_pipes_and_closed_folders_are_named_and_not_followed(tmp_path):
    put(tmp_path / "secret", carl=ANNA)
    put(folder := tmp_path / "class", ben=BEN)
    (folder / "ben" / "link.ipynb").symlink_to(tmp_path / "secret" / "carl" / f"{LESSON}.ipynb")
    (folder / "carl").symlink_to(tmp_path / "secret" / "carl")
    os.mkfifo(folder / "ben" / "pipe.ipynb")  # reading it would never end
    counts = counted(folder)
    assert sorted(why.split(",")[0] for _, why in counts.troubles) == [
        "is a link or no file",
        "is a link or no file",
        "is a link to a folder",
    ]
    assert counts.learners == 1 and not counts.beliefs


def entry(name, mode=0):
    made = zipfile.ZipInfo(name)
    made.external_attr, made.compress_type = mode << 16, zipfile.ZIP_DEFLATED
    return made


HOSTILE = {
    "a way out": (entry("../../evil.ipynb"), ANNA, "leads out of its zip"),
    "a way out in mid-name": (entry("anna/../../evil.ipynb"), ANNA, "leads out of its zip"),
    "an absolute name": (entry("/tmp/evil.ipynb"), ANNA, "leads out of its zip"),
    "a name of Windows": (entry("C:/evil.ipynb"), ANNA, "leads out of its zip"),
    "a link": (entry("anna/link.ipynb", stat.S_IFLNK | 0o777), "/etc/passwd", "is a link"),
    "a bomb": (entry("anna/bomb.ipynb"), " " * 15_000_000, "zip bomb"),
    "a large bomb": (entry("anna/bomb.ipynb"), " " * 100_000_000, "is too large: 100 MB"),
    "a zip": (entry("anna/mine.zip"), "PK", "a zip inside a zip"),
}


@pytest.mark.parametrize(("name", "content", "why"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_zip_harms_nothing(tmp_path, name, content, why):
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.writestr(name, content)
        archive.writestr(entry("ben/x.ipynb"), BEN)
    before = sorted(tmp_path.rglob("*"))
    counts = counted(tmp_path / "class.zip")
    ((_, told),) = counts.troubles
    assert why in told and verdicts(counts) == (1, 0, 0) and counts.learners == 1
    assert sorted(tmp_path.rglob("*")) == before, "nothing is unpacked"


def test_a_zip_that_lies_about_sizes_is_broken_and_no_more_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.writestr(made := entry("anna/x.ipynb"), " " * 60_000_000)
    raw = bytearray((tmp_path / "class.zip").read_bytes())
    at = raw.rindex(b"PK\x01\x02")
    assert int.from_bytes(raw[at + 24 : at + 28], "little") == made.file_size == 60_000_000
    raw[at + 24 : at + 28] = (5000).to_bytes(4, "little")
    (tmp_path / "class.zip").write_bytes(raw)
    assert [why for _, why in counted(tmp_path / "class.zip").troubles] == ["is broken in its zip"]


@pytest.mark.parametrize("limit", ["ENTRIES", "MOST"])
def test_a_zip_of_too_much_is_not_opened(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(gathering, limit, 1)
    counts = counted(laid(tmp_path, PLACES["homes on a hub"], packed=True))
    assert counts.notebooks == 0 and "holds more than" in counts.troubles[0][1]


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip", ANNA.encode()])
def test_a_broken_zip_is_named(tmp_path, content):
    (tmp_path / "class.zip").write_bytes(content)
    assert [why for _, why in counted(tmp_path / "class.zip").troubles] == ["is no zip, or a broken one"]


EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
FORGED = {
    "an id": RECORD | {"exercise": EVIL},
    "another id": RECORD | {"exercise": "of-another-course"},
    "no id": {"verdict": "right"},
    "an empty key": {"": "worked-table", "verdict": "right"},
    "a verdict": RECORD | {"verdict": EVIL},
    "a list for an id": RECORD | {"exercise": ["worked-table"]},
}


@pytest.mark.parametrize("record", FORGED.values(), ids=FORGED)
def test_a_record_of_another_course_is_counted_as_such_and_never_quoted(tmp_path, record):
    counts = counted(put(tmp_path, anna=with_records(RECORD, record)))
    assert counts.foreign == 1 and beliefs(counts.beliefs) == {"fence-post": (1, 0)}
    assert "alert" not in report.page(counts) + report.table(counts) + report.spreadsheet(counts)


@pytest.mark.parametrize("value", [EVIL, "of-another-course", 3, ["x"], {"x": 1}, None])
def test_unknown_misconceptions_are_never_quoted(tmp_path, value):
    record = RECORD | {"misconception": value, "earlier": [value, "additive-decay"]}
    counts = counted(put(tmp_path, anna=with_records(record | {"try": EVIL, EVIL: EVIL})))
    assert beliefs(counts.beliefs) == {"additive-decay": (0, 1)} and verdicts(counts) == (0, 1, 0)
    assert "alert" not in report.page(counts) and "another-course" not in report.page(counts)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda deeper: (
        st.lists(deeper, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "cell_type", "outputs", "data", FEEDBACK, *RECORD, "execution_count", "id"]),
            deeper | st.sampled_from(["code", "worked-table", "right", "fence-post", 'check("worked-table")']),
        )
    ),
    max_leaves=30,
)


@settings(max_examples=200)
@given(anything)
def test_no_json_at_all_stops_a_report(content):
    for given_ in (content, {"cells": [{"cell_type": "code", "source": 'check("worked-table")', "outputs": content}]}):
        try:
            found = report.read(json.dumps(given_).encode(), COURSE)
        except gathering.UnreadableError as why:
            assert str(why)
        else:
            assert set(found.answers) <= {*COURSE.questions[found.lesson]}


def test_100_notebooks_full_of_output_are_refused_by_size_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(gathering, "_bytes_of", lambda path: pytest.fail("it was opened"))
    for number in range(100):
        (tmp_path / f"learner{number}").mkdir()
        with (tmp_path / f"learner{number}" / "x.ipynb").open("wb") as file:
            file.truncate(100_000_000)  # of nothing: it takes no room on the disk
    assert [why for _, why in counted(tmp_path).troubles] == ["is too large: 100 MB, and 20 is the limit"] * 100


# Names


@pytest.mark.parametrize("names", [False, True])
def test_names_are_told_only_if_asked_for_and_answers_never(tmp_path, names):
    answer = "0.123456789 my own words"
    told = ANNA.replace('"outputs"', f'"note": "{answer}", "outputs"')
    put(tmp_path, **{"Anna <b>Ä": told, "=cmd()": ANNA, "ben": BEN})
    counts = counted(tmp_path, names=names)
    page, rows = report.page(counts, names), report.spreadsheet(counts, names)
    for shown in (page, rows, report.table(counts, names)):
        assert "0.123456789" not in shown and "my own" not in shown
        assert ("Anna" in shown) == ("cmd" in shown) == names
    assert "<b>" not in page and ("Anna &lt;b&gt;Ä" in page) == names
    assert not any(cell[:1] in "=+-@" and cell for row in csv.reader(io.StringIO(rows)) for cell in row)


def test_the_spreadsheet_holds_the_same_counts(tmp_path):
    put(tmp_path, anna=ANNA, ben=BEN, carl=notebook("additive-decay", None))
    rows = list(csv.DictReader(io.StringIO(report.spreadsheet(counted(tmp_path)))))
    (asked,) = [row for row in rows if row["id"] == "worked-table"]
    assert [asked[verdict] for verdict in report.VERDICTS] == ["2", "1", "0"] and asked["lesson"] == LESSON
    (held,) = [row for row in rows if row["id"] == "additive-decay"]
    assert (held["hold it now"], held["met it on the way"]) == ("1", "1")


# The command


def run(*arguments, **options):
    command = [sys.executable, "-m", "lrlearn.report", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def test_the_command_writes_the_page_and_the_spreadsheet_and_prints_a_table(tmp_path):
    put(tmp_path / "class", anna=ANNA, ben=BEN)
    done = run("class", "--to", "new/page.html", "--csv", "new/counts.csv", cwd=tmp_path)
    assert done.returncode == 0 and not done.stderr
    assert re.search(r"^ +1 +0  additive-decay: ", done.stdout, flags=re.MULTILINE)
    assert re.search(r"^ +1 +1 +0  worked-table ", done.stdout, flags=re.MULTILINE)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["counts.csv", "page.html"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing"], "nothing: there is no such file"),
        (["notes.txt"], "neither a folder, nor a zip"),
        (["class", "--to", "class/a.ipynb"], "--to names the page"),
        (["class", "--csv", "class/a.ipynb"], "--csv names a file"),
        (["class", "--to", "notes.txt/page.html"], "notes.txt"),
        (["empty"], "no notebook of this course"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "class", anna=ANNA)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(SystemExit) as ended:
        report.main(arguments)
    assert says in ended.value.code and ended.value.code.startswith("lrlearn report: ")
    assert len(ended.value.code.splitlines()) == 1


def wait_for(condition, process, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(f"it did not happen; {process.poll()}")


def test_the_page_is_kept_current_until_ctrl_c(tmp_path):
    put(tmp_path / "class", anna=ANNA)
    page = tmp_path / "page.html"
    says = lambda words: lambda: page.exists() and words in page.read_text(encoding="utf-8")  # noqa: E731
    command = [sys.executable, "-m", "lrlearn.report", "class", "--to", "page.html", "--watch"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(says("additive-decay"), process)
        assert '<meta http-equiv="refresh"' in page.read_text() and "<script" not in page.read_text()
        put(tmp_path / "class", anna=notebook("off-by-one-epoch"))
        wait_for(says("off-by-one-epoch"), process)
        put(tmp_path / "class", ben=BEN)
        wait_for(says("2 learners"), process)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130 and said.strip() == "lrlearn report: stopped"


def test_only_what_has_changed_is_read_again(tmp_path, monkeypatch):
    put(tmp_path, anna=ANNA, ben=BEN)
    opened = []
    whole = gathering._bytes_of
    monkeypatch.setattr(gathering, "_bytes_of", lambda path: opened.append(path.parent.name) or whole(path))
    reader = report.Reader(COURSE)
    reader(gathering.gather([tmp_path]))
    put(tmp_path, ben=ANNA)
    (tmp_path / "carl").mkdir()
    (tmp_path / "carl" / "x.ipynb").write_text(ANNA)
    reader(gathering.gather([tmp_path]))
    assert opened == ["anna", "ben", "ben", "carl"]


# The page


@pytest.mark.browser
def test_axe_finds_nothing_and_nothing_is_loaded_or_run(browser, tmp_path):
    put(tmp_path, **{EVIL.replace("/", ""): ANNA, "ben": notebook("never-stepped", None), "carl": with_records(RECORD)})
    (tmp_path / "ben" / "cut.ipynb").write_text("{")
    given = (ROOT / "lessons" / "02-formula.ipynb").read_text(encoding="utf-8")
    (tmp_path / "ben" / "02-formula.ipynb").write_text(given)
    (tmp_path / "page.html").write_text(report.page(counted(tmp_path, names=True), names=True), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 720}, bypass_csp=True)  # for axe's own script
    asked, alerts = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page.goto((tmp_path / "page.html").as_uri())
    assert len(asked) == 1 and not alerts
    page.locator("details").evaluate("details => (details.open = true)")
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run()")
    assert not [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]]
    assert any(rule["id"] == "color-contrast" for rule in found["passes"])
    # what is counted stands there as text, large enough for the last row
    numbers = page.locator(".counts strong")
    assert {"1", "0"} == set(numbers.all_inner_texts())
    assert min(numbers.evaluate_all("all => all.map(one => parseFloat(getComputedStyle(one).fontSize))")) >= 32
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 720})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.browser
def test_axe_finds_in_the_live_page_that_it_loads_itself_again_and_nothing_else(browser, tmp_path):
    """That is what it is for; TEACHING.md says how to have one that stands still."""
    put(tmp_path, anna=ANNA, ben=BEN)
    live = report.page(counted(tmp_path), reload=3600, at="12:00:00")  # so late that it does not disturb axe
    (tmp_path / "page.html").write_text(live, encoding="utf-8")
    page = browser.new_page(bypass_csp=True)
    page.goto((tmp_path / "page.html").as_uri())
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run()")
    assert [rule["id"] for rule in found["violations"]] == ["meta-refresh"]
    assert page.get_by_text("12:00:00").is_visible()
    page.close()


def test_the_page_allows_itself_nothing():
    text = (ROOT / "lrlearn" / "report.html.j2").read_text(encoding="utf-8")
    assert "default-src 'none'; style-src 'unsafe-inline'\"" in text
    assert not re.search(r"<script|\bsrc=|\bhref=|url\(|\| *safe", text)


# What to do in class


def test_every_misconception_has_something_to_do_in_class():
    assert list(IN_CLASS) == list(HINTS)
    assert all(len(words) < 250 and words[-1] in ".?" for words in IN_CLASS.values())
