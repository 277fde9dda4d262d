import numpy as np
import pandas as pd

from skinapp.runs.lookup import find_indices


def test_ids_are_found_whatever_pandas_calls_their_type() -> None:
    among = pd.Series(["b", "a", "c"])
    for kind in ("str", "string", object):
        places = find_indices(pd.Series(["a", "x", "c", "a"], dtype=kind), among.astype(kind))
        assert places.tolist() == [1, -1, 2, 1]
    assert places.dtype == np.intp
    assert find_indices(pd.Series([], dtype="str"), among).tolist() == []
    assert find_indices(among, pd.Series([], dtype="str")).tolist() == [-1, -1, -1]
