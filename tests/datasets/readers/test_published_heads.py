"""Tables with the column names of ten published data sets, and made rows: what `skinapp index csv` makes of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from skinapp.datasets.readers.csv import read_csv_photos


@dataclass(frozen=True)
class Head:
    """A table, and what is right: diagnoses, malignancy (None where not known), patients and the photo names."""

    name: str
    text: str
    diagnoses: list[str | None]
    malignant: list[bool | None]
    patients: list[str | None] | None = None
    ids: tuple[str, ...] = ("ISIC_0000001", "ISIC_0000002", "ISIC_0000003")


ARCHIVE = (
    "isic_id,attribution,copyright_license,age_approx,anatom_site_general,benign_malignant,concomitant_biopsy,diagnosis,"
    "diagnosis_confirm_type,image_type,lesion_id,patient_id,sex\n"
)
ARCHIVE_DX = (
    "isic_id,attribution,copyright_license,age_approx,anatom_site_1,anatom_site_general,diagnosis_1,diagnosis_2,"
    "diagnosis_3,diagnosis_4,diagnosis_5,diagnosis_confirm_type,image_type,lesion_id,patient_id,sex\n"
)
PAD = (
    "patient_id,lesion_id,smoke,drink,background_father,background_mother,age,pesticide,gender,skin_cancer_history,"
    "cancer_history,has_piped_water,has_sewage_system,fitspatrick,region,diameter_1,diameter_2,diagnostic,itch,grew,hurt,"
    "changed,bleed,elevation,img_id,biopsed\n"
)
ISIC2024 = (
    "isic_id,target,patient_id,age_approx,sex,anatom_site_general,clin_size_long_diam_mm,image_type,tbp_lv_A,lesion_id,"
    "iddx_full,iddx_1,iddx_2,iddx_3,iddx_4,iddx_5\n"
)
HEADS = [
    Head(
        "ISIC Archive",
        ARCHIVE
        + "ISIC_0000001,A,CC-0,85+,head/neck,indeterminate/benign,,nevus,histopathology,dermoscopic,IL_1,IP_1,f\n"
        "ISIC_0000002,A,CC-0,40,,malignant,,squamous cell carcinoma,,dermoscopic,,IP_1,male\n"
        "ISIC_0000003,A,CC-0,,,,,,,dermoscopic,,,\n",
        ["nv", "scc", None],
        [None, True, None],
        ["IP_1", "IP_1", None],
    ),
    Head(
        "ISIC Archive with ISIC-DX",
        ARCHIVE_DX + "ISIC_0000001,A,CC-0,40,,,Benign,Benign melanocytic proliferations,Nevus,"
        '"Nevus, Atypical, Dysplastic, or Clark",,histopathology,dermoscopic,IL_1,IP_1,male\n'
        "ISIC_0000002,A,CC-0,40,,,Malignant,Malignant epidermal proliferations,Squamous cell carcinoma in situ,,,,"
        "dermoscopic,,IP_2,male\n"
        "ISIC_0000003,A,CC-0,40,,,Indeterminate,Indeterminate melanocytic proliferations,Atypical Spitz tumor,,,,"
        "dermoscopic,,,\n",
        ["nv", "akiec", "Atypical Spitz tumor"],
        [False, True, None],
        ["IP_1", "IP_2", None],
    ),
    Head(
        "ISIC 2016, without a header",
        "ISIC_0000001,benign\nISIC_0000002,malignant\nISIC_0000003,benign\n",
        ["benign", "malignant", "benign"],
        [False, True, False],
    ),
    Head(
        "ISIC 2017",
        "image_id,melanoma,seborrheic_keratosis\nISIC_0000001,1.0,0.0\nISIC_0000002,0.0,1.0\nISIC_0000003,0.0,0.0\n",
        ["mel", "bkl", "nv"],
        [True, False, False],
    ),
    Head(
        "ISIC 2018 and 2019, one column per class",
        "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\nISIC_0000001,0.0,1.0,0,0,0,0,0,0,0\n"
        "ISIC_0000002,0,0,0,0,0,0,0,1.0,0\nISIC_0000003,0,0,0,0,0,0,0,0,1.0\n",
        ["nv", "scc", None],
        [False, True, None],
    ),
    Head(
        "ISIC 2020",
        "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target\n"
        "ISIC_0000001,IP_1,male,45.0,head/neck,unknown,benign,0\nISIC_0000002,IP_1,female,45.0,,melanoma,malignant,1\n"
        "ISIC_0000003,IP_2,female,,,lentigo NOS,benign,0\n",
        [None, "mel", "lentigo NOS"],
        [False, True, False],
        ["IP_1", "IP_1", "IP_2"],
    ),
    Head(
        "ISIC 2024",
        ISIC2024 + "ISIC_0000001,0,IP_1,60,male,torso,3.1,TBP,1.0,,Benign,Benign,,,,\n"
        "ISIC_0000002,1,IP_2,60,male,torso,3.1,TBP,1.0,IL_1,"
        "Malignant::Malignant melanocytic proliferations (Melanoma)::Melanoma in situ,Malignant,"
        "Malignant melanocytic proliferations (Melanoma),Melanoma in situ,,\n"
        "ISIC_0000003,0,IP_3,60,male,torso,3.1,TBP,1.0,,Indeterminate,Indeterminate,,,,\n",
        ["benign", "mel", None],
        [False, True, None],
        ["IP_1", "IP_2", "IP_3"],
    ),
    Head(
        "BCN20000",
        "bcn_filename,age_approx,anatom_site_general,diagnosis,lesion_id,capture_date,sex,split\n"
        "BCN_0000000001.jpg,55,anterior torso,MEL,BCN_1,2012-05-16,male,train\n"
        "BCN_0000000002.jpg,50,,AK,BCN_2,2016-01-01,,train\nBCN_0000000003.jpg,50,,,BCN_3,2016-01-01,,test\n",
        ["mel", "akiec", None],
        [True, True, None],
        None,
        ("BCN_0000000001", "BCN_0000000002", "BCN_0000000003"),
    ),
    Head(
        "PAD-UFES-20",
        PAD
        + "PAT_1,1,False,False,POMERANIA,POMERANIA,55,False,FEMALE,True,True,True,True,3.0,NECK,6.0,5.0,NEV,True,True,"
        "False,True,True,True,PAT_1_1_1.png,True\n"
        "PAT_1,2,,,,,55,,,,,,,,FACE,,,ACK,False,False,False,UNK,False,False,PAT_1_2_2.png,False\n"
        "PAT_2,3,,,,,70,,MALE,,,,,,NOSE,,,SEK,False,False,False,False,False,False,PAT_2_3_3.png,False\n",
        ["nv", "akiec", "bkl"],
        [False, True, False],
        ["PAT_1", "PAT_1", "PAT_2"],
        ("PAT_1_1_1", "PAT_1_2_2", "PAT_2_3_3"),
    ),
    Head(
        "Fitzpatrick17k",
        "md5hash,fitzpatrick_scale,fitzpatrick_centaur,label,nine_partition_label,three_partition_label,qc,url,"
        "url_alphanum\n0a0000000000000000000000000000a1,3,3,kaposi sarcoma,malignant dermal,malignant,,http://x/1.jpg,x\n"
        "0a0000000000000000000000000000a2,1,1,seborrheic keratosis,benign epidermal,benign,,http://x/2.jpg,y\n"
        "0a0000000000000000000000000000a3,6,5,psoriasis,inflammatory,non-neoplastic,1 Diagnostic,http://x/3.jpg,z\n",
        ["kaposi sarcoma", "bkl", "psoriasis"],
        [True, False, False],
        None,
        tuple(f"0a0000000000000000000000000000a{n}" for n in (1, 2, 3)),
    ),
    Head(
        "MILK10k",
        "lesion_id,AKIEC,BCC,BEN_OTH,BKL,DF,INF,MAL_OTH,MEL,NV,SCCKA,VASC,isic_id\n"
        "IL_1,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0,ISIC_0000001\n"
        "IL_2,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0,ISIC_0000002\n"
        "IL_3,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,ISIC_0000003\n",
        ["MAL_OTH", "scc", "BEN_OTH"],
        [True, True, False],
    ),
]


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.name)
def test_published_tables_are_labelled_as_they_say(
    head: Head, tmp_path: Path, draw_picture: Callable[..., None]
) -> None:
    (tmp_path / "images" / "part_1").mkdir(parents=True)
    for number, image_id in enumerate(head.ids):
        draw_picture(tmp_path / "images" / "part_1" / f"{image_id}.jpg", number)
    if head.name == "PAD-UFES-20":
        for photo in list((tmp_path / "images" / "part_1").iterdir()):
            photo.rename(photo.with_suffix(".png"))
    (tmp_path / "table.csv").write_text(head.text)
    indexed = read_csv_photos(tmp_path / "table.csv", tmp_path).table
    assert tuple(indexed["image_id"]) == head.ids

    def values(column: str) -> list[object]:
        return [None if value is pd.NA else value for value in indexed[column]]

    assert values("diagnosis") == head.diagnoses
    assert values("malignant") == head.malignant
    assert values("patient_id") == (head.patients or [None] * 3)
