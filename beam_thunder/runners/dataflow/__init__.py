"""Dataflow: what its runner needs, and a flex template."""
