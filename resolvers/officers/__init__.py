"""What officers do, by noun: one function for each operation, which the command line and the contract share.

In comes a `Desk` (or a `LongDesk`, for work of several transactions) and what the operation is about. Each
operation begins with `act`, which asks whether the officer may and writes the action down; what it does then
is a command of `resolvers.commands`, which knows of no officer. It raises what that command raises.
"""
