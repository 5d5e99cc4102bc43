"""`gradus runs`, `page` and `compare`, and a climb's folder where a run is asked for."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from gradus.report.record import load_record
from gradus.training import RunFolder
from tests.cli.commands import SMALL, gradus, refused, write_documents, write_stream


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs and a climb of one text, and a run of another one."""
    place = tmp_path_factory.mktemp("made")
    pets, cats = write_documents(place), write_stream(place)
    for words in (
        ("train", pets, "--model", "ngram", "--order", 2, "--out", place / "runs/counts"),
        ("train", pets, "--model", "bigram", "--steps", 4, "--evaluations", 2, "--out", place / "runs/network"),
        ("train", cats, *SMALL, "--steps", 2, "--out", place / "runs/other"),
        ("climb", pets, "--model", "bigram", "--minutes", 0.001, "--out", place / "runs/climb"),
    ):
        result = gradus(*words)
        assert result.exit_code == 0, result.output
    return place


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, where the test is."""
    shutil.copytree(made / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def age(path: Path) -> None:
    """Make a page older than everything."""
    os.utime(path, (1, 1))


def test_runs_are_listed_with_their_losses_the_latest_first(folder: Path) -> None:
    lines = [line.split("\t") for line in gradus("runs").stdout.splitlines()]
    paths = [line[0] for line in lines]
    assert paths[0] == "runs/climb/bigram"
    assert sorted(paths) == ["runs/climb/bigram", "runs/counts", "runs/network", "runs/other"]
    listed = dict(zip(paths, lines, strict=True))
    assert listed["runs/counts"][1:5] == ["ngram", "pets.txt", "one pass", "1"]
    assert listed["runs/network"][1:5] == ["bigram", "pets.txt", "4 steps", "4"]
    state = RunFolder.open(folder / "runs/network").state()
    assert listed["runs/network"][5:7] == [f"{state['best_loss']:.4f}", f"{state['test_loss']:.4f}"]
    tested = gradus("eval", "runs/network").stdout
    assert f"test loss {state['test_loss']:.6f}" in tested
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", listed["runs/other"][7])
    assert [line.split("\t")[0] for line in gradus("runs", "runs/climb").stdout.splitlines()] == ["runs/climb/bigram"]


def test_a_damaged_run_does_not_hide_the_others(folder: Path) -> None:
    (folder / "runs/other/state.json").write_text("{", encoding="utf-8")
    result = gradus("runs")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 3
    assert "state.json is damaged" in result.stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("width", "gone"), [(120, []), (80, ["when"]), (60, ["when", "budget"])])
def test_a_narrow_terminal_shows_whole_losses(width: int, gone: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    losses = [line.split("\t")[5:7] for line in gradus("runs").stdout.splitlines()]
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    shown = gradus("runs").stdout
    assert all(loss in shown for pair in losses for loss in pair)
    told = re.findall(r"a wider terminal also shows: ([a-z, ]+)", shown)
    assert (sorted(told[0].split(", ")) if told else []) == sorted(gone)


def test_a_folder_without_runs_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused("runs") == "there are no runs in runs: no such folder; gradus train makes the first one"
    (tmp_path / "runs").mkdir()
    assert gradus("runs").stderr == "there are no runs in runs; gradus train makes the first one\n"


def test_a_page_is_written_and_an_old_one_written_anew(folder: Path) -> None:
    page = folder / "runs/counts/index.html"
    assert gradus("page", "runs/counts").stdout == "runs/counts/index.html\n"
    assert "2-gram Kneser-Ney" in page.read_text(encoding="utf-8")
    assert "older" not in gradus("runs").stderr
    age(page)
    told = "the page of runs/counts is older than its run; gradus page runs/counts writes it anew\n"
    assert gradus("runs").stderr == told
    again = gradus("page", "runs/counts")
    assert again.stdout == "runs/counts/index.html, which was older than its run, is written anew\n"
    assert gradus("runs").stderr == ""


def test_a_run_trained_further_has_a_new_page_and_so_has_its_climb(folder: Path) -> None:
    climb = folder / "runs/climb"
    before = load_record(climb / "table.json")
    for name in ("index.html", "table.json"):
        age(climb / name)
    assert gradus("page", "runs/climb/bigram").exit_code == 0
    result = gradus("train", "--resume", "runs/climb/bigram", "--steps", 200)
    assert result.exit_code == 0, result.output
    assert "page     runs/climb/bigram/index.html\npage     runs/climb/index.html\n" in result.stdout
    after = load_record(climb / "table.json")
    assert after.rungs[0].steps == 200 > before.rungs[0].steps
    assert after.rungs[0].title == before.rungs[0].title
    assert f"{after.rungs[0].test:.4f}" in (climb / "index.html").read_text(encoding="utf-8")
    assert gradus("runs").stderr == ""


def test_compare_measures_runs_alike_in_one_table_and_one_page(folder: Path) -> None:
    result = gradus("compare", "runs/counts", "runs/network", "runs/climb")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[-1] == "runs/compare-1/index.html"
    record = load_record(folder / "runs/compare-1/table.json")
    assert [rung.title for rung in record.rungs] == ["counts", "network", "bigram"]
    for line, rung in zip(lines[1:], record.rungs, strict=False):
        assert line.startswith(rung.title)
        assert f"{rung.test:.4f}" in line
    assert f"test loss {record.rungs[1].test:.6f}" in gradus("eval", "runs/network").stdout
    page = (folder / "runs/compare-1/index.html").read_text(encoding="utf-8")
    assert all(f">{rung.title}<" in page for rung in record.rungs)
    assert "a comparison" in page
    assert gradus("page", "runs/compare-1").stdout == "runs/compare-1/index.html\n"
    assert json.loads((folder / "runs/compare-1/table.json").read_text(encoding="utf-8"))["command"] == (
        "gradus compare runs/counts runs/network runs/climb"
    )


@pytest.mark.usefixtures("folder")
def test_several_runs_are_compared_as_compare_does() -> None:
    runs = ("runs/counts", "runs/network", "runs/climb")
    *table, page = gradus("compare", *runs).stdout.splitlines()
    assert page == "runs/compare-1/index.html"
    assert gradus("runs", *runs).stdout.splitlines() == [*table, "runs/compare-2/index.html"]
    first, second = (load_record(Path(f"runs/compare-{number}/table.json")) for number in (1, 2))
    assert second.rungs == first.rungs
    for others in (("runs/counts", "runs/counts"), ("runs/counts", "runs/other")):
        assert refused("runs", *others) == refused("compare", *others)


def test_what_cannot_be_compared(folder: Path) -> None:
    assert refused("compare") == "compare needs RUN..., the folders of runs; gradus runs lists them"
    assert refused("compare", "runs/counts").startswith(
        "compare needs two different runs or more, or a climb; got runs/counts"
    )
    assert refused("compare", "runs/counts", "./runs/counts") == refused("compare", "runs/counts")
    assert refused("compare", "runs/counts", "runs/other") == (
        "only losses on the same text can be compared: runs/counts learned pets.txt, "
        "990 characters, as documents; runs/other learned cats.txt, 3,000 characters, as stream"
    )
    message = refused("compare", "runs/counts", "runs/network", "--out", "runs/other")
    assert message == "runs/other already exists; choose another folder as out"
    assert not (folder / "runs/compare-1").exists()


def test_commands_to_copy_are_quoted(folder: Path) -> None:
    (folder / "pets.txt").write_text("\n".join(f"p{i}" for i in range(100, 200)), encoding="utf-8")
    lines = gradus("train", "pets.txt", "--model", "ngram", "--out", "my runs/it").stdout.splitlines()
    assert lines[-2:] == ["generate gradus sample 'my runs/it'", "evaluate gradus eval 'my runs/it'"]
    lines = gradus("climb", "pets.txt", "--model", "ngram", "--out", "my climb").stdout.splitlines()
    assert lines[-3] == "generate text: gradus sample 'my climb/kneser-ney'"
    gradus("page", "my runs/it")
    age(folder / "my runs/it/index.html")
    assert gradus("runs", "my runs").stderr.endswith("; gradus page 'my runs/it' writes it anew\n")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("verb", ["sample", "eval"])
def test_a_climbs_folder_names_its_runs(verb: str) -> None:
    message = refused(verb, "runs/climb")
    assert message == "runs/climb holds several runs; choose one of runs/climb/bigram"
    assert refused(verb, "runs/netwrk") == (
        "there is no run in runs/netwrk: no such folder; did you mean runs/network?"
    )
