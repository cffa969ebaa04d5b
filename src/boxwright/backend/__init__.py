"""The one door to Keras, TensorFlow, JAX, ONNX Runtime and OpenVINO."""
