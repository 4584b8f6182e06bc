"""Deeploy: an ONNX to C compiler for multi-core microcontrollers."""
