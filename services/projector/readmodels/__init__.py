"""Read models: each module has its table, the handlers that fill it, its view and its queries.

Events of different streams arrive in any order, so every handler writes columns that no other stream's events write,
and whatever needs several read models is joined when it is asked for.
"""
