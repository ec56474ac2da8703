"""How fast the template is, against a floor or a peer in the same run. `make bench`."""
