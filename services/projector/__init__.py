"""The projector: read models of all services' events, and the queries of the trial over them."""
