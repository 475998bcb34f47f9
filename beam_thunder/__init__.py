"""Builds the Llama-Thunder-LLM post-training datasets with Apache Beam."""

__version__ = "0.1.0"
