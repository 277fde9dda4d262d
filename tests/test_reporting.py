"""docs/reporting.md: its links exist, its counts match its tables, its items are numbered without a gap."""

import re
from collections import Counter
from pathlib import Path
from types import UnionType
from typing import get_args

import pytest
from pydantic import BaseModel
from typer.main import get_command

from skinapp.cli.main import app
from skinapp.files import MODELS
from skinapp.models.card import read_card
from skinapp.models.folder import find_models
from skinapp.training.recipe import Recipe
from skinapp.ui.dataset import page as dataset_page
from skinapp.ui.evaluation import page as evaluation_page

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reporting.md"
TEXT = PAGE.read_text(encoding="utf-8")

LISTS = {"TRIPOD+AI": (27, 52), "CLAIM 2024": (44, 44), "STARD-AI": (40, 48)}
"""Numbered items of each list, and its rows: the parts of an item count one by one, as in the published lists."""

STATUSES = ("answered", "partly", "not done")

DEFINED = dict(re.findall(r"^\[([^\]]+)\]: (\S+)$", TEXT, re.MULTILINE))
BODY = re.sub(r"^\[[^\]]+\]: \S+\n", "", TEXT, flags=re.MULTILINE)


def rows(title: str) -> list[list[str]]:
    """Return the cells of the table of a list, one row per item."""
    section = TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def used() -> set[str]:
    """Return the names of the links that the text uses: [name] and [words][name]."""
    named = re.findall(r"(?<!\])\[([^\]]+)\](?:\[([^\]]+)\])?(?!\(|\[)", BODY)
    return {name or words for words, name in named}


def links() -> list[str]:
    """Return the targets of the links, except those on the web."""
    written = re.findall(r"\]\(([^)]+)\)", BODY)
    return sorted({link for link in [*written, *DEFINED.values()] if not link.startswith("https://")})


@pytest.mark.parametrize("link", links())
def test_links_point_to_existing_files_and_headings(link: str) -> None:
    file, _, heading = link.partition("#")
    there = (PAGE.parent / file).resolve() if file else PAGE
    assert there.is_relative_to(ROOT)
    assert there.is_file()
    if heading:
        headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
        assert heading in [words.lower().replace(" ", "-") for words in headings]


def test_every_link_is_defined_and_used() -> None:
    assert used() == set(DEFINED)


@pytest.mark.parametrize("title", LISTS)
def test_items_are_numbered_without_a_gap(title: str) -> None:
    items, wanted = LISTS[title]
    numbers = [row[0] for row in rows(title)]
    assert len(numbers) == wanted
    parts: dict[int, str] = {}
    for number in numbers:
        parts[int(number.rstrip("abcdefg"))] = parts.get(int(number.rstrip("abcdefg")), "") + number.lstrip(
            "0123456789"
        )
    assert list(parts) == list(range(1, items + 1))
    assert all(letters == "abcdefg"[: len(letters)] and len(letters) != 1 for letters in parts.values())
    assert numbers == [f"{item}{letter}" for item, letters in parts.items() for letter in letters or [""]]


@pytest.mark.parametrize("title", LISTS)
def test_every_item_has_a_status_and_a_reason(title: str) -> None:
    for number, asked, status, where in rows(title):
        assert status in STATUSES, number
        assert asked, number
        assert where, number


def test_the_summary_counts_the_tables() -> None:
    counts = {title: Counter(status for _, _, status, _ in rows(title)) for title in LISTS}
    counts["All three"] = sum(counts.values(), Counter())
    for title, count in counts.items():
        found = re.search(rf"^- \*\*{re.escape(title)}\*\*.*: (.+)\.$", TEXT, re.MULTILINE)
        assert found, title
        assert found[1] == ", ".join(f"{count[status]} {status}" for status in STATUSES)


def test_the_rows_that_the_summary_names_are_there() -> None:
    for title, (items, parts) in LISTS.items():
        counted = f"{items} items" if items == parts else f"{items} items, {parts} with their parts"
        assert f"- **{title}** ({counted}):" in TEXT


def test_named_sections_exist_on_their_pages() -> None:
    sections = {"Dataset": dataset_page.SECTIONS, "Evaluation": tuple(evaluation_page.SECTIONS)}
    named = re.findall(r"\*\*(Dataset|Evaluation): ([^*]+)\*\*", BODY)
    assert named
    assert [name for name in named if name[1] not in sections[name[0]]] == []


def test_named_commands_exist() -> None:
    named = set(re.findall(r"`skinapp ([a-z]+)`", BODY))
    assert named
    assert named <= set(get_command(app).commands)  # type: ignore[attr-defined]


def has_field(model: object, names: list[str]) -> bool:
    """Tell whether a pydantic model has a field at this path."""
    if not names:
        return True
    if isinstance(model, UnionType) or get_args(model):
        return any(has_field(inner, names) for inner in get_args(model))
    if not (isinstance(model, type) and issubclass(model, BaseModel)) or names[0] not in model.model_fields:
        return False
    return has_field(model.model_fields[names[0]].annotation, names[1:])


def has_value(value: object, names: list[str]) -> bool:
    """Tell whether a card has a value at this path; for several things one with a value is enough."""
    if isinstance(value, list | tuple):
        return any(has_value(item, names) for item in value)
    if not names:
        return value is not None
    return isinstance(value, BaseModel) and has_value(getattr(value, names[0], None), names[1:])


def named_fields(kind: str) -> list[list[str]]:
    return [path.split(".") for path in re.findall(rf"`{kind}\.([a-z_.0-9]+)`", BODY) if path != "json"]


def test_named_recipe_fields_exist() -> None:
    assert [path for path in named_fields("recipe") if not has_field(Recipe, path)] == []


def test_named_card_fields_are_filled_in_the_shipped_card() -> None:
    (folder,) = find_models(MODELS)
    card = read_card(folder)
    assert named_fields("card")
    assert [path for path in named_fields("card") if not has_value(card, path)] == []


def test_the_readme_links_to_it() -> None:
    assert "](docs/reporting.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
