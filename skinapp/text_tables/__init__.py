"""Tables of others as text: read.py reads any, write.py writes safe ones, label_words.py knows their words."""
