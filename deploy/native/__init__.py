"""PostgreSQL and Apache Kafka themselves, started from Python packages alone: no Docker, no Java, no Maven.

`make stack`, `make bench` and the tests all start their servers here, so what a test proves is what a person
gets. It stands beside the other ways to run the trial and imports neither `shared` nor `services`.
"""
