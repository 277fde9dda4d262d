from streamlit.testing.v1 import AppTest

from skinapp.taxonomy import DIAGNOSES


def test_each_type_has_its_name_its_reason_and_its_counts(app: AppTest) -> None:
    page = app.switch_page("pages/types.py").run()

    assert not page.exception
    assert [heading.value for heading in page.subheader] == [f"{d.name} ({d.code})" for d in DIAGNOSES]
    text = " ".join(element.value for element in page.markdown)
    for diagnosis in DIAGNOSES:
        assert diagnosis.covers in text
        assert diagnosis.why in text
    assert "6,705 photos of 5,403 lesions" in text
    assert text.count("counted as malignant") == sum(d.malignant for d in DIAGNOSES)
