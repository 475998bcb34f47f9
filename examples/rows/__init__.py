"""The hand-made rows of the examples, a module per source."""
