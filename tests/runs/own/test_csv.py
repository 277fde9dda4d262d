import pytest

from skinapp.errors import RunError
from skinapp.runs.own.csv import read_cells, read_header


def test_cells_come_by_name_whatever_their_order() -> None:
    data = b"b, a ,c,d\n2,x,0.5,\n3, y ,nan,1e-3\n"
    header = read_header(data, "a.csv")
    assert header.columns == ("b", "a", "c", "d")
    cells = read_cells(data, header, ["a", "b"], ["d", "c"])
    assert cells.text.to_dict(orient="list") == {"a": ["x", "y"], "b": ["2", "3"]}
    assert [[str(value) for value in row] for row in cells.numbers] == [["nan", "0.5"], ["0.001", "nan"]]


def test_names_in_quotes_may_hold_the_separator_and_the_commonest_separates() -> None:
    assert read_header(b'"a,b",c\n', "a.csv").columns == ("a,b", "c")
    assert read_header(b"a,b;c;d\n", "a.csv").columns == ("a,b", "c", "d")


def test_a_column_that_is_not_asked_for_may_hold_anything() -> None:
    data = b"a,b\nx,\xff\n"
    assert read_cells(data, read_header(data, "a.csv"), ["a"], []).text["a"].tolist() == ["x"]
    with pytest.raises(RunError, match="UTF-8"):
        read_cells(data, read_header(data, "a.csv"), ["b"], [])
