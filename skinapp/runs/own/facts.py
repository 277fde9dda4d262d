"""The columns of an uploaded file that become subgroups."""

import numpy as np
import pandas as pd

from skinapp.datasets.columns import MAX_AGE, MAX_TEXT, quote
from skinapp.formatting import shorten_list
from skinapp.runs.own.table import is_missing, is_plain
from skinapp.runs.views.subgroups import AGE_BANDS
from skinapp.text_tables.read import read_numbers

MAX_LEVELS = 50
"""The most different words in a column of subgroups; a column with more is a measure or free text."""

_AGES = ("age", "age_approx")


def list_subgroups(text: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the columns of subgroups, with ages in bands, and a note that names the other columns."""
    facts, left_out = {}, []
    for column in text.columns:
        known = text[column].mask(is_missing(text[column]))
        levels = known.dropna().unique()
        if (bands := _age_bands(column, known)) is not None:
            facts["age_band"] = bands
        elif is_plain(column) and len(levels) <= MAX_LEVELS and max(map(len, levels), default=0) <= MAX_TEXT:
            facts[column] = known
        else:
            left_out.append(quote(column))
    note = (
        f"Not used as subgroups, because of more than {MAX_LEVELS} different words, very long ones or an unusual name: "
        f"{shorten_list(left_out)}."
    )
    return pd.DataFrame(facts, index=text.index), (note,) if left_out else ()


def _age_bands(column: str, known: pd.Series) -> pd.Series | None:
    """Return a column of ages as bands of years; None where it is another column or holds other values than ages."""
    if column.casefold() not in _AGES:
        return None
    places, words = pd.factorize(known, use_na_sentinel=True)
    years = pd.Series(read_numbers(pd.Series(words, dtype="string")))
    if not years.between(0, MAX_AGE).all():
        return None
    bands = pd.cut(years, [*AGE_BANDS, np.inf], right=False, labels=list(AGE_BANDS.values())).astype("string")
    return bands.reindex(places).reset_index(drop=True)
