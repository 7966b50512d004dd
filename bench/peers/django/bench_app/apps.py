from django.apps import AppConfig


class BenchApp(AppConfig):
    name = "bench_app"

    def ready(self):
        import bench_app.listeners  # noqa: F401
