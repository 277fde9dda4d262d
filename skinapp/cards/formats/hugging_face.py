"""A model's card as a Hugging Face model card: README.md, metadata in YAML at the top, then Markdown."""

from collections.abc import Iterable, Sequence

from skinapp.cards.checks import list_tables
from skinapp.cards.formats.yaml import build_front_matter, format_yaml
from skinapp.cards.network_facts import (
    describe_licence,
    describe_training,
    describe_versions,
    list_hashes,
    name_network,
    name_networks,
)
from skinapp.cards.selection import (
    find_figure_of_all_photos,
    list_calibration,
    list_headline_figures,
    list_outside_figures,
    list_points_on_test,
    list_read_from_test,
    list_recounted_figures,
    list_seeds,
    list_subgroup_figures,
)
from skinapp.cards.wording import (
    SEEDS,
    build_seed_table,
    describe_pair,
    describe_question,
    describe_threshold_transfer,
    name_cameras,
    name_figure,
    name_group,
)
from skinapp.formatting import PERCENT, format_estimate
from skinapp.metrics.labels import get_metric_name
from skinapp.models.card import Card, CardFigure, Head, SplitFacts
from skinapp.taxonomy import get_class_name

_NO_FIGURES = "No figures yet. Compute them with `skinapp card`.\n"
_CALIBRATION = (
    "The calibration error is that of the most likely class, in 15 equal bins. A slope of 1 and an intercept of 0 are "
    "ideal.\n"
)

_PAPERS = {
    "HAM10000": (
        "Tschandl P., Rosendahl C., Kittler H. The HAM10000 dataset, a large collection of multi-source dermatoscopic "
        "images of common pigmented skin lesions. Scientific Data 5, 180161 (2018). doi:10.1038/sdata.2018.161",
    ),
    "ISIC 2019": (
        "Codella N. et al. Skin lesion analysis toward melanoma detection. arXiv:1710.05006 (2017).",
        "Combalia M. et al. BCN20000: dermoscopic lesions in the wild. arXiv:1908.02288 (2019).",
    ),
}
"""What to cite for a source of photos."""

_UNSEEN = (
    "Malignant AUROC of networks from other recipes, tried for this model, on photos of a camera or a clinic that they "
    "were not trained on. They are not this model."
)
_AVERAGED = (
    "An average of networks, each trained and calibrated by itself. It averages the logarithms of their probabilities, "
    "then calibrates the result."
)
_TRAIN = "train, of the network with the most training photos"
_MEASURED = ("Value (95% interval)", "Photos", "Lesions")
_OUTSIDE = ("Run", "Figure", *_MEASURED)

_RESNET = "He K., Zhang X., Ren S., Sun J. Deep residual learning for image recognition. arXiv:1512.03385 (2015)."

Rows = Iterable[Sequence[str]]


def format_hub_card(card: Card) -> str:
    """Return a card as the README.md that the Hub shows; sections without content are left out."""
    sections = {
        "Intended use": f"{card.intended_use}\n",
        "Out of scope": f"{card.not_for} It is not a medical device, and its answers are not a diagnosis.\n",
        "Training data": _format_training_data(card),
        "Training": _format_training(card),
        "Evaluation": _format_evaluation(card),
        "Other clinics": _format_outside(card),
        "Calibration": _format_calibration(card),
        "Operating points": _format_operating_points(card),
        "Subgroups": _format_subgroups(card),
        "Checks and evidence beside an answer": _format_checks(card),
        "Limits": _format_bullets(card.data.limits),
        "Licence": f"{describe_licence(card)}.\n",
        "References": _format_bullets(list_references(card)),
    }
    body = "".join(f"\n## {title}\n\n{text}" for title, text in sections.items() if text)
    return f"---\n{format_yaml(build_front_matter(card))}---\n\n# {card.id}\n\n{describe_model(card)}\n{body}"


def describe_model(card: Card) -> str:
    """Describe a model in a few sentences: its networks, questions, classes and input."""
    size = card.preprocessing
    return (
        f"{name_networks(card)}, for one dermoscopy photo. {' '.join(map(_describe_head, card.heads))} It resizes the "
        f"short side of a photo to {size.resize_px} px and takes the central square of {size.input_px} px. Its scores "
        "are softmax probabilities, calibrated on validation photos."
    )


def list_references(card: Card) -> tuple[str, ...]:
    """List the papers of a model's training photos and of its architecture."""
    return (*(paper for source in card.data.sources for paper in _PAPERS.get(source, ())), _RESNET)


def _describe_head(head: Head) -> str:
    return f"{describe_question(head)}: {', '.join(map(_name_class, head.classes))}."


def _name_class(label: str) -> str:
    name = get_class_name(label).lower()
    return name if name == label else f"{name} ({label})"


def _format_training_data(card: Card) -> str:
    rows = [
        (
            "train, of the network with the most training photos" if card.members else "train",
            *_format_split(card.data.train),
        ),
        ("validation", *_format_split(card.data.validation)),
    ]
    tested = find_figure_of_all_photos(card)
    if tested:
        rows.append(("test", f"{tested.photos:,}", f"{tested.lesions:,}", "–"))
    facts = (
        f"Sources: {', '.join(card.data.sources)}.",
        f"Image table: {card.data.table}.",
        *(f"Training also used photos of: {other.table}." for other in card.data.others),
    )
    shares = "".join(f"\n{line}\n" for line in map(_describe_shares, card.heads) if line)
    return _format_bullets(facts) + "\n" + _format_table(("Split", "Photos", "Lesions", "Malignant"), rows) + shares


def _format_split(part: SplitFacts) -> tuple[str, str, str]:
    return f"{part.photos:,}", f"{part.lesions:,}", f"{part.malignant_share:.1%}"


def _describe_shares(head: Head) -> str:
    if not head.shares:
        return ""
    shares = zip(head.classes, head.shares, strict=True)
    listed = ", ".join(f"{get_class_name(label).lower()} {share:.1%}" for label, share in shares)
    return f"The scores assume these class shares: {listed}. With other shares they shift."


def _format_training(card: Card) -> str:
    parts = []
    if card.members:
        made = f"Made {card.training.finished} with {describe_versions(card.training)}."
        parts.append(f"{_AVERAGED}\n\n" + _format_bullets([made]))
    for network in card.networks:
        title = f"### {name_network(network)}\n\n" if card.members else ""
        parts.append(title + _format_bullets(f"{name}: {value}." for name, value in describe_training(network).items()))
        if rows := list_seeds(card, network.name):
            table = build_seed_table(rows).reset_index()
            parts.append(f"{SEEDS}\n\n{_format_table(list(table.columns), table.itertuples(index=False))}")
    sums = _format_bullets(f"{name}: `{value}`" for name, value in list_hashes(card).items())
    return "\n".join([*parts, f"Weights are stored as {card.weights_dtype}. By sha256:\n\n{sums}"])


def _format_evaluation(card: Card) -> str:
    parts = [_format_figures(card, head) for head in card.heads]
    if not any(parts):
        return _NO_FIGURES
    pair = "".join(f"\n{sentence}\n" for sentence in describe_pair(card))
    return "On test photos. Intervals are 95%, by bootstrap over lesions.\n" + "".join(parts) + pair


def _format_figures(card: Card, head: Head) -> str:
    figures = [*list_headline_figures(card, head.name), *list_recounted_figures(card, head.name)]
    rows = [(_name_with_group(figure), *_format_measured(figure)) for figure in figures]
    return f"\n### {describe_question(head)}\n\n{_format_table(('Figure', *_MEASURED), rows)}" if rows else ""


def _format_measured(figure: CardFigure) -> tuple[str, str, str]:
    return format_estimate(figure), f"{figure.photos:,}", f"{figure.lesions:,}"


def _name_with_group(figure: CardFigure) -> str:
    return f"{name_figure(figure)}, {figure.group}" if figure.group else name_figure(figure)


def _format_outside(card: Card) -> str:
    own_rows = [
        (figure.run, _name_with_group(figure), *_format_measured(figure)) for figure in list_outside_figures(card)
    ]
    unseen_rows = [(name_cameras(row), row.recipe, *_format_measured(row.figure)) for row in card.left_out]
    parts = []
    if own_rows:
        parts.append(
            f"Photos of other clinics or cameras, which it was not trained on.\n\n{_format_table(_OUTSIDE, own_rows)}"
        )
    if unseen_rows:
        text = " ".join(filter(None, (_UNSEEN, describe_threshold_transfer(card))))
        parts.append(f"{text}\n\n{_format_table(('Photos of', 'Recipe', *_MEASURED), unseen_rows)}")
    return "\n".join(parts)


def _format_calibration(card: Card) -> str:
    rows = [
        (
            describe_question(head),
            get_metric_name(row.after.metric),
            format_estimate(row.before),
            format_estimate(row.after),
        )
        for head in card.heads
        for row in list_calibration(card, head.name)
    ]
    return _format_table(("Answer", "Figure", "Before", "After"), rows) + f"\n{_CALIBRATION}" if rows else ""


def _format_operating_points(card: Card) -> str:
    rows = [
        (
            f"{row.point.sensitivity:.0%}",
            f"{row.point.threshold:g}",
            format_estimate(row.sensitivity, PERCENT),
            format_estimate(row.specificity, PERCENT),
        )
        for row in list_points_on_test(card)
    ]
    if not rows:
        return ""
    columns = ("Sensitivity on validation", "Threshold", "Sensitivity on test", "Specificity on test")
    read = [f"{name_figure(figure)}: {format_estimate(figure, PERCENT)}." for figure in list_read_from_test(card)]
    note = "A malignancy score equal to the threshold counts as above it.\n"
    return _format_table(columns, rows) + f"\n{note}" + (f"\n{_format_bullets(read)}" if read else "")


def _format_subgroups(card: Card) -> str:
    rows = [
        (name_group(figure), name_figure(figure), *_format_measured(figure)) for figure in list_subgroup_figures(card)
    ]
    return _format_table(("Subgroup", "Figure", *_MEASURED), rows) if rows else ""


def _format_checks(card: Card) -> str:
    return "\n".join(
        f"### {table.title}\n\n{_format_table(table.columns, table.rows)}\n{table.note}\n"
        for table in list_tables(card)
    )


def _format_bullets(lines: Iterable[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)


def _format_table(columns: Sequence[str], rows: Rows) -> str:
    lines = (columns, ["---"] * len(columns), *rows)
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)
