"""A model that answers: as its endpoint does, on this machine; and the client that asks it."""
