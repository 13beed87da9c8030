"""Trends of gridded and regional series: seasons, Mann-Kendall test, Sen's slope, changes."""
