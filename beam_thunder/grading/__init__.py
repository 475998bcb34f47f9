"""Rules that decide whether an answer is correct; each module is one kind of question."""
