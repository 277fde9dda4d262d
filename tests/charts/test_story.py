import pandas as pd

from skinapp.charts.story import draw_certainties


def photos() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": ["a", "b", "c", "d"],
            "truth": ["vasc", "bcc", "bcc", "mel"],
            "answer": ["vasc", "nv", "mel", "nv"],
            "certainty": [0.9, 0.99, 0.5, 0.4],
            "kind": ["right", "wrongly a nevus", "wrong otherwise", "wrongly a nevus"],
        }
    )


def drawn() -> tuple[dict, pd.DataFrame]:
    spec = draw_certainties(photos()).to_dict()
    (data,) = spec["datasets"].values()
    return spec, pd.DataFrame(data)


def test_each_photo_is_a_point_in_its_own_lane() -> None:
    spec, points = drawn()
    assert len(points) == 4
    assert not points.duplicated(["name", "lane"]).any()
    assert spec["layer"][0]["encoding"]["x"]["field"] == "certainty"


def test_classes_are_in_the_usual_order_with_full_names() -> None:
    spec, _ = drawn()
    assert spec["layer"][0]["encoding"]["y"]["sort"] == ["Basal cell\ncarcinoma", "Melanoma", "Vascular\nlesion"]


def test_kinds_differ_by_colour_and_by_shape() -> None:
    encoding = drawn()[0]["layer"][0]["encoding"]
    for channel in ("color", "shape"):
        scale = encoding[channel]["scale"]
        assert scale["domain"] == ["right", "wrongly a nevus", "wrong otherwise"]
        assert len(set(scale["range"])) == 3


def test_the_tooltip_has_truth_and_answer() -> None:
    spec, points = drawn()
    assert points.set_index("image_id").loc["b", "answered"] == "Nevus (mole)"
    assert {one["title"] for one in spec["layer"][0]["encoding"]["tooltip"]} == {
        "Photo",
        "Truth",
        "Answer",
        "Certainty",
    }
