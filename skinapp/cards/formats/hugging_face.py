"""A model's card as a Hugging Face model card: README.md, metadata in YAML at the top, then Markdown."""

from collections.abc import Iterable, Sequence

from skinapp.cards.formats.yaml import build_front_matter, format_yaml
from skinapp.cards.networks import (
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

_NO_FIGURES = "No figures yet: `skinapp card` writes them.\n"
_CALIBRATION = (
    "The calibration error is of the top answer, in 15 equal bins. A slope of 1 and an intercept of 0 are right.\n"
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

_LEFT_OUT = (
    "How well the networks of recipes that were tried for it rank malignancy among photos of a camera or a clinic of "
    "which they learned none (malignant AUROC). They are not this model."
)
_AVERAGED = (
    "An average of networks, each trained and calibrated by itself: the mean of the logarithms of their answers, "
    "calibrated once more."
)
_MEASURED = ("Value (95% interval)", "Photos", "Lesions")
_OUTSIDE = ("Run", "Figure", *_MEASURED)

_RESNET = "He K., Zhang X., Ren S., Sun J. Deep residual learning for image recognition. arXiv:1512.03385 (2015)."

Rows = Iterable[Sequence[str]]


def format_hub_card(card: Card) -> str:
    """Write a card as the README.md that the Hub shows; what the card does not hold yet has no section."""
    sections = {
        "Intended use": f"{card.intended_use}\n",
        "Out of scope": f"{card.not_for} It is not a medical device, and its answers are no diagnosis.\n",
        "Training data": _training_data(card),
        "Training": _training(card),
        "Evaluation": _evaluation(card),
        "Other clinics": _outside(card),
        "Calibration": _calibration(card),
        "Operating points": _operating_points(card),
        "Subgroups": _subgroups(card),
        "Limits": _bullets(card.data.limits),
        "Licence": f"{describe_licence(card)}.\n",
        "References": _bullets(list_references(card)),
    }
    body = "".join(f"\n## {title}\n\n{text}" for title, text in sections.items() if text)
    return f"---\n{format_yaml(build_front_matter(card))}---\n\n# {card.id}\n\n{describe_model(card)}\n{body}"


def describe_model(card: Card) -> str:
    """Say in a few sentences what a model is: its network, its questions and its classes, what it takes in."""
    taken = card.preprocessing
    return (
        f"{name_networks(card)}: asked about one dermoscopy photo. "
        f"{' '.join(map(_answered, card.heads))} It takes the central square of {taken.input_px} px of a "
        f"photo whose short side was brought to {taken.resize_px} px. Its scores are softmax probabilities, calibrated "
        "on validation photos."
    )


def list_references(card: Card) -> tuple[str, ...]:
    """List the papers of the photos that a model learned from, and of its architecture."""
    return (*(paper for source in card.data.sources for paper in _PAPERS.get(source, ())), _RESNET)


def _answered(head: Head) -> str:
    return f"{describe_question(head)}: {', '.join(map(_class_in_words, head.classes))}."


def _class_in_words(label: str) -> str:
    name = get_class_name(label).lower()
    return name if name == label else f"{name} ({label})"


def _training_data(card: Card) -> str:
    rows = [
        ("train, of the network that learned from most" if card.members else "train", *_counts(card.data.train)),
        ("validation", *_counts(card.data.validation)),
    ]
    tested = find_figure_of_all_photos(card)
    if tested:
        rows.append(("test", f"{tested.photos:,}", f"{tested.lesions:,}", "–"))
    facts = (
        f"Sources: {', '.join(card.data.sources)}.",
        f"Image table: {card.data.table}.",
        *(f"Photos to learn from too: {other.table}." for other in card.data.others),
    )
    meant = "".join(f"\n{line}\n" for line in map(_prevalence, card.heads) if line)
    return _bullets(facts) + "\n" + _table(("Split", "Photos", "Lesions", "Malignant"), rows) + meant


def _counts(part: SplitFacts) -> tuple[str, str, str]:
    return f"{part.photos:,}", f"{part.lesions:,}", f"{part.malignant_share:.1%}"


def _prevalence(head: Head) -> str:
    if not head.shares:
        return ""
    shares = zip(head.classes, head.shares, strict=True)
    held = ", ".join(f"{get_class_name(label).lower()} {share:.1%}" for label, share in shares)
    return f"The scores are meant for photos of which so many are: {held}. Where others come, they shift."


def _training(card: Card) -> str:
    parts = []
    if card.members:
        made = f"Made {card.training.finished} with {describe_versions(card.training)}."
        parts.append(f"{_AVERAGED}\n\n" + _bullets([made]))
    for network in card.networks:
        title = f"### {name_network(network)}\n\n" if card.members else ""
        parts.append(title + _bullets(f"{name}: {value}." for name, value in describe_training(network).items()))
        if rows := list_seeds(card, network.name):
            table = build_seed_table(rows).reset_index()
            parts.append(f"{SEEDS}\n\n{_table(list(table.columns), table.itertuples(index=False))}")
    sums = _bullets(f"{name}: `{value}`" for name, value in list_hashes(card).items())
    return "\n".join([*parts, f"Weights are stored as {card.weights_dtype}. By sha256:\n\n{sums}"])


def _evaluation(card: Card) -> str:
    parts = [_figures(card, head) for head in card.heads]
    if not any(parts):
        return _NO_FIGURES
    said = "".join(f"\n{sentence}\n" for sentence in describe_pair(card))
    return "On test photos; intervals are 95%, by bootstrap over lesions.\n" + "".join(parts) + said


def _figures(card: Card, head: Head) -> str:
    found = [*list_headline_figures(card, head.name), *list_recounted_figures(card, head.name)]
    rows = [(_named(figure), *_measured(figure)) for figure in found]
    return f"\n### {describe_question(head)}\n\n{_table(('Figure', *_MEASURED), rows)}" if rows else ""


def _measured(figure: CardFigure) -> tuple[str, str, str]:
    return format_estimate(figure), f"{figure.photos:,}", f"{figure.lesions:,}"


def _named(figure: CardFigure) -> str:
    return f"{name_figure(figure)}, {figure.group}" if figure.group else name_figure(figure)


def _outside(card: Card) -> str:
    own = [(figure.run, _named(figure), *_measured(figure)) for figure in list_outside_figures(card)]
    kin = [(name_cameras(row), row.recipe, *_measured(row.figure)) for row in card.left_out]
    parts = []
    if own:
        parts.append(f"Of photos of other clinics or cameras, of which it learned none.\n\n{_table(_OUTSIDE, own)}")
    if kin:
        said = " ".join(filter(None, (_LEFT_OUT, describe_threshold_transfer(card))))
        parts.append(f"{said}\n\n{_table(('Photos of', 'Recipe', *_MEASURED), kin)}")
    return "\n".join(parts)


def _calibration(card: Card) -> str:
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
    return _table(("Answer", "Figure", "Before", "After"), rows) + f"\n{_CALIBRATION}" if rows else ""


def _operating_points(card: Card) -> str:
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
    columns = ("Sensitivity meant, on validation", "Threshold", "Sensitivity on test", "Specificity on test")
    read = [f"{name_figure(figure)}: {format_estimate(figure, PERCENT)}." for figure in list_read_from_test(card)]
    said = "A malignancy score of at least the threshold is above it.\n"
    return _table(columns, rows) + f"\n{said}" + (f"\n{_bullets(read)}" if read else "")


def _subgroups(card: Card) -> str:
    rows = [(name_group(figure), name_figure(figure), *_measured(figure)) for figure in list_subgroup_figures(card)]
    return _table(("Subgroup", "Figure", *_MEASURED), rows) if rows else ""


def _bullets(lines: Iterable[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)


def _table(columns: Sequence[str], rows: Rows) -> str:
    lines = (columns, ["---"] * len(columns), *rows)
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)
