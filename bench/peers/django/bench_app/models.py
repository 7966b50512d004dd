from django.db import models


class Item(models.Model):
    name = models.TextField()
    qty = models.IntegerField()
    created_at = models.DateTimeField()
    price = models.DecimalField(max_digits=12, decimal_places=2)
    attrs = models.JSONField()
    ref = models.UUIDField()
    active = models.BooleanField()

    class Meta:
        db_table = "item"
