"""Raw files that keep arriving, to windows of validated shards; each window is a small build.

What is published is the only memory of a stream: which files were taken, and which questions
were seen, is in its log, not in a runner's state. So a step that runs again, on another
worker or in another job, loses and repeats nothing.
"""
