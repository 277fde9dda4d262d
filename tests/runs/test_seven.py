from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from skinapp.errors import RunError
from skinapp.runs.seven import SEVEN_CODES, can_merge_to_seven, merge_shares, merge_to_seven
from skinapp.runs.stored import Scaling, StoredRun
from skinapp.runs.summary import compute_headline

MakeRun = Callable[..., StoredRun]


def test_squamous_cell_carcinoma_joins_akiec_in_truth_and_in_probability(make_run: MakeRun) -> None:
    run = replace(make_run(), temperature=1.3, offsets=(0.5,) * 8, malignancy=Scaling(0.9, (0.1, -0.1)))
    seven = merge_to_seven(run)
    assert seven.classes == ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    before = run.frame
    np.testing.assert_allclose(seven.frame["p_akiec"], before["p_akiec"] + before["p_scc"])
    joined = before["truth"].isin(["akiec", "scc"])
    assert (seven.frame["truth"] == "akiec").tolist() == joined.tolist()
    assert seven.frame.loc[~joined, "truth"].tolist() == before.loc[~joined, "truth"].tolist()
    np.testing.assert_allclose(seven.probabilities().sum(axis=1), 1, atol=1e-6)
    assert seven.probabilities().max() <= 1
    assert "p_scc" not in seven.frame
    assert "p_scc" in run.frame  # the run itself is left alone
    # What calibrated eight logits says nothing of seven.
    assert (seven.temperature, seven.offsets, seven.malignancy) == (None, (), None)


def test_how_well_malignancy_is_told_stays(make_run: MakeRun) -> None:
    run = make_run()
    assert compute_headline(merge_to_seven(run)).malignant_auroc == pytest.approx(compute_headline(run).malignant_auroc)


def test_other_classes_are_refused_by_name(make_run: MakeRun) -> None:
    assert can_merge_to_seven(make_run())
    for classes in (("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"), ("malignant", "benign")):
        assert not can_merge_to_seven(make_run(classes))
        with pytest.raises(RunError, match="cannot be counted as seven"):
            merge_to_seven(make_run(classes))


def test_the_shares_of_scc_and_akiec_add_up() -> None:
    eight = {"akiec": 0.1, "bcc": 0.2, "bkl": 0.05, "df": 0.05, "mel": 0.1, "nv": 0.3, "scc": 0.15, "vasc": 0.05}
    seven = merge_shares(eight)
    assert tuple(seven) == SEVEN_CODES
    assert seven["akiec"] == pytest.approx(0.25)
    assert sum(seven.values()) == pytest.approx(1)
