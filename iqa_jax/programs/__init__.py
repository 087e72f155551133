"""Programs: one verb each, from settings to tables, text and figures."""
