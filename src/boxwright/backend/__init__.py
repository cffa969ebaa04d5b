"""The only access to Keras, TensorFlow, JAX, ONNX Runtime and OpenVINO."""
