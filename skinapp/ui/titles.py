"""The titles of an image table's columns."""

TITLES = {
    "diagnosis": "Diagnosis",
    "split": "Split",
    "source": "Source",
    "sex": "Sex",
    "site": "Site",
    "camera": "Camera or clinic",
    "confirmation": "Confirmed by",
    "age": "Age in years",
}
