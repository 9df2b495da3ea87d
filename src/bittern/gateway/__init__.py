"""Front-end protocols of gateways, without input or output: text and values in, values out."""
