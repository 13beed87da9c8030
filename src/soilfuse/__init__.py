"""soilfuse fuses the soil moisture of many climate models into one high-resolution product."""

from soilfuse.errors import tell_interruptions

__version__ = "0.1.0"

tell_interruptions()
