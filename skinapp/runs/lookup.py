"""Finding ids and labels among others, fast enough for a page on 400,000 photos."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from skinapp.metrics.classification import ClassIndex


def places_among(names: "pd.Series[str]", among: "pd.Series[str]") -> ClassIndex:
    """Return the place of each name, (n,), in `among`, whose names are unique; -1 where it is not there.

    Arrow finds strings in a fifth of the time that an index of pandas takes.
    """
    found = pc.index_in(pa.array(names, pa.string()), value_set=pa.array(among, pa.string()))
    places: ClassIndex = found.fill_null(-1).to_numpy().astype(np.intp)
    return places
