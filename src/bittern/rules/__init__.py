"""The rules language of AWS IoT, pure."""
