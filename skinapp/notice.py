"""What stands beside every answer: it is no diagnosis, and the photo was not checked."""

NOTICE = "Not a diagnosis and not a medical device. New, changing or bleeding: see a doctor, whatever this shows."

NOT_CHECKED = "Whether this is a dermoscopy photo was not checked. For any other picture the scores mean nothing."
