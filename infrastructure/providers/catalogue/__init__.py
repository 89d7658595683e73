"""Facts about models as data: one file of rows per provider that has any, and the trials on the platform's keys."""
