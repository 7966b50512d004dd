from dataclasses import dataclass

from pgpubsub import TriggerChannel

from bench_app.models import Item


@dataclass
class ItemWritten(TriggerChannel):
    model = Item
    lock_notifications = True
