"""Meristem behind the interfaces of other packages."""
