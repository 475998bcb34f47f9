"""What differs between runners: their options, and how a run is watched."""
