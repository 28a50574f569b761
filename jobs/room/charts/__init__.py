"""Numbers → shapes. No markup here: templates draw, room.css colours."""
