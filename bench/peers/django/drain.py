"""Drains a backlog with django-pgpubsub: drain.py COUNT, in a copy of this folder, with PG* variables of an empty database or its own.

Writes how many were drained, and in how many seconds.
"""

import json
import os
import sys
import time

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
# Django takes psycopg 3 where both drivers are; it has to be told to do so, too.
os.environ["PGPUBSUB_USE_PSYCOPG_V3"] = "True"

import django

django.setup()

import bench_app.listeners
from django.core.management import call_command
from django.db import connection
from pgpubsub.listen import listen_to_channels, process_notifications, process_stored_notifications

CHANNELS = ["bench_app.channels.ItemWritten"]
INSERT = """
    INSERT INTO item (name, qty, created_at, price, attrs, ref, active)
    SELECT 'item name ' || n, n, now(), 12.34, '{"colour": "red", "size": 42, "tags": ["a", "b", "c"], "note": "a small document of about two hundred bytes"}',
           gen_random_uuid(), true FROM generate_series(1, %s) AS n
"""

count = int(sys.argv[1])
call_command("makemigrations", "bench_app", verbosity=0)
call_command("migrate", verbosity=0)
with connection.cursor() as cursor:
    cursor.execute("TRUNCATE item, pgpubsub_notification")
    cursor.execute(INSERT, [count])
    cursor.execute("VACUUM ANALYZE pgpubsub_notification")
    cursor.execute("CHECKPOINT")
session = listen_to_channels(CHANNELS)
began = time.monotonic()
while bench_app.listeners.done < count:
    process_stored_notifications(CHANNELS)
    process_notifications(session)
print(json.dumps({"count": bench_app.listeners.done, "seconds": time.monotonic() - began}))
