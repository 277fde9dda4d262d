"""What stands beside every answer: it is no diagnosis; and, where a model has no check of it, that nobody checked."""

NO_DIAGNOSIS = "Not a diagnosis and not a medical device."

NOTICE = f"{NO_DIAGNOSIS} If a lesion is new, changes or bleeds, see a doctor, whatever this app shows."

NOT_CHECKED = "Whether this is a dermoscopy photo was not checked. For any other picture the scores mean nothing."
