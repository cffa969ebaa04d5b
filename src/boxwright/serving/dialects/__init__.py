"""The protocols of the server, one module each.

A module has one function, `routes_of(service: Service) -> list[Route]`, and a line in
`registry.py`. Its endpoints raise `Refusal`; `app.py` answers with `{"error": message}`, which is
the form of TensorFlow Serving, of the Open Inference Protocol and of ours alike.
"""
