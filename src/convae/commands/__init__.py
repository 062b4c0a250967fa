"""The programs of ``convae``, one module each."""
