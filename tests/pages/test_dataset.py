from streamlit.testing.v1 import AppTest

from skinapp.datasets.summary import class_counts
from skinapp.datasets.table import TABLES, read_table


def test_headline_is_counted_from_the_table(app: AppTest) -> None:
    page = app.switch_page("pages/dataset.py").run()
    table = read_table(TABLES / "ham10000.parquet")
    counts = class_counts(table)

    assert not page.exception
    shown = {metric.label: metric.value for metric in page.metric}
    assert shown["Photos"] == f"{len(table):,}"
    assert shown["Lesions"] == f"{table['lesion_id'].nunique():,}"
    assert shown["Largest class"] == f"{counts['photos'].max() / counts['photos'].sum():.0%}"


def test_split_table_covers_every_photo(app: AppTest) -> None:
    page = app.switch_page("pages/dataset.py").run()
    split = page.dataframe[0].value
    assert split["photos"].sum() == len(read_table(TABLES / "ham10000.parquet"))
    assert {"train", "validation", "test", "showcase"} == set(split["split"])
