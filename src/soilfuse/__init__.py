"""soilfuse fuses the soil moisture of many climate models into one high-resolution product."""

__version__ = "0.1.0"
