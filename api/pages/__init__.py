"""Pages for people: HTML without JavaScript, without anything from elsewhere, under a strict policy."""
