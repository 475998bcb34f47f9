"""Flink: what its runner needs, and a cluster of one machine to try it on."""
