import pgpubsub

from bench_app.channels import ItemWritten

done = 0


@pgpubsub.post_insert_listener(ItemWritten)
def nothing(old, new):
    global done
    done += 1
