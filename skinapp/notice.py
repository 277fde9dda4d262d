"""What every answer says beside it: it is no diagnosis, and what was not checked."""

NOTICE = "Not a diagnosis and not a medical device. New, changing or bleeding: see a doctor, whatever this shows."


NOT_CHECKED = "The photo was not checked for being dermoscopy: for any other picture the scores mean nothing."
