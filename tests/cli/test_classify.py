import csv
import hashlib
import json
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

import skinapp
from skinapp.errors import PhotoError
from skinapp.inference.assessment import NOT_ASSESSABLE
from skinapp.inference.assessor import Assessor
from skinapp.models.card import OperatingPoint, read_card
from skinapp.models.quality import QualityFacts
from skinapp.models.strict import Measured
from skinapp.models.uncertainty import ClassSet, ConformalFacts
from skinapp.notice import NOT_CHECKED, NOTICE
from skinapp.photo import MAX_BYTES
from skinapp.taxonomy import CODES, MALIGNANT_CODES, get_class_name

KEYS = [
    "file",
    "sha256",
    "width",
    "height",
    "error",
    "notes",
    "in_scope",
    "findings",
    "triage",
    "models",
    "conformal",
    "threshold",
    "side",
    "weights",
    "version",
    "notice",
]
COLUMNS = (
    "file,sha256,width,height,error,malignant,benign,akiec,bcc,bkl,df,mel,nv,scc,vasc,"
    "malignancy_weights,lesion_type_weights,threshold,side,notes,"
    "in_scope,findings,finding_sentences,triage,reasons,sensitivity,conformal"
)

RunCommand = Callable[..., Any]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def bomb() -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.fixture
def photos(tmp_path: Path, draw_picture: Callable[..., None]) -> Path:
    """Make a folder with three photos, one of them deeper and one on its side by EXIF, and a text file."""
    folder = tmp_path / "photos"
    draw_picture(folder / "b.jpg", 1, (90, 60))
    draw_picture(folder / "deep" / "a.PNG", 2, (64, 80))
    sideways = Image.fromarray(np.random.default_rng(3).integers(0, 256, (50, 100, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    sideways.save(folder / "c.webp", exif=exif)
    (folder / "notes.txt").write_text("no photo")
    return folder


@pytest.fixture
def broken(tmp_path: Path, draw_picture: Callable[..., None]) -> Path:
    """Make a folder of ten files that look like photos and are none."""
    folder = tmp_path / "broken"
    for name in ("cut.jpg", "cut.png", "cut.webp"):
        draw_picture(folder / name, 4)
        (folder / name).write_bytes((folder / name).read_bytes()[: (folder / name).stat().st_size // 2])
    draw_picture(folder / "tiny.png", 5, (20, 20))
    draw_picture(folder / "animation.gif", 6)
    (folder / "animation.gif").rename(folder / "a_gif.jpg")
    contents = {
        "empty.jpg": b"",
        "text.jpg": b"To whom it may concern",
        "drawing.png": b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>',
        "bomb.png": bomb(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    with (folder / "huge.tif").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    return folder


def test_json_has_the_keys_and_facts_of_the_contract(run_command: RunCommand, photos: Path, models: Path) -> None:
    done = run_command("classify", photos, "--format", "json", "--models", models)
    assert done.code == 0
    objects = json.loads(done.out)
    assert [one["file"] for one in objects] == [str(photos / name) for name in ("b.jpg", "c.webp", "deep/a.PNG")]
    malignancy, lesion_type = read_card(models / "malignancy"), read_card(models / "lesion-type")
    for one in objects:
        assert list(one) == KEYS
        assert one["sha256"] == sha256(Path(one["file"]))
        assert one["error"] is None
        assert list(one["models"]) == ["malignancy", "lesion_type"]
        assert list(one["models"]["malignancy"]) == ["malignant", "benign"]
        assert list(one["models"]["lesion_type"]) == ["akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc"]
        for scores in one["models"].values():
            assert sum(scores.values()) == pytest.approx(1)
        assert one["weights"] == {
            "malignancy": malignancy.weights_sha256,
            "lesion_type": lesion_type.weights_sha256,
        }
        assert one["version"] == skinapp.__version__
        assert one["notice"] == f"{NOTICE} {NOT_CHECKED}"
    assert [(one["width"], one["height"]) for one in objects] == [(90, 60), (50, 100), (64, 80)]
    assert len({one["models"]["malignancy"]["malignant"] for one in objects}) == 3


def test_csv_has_the_columns_of_the_contract_and_the_values_of_json(
    run_command: RunCommand, photos: Path, models: Path
) -> None:
    (photos / "d.jpg").write_bytes(b"")
    written = run_command("classify", photos, "--format", "csv", "--models", models)
    objects = json.loads(run_command("classify", photos, "--format", "json", "--models", models).out)
    assert written.code == 1
    assert written.out.splitlines()[0] == COLUMNS
    rows = list(csv.DictReader(StringIO(written.out)))
    assert [row["file"] for row in rows] == [one["file"] for one in objects]
    for row, one in zip(rows, objects, strict=True):
        scores = one["models"]["malignancy"] | one["models"]["lesion_type"] if one["models"] else {}
        for label in COLUMNS.split(",")[5:15]:
            assert row[label] == (str(scores[label]) if scores else "")
        for key in ("sha256", "width", "height", "error", "threshold", "side"):
            assert row[key] == ("" if one[key] is None else str(one[key]))
        assert row["malignancy_weights"] == one["weights"]["malignancy"]
        assert row["lesion_type_weights"] == one["weights"]["lesion_type"]


def test_table_names_the_three_highest_types_in_words(run_command: RunCommand, photos: Path, models: Path) -> None:
    done = run_command("classify", photos / "b.jpg", "--models", models)
    (one,) = json.loads(run_command("classify", photos / "b.jpg", "--format", "json", "--models", models).out)
    types = sorted(one["models"]["lesion_type"].items(), key=lambda pair: -pair[1])
    (line,) = [line for line in done.out.splitlines() if "b.jpg" in line]
    assert f"{one['models']['malignancy']['malignant']:.0%}" in line
    places = [line.index(f"{get_class_name(code)} {score:.0%}") for code, score in types[:3]]
    assert places == sorted(places)
    assert NOTICE in done.err
    assert NOTICE not in done.out


def test_ten_broken_files_do_not_stop_the_good_ones(
    run_command: RunCommand, photos: Path, broken: Path, models: Path
) -> None:
    done = run_command("classify", broken, photos, "--format", "json", "--models", models)
    objects = json.loads(done.out)
    assert done.code == 1
    assert len(objects) == 13
    for one in objects[:10]:
        unknown = ("sha256", "width", "height", "models", "threshold", "side", "triage", "findings", "in_scope")
        assert [one[key] for key in unknown] == [None] * len(unknown)
        assert one["error"].endswith(".")
        assert f"{one['file']}: {one['error']}" in done.err
        assert one["weights"]["malignancy"]
    assert all(one["error"] is None and one["models"] for one in objects[10:])
    assert "Traceback" not in done.err


def test_only_broken_files_are_refused_not_missing(run_command: RunCommand, broken: Path, models: Path) -> None:
    done = run_command("classify", broken, "--models", models)
    assert done.code == 1
    assert done.out.count("refused") == 10


def test_an_absent_file_among_others_is_refused_by_name(run_command: RunCommand, photos: Path, models: Path) -> None:
    done = run_command("classify", photos / "absent.jpg", photos / "b.jpg", "--format", "json", "--models", models)
    first, second = json.loads(done.out)
    assert done.code == 1
    assert "absent.jpg cannot be read" in first["error"]
    assert second["error"] is None


def test_nothing_to_classify_is_exit_code_2(run_command: RunCommand, tmp_path: Path, models: Path) -> None:
    (tmp_path / "notes.txt").write_text("no photo")
    for nothing in (tmp_path, tmp_path / "absent.jpg", tmp_path / ("a" * 300), tmp_path / "notes.txt" / "a.jpg"):
        done = run_command("classify", nothing, "--format", "json", "--models", models)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("Error: ")
        assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("wrong", [["classify"], ["classify", "a.jpg", "--format", "xml"], ["classify", "--faster"]])
def test_wrong_usage_is_exit_code_2(run_command: RunCommand, wrong: list[str]) -> None:
    done = run_command(*wrong)
    assert (done.code, done.out) == (2, "")
    assert "Usage" in done.err


def test_models_that_are_missing_get_a_sentence(run_command: RunCommand, photos: Path, tmp_path: Path) -> None:
    done = run_command("classify", photos, "--models", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert f"There is no model in {tmp_path}" in done.err


def test_models_may_be_named_by_the_environment(
    run_command: RunCommand, photos: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKINAPP_MODELS", str(models))
    (one,) = json.loads(run_command("classify", photos / "b.jpg", "--format", "json").out)
    assert one["weights"]["malignancy"] == read_card(models / "malignancy").weights_sha256


@pytest.mark.parametrize("format", ["table", "json", "csv"])
def test_an_answer_goes_whole_into_a_file(
    run_command: RunCommand, photos: Path, models: Path, tmp_path: Path, format: str
) -> None:
    target = tmp_path / "answer"
    target.write_text("an older answer")
    printed = run_command("classify", photos, "--format", format, "--models", models)
    filed = run_command("classify", photos, "--format", format, "--models", models, "-o", target)
    assert (filed.code, filed.out) == (0, "")
    assert target.read_text(encoding="utf-8") == printed.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answer", "photos"]


def test_a_file_that_cannot_be_written_gets_one_sentence_before_any_work(
    run_command: RunCommand, photos: Path, tmp_path: Path
) -> None:
    for target in (tmp_path / "absent" / "answer.json", tmp_path, photos / "b.jpg" / "answer.json"):
        done = run_command("classify", photos, "--models", tmp_path / "not even looked at", "-o", target)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"Error: {target} cannot be written")
        assert len(done.err.splitlines()) == 1


def test_a_photo_is_not_written_over_by_its_answer(run_command: RunCommand, photos: Path, models: Path) -> None:
    before = (photos / "b.jpg").read_bytes()
    done = run_command("classify", photos, "--models", models, "-o", photos / "b.jpg")
    assert (done.code, done.out) == (2, "")
    assert "is read by this command and would be lost" in done.err
    assert (photos / "b.jpg").read_bytes() == before


def test_odd_file_names_are_answered_as_they_are(
    run_command: RunCommand, tmp_path: Path, models: Path, draw_picture: Callable[..., None]
) -> None:
    names = ["[b].jpg", "[/b].jpg", ":smile:.jpg", "Leberfleck ä, links.jpg", 'a"b.jpg']
    for seed, name in enumerate(names):
        draw_picture(tmp_path / name, seed)
    files = [tmp_path / name for name in names]
    table = run_command("classify", *files, "--models", models)
    assert table.code == 0
    assert all(str(file) in table.out for file in files)
    for format, read in (("json", json.loads), ("csv", lambda text: list(csv.DictReader(StringIO(text))))):
        done = run_command("classify", *files, "--format", format, "--models", models)
        assert [one["file"] for one in read(done.out)] == [str(file) for file in files]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows file names that are not UTF-8")
def test_a_real_process_keeps_stdout_for_the_answer(photos: Path, models: Path) -> None:
    """Run `skinapp` as a shell does, among its photos one whose name is not UTF-8."""
    odd = b"latin-1 \xe4.jpg"
    (photos / "b.jpg").rename(photos / odd.decode(errors="surrogateescape"))
    (photos / "z.jpg").write_bytes(b"")
    start = [sys.executable, "-c", "from skinapp.cli.main import main; main()", "classify", "photos"]
    runs = {
        format: subprocess.run([*start, "--format", format, "--models", models], cwd=photos.parent, capture_output=True)
        for format in ("json", "csv")
    }
    assert [run.returncode for run in runs.values()] == [1, 1]
    objects = json.loads(runs["json"].stdout)
    names = [one["file"].encode(errors="surrogateescape") for one in objects]
    assert names == [b"photos/c.webp", b"photos/deep/a.PNG", b"photos/" + odd, b"photos/z.jpg"]
    assert rb"photos/latin-1 \xe4.jpg" in runs["csv"].stdout  # a CSV stays valid UTF-8
    for run in runs.values():
        assert b"photos/z.jpg: The file is empty" in run.stderr
        assert b"Traceback" not in run.stderr


def test_a_pair_answers_for_both(
    run_command: RunCommand, photos: Path, tmp_path: Path, make_model: Callable[..., Path]
) -> None:
    card = read_card(make_model(tmp_path / "models" / "pair", "both"))
    objects = json.loads(run_command("classify", photos, "--format", "json", "--models", tmp_path / "models").out)
    for one in objects:
        assert one["weights"] == {"malignancy": card.weights_sha256, "lesion_type": card.weights_sha256}
        types = one["models"]["lesion_type"]
        of_malignant = sum(types[code] for code in MALIGNANT_CODES)
        assert of_malignant == pytest.approx(one["models"]["malignancy"]["malignant"])


def test_every_form_says_on_which_side_of_the_threshold_a_score_lies(
    run_command: RunCommand, photos: Path, tmp_path: Path, make_model: Callable[..., Path]
) -> None:
    models = tmp_path / "models"
    make_model(models / "pair", "both")
    classify = ("classify", photos, "--models", models, "--format")
    without = json.loads(run_command(*classify, "json").out)
    assert {(one["threshold"], one["side"]) for one in without} == {(None, None)}
    assert {one["triage"]["category"] for one in without} == {"not_assessable"}
    lines = run_command(*classify, "table").out.splitlines()[1:4]
    assert all(re.search(r"Not assessable +\d+% +– ", line) for line in lines)

    threshold = sorted(one["models"]["malignancy"]["malignant"] for one in without)[1] - 1e-4
    make_model(models / "pair", "both", operating_points=(OperatingPoint(sensitivity=0.95, threshold=threshold),))
    objects = json.loads(run_command(*classify, "json").out)
    sides = [one["side"] for one in objects]
    assert sorted(sides) == ["above", "above", "below"]
    for one in objects:
        assert one["threshold"] == threshold
        assert one["side"] == ("above" if one["models"]["malignancy"]["malignant"] >= threshold else "below")
    rows = list(csv.DictReader(StringIO(run_command(*classify, "csv").out)))
    assert [(row["threshold"], row["side"]) for row in rows] == [(str(threshold), side) for side in sides]
    table = run_command(*classify, "table").out.splitlines()
    assert "95% threshold" in table[0]
    assert all(f"{side} {threshold:.1%}" in line for side, line in zip(sides, table[1:4], strict=True))


def test_every_form_says_what_the_decoder_had_to_guess(
    run_command: RunCommand, tmp_path: Path, models: Path, draw_picture: Callable[..., None]
) -> None:
    for name in ("cut.jpg", "whole.jpg"):
        draw_picture(tmp_path / name, 1)
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:-2])
    files = [tmp_path / "cut.jpg", tmp_path / "whole.jpg"]
    classify = ("classify", *files, "--models", models, "--format")
    cut, whole = json.loads(run_command(*classify, "json").out)
    assert (len(cut["notes"]), whole["notes"]) == (1, [])
    assert "lacks its last bytes" in cut["notes"][0]
    rows = list(csv.DictReader(StringIO(run_command(*classify, "csv").out)))
    assert [row["notes"] for row in rows] == [cut["notes"][0], ""]
    assert run_command(*classify, "table").out.splitlines()[-1] == f"{files[0]}: {cut['notes'][0]}"
    assert cut["models"]["malignancy"] == pytest.approx(whole["models"]["malignancy"])


POINTS = tuple(OperatingPoint(sensitivity=s, threshold=t) for s, t in ((0.9, 0.9), (0.95, 0.5), (0.98, 0.0001)))


def test_the_verdict_follows_the_chosen_sensitivity(
    run_command: RunCommand, photos: Path, tmp_path: Path, make_model: Callable[..., Path]
) -> None:
    models = tmp_path / "models"
    make_model(models / "pair", "both", operating_points=POINTS)
    classify = ("classify", photos, "--models", models, "--format")
    default = json.loads(run_command(*classify, "json").out)
    assert [one["triage"]["sensitivity"] for one in default] == [0.95] * 3
    for wanted, threshold in (("0.90", 0.9), ("0.98", 0.0001)):
        objects = json.loads(run_command(*classify, "json", "--sensitivity", wanted).out)
        rows = list(csv.DictReader(StringIO(run_command(*classify, "csv", "--sensitivity", wanted).out)))
        for one, row in zip(objects, rows, strict=True):
            flagged = one["models"]["malignancy"]["malignant"] >= threshold
            assert one["threshold"] == one["triage"]["threshold"] == threshold
            assert flagged == (one["side"] == "above")
            if flagged:
                assert one["triage"]["category"] == "flagged"
            assert row["triage"] == one["triage"]["category"]
            assert row["reasons"] == " ".join(one["triage"]["reasons"])
            assert float(row["sensitivity"]) == float(wanted)
    lines = run_command(*classify, "table", "--sensitivity", "0.98").out.splitlines()
    assert "98% threshold" in lines[0]
    assert all("  Flagged  " in line for line in lines[1:4])


def test_a_sensitivity_without_a_threshold_is_refused(run_command: RunCommand, photos: Path, models: Path) -> None:
    done = run_command("classify", photos, "--models", models, "--sensitivity", "0.93")
    assert (done.code, done.out) == (2, "")
    assert "0.90, 0.95, 0.98 alone" in done.err


def test_every_form_says_what_the_checks_found(
    run_command: RunCommand, tmp_path: Path, make_model: Callable[..., Path], make_quality: Callable[..., QualityFacts]
) -> None:
    models = tmp_path / "models"
    sets = tuple(ClassSet(label=code, threshold=0.0, photos=1) for code in CODES)
    share = Measured(value=0.9, photos=10)
    conformal = ConformalFacts(level=0.9, fitted_on="v", measured_on="t", classes=sets, coverage=share, size=share)
    facts = {"operating_points": POINTS, "quality": make_quality(), "conformal": conformal}
    make_model(models / "pair", "both", **facts)
    Image.fromarray(np.full((64, 64, 3), 2, np.uint8)).save(tmp_path / "black.png")
    classify = ("classify", tmp_path / "black.png", "--models", models, "--format")
    (one,) = json.loads(run_command(*classify, "json").out)
    assert [finding["code"] for finding in one["findings"]] == ["dark"]
    assert one["findings"][0]["severity"] == "refuses"
    assert one["triage"]["category"] != "not_flagged"
    assert one["findings"][0]["sentence"] in one["triage"]["reasons"]
    assert sorted(one["conformal"]) == sorted(CODES)
    (row,) = csv.DictReader(StringIO(run_command(*classify, "csv").out))
    assert (row["findings"], row["conformal"]) == ("dark", " ".join(one["conformal"]))
    assert row["finding_sentences"].startswith(one["findings"][0]["sentence"])
    assert one["findings"][0]["sentence"] in run_command(*classify, "table").out


def test_a_photo_without_an_answer_is_not_assessable_and_one_that_cannot_be_read_has_no_verdict(
    run_command: RunCommand, photos: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "d.jpg").write_bytes(b"")
    monkeypatch.setattr(Assessor, "assess_batch", refuse)
    done = run_command("classify", photos / "b.jpg", photos / "d.jpg", "--models", models, "--format", "json")
    unscored, unreadable = json.loads(done.out)
    assert done.code == 1
    assert (unscored["triage"]["category"], unscored["triage"]["reasons"]) == ("not_assessable", [unscored["error"]])
    assert unreadable["triage"] is None
    table = run_command("classify", photos / "b.jpg", photos / "d.jpg", "--models", models).out
    assert "Not assessable" in table
    assert "refused" in table


def refuse(self: Assessor, photos: object) -> None:
    raise PhotoError(NOT_ASSESSABLE)
