"""What a score would be where another share of the lesions is malignant than where it was calibrated."""


def restated(score: float, old: float, new: float) -> float:
    """Return a malignancy score, 0 to 1, restated from the share of malignant lesions `old` to the share `new`.

    Bayes' rule on the odds (Saerens, Latinne and Decaestecker, 2002): they are multiplied by the odds of the new share
    over those of the old. It holds where the malignant lesions here and there look alike, and the benign ones too. No
    score overtakes another, so that what is above a threshold stays above the threshold restated likewise.

    Raises ValueError for a score outside 0 to 1, and for a share that is not between 0 and 1.
    """
    if not 0 <= score <= 1:
        raise ValueError(f"A score lies in 0 to 1, not at {score}.")
    for share in (old, new):
        if not 0 < share < 1:
            raise ValueError(f"The share of malignant lesions lies between 0 and 1, not at {share}.")
    malignant, benign = score * new * (1 - old), (1 - score) * old * (1 - new)
    return malignant / (malignant + benign)
