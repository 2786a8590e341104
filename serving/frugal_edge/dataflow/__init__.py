"""Bytes that are sent, against those of sending everything at the native step."""
