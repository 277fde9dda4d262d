import numpy as np
import pandas as pd

from skinapp.runs.lookup import places_among


def test_ids_are_found_whatever_pandas_calls_their_type() -> None:
    among = pd.Series(["b", "a", "c"])
    for kind in ("str", "string", object):
        places = places_among(pd.Series(["a", "x", "c", "a"], dtype=kind), among.astype(kind))
        assert places.tolist() == [1, -1, 2, 1]
    assert places.dtype == np.intp
    assert places_among(pd.Series([], dtype="str"), among).tolist() == []
    assert places_among(among, pd.Series([], dtype="str")).tolist() == [-1, -1, -1]
