"""What runs inside bubblewrap: the standard library only, and no import of the package.

server   takes programs, forks a checker for each, clears up behind it
checker  runs the tests; forks the process of the answer first
answer   runs the answer and does what the checker asks of it
wire     values as JSON, between the two
confine  what a process gives up before it runs anything
"""
